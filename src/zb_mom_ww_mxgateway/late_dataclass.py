"""A ``dataclass`` that gets its methods with its first instance.

To generate the methods of a class takes longer than all else that its module does when it is loaded, and a run makes
instances of a quarter of the classes that it loads. An instance takes 0.2 µs longer to make than one of
:func:`dataclasses.dataclass`, so classes of events and samples are none of these.
"""

import dataclasses
import threading
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, get_origin

if TYPE_CHECKING:
    from dataclasses import dataclass as dataclass
else:

    def dataclass(*, slots: bool = False, **options: bool):
        """Do as :func:`dataclasses.dataclass` does, but generate the methods when they are needed."""

        def decorate(cls: type) -> type:
            defaults: dict[str, object] = {}
            if slots:
                cls, defaults = _with_slots(cls, is_frozen=options.get("frozen", False))
            _LateMethods(cls, defaults, options)
            return cls

        return decorate


_making = threading.RLock()
"""Held while methods are generated; those of a class need those of its bases."""


class _LateMethods:
    """The methods of one class, generated when somebody asks for its fields or makes an instance."""

    def __init__(self, cls: type, defaults: dict[str, object], options: dict[str, bool]) -> None:
        self._class = cls
        self._defaults = defaults
        self._options = options
        self._are_made = False

        def new(actual: type, /, *_arguments: object, **_named: object) -> object:
            if not self._are_made:
                self._make()
            return object.__new__(actual)

        for name, value in {"__new__": new, "__dataclass_fields__": self, "__signature__": _Signature(cls)}.items():
            setattr(cls, name, value)

    def __get__(self, _instance: object, _owner: type) -> dict[str, "dataclasses.Field[Any]"]:
        self._make()
        found: dict[str, dataclasses.Field[Any]] = self._class.__dict__["__dataclass_fields__"]
        return found

    def _make(self) -> None:
        with _making:
            if self._are_made:
                return
            # Defaults are attributes of the class while the methods are generated, and slots before and after.
            slots = {name: self._class.__dict__[name] for name in self._defaults}
            for name, default in self._defaults.items():
                setattr(self._class, name, default)
            dataclasses.dataclass(**self._options)(self._class)
            for name, slot in slots.items():
                setattr(self._class, name, slot)
            self._are_made = True


class _Signature:
    """The signature of a class, for those who ask before there is an instance."""

    def __init__(self, cls: type) -> None:
        self._class = cls

    def __get__(self, instance: object, owner: type) -> object:
        if instance is not None or owner is not self._class:
            raise AttributeError("__signature__")
        import inspect  # Lazy: only documentation asks.

        dataclasses.fields(self._class)
        found = inspect.signature(self._class.__init__)  # type: ignore[misc]  # of this class
        _self, *others = found.parameters.values()
        return found.replace(parameters=others)


def _with_slots(cls: type, *, is_frozen: bool) -> tuple[type, dict[str, object]]:
    """Return the class with slots for its fields, and the defaults of the fields."""
    hints: dict[str, Any] = cls.__annotations__
    fields = [name for name, hint in hints.items() if get_origin(hint) is not ClassVar]
    body = {name: value for name, value in cls.__dict__.items() if name not in ("__dict__", "__weakref__")}
    defaults = {name: _as_made(body.pop(name)) for name in fields if name in body}
    body["__slots__"] = tuple(fields)
    if is_frozen:
        body |= {"__getstate__": _state, "__setstate__": _set_state}
    made = type(cls)(cls.__name__, cls.__bases__, body)
    made.__qualname__ = cls.__qualname__
    return made, defaults


def _as_made(default: Any) -> Any:
    """Return the default of a field; one that is no argument is made, for it is no attribute of the class."""
    if isinstance(default, dataclasses.Field) and not default.init and default.default is not dataclasses.MISSING:
        default.default_factory, default.default = partial(_same, default.default), dataclasses.MISSING
    return default


def _same(value: object) -> object:
    return value


def _state(self: Any) -> list[object]:
    return [getattr(self, field.name) for field in dataclasses.fields(self)]


def _set_state(self: Any, state: list[object]) -> None:
    for field, value in zip(dataclasses.fields(self), state, strict=True):
        object.__setattr__(self, field.name, value)
