"""The options of ``--demo``: the user's own tags, logic and faults in its plant."""

import functools
from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar

import click

F = TypeVar("F", bound=Callable[..., Any])


class DemoOptions(NamedTuple):
    """Whether the gateway is a simulated one, and what its plant has in addition."""

    demo: bool = False
    tags: str | None = None
    """A CSV file."""
    plant: str | None = None
    """A plant file in Python."""
    faults: str | None = None
    """A fault file."""
    generated_tags: int = 0

    def joined(self, other: "DemoOptions") -> "DemoOptions":
        """Return both together; where only one can hold, the other's."""
        return DemoOptions(**{name: getattr(other, name) or getattr(self, name) for name in self._fields})

    def check(self) -> None:
        """Raise click.UsageError for a file without ``--demo``."""
        if self.demo:
            return
        for name in self._fields:
            if getattr(self, name):
                option = f"--{name.replace('_', '-')}"
                raise click.UsageError(f"{option} is for the simulated plant: add --demo. A gateway has its own")


def demo_options(function: F) -> F:
    """Add ``--demo`` and the options of its plant to a click command, which gets them as one `demo_plant` argument."""
    file = click.Path(exists=True, dir_okay=False)
    options = [
        click.option("--demo", "simulated", is_flag=True, help="Connect to a simulated gateway inside this process."),
        click.option("--tags", "own_tags", type=file, metavar="FILE.csv", help="With --demo: tags of your own."),
        click.option("--plant", "own_plant", type=file, metavar="FILE.py", help="With --demo: logic of your own."),
        click.option("--faults", "own_faults", type=file, metavar="FILE", help="With --demo: a schedule of faults."),
        click.option(
            "--generated-tags", type=click.IntRange(0, 10_000_000), metavar="N", help="With --demo: N generated tags."
        ),
    ]

    @functools.wraps(function)
    def with_demo(
        simulated: bool,
        own_tags: str | None,
        own_plant: str | None,
        own_faults: str | None,
        generated_tags: int | None,
        **arguments: Any,
    ) -> Any:
        plant = DemoOptions(
            demo=simulated, tags=own_tags, plant=own_plant, faults=own_faults, generated_tags=generated_tags or 0
        )
        return function(demo_plant=plant, **arguments)

    decorated: Any = with_demo
    for option in reversed(options):
        decorated = option(decorated)
    decorated_as_given: F = decorated
    return decorated_as_given
