"""Async methods as blocking ones: each signature is written once, where the code is."""

from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import aclosing
from functools import wraps
from types import MethodType
from typing import Any, Concatenate, Generic, ParamSpec, Protocol, TypeVar, overload

P = ParamSpec("P")
R = TypeVar("R", covariant=True)


class _Whole(Protocol):
    def _run(self, call: str, work: Callable[[], Coroutine[Any, Any, Any]]) -> Any: ...


class BlockingMethod(Generic[P, R]):
    """A method that waits for an async one of a part, with the signature and the docstring of that.

    ``read: Final = BlockingMethod("_live", LiveSession.read)`` in the body of a class makes ``plant.read(…)`` wait for
    ``plant._live.read(…)``. Type checkers see the signature; of an overloaded method mypy sees the first one alone.
    """

    def __init__(self, part: str, method: Callable[Concatenate[Any, P], Coroutine[Any, Any, R]]) -> None:
        """`method` is one of the class of the part, or a function whose first argument is the part."""
        self._blocking = _blocking(part, method, _called)
        self.__doc__ = method.__doc__

    @overload
    def __get__(self, whole: None, owner: type) -> Callable[Concatenate[Any, P], R]: ...

    @overload
    def __get__(self, whole: object, owner: type) -> Callable[P, R]: ...

    def __get__(self, whole: object | None, owner: type) -> Callable[..., R]:
        return self._blocking if whole is None else MethodType(self._blocking, whole)


class BlockingList(Generic[P, R]):
    """A method that takes in what an async iterator of a part yields, to its end, and returns it as a list."""

    def __init__(self, part: str, method: Callable[Concatenate[Any, P], AsyncIterator[R]]) -> None:
        self._blocking = _blocking(part, method, _collected)
        self.__doc__ = method.__doc__

    @overload
    def __get__(self, whole: None, owner: type) -> Callable[Concatenate[Any, P], list[R]]: ...

    @overload
    def __get__(self, whole: object, owner: type) -> Callable[P, list[R]]: ...

    def __get__(self, whole: object | None, owner: type) -> Callable[..., list[R]]:
        return self._blocking if whole is None else MethodType(self._blocking, whole)


def _blocking(part: str, method: Callable[..., Any], run: Callable[..., Coroutine[Any, Any, Any]]) -> Any:
    """Return a method that runs `method` of the part by `run`, and waits for it."""

    @wraps(method)
    def blocking(whole: _Whole, /, *given: Any, **named: Any) -> Any:
        holder = getattr(whole, part)
        bound = getattr(holder, method.__name__, None) or MethodType(method, holder)
        return whole._run(method.__name__, lambda: run(bound, *given, **named))

    return blocking


async def _called(method: Callable[..., Coroutine[Any, Any, Any]], *given: Any, **named: Any) -> Any:
    return await method(*given, **named)


async def _collected(method: Callable[..., Any], *given: Any, **named: Any) -> list[Any]:
    async with aclosing(method(*given, **named)) as stream:
        return [each async for each in stream]
