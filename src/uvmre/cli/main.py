"""The command `uvmre`: its verbs, and the ways in which it ends."""

import errno
from collections.abc import Callable, Sequence

import click

from uvmre import __version__
from uvmre.cli import console, interrupts
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
from uvmre.cli.report import report
from uvmre.cli.run import run
from uvmre.cli.tape import tape
from uvmre.cli.triage import triage
from uvmre.errors import CannotTell, InputError, UsageError, UvmreError

DISK = {
    errno.ENOSPC: "the disk is full",
    errno.EDQUOT: "the quota is used up",
    errno.EROFS: "it is on a read-only file system",
    errno.EACCES: "it is not yours to write or read",
    errno.EPERM: "it is not yours to write or read",
}


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="uvmre")
def cli() -> None:
    """Minimal reproducible examples of uv bugs: make one, run it, and say with evidence whether the bug shows."""


for verb in (new, run, matrix, bisect, lint, report, triage, tape, gateway, cache, images, doctor, demo):
    cli.add_command(verb)


def main(words: Sequence[str]) -> int:
    """Run a command line and return its exit code; nothing ends in a traceback."""
    interrupts.install()
    try:
        code = _ended(
            lambda: cli.main(list(words), prog_name="uvmre", standalone_mode=False), as_json="--json" in words
        )
        interrupts.over()
    except KeyboardInterrupt:  # while it was told how the command ended
        code = INTERRUPTED
    if code == INTERRUPTED:
        interrupts.end_what_is_left()
    return code


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
    except OSError as error:
        if error.errno in DISK:
            return _failed(_disk(error), as_json=as_json)
        return our_bug()
    except Exception:
        return our_bug()
    return code if isinstance(code, int) else 0


def _failed(error: UvmreError, *, as_json: bool) -> int:
    faults = error.faults if isinstance(error, InputError) else ()
    console.complain(error.message, error.hint, faults)
    if as_json:
        told = {
            "schema": 1,
            "error": error.message,
            "faults": list(faults),
            "hint": error.hint,
            "exit": error.exit_code,
        }
        console.answer_json(told)
    return error.exit_code


def _disk(error: OSError) -> UvmreError:
    why = DISK[error.errno or 0]
    what = error.filename or "A file"
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return CannotTell(
            f"{what} could not be written: {why}.", "Make room, then run it again; nothing half-written was kept."
        )
    return UsageError(f"{what} cannot be used: {why}.", "Name a folder of yours that can be written.")
