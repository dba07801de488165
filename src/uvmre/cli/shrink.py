"""`uvmre shrink`."""

import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from uvmre.cli.options import FOLDER, release_option, run_options
from uvmre.cli.output import Rendered, json_option
from uvmre.cli.progress import LiveProgress, show_progress, verbose_option
from uvmre.errors import UsageError

if TYPE_CHECKING:
    from rich.table import Table

    from uvmre.flows.options import RunOptions
    from uvmre.flows.shrink_search import Shrunk

WIDTH, HEIGHT = 60, 8
"""Characters of the picture of the size."""


@click.command(short_help="Make an MRE smaller that still shows the same bug.")
@click.argument("arguments", nargs=-1, metavar="[MRE | ARGUMENTS... FILE_OR_FOLDER]")
@click.option("-o", "--output", type=FOLDER, metavar="DEST", help="The folder of the result; default: `-small` added.")
@release_option("--uv", several_with="name one release", help="Another release than that of the MRE.")
@click.option(
    "--command",
    "script",
    default="",
    metavar="SCRIPT",
    help="Shrink any file or folder: a script that runs in a copy, and exits with 0 if it is still interesting, 1 if "
    "not, 125 if it cannot tell.",
)
@click.option("--seconds", type=click.FloatRange(0), default=None, metavar="N", help="Stop after this time.")
@run_options("backend", "trust", "jobs", "again")
@verbose_option
@json_option
def shrink(
    arguments: tuple[str, ...],
    *,
    output: Path | None,
    uv: str,
    script: str,
    seconds: float | None,
    options: "RunOptions",
) -> Rendered:
    """Leave out of an MRE (default: the current folder) all that its bug does not need.

    Every candidate runs with its controls: the verdict, the innermost error, and the first bad and first fixed release
    must stay the same. The MRE stays as it is; the result is another folder. With --command, SCRIPT decides instead,
    and no MRE is needed.

    Exit codes: 0 done, 125 cannot tell, 2 wrong usage, 3 internal error, 130 interrupted: the smallest so far is kept,
    and the same command continues.
    """
    limit = math.inf if seconds is None else seconds
    if script:
        if not arguments:
            raise UsageError("`--command` needs a file or folder", "name it last")
        if uv or options.backend:
            raise UsageError("`--uv` and `--backend` are for an MRE", "let the script choose uv itself")
        from uvmre.flows.shrink_command import shrink_command

        with show_progress(f"shrinking {arguments[-1]}", LiveShrink) as progress:
            found = shrink_command(
                (script, *arguments[:-1]),
                Path(arguments[-1]),
                options,
                output=output,
                seconds=limit,
                progress=progress,
            )
        return _rendered(found)
    if len(arguments) > 1:
        raise UsageError(f"expected one MRE, got {len(arguments)}", "name one folder")
    from uvmre.flows.shrink import shrink as flow

    folder = Path(arguments[0] if arguments else ".")
    with show_progress(f"shrinking {folder}", LiveShrink) as progress:
        found = flow(folder, options, uv=uv, output=output, seconds=limit, progress=progress)
    return _rendered(found)


def _rendered(found: "Shrunk") -> Rendered:
    from dataclasses import asdict

    before, after = found.before, found.after
    numbers = ", ".join(
        f"{name} {getattr(before, name)} → {getattr(after, name)}" for name in ("bytes", "files", "lines")
    )
    state = "nothing more can go" if found.finished else "its time was up; the same command continues"
    text = f"{numbers}; {found.calls} tries in {found.seconds:.1f} s, {state}\n{found.folder}"

    def data() -> dict[str, Any]:
        return {"schema": 1, **asdict(found), "folder": str(found.folder)}

    notes = [*picture(found.sizes), *([f"{found.unknown} tries had no answer"] if found.unknown else [])]
    return Rendered(text, data, notes=notes)


def picture(sizes: "tuple[int, ...]", width: int = WIDTH, height: int = HEIGHT) -> list[str]:
    """Return a chart of the size over the tries."""
    if len(sizes) < 2:
        return []
    columns = min(width, len(sizes))
    shown = [sizes[round(column * (len(sizes) - 1) / (columns - 1))] for column in range(columns)]
    most = max(sizes) or 1
    levels = [math.ceil(value * height / most) for value in shown]
    rows = ["".join("#" if level >= row else " " for level in levels).rstrip() for row in range(height, 0, -1)]
    label = len(str(most))
    heads = [str(most) if n == 0 else str(sizes[-1]) if n == height - 1 else "" for n in range(height)]
    return [
        *(f"{head:>{label}} |{row}" for head, row in zip(heads, rows, strict=True)),
        f"{'':>{label}} +{'-' * columns} {len(sizes) - 1} tries",
    ]


class LiveShrink(LiveProgress):
    """The size, the tries and the time left, redrawn while the work goes on."""

    def __init__(self) -> None:
        super().__init__()
        self._line = ""
        self._sizes: list[int] = []
        self._smaller = 0

    def tried(self, size: int, first: int, calls: int, smaller: bool, left: float) -> None:
        """Show the state after a try."""
        with self._lock:
            self._downloads = {}
            self._smaller += smaller
            self._sizes = [*(self._sizes or [first]), size]
            time_left = f", {left:.0f} s left" if math.isfinite(left) else ""
            self._line = f"{size} of {first} bytes, {calls} tries, {self._smaller} of them smaller{time_left}"

    def table(self) -> "Table":
        """Return the current table."""
        from rich.table import Table
        from rich.text import Text

        if not self._line:
            return super().table()
        table = Table.grid()
        with self._lock:
            for row in [self._line, *picture(tuple(self._sizes), height=4)]:
                table.add_row(Text(row, no_wrap=True))
        return table
