"""The command `uvmre`: its verbs, and the ways in which it ends."""

import contextlib
import os
from collections.abc import Callable, Iterable, Sequence

import click

from uvmre import __version__
from uvmre.cli import console, interrupts, streams
from uvmre.cli.bisect import bisect
from uvmre.cli.cache import cache
from uvmre.cli.crash import our_bug
from uvmre.cli.demo import demo
from uvmre.cli.doctor import doctor
from uvmre.cli.gateway import gateway
from uvmre.cli.images import images
from uvmre.cli.interrupts import INTERRUPTED
from uvmre.cli.lint import lint
from uvmre.cli.matrix import matrix
from uvmre.cli.new import new
from uvmre.cli.recording import recording
from uvmre.cli.report import report
from uvmre.cli.run import run
from uvmre.cli.triage import triage
from uvmre.errors import CannotTell, InputError, UsageError, UvmreError

MOST_COLUMNS = 80
PLAIN_QUESTIONS = {"-h", "--help", "--version"}
"""What needs neither a folder nor a verb."""


class _Narrow(click.HelpFormatter):
    """Help that fits a narrow terminal, too; click's own is 50 columns wide at least."""

    def __init__(self, indent_increment: int = 2, width: int | None = None, max_width: int | None = None) -> None:
        fitting = max(20, min(console.columns(), max_width or MOST_COLUMNS) - 2)
        super().__init__(indent_increment, width or fitting, max_width)

    def write_dl(self, rows: Iterable[tuple[str, str]], col_max: int = 30, col_spacing: int = 2) -> None:
        super().write_dl(list(rows), min(col_max, self.width * 3 // 8), col_spacing)


click.Context.formatter_class = _Narrow


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="uvmre")
def cli() -> None:
    """Minimal reproducible examples of uv bugs: make one, run it, and say with evidence whether the bug shows."""


for verb in (new, run, matrix, bisect, lint, report, triage, recording, gateway, cache, images, doctor, demo):
    cli.add_command(verb)


def main(words: Sequence[str]) -> int:
    """Run a command line and return its exit code; nothing ends in a traceback."""
    interrupts.install()
    try:
        code = _ended(lambda: _main(list(words)), as_json="--json" in words)
        interrupts.over()
    except KeyboardInterrupt:  # while it was told how the command ended
        code = INTERRUPTED
    if code == INTERRUPTED:
        interrupts.end_what_is_left()
    return code


def _main(words: list[str]) -> object:
    streams.check()
    if not PLAIN_QUESTIONS & set(words):
        _refuse_empty(words)
        try:
            os.getcwd()  # noqa: PTH109 - nothing is done with it
        except OSError as error:
            why = f"The current folder cannot be used: {(error.strerror or str(error)).lower()}."
            raise UsageError(why, "Change to a folder that is there (`cd`).") from None
    return cli.main(words, prog_name="uvmre", standalone_mode=False)


def _refuse_empty(words: list[str]) -> None:
    """Raise where a word is empty: it comes of a variable of the shell that is not set, and would mean this folder."""
    own = words[: words.index("--")] if "--" in words else words
    for before, word in zip(["uvmre", *own], own, strict=False):
        of = before if before.startswith("-") else ""
        if word.startswith("--") and word.endswith("="):
            of = word.rstrip("=")
        elif word.strip() or ("--command" in words and not of):  # a script may be given what it likes
            continue
        what = f"`{of}` is given an empty value." if of else "An argument is empty."
        raise UsageError(what, "Leave it out, or look whether a variable of the shell is set.")


def _ended(call: Callable[[], object], *, as_json: bool) -> int:
    try:
        code = call()
    except click.exceptions.NoArgsIsHelpError as error:
        console.say(error.format_message())
        return UsageError.exit_code
    except click.ClickException as error:
        hint = (
            f"`{error.ctx.command_path} --help` tells the rest."
            if isinstance(error, click.UsageError) and error.ctx
            else ""
        )
        return _failed(UsageError(error.format_message(), hint), as_json=as_json)
    except UvmreError as error:
        return _failed(error, as_json=as_json)
    except (KeyboardInterrupt, click.Abort):
        console.say("Interrupted.")
        return INTERRUPTED
    except Exception as error:
        from uvmre.cli.os_errors import mishap

        met = mishap(error)
        return _failed(met, as_json=as_json) if met else our_bug()
    return code if isinstance(code, int) else 0


def _failed(error: UvmreError, *, as_json: bool) -> int:
    faults = error.faults if isinstance(error, InputError) else ()
    console.complain(error.message, error.hint, faults, cause=error.cause)
    if as_json:
        told = {
            "schema": 1,
            "error": error.message,
            "faults": list(faults),
            "hint": error.hint,
            "exit": error.exit_code,
        }
        with contextlib.suppress(CannotTell):  # where it is stdout that fails, that was said
            console.answer_json(told)
    return error.exit_code
