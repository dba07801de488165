"""`uvmre recording`."""

import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from uvmre.cli import console

FOLDER = click.Path(path_type=Path)
MEGABYTE = 1_000_000
SHORT = 12

_mre = click.argument("mre", default=".", type=FOLDER)
_json = click.option("--json", "as_json", is_flag=True, help="One JSON object on stdout.")


@click.group(short_help="Look at recorded answers, delete them, give them away.")
def recording() -> None:
    """Handle the recording of an MRE: what the network answered in its runs."""


@recording.command(short_help="List the recorded answers.")
@_mre
@_json
def ls(mre: Path, as_json: bool) -> int:
    """List the recording of the MRE in a folder (this one where none is named), by address."""
    from uvmre.core.secrets.redact import redact_deep
    from uvmre.flows.recording import ls as flow

    listing = flow(mre)
    told = ("method", "url", "status", "size", "sha256")
    entries = [redact_deep({name: getattr(listed.entry, name) for name in told}) for listed in listing.entries]
    if as_json:
        unreadable = [file.name for file in listing.unreadable]
        console.answer_json(
            {"schema": 1, "mre": str(mre), "entries": entries, "bytes": listing.size, "unreadable": unreadable}
        )
    else:
        console.answer("\n".join([*_table(entries), f"{_answers(len(entries))}, {_amount(listing.size)}"]))
        for file in listing.unreadable:
            console.say(f"{file.name} is no entry of a recording: delete it")
    return 0


@recording.command(short_help="Delete recorded answers.")
@_mre
@click.argument("patterns", nargs=-1, metavar="[PATTERN]...")
@_json
def rm(mre: Path, patterns: tuple[str, ...], as_json: bool) -> int:
    """Delete the answers whose whole URL matches a PATTERN (`*`, `?`, `[…]`), all of them where none is given.

    The next run asks for them again. What the cache keeps of them stays: other tapes share it.
    """
    from uvmre.flows.recording import rm as flow

    removed = flow(mre, patterns)
    if as_json:
        console.answer_json({"schema": 1, "mre": str(mre), "removed": removed})
    else:
        console.answer(f"{_answers(removed)} deleted")
    return 0


@recording.command(short_help="Check that every recorded answer is sound.")
@_mre
@_json
def verify(mre: Path, as_json: bool) -> int:
    """Check that the body of every answer is there, and is what was recorded.

    Exit codes: 0 all are sound, 1 some are not.
    """
    from dataclasses import asdict

    from uvmre.cli.progress import show_progress
    from uvmre.flows.recording import verify as flow

    with show_progress() as progress:
        checked = flow(mre, cache=console.cache(), told=progress.working)
    code = 1 if checked.faults else 0
    if as_json:
        faults = [asdict(fault) for fault in checked.faults]
        told = {"schema": 1, "mre": str(mre), "entries": checked.entries, "faults": faults, "exit": code}
        console.answer_json(told)
    else:
        for fault in checked.faults:
            console.answer(fault.line)
        console.answer(f"{_answers(checked.entries)}, {len(checked.faults) or 'no'} faults")
        if checked.faults:
            quoted = shlex.quote(str(mre))
            console.say(f"hint: uvmre recording rm {quoted} URL, then uvmre run {quoted}, which asks for it again")
    return code


@recording.command(short_help="Write one file with which the MRE is replayed anywhere.")
@click.argument("dest", type=FOLDER)
@_mre
@click.option("--allow-secrets", is_flag=True, help="Pack files with what looks like a secret, too.")
@_json
def pack(dest: Path, mre: Path, allow_secrets: bool, as_json: bool) -> int:
    """Write the zip DEST: the MRE, its recording, and its release of uv for this platform.

    On another machine, network or not: `unzip DEST`, then `uvmre run MRE --replay`. The evidence of runs is not in it.
    Where something looks like a secret, that is told by file and line, and nothing is written.
    """
    from uvmre.cli.progress import show_progress
    from uvmre.flows.recording import pack as flow

    with show_progress() as progress:
        packed = flow(
            dest, mre, cache=console.cache(), progress=progress, told=progress.working, allow_secrets=allow_secrets
        )
    for name in packed.secrets:
        console.say(f"careful: {name} is in the pack, and carries what looks like a secret")
    if as_json:
        told = {
            "schema": 1,
            "path": str(packed.path),
            "folder": packed.top,
            "entries": packed.entries,
            "bytes": packed.size,
            "uv": packed.uv,
            "platform": packed.platform,
            "sha256": packed.sha256,
            "secrets": list(packed.secrets),
        }
        console.answer_json(told)
    else:
        inside = f"{_answers(packed.entries)}, uv {packed.uv} for {packed.platform}"
        console.answer(f"{packed.path}: {inside}, {_amount(packed.size)}, sha256 {packed.sha256}")
        console.say(
            f"hint: elsewhere: unzip {shlex.quote(packed.path.name)} && uvmre run {shlex.quote(packed.top)} --replay"
        )
    return 0


def _table(entries: Sequence[dict[str, Any]]) -> list[str]:
    width = max((len(str(entry["size"])) for entry in entries), default=0)
    return [
        f"{e['method']:<4}  {e['status']}  {e['size']:>{width}}  {e['sha256'][:SHORT]}  {e['url']}" for e in entries
    ]


def _answers(count: int) -> str:
    return f"{count} answer{'' if count == 1 else 's'}"


def _amount(size: int) -> str:
    return f"{size / MEGABYTE:.1f} MB" if size >= MEGABYTE / 10 else f"{size} bytes"
