"""Async methods as blocking ones: each signature is written once, where the code is."""

from collections.abc import Callable, Coroutine
from functools import wraps
from types import MethodType
from typing import Any, Concatenate, Generic, ParamSpec, Protocol, TypeVar, overload

P = ParamSpec("P")
R = TypeVar("R", covariant=True)


class _Whole(Protocol):
    def _finished(self, method: Callable[..., Coroutine[Any, Any, Any]], *given: Any, **named: Any) -> Any: ...


class BlockingMethod(Generic[P, R]):
    """A method that waits for an async one, with the signature and the docstring of that.

    ``read: Final = BlockingMethod(LiveSession.read)`` in the body of a class makes ``plant.read(…)`` wait for
    ``read(…)`` of the live session that `plant` has. Type checkers see the signature; of an overloaded method mypy sees
    the first one alone.
    """

    def __init__(self, method: Callable[Concatenate[Any, P], Coroutine[Any, Any, R]]) -> None:
        """`method` is one of the live session, or a function whose first argument is a live session."""

        @wraps(method)
        def blocking(whole: _Whole, /, *given: Any, **named: Any) -> Any:
            return whole._finished(method, *given, **named)

        self._blocking = blocking
        self.__doc__ = method.__doc__

    @overload
    def __get__(self, whole: None, owner: type) -> Callable[Concatenate[Any, P], R]: ...

    @overload
    def __get__(self, whole: object, owner: type) -> Callable[P, R]: ...

    def __get__(self, whole: object | None, owner: type) -> Callable[..., R]:
        return self._blocking if whole is None else MethodType(self._blocking, whole)
