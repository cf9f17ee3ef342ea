"""Methods of an object on a loop's thread as methods for other threads: each signature is written once."""

from collections.abc import Callable
from functools import wraps
from types import MethodType
from typing import Any, Concatenate, Generic, ParamSpec, Protocol, TypeVar, overload

P = ParamSpec("P")
R = TypeVar("R", covariant=True)


class _Facade(Protocol):
    def _called(self, method: Callable[..., Any], *given: Any, **named: Any) -> Any: ...


class ThreadMethod(Generic[P, R]):
    """A method that is called on the loop's thread and waited for here, with its signature and its docstring.

    ``set: Final = ThreadMethod(SimulatedGateway.set)`` in the body of a class makes ``simulator.set(…)`` call that of
    the gateway.
    """

    def __init__(self, method: Callable[Concatenate[Any, P], R]) -> None:
        @wraps(method)
        def waited_for(whole: _Facade, /, *given: Any, **named: Any) -> Any:
            return whole._called(method, *given, **named)

        self._waited_for = waited_for
        self.__doc__ = method.__doc__

    @overload
    def __get__(self, whole: None, owner: type) -> Callable[Concatenate[Any, P], R]: ...

    @overload
    def __get__(self, whole: object, owner: type) -> Callable[P, R]: ...

    def __get__(self, whole: object | None, owner: type) -> Callable[..., R]:
        return self._waited_for if whole is None else MethodType(self._waited_for, whole)
