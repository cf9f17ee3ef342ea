"""Data classes that get their methods with their first instance."""

import copy
import dataclasses
import inspect
import pickle
import threading
from dataclasses import field
from typing import Any, ClassVar

import pytest

from zb_mom_ww_mxgateway.late_dataclass import dataclass


@dataclass(frozen=True, slots=True)
class Point:
    """A point."""

    x: int
    y: int = 2
    tags: list[str] = field(default_factory=list)
    made: ClassVar[int] = 7


@dataclass(frozen=True, slots=True, kw_only=True)
class Named(Point):
    name: str = "origin"


@dataclass(slots=True)
class Counter:
    count: int = 0
    seen_at: float | None = field(default=None, init=False)
    names: list[str] = field(default_factory=list, init=False)

    def __post_init__(self) -> None:
        self.count += 1


def fresh() -> type[Any]:
    """A class that has no instance yet."""

    @dataclass(frozen=True, slots=True)
    class Fresh:
        x: int
        y: int = 2

    return Fresh


def has_methods(cls: type) -> bool:
    return "__init__" in cls.__dict__


def test_a_class_gets_its_methods_with_its_first_instance() -> None:
    cls = fresh()
    assert not has_methods(cls)
    assert cls(1) == cls(1, y=2) != cls(1, 3)
    assert has_methods(cls)
    assert repr(cls(1)).endswith("Fresh(x=1, y=2)")
    assert hash(cls(1)) == hash(cls(1))


def names(cls: type[Any]) -> list[str]:
    return [each.name for each in dataclasses.fields(cls)]


def parameters(cls: type[Any]) -> list[str]:
    return [str(each) for each in inspect.signature(cls).parameters.values()]


@pytest.mark.parametrize(
    ("ask", "answer"),
    [(names, ["x", "y"]), (dataclasses.is_dataclass, True), (parameters, ["x: int", "y: int = 2"])],
)
def test_who_asks_for_fields_before_there_is_an_instance_gets_them(ask: Any, answer: object) -> None:
    assert ask(fresh()) == answer


def test_an_instance_is_frozen_and_has_slots_alone() -> None:
    point = Point(1)
    with pytest.raises(dataclasses.FrozenInstanceError):
        point.x = 2  # type: ignore[misc]  # what is tested
    assert not hasattr(point, "__dict__")
    assert (point.x, point.y, point.tags, point.made) == (1, 2, [], 7)
    assert Point(1).tags is not point.tags


def test_a_subclass_has_the_fields_of_its_bases() -> None:
    assert [each.name for each in dataclasses.fields(Named)] == ["x", "y", "tags", "name"]
    assert Named(5, name="end") == Named(5, 2, [], name="end") != Point(5)
    with pytest.raises(TypeError, match="from 2 to 4 positional"):
        Named(5, 2, [], "end")  # type: ignore[misc]  # what is tested


def test_replaced_copied_and_pickled_it_is_the_same() -> None:
    point = Named(1, tags=["a"], name="b")
    for other in (
        dataclasses.replace(point),
        copy.copy(point),
        copy.deepcopy(point),
        pickle.loads(pickle.dumps(point)),
    ):
        assert other == point
        assert type(other) is Named
    assert dataclasses.asdict(point) == {"x": 1, "y": 2, "tags": ["a"], "name": "b"}


def test_wrong_arguments_are_refused_as_usual() -> None:
    with pytest.raises(TypeError, match="missing 1 required positional argument: 'x'"):
        fresh()()
    with pytest.raises(TypeError, match="unexpected keyword argument 'z'"):
        fresh()(1, z=3)


def test_a_field_may_have_any_name() -> None:
    @dataclass(frozen=True, slots=True)
    class Compared:
        actual: int
        cls: int

    assert (Compared(actual=1, cls=2).actual, Compared(1, 2).cls) == (1, 2)


def test_what_follows_its_making_is_done_each_time() -> None:
    assert [Counter().count, Counter(4).count] == [1, 5]


def test_a_field_that_is_no_argument_has_its_default() -> None:
    counter = Counter()
    assert (counter.seen_at, counter.names) == (None, [])
    counter.seen_at = 2.0
    assert (counter.seen_at, Counter().seen_at) == (2.0, None)


def test_a_class_matches_patterns() -> None:
    match Point(3, 4):
        case Point(x, y):
            assert (x, y) == (3, 4)
        case _:
            pytest.fail("no match")


def test_threads_that_make_the_first_instance_at_once_all_get_one() -> None:
    for _ in range(20):
        cls, start, made = fresh(), threading.Barrier(4), []

        def make(cls: type[Any] = cls, start: threading.Barrier = start, made: list[Any] = made) -> None:
            start.wait()
            made.append(cls(1))

        threads = [threading.Thread(target=make) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert made == [cls(1)] * 4
