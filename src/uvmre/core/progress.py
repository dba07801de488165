"""Progress callbacks: silent by default, the command line passes one that prints or draws."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from uvmre.core.outcome.matching import Outcome
    from uvmre.core.outcome.observation import StepResult
    from uvmre.core.search.matrix import Cell


class Progress:
    """Callbacks that any thread may call."""

    def downloading(self, release: str, done: int, total: int) -> None:
        """A part of a release was downloaded, in bytes; `total` is 0 while it is unknown."""

    def variants(self, names: list[str]) -> None:
        """These variants will run."""

    def step(self, variant: str, title: str) -> None:
        """A step starts."""

    def stepped(self, variant: str, step: "StepResult") -> None:
        """A step ended."""

    def judged(self, variant: str, outcome: "Outcome") -> None:
        """A variant has an outcome."""

    def detail(self, sentence: str) -> None:
        """What takes its time."""

    def note(self, sentence: str) -> None:
        """A warning."""

    def cells(self, total: int) -> None:
        """The number of cells; 0 when it is unknown."""

    def begun(self, cell: str) -> None:
        """A cell starts."""

    def ended(self, name: str, cell: "Cell", *, kept: bool) -> None:
        """A cell has an outcome; `kept` when a former run left it."""

    def tried(self, size: int, first: int, calls: int, smaller: bool, left: float) -> None:
        """A candidate was tried: the bytes of the smallest so far and of the first one, and the seconds left."""
