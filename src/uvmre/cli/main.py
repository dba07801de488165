"""The command `uvmre`: its verbs, and the ways in which it ends."""

import contextlib
import os
from collections.abc import Callable, Iterable, Sequence

import click

from uvmre import __version__
from uvmre.cli import console, interrupts, streams
from uvmre.cli.bisect import bisect
from uvmre.cli.cache import cache
from uvmre.cli.capture import capture
from uvmre.cli.check import check
from uvmre.cli.crash import report_internal_error
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
from uvmre.cli.share import share
from uvmre.cli.shrink import shrink
from uvmre.cli.triage import triage
from uvmre.cli.update import update
from uvmre.errors import CannotTell, InputError, UsageError, UvmreError

MAX_COLUMNS = 80
NO_VERB_NEEDED = {"-h", "--help", "--version"}


class _HelpFormatter(click.HelpFormatter):
    """Help that fits a narrow terminal; that of click is at least 50 columns wide."""

    def __init__(self, indent_increment: int = 2, width: int | None = None, max_width: int | None = None) -> None:
        fitting = max(20, min(console.terminal_width(), max_width or MAX_COLUMNS) - 2)
        super().__init__(indent_increment, width or fitting, max_width)

    def write_dl(self, rows: Iterable[tuple[str, str]], col_max: int = 30, col_spacing: int = 2) -> None:
        super().write_dl(list(rows), min(col_max, self.width * 3 // 8), col_spacing)


click.Context.formatter_class = _HelpFormatter


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="uvmre")
def cli() -> None:
    """Create minimal reproducible examples of uv bugs, run them, and show with evidence whether the bug occurs."""


AN_MRE = (new, update, capture, run, matrix, bisect, shrink, lint, check, report, share, triage)
for verb in (*AN_MRE, recording, gateway, cache, images, doctor, demo):
    cli.add_command(verb)


def main(arguments: Sequence[str]) -> int:
    """Run a command line and return its exit code, without a traceback whatever happens."""
    interrupts.install()
    own = arguments[: arguments.index("--")] if "--" in arguments else arguments
    try:
        code = _exit_code(lambda: _run_verb(list(arguments)), as_json="--json" in own)
        interrupts.over()
    except KeyboardInterrupt:  # while the error was printed
        code = INTERRUPTED
    if code == INTERRUPTED:
        interrupts.end_what_is_left()
    return code


def _run_verb(arguments: list[str]) -> object:
    streams.check()
    if not NO_VERB_NEEDED & set(arguments):
        _reject_empty(arguments)
        try:
            os.getcwd()  # noqa: PTH109 - only to see whether it exists
        except OSError as error:
            cause = (error.strerror or str(error)).lower()
            raise UsageError(
                "the current folder is unusable", "change to an existing folder with `cd`", cause=cause
            ) from None
    return cli.main(arguments, prog_name="uvmre", standalone_mode=False)


def _reject_empty(arguments: list[str]) -> None:
    """Raise for an empty argument, as an unset variable of the shell leaves: it would mean the current folder."""
    own = arguments[: arguments.index("--")] if "--" in arguments else arguments
    for previous, argument in zip(["uvmre", *own], own, strict=False):
        option = previous if previous.startswith("-") else ""
        if argument.startswith("--") and argument.endswith("="):
            option = argument.rstrip("=")
        elif argument.strip() or ("--command" in arguments and not option):  # a script takes any argument
            continue
        message = f"the value of `{option}` is empty" if option else "an argument is empty"
        raise UsageError(message, "omit it, or check whether a variable of the shell is unset")


def _exit_code(call: Callable[[], object], *, as_json: bool) -> int:
    try:
        code = call()
    except click.exceptions.NoArgsIsHelpError as error:
        console.print_message(error.format_message())
        return UsageError.exit_code
    except click.ClickException as error:
        context = error.ctx if isinstance(error, click.UsageError) else None
        hint = f"see `{context.command_path} --help`" if context else ""
        message = error.format_message()
        return _fail(UsageError(message[:1].lower() + message[1:].rstrip("."), hint), as_json=as_json)
    except UvmreError as error:
        return _fail(error, as_json=as_json)
    except (KeyboardInterrupt, click.Abort):
        console.print_message("interrupted")
        return INTERRUPTED
    except Exception as error:
        from uvmre.cli.os_errors import as_uvmre_error

        known = as_uvmre_error(error)
        return _fail(known, as_json=as_json) if known else report_internal_error()
    return code if isinstance(code, int) else 0


def _fail(error: UvmreError, *, as_json: bool) -> int:
    faults = error.faults if isinstance(error, InputError) else ()
    console.print_error(error.message, error.hint, faults, cause=error.cause)
    if as_json:
        data = {
            "schema": 1,
            "error": error.message,
            "cause": error.cause,
            "faults": list(faults),
            "hint": error.hint,
            "exit": error.exit_code,
        }
        from uvmre.core.secrets.redact import redact_deep

        with contextlib.suppress(CannotTell):  # stdout itself may be what fails
            console.print_json(redact_deep(data))
    return error.exit_code
