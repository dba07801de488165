"""Who is told how a long piece of work goes. Silent by default; the command line hands down one that draws."""

from uvmre.core.outcome.observation import StepResult
from uvmre.core.outcome.symptom import Outcome
from uvmre.core.search.matrix import Cell


class Progress:
    """Every method may be called from any thread."""

    def downloading(self, release: str, done: int, total: int) -> None:
        """So many bytes of a release have come; `total` is 0 where it is not known."""

    def variants(self, names: list[str]) -> None:
        """These will be run."""

    def step(self, variant: str, title: str) -> None:
        """A step starts."""

    def stepped(self, variant: str, step: StepResult) -> None:
        """A step has ended."""

    def judged(self, variant: str, outcome: Outcome) -> None:
        """A variant is done."""

    def note(self, sentence: str) -> None:
        """Something is to be known that stops nothing."""

    def cells(self, total: int) -> None:
        """So many cells are asked for in all; 0 where that shows only as it goes."""

    def begun(self, cell: str) -> None:
        """A cell is under way."""

    def ended(self, name: str, cell: Cell, *, kept: bool) -> None:
        """A cell is done; `kept` where its outcome was there from before."""
