"""Outcomes over releases, interpreters and variants: folded, rendered, and explained."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations, groupby
from typing import Literal

from uvmre.core.outcome.matching import Word
from uvmre.core.search.release import parse_version

Axis = Literal["release", "interpreter", "variant"]
AXES: tuple[Axis, ...] = ("release", "interpreter", "variant")

AT_MOST = 3
"""Values that a line names at most."""


@dataclass(frozen=True)
class Cell:
    """One outcome; cells are in the order of their axes, releases oldest first."""

    release: str
    interpreter: str
    variant: str
    word: Word | Literal["missing"]
    reason: str = ""
    """Why it is missing, if it is."""


@dataclass(frozen=True)
class ReleaseSpan:
    """Adjacent releases with the same outcome."""

    first: str
    last: str
    count: int
    word: Word | Literal["missing"]
    reason: str
    """Why they are missing, if they are; another reason is another span."""


@dataclass(frozen=True)
class MatrixRow:
    """All releases with an interpreter and a variant."""

    interpreter: str
    variant: str
    runs: tuple[ReleaseSpan, ...]


def fold(cells: Sequence[Cell]) -> tuple[MatrixRow, ...]:
    """Fold adjacent releases into spans; a release without a cell is missing."""
    releases = _values(cells, "release")
    rows: dict[tuple[str, str], dict[str, Cell]] = {}
    for cell in cells:
        rows.setdefault((cell.interpreter, cell.variant), {})[cell.release] = cell
    return tuple(
        MatrixRow(*key, _runs([row.get(release, Cell(release, *key, "missing", "not run")) for release in releases]))
        for key, row in rows.items()
    )


def fold_partial(cells: Iterable[Cell]) -> tuple[MatrixRow, ...]:
    """Fold an incomplete matrix: each row has only its own cells."""
    rows: dict[tuple[str, str], list[Cell]] = {}
    for cell in sorted(cells, key=lambda cell: parse_version(cell.release)):
        rows.setdefault((cell.interpreter, cell.variant), []).append(cell)
    return tuple(MatrixRow(*key, _runs(row)) for key, row in sorted(rows.items()))


def _runs(cells: Iterable[Cell]) -> tuple[ReleaseSpan, ...]:
    runs = []
    # The reasons of other outcomes name the release, so none would be equal.
    for (word, reason), equal in groupby(cells, lambda c: (c.word, c.reason if c.word == "missing" else "")):
        group = list(equal)
        runs.append(ReleaseSpan(group[0].release, group[-1].release, len(group), word, reason))
    return tuple(runs)


def render_rows(rows: Sequence[MatrixRow]) -> str:
    """Render rows as lines; interpreter and variant are shown if there are several."""
    several = [len({row.interpreter for row in rows}) > 1, len({row.variant for row in rows}) > 1]
    names = [[name for name, shown in zip((r.interpreter, r.variant), several, strict=True) if shown] for r in rows]
    widths = [max(map(len, column)) for column in zip(*names, strict=True)]
    lines = []
    for row, name in zip(rows, names, strict=True):
        label = "".join(f"{part:<{width}}  " for part, width in zip(name, widths, strict=True))
        lines.append(label + " │ ".join(map(_run, row.runs)))
    return "\n".join(lines)


def _run(run: ReleaseSpan) -> str:
    word = f"{run.word}: {run.reason}" if run.reason else run.word
    return f"{run.first} {word}" if run.count == 1 else f"{run.first} … {run.last} {word} ({run.count})"


def explain_symptom(cells: Sequence[Cell]) -> str:
    """Return in one line which axes the symptom depends on, as far as the cells tell."""
    return f"{_explanation(cells)}{_inconclusive(cells)}."


def _explanation(cells: Sequence[Cell]) -> str:
    conclusive = [cell for cell in cells if cell.word in ("shows", "absent")]
    shows = [cell for cell in conclusive if cell.word == "shows"]
    if not conclusive:
        return "No cell has an answer"
    if not shows:
        return f"There is nothing to explain: the bug shows in none of {count_cells(len(conclusive))}"
    if len(shows) == len(conclusive):
        return f"Nothing explains it: the bug shows in all of {count_cells(len(conclusive))}"
    for size in range(1, len(AXES) + 1):
        found = [axes for axes in combinations(AXES, size) if _determines(axes, conclusive)]
        if len(found) > 1:
            return f"The cells do not tell what explains it: {' or '.join(map(_axis_names, found))}"
        if found:
            return _explained(found[0], cells, shows)
    return "Nothing explains it: one cell both shows the bug and does not"


def _determines(axes: Collection[Axis], conclusive: Iterable[Cell]) -> bool:
    words: dict[tuple[str, ...], str] = {}
    return all(words.setdefault(_key(cell, axes), cell.word) == cell.word for cell in conclusive)


def _explained(axes: tuple[Axis, ...], cells: Sequence[Cell], shows: Sequence[Cell]) -> str:
    others = _others(axes, cells, shows)
    if len(axes) == 1:
        return f"Only {_axis_names(axes)} explains it: the bug shows with {_where(axes[0], cells, shows)}{others}"
    places = [
        f"{_where(axes[0], cells, [cell for cell in shows if _key(cell, axes[1:]) == rest])} with "
        + " and ".join(map(_quoted, axes[1:], rest))
        for rest in dict.fromkeys(_key(cell, axes[1:]) for cell in shows)
    ]
    return f"It takes {_axis_names(axes)} together: the bug shows with {_shorten(places, '; ')}{others}"


def _where(axis: Axis, cells: Sequence[Cell], shows: Sequence[Cell]) -> str:
    """Name the values of an axis with which it shows; of releases the ends of each span."""
    values, showing = _values(cells, axis), set(_values(shows, axis))
    if axis != "release":
        return _shorten([_quoted(axis, value) for value in values if value in showing], ", ")
    runs = [list(run) for shown, run in groupby(values, showing.__contains__) if shown]
    return _shorten([run[0] if len(run) == 1 else f"{run[0]} … {run[-1]}" for run in runs], ", ")


def _others(axes: Collection[Axis], cells: Sequence[Cell], shows: Sequence[Cell]) -> str:
    """Describe the other axes: irrelevant, or observed with one value only."""
    varied = [axis for axis in AXES if axis not in axes and len(_values(cells, axis)) > 1]
    free = [axis for axis in varied if len(_values(shows, axis)) > 1]
    bound = [f"{axis} {_quoted(axis, _values(shows, axis)[0])}" for axis in varied if axis not in free]
    whatever = f", whatever the {' and the '.join(free)}" if free else ""
    return whatever + (f", observed with {' and '.join(bound)} only" if bound else "")


def _inconclusive(cells: Sequence[Cell]) -> str:
    inconclusive = [cell for cell in cells if cell.word in ("different", "broken")]
    missing = [cell for cell in cells if cell.word == "missing"]
    text = f"; {len(inconclusive)} cannot tell" if inconclusive else ""
    if missing:
        reasons = [reason for reason in dict.fromkeys(cell.reason for cell in missing) if reason]
        text += f"; {len(missing)} missing" + (f" ({_shorten(reasons, ', ')})" if reasons else "")
    return text


def _values(cells: Iterable[Cell], axis: Axis) -> list[str]:
    return list(dict.fromkeys(_key(cell, (axis,))[0] for cell in cells))


def _key(cell: Cell, axes: Iterable[Axis]) -> tuple[str, ...]:
    values = {"release": cell.release, "interpreter": cell.interpreter, "variant": cell.variant}
    return tuple(values[axis] for axis in axes)


def _quoted(axis: Axis, value: str) -> str:
    """Return a value for a sentence; names of variants are quoted."""
    return f"“{value}”" if axis == "variant" else value


def count_cells(cells: int) -> str:
    """Return the number of cells in words."""
    return f"{cells} cell{'' if cells == 1 else 's'}"


def _axis_names(axes: Iterable[Axis]) -> str:
    return " and ".join(f"the {axis}" for axis in axes)


def _shorten(texts: Sequence[str], between: str) -> str:
    more = len(texts) - AT_MOST
    return between.join(texts[:AT_MOST]) + (f"{between}{more} more" if more > 0 else "")
