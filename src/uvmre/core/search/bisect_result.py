"""The result of a search over releases, as sentences and as JSON data."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from uvmre.core.mre.symptom import Symptom
from uvmre.core.outcome.matching import Outcome, Word, is_conclusive
from uvmre.core.search.bisect import Boundaries, SearchStep
from uvmre.core.search.bisect_half import Edge
from uvmre.core.search.release import Release

FOUND, CANNOT_TELL = 0, 125
RELEASE_NOTES = "https://github.com/astral-sh/uv/releases/tag/"
AT_MOST = 4
"""Releases that a sentence names at most."""
FIRST_BAD, FIRST_GOOD = "first bad", "first good"
ANSWERS = {"bad": "shows", "good": "absent", "skip": "cannot tell", "lacks": "lacks it"}
OTHER_ERROR = "not the reported error"
"""The start of the reason for which a newer release that fails differently is good."""


@dataclass(frozen=True)
class Probe:
    """The result of a release."""

    word: Word
    """The outcome of its last run; `shows` if any shows."""
    reason: str
    bad: int
    """Runs in which it shows."""
    total: int
    """Conclusive runs."""
    seconds: float
    kept: bool
    """Whether all runs were cached."""
    observed: bytes = b""
    """What the run left, packed."""


@dataclass(frozen=True)
class History:
    """A finished search."""

    releases: Sequence[Release]
    reported: int
    lowest: int
    highest: int
    good: str
    """The release that `--good` names; empty without it."""
    boundaries: Boundaries
    probes: Mapping[int, Probe]
    path: Sequence[SearchStep]
    symptom: Symptom | None = None
    """That of the MRE; a script has none."""

    @property
    def exit_code(self) -> int:
        """Return what `uvmre bisect` exits with."""
        return CANNOT_TELL if self.unsound else FOUND

    @property
    def unsound(self) -> str:
        """Return why there is no result; empty if there is one."""
        probe = self.probes.get(self.reported)
        name = f"uv {self._version(self.reported)}"
        if probe is None:
            return f"{name} was not run."
        if self.boundaries.reported == "good":
            return f"The bug does not show on {name}, for which it is reported: {probe.reason}."
        if not self.boundaries.holds:
            return f"{name}, for which the bug is reported, cannot tell: {probe.reason}."
        lowest = self.probes.get(self.lowest)
        if self.good and lowest and lowest.bad:
            return f"uv {self.good} is not good: the bug shows there too ({lowest.reason})."
        return ""

    @property
    def flaky(self) -> Mapping[str, float] | None:
        """Return how often the bug shows on bad releases, if not always."""
        bad = [probe for probe in self.probes.values() if probe.bad]
        shown, total = sum(probe.bad for probe in bad), sum(probe.total for probe in bad)
        return {"rate": shown / total, "shown": shown, "runs": total} if shown < total else None

    @property
    def first_bad(self) -> str:
        """Return the first bad release; empty if an earlier one may show the bug too.

        The release before it may fail differently or lack the command, but must not be broken otherwise.
        """
        edge = self.boundaries.first_bad
        if self.unsound or edge is None or edge.word == "open":
            return ""
        if edge.word == "introduced":
            return self._version(edge.bad)
        before = self.probes.get(edge.bad - 1)
        if edge.word in ("between", "silent") and not (before and is_conclusive(Outcome(before.word, before.reason))):
            return ""
        return self._version(edge.bad)

    def sentences(self) -> list[str]:
        """Return the result as sentences."""
        if self.unsound:
            return [self.unsound]
        down, up = self.boundaries.first_bad, self.boundaries.first_good
        if down is None or up is None:
            return ["The search is incomplete."]
        return [
            f"{FIRST_BAD}: {self._first_bad(down)}",
            f"{FIRST_GOOD}: {self._first_good(up)}",
            *self._returns(),
            *self._flaky(down, up),
        ]

    def links(self) -> list[str]:
        """Return the release notes of the boundaries."""
        if self.unsound:
            return []
        return [
            f"{what}: {RELEASE_NOTES}{self._version(index)}"
            for what, index in self._firsts()
            if index is not None and self.releases[index].published
        ]

    def explain(self) -> list[str]:
        """Return the steps of the search as lines."""
        lines = []
        for step in self.path:
            what = FIRST_BAD if step.half == "first_bad" else FIRST_GOOD
            bad, good = self._version(step.after.bad), step.after.good
            far = "not found yet" if good is None else f"absent on {self._version(good)}"
            known = "" if step.half == "reported" else f"{what}: shows on {bad}, {far}"
            runs = self.probes[step.index].total
            often = f" in {self.probes[step.index].bad} of {runs} runs" if runs > 1 and step.answer == "bad" else ""
            shown_answer = f"{ANSWERS[step.answer]}{often}"
            lines.append(f"{step.number:>3}. uv {self._version(step.index):<8} {shown_answer:<12} {known}".rstrip())
        return lines

    def _firsts(self) -> Iterator[tuple[str, int | None]]:
        down, up = self.boundaries.first_bad, self.boundaries.first_good
        if down and down.word in ("exact", "between", "introduced"):
            yield FIRST_BAD, down.bad
        if up:
            yield FIRST_GOOD, up.good

    def _first_bad(self, edge: Edge) -> str:
        bad = self._release_name(edge.bad)
        if edge.word == "open":
            return self._incomplete(edge)
        if edge.word == "exact":
            return bad
        if edge.word == "between":
            return f"{bad}, or one before it: {self._inconclusive(edge)}; {self._release_name(edge.good)} is good"
        if edge.word == "introduced":
            return f"{bad}, the first release that supports it"
        oldest = "the oldest" if self.lowest == 0 else "the oldest in the range"
        if edge.word == "beyond":
            return f"at or before {bad}, {oldest}"
        return f"{bad}, or one before it: {self._inconclusive(edge)}"

    def _first_good(self, edge: Edge) -> str:
        if edge.word == "open":
            return self._incomplete(edge)
        if edge.word == "exact":
            return self._release_name(edge.good)
        if edge.word == "between":
            last = self._release_name(edge.bad)
            return (
                f"{self._release_name(edge.good)}, or one before it: {self._inconclusive(edge)}; {last} still shows it"
            )
        newest = "the latest" if self.highest == len(self.releases) - 1 else "the newest in the range"
        if edge.word == "beyond":
            return f"none: it still shows on {self._release_name(edge.bad)}, {newest}"
        return f"unknown: it still shows on {self._release_name(edge.bad)}, and {self._inconclusive(edge)}"

    def _incomplete(self, edge: Edge) -> str:
        absent = "" if edge.good is None else f" and is absent on {self._release_name(edge.good)}"
        return f"unknown, because the search is incomplete: it shows on {self._release_name(edge.bad)}{absent}"

    def _inconclusive(self, edge: Edge) -> str:
        """Name the inconclusive releases, and count the probed ones."""
        names = [self._version(index) for index in edge.skipped]
        if not edge.untested and len(names) <= AT_MOST:
            return f"{', '.join(names)} cannot tell"
        tested = (
            f"{len(names)} of {len(names) + edge.untested} were tested" if edge.untested else f"{len(names)} releases"
        )
        return f"{names[0]} … {names[-1]} cannot tell ({tested})"

    def _returns(self) -> Iterator[str]:
        if not self.boundaries.one_step:
            names = ", ".join(self._release_name(index) for index in self.boundaries.returns)
            one = self._version(self.boundaries.returns[0])
            yield (
                f"not continuous: it also shows on {names}, with good releases in between; "
                f"to find the boundaries there, run `uvmre bisect --uv {one}`"
            )

    def _flaky(self, down: Edge, up: Edge) -> Iterator[str]:
        flaky = self.flaky
        if flaky is None:
            return
        sure = [
            f"uv {self._version(edge.good)} is good with {edge.confidence:.1%} confidence "
            f"after {self.probes[edge.good].total} runs"
            for edge in (down, up)
            if edge.good is not None
        ]
        shown = f"flaky: it shows in {flaky['shown']} of {flaky['runs']} runs of the bad releases"
        yield "; ".join([shown, *sure])

    def _version(self, index: int | None) -> str:
        return "" if index is None else self.releases[index].version

    def _release_name(self, index: int | None) -> str:
        if index is None:
            return ""
        release = self.releases[index]
        return f"uv {release.version}" + (f" ({release.date:%Y-%m-%d})" if release.date else "")
