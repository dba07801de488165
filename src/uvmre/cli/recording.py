"""`uvmre recording`."""

import shlex
from dataclasses import asdict
from pathlib import Path

import click

from uvmre.cli import console
from uvmre.cli.output import Rendered, json_option
from uvmre.cli.progress import show_progress, verbose_option
from uvmre.core.text.visible import shown_name

FOLDER = click.Path(path_type=Path)
SHORT = 12

_mre = click.argument("mre", default=".", type=FOLDER)


@click.group(short_help="List, check, delete and pack recorded answers.")
def recording() -> None:
    """Manage the recording of an MRE: the answers of the network to its runs."""


@recording.command(short_help="List the recorded answers.")
@_mre
@json_option
def ls(mre: Path) -> Rendered:
    """List the recording of the MRE in a folder (default: the current one) by URL."""
    from uvmre.core.secrets.redact import redact_deep
    from uvmre.flows.recording import ls as flow

    listing = flow(mre)
    fields = ("method", "url", "status", "size", "sha256")
    entries = [redact_deep({name: getattr(listed.entry, name) for name in fields}) for listed in listing.entries]
    unreadable = [shown_name(file.name) for file in listing.unreadable]
    width = max((len(str(entry["size"])) for entry in entries), default=0)
    lines = [
        f"{e['method']:<4}  {e['status']}  {e['size']:>{width}}  {e['sha256'][:SHORT]}  {e['url']}" for e in entries
    ]
    data = {"schema": 1, "mre": str(mre), "entries": entries, "bytes": listing.size, "unreadable": unreadable}
    return Rendered(
        "\n".join([*lines, f"{_count(len(entries))}, {console.format_size(listing.size)}"]),
        lambda: data,
        warnings=[f"`{name}` is not an entry of a recording; delete it" for name in unreadable],
    )


@recording.command(short_help="Delete recorded answers.")
@_mre
@click.argument("patterns", nargs=-1, metavar="[PATTERN]...")
@json_option
def rm(mre: Path, patterns: tuple[str, ...]) -> Rendered:
    """Delete the answers whose whole URL matches a PATTERN (`*`, `?`, `[…]`; default: all).

    The next run requests them again. The cache keeps their bodies, which other recordings share.
    """
    from uvmre.flows.recording import rm as flow

    removed = flow(mre, patterns)
    return Rendered(f"deleted {_count(removed)}", lambda: {"schema": 1, "mre": str(mre), "removed": removed})


@recording.command(short_help="Check that every recorded answer is intact.")
@_mre
@verbose_option
@json_option
def verify(mre: Path) -> Rendered:
    """Check that the body of every answer is present and unchanged.

    Exit codes: 0 all are intact, 1 some are not.
    """
    from uvmre.flows.recording import verify as flow

    with show_progress() as progress:
        check = flow(mre, cache=console.cache(), on_progress=progress.working)
    code, quoted = 1 if check.faults else 0, shlex.quote(str(mre))
    faults = [asdict(fault) for fault in check.faults]
    hint = f"hint: `uvmre recording rm {quoted} URL` deletes an answer, and `uvmre run {quoted}` records it again"
    return Rendered(
        "\n".join(
            [*(fault.line for fault in check.faults), f"{_count(check.entries)}, {len(check.faults) or 'no'} faults"]
        ),
        lambda: {"schema": 1, "mre": str(mre), "entries": check.entries, "faults": faults, "exit": code},
        code,
        [hint] if check.faults else [],
    )


@recording.command(short_help="Write one file that replays the MRE anywhere.")
@click.argument("dest", type=FOLDER)
@_mre
@click.option("--allow-secrets", is_flag=True, help="Pack files that seem to contain a secret.")
@verbose_option
@json_option
def pack(dest: Path, mre: Path, allow_secrets: bool) -> Rendered:
    """Write the zip file DEST with the MRE, its recording, and its release of uv for this platform.

    On another machine, with or without a network: `unzip DEST`, then `uvmre run MRE --replay`. The evidence of runs is
    not packed. If a file seems to contain a secret, the error names its lines and nothing is written.
    """
    from uvmre.flows.recording import pack as flow

    with show_progress() as progress:
        packed = flow(
            dest,
            mre,
            cache=console.cache(),
            progress=progress,
            on_progress=progress.working,
            allow_secrets=allow_secrets,
        )
    contents = f"{_count(packed.entries)}, uv {packed.uv} for {packed.platform}"
    unpack = f"unzip {shlex.quote(packed.path.name)} && uvmre run {shlex.quote(packed.top)} --replay"
    data = {
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
    return Rendered(
        f"{packed.path}: {contents}, {console.format_size(packed.size)}, sha256 {packed.sha256}",
        lambda: data,
        notes=[f"hint: on another machine: {unpack}"],
        warnings=[f"`{name}` is packed and seems to contain a secret" for name in packed.secrets],
    )


def _count(answers: int) -> str:
    return f"{answers} answer{'' if answers == 1 else 's'}"
