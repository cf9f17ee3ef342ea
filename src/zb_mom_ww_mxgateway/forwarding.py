"""Methods of a part as methods of the object that has the part: each signature is written once, where the code is."""

from collections.abc import Callable
from typing import Any, Concatenate, Generic, ParamSpec, TypeVar, overload

P = ParamSpec("P")
R = TypeVar("R", covariant=True)


class ForwardedMethod(Generic[P, R]):
    """A method that an object forwards to one of its parts, with the signature and the docstring that it has there.

    ``register: Final = ForwardedMethod("_items", ItemCommands.register)`` in the body of a class makes
    ``session.register`` the same as ``session._items.register``. On the class it is the function itself: that is what
    documentation shows. Type checkers see the signature, but of an overloaded method only the first one; without
    ``Final`` they would have to infer it.
    """

    def __init__(self, part: str, method: Callable[Concatenate[Any, P], R]) -> None:
        """`part` is the attribute that holds the part, `method` a method of the class of the part."""
        self._part = part
        self._method = method
        self.__doc__ = method.__doc__
        self.__wrapped__ = method

    @overload
    def __get__(self, whole: None, owner: type) -> Callable[Concatenate[Any, P], R]: ...

    @overload
    def __get__(self, whole: object, owner: type) -> Callable[P, R]: ...

    def __get__(self, whole: object | None, owner: type) -> Callable[..., R]:
        if whole is None:
            return self._method
        bound: Callable[..., R] = getattr(getattr(whole, self._part), self._method.__name__)
        return bound
