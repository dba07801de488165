"""`uvmre cache`."""

from collections.abc import Sequence
from datetime import UTC, datetime

import click

from uvmre.cli import console

MEGABYTE = 1_000_000
UNITS = ((24 * 60 * 60, "day"), (60 * 60, "hour"), (60, "minute"))
NAMES = {
    "bodies": ("recorded answer", "recorded answers"),
    "recording": ("entry of the gateway's recording", "entries of the gateway's recording"),
    "recordings": ("recording of a script", "recordings of scripts"),
    "images": ("archive of an image", "archives of images"),
    "outcomes.sqlite": ("outcome of a search", "outcomes of searches"),
    "triage": ("MRE of an issue", "MREs of issues"),
}
"""What is deleted, as it is called in a sentence."""

_json = click.option("--json", "as_json", is_flag=True, help="One JSON object on stdout.")


@click.group(short_help="See what is kept, and make room.")
def cache() -> None:
    """Handle what uvmre keeps for all MREs: releases of uv, and the bodies of recorded answers."""


@cache.command(name="dir", short_help="Tell where it is.")
@_json
def dir_(as_json: bool) -> int:
    """Tell the folder of the cache."""
    if as_json:
        console.answer_json({"schema": 1, "path": str(console.cache())})
    else:
        console.answer(str(console.cache()))
    return 0


@cache.command(short_help="List the releases of uv.")
@_json
def ls(as_json: bool) -> int:
    """List the releases of uv that are kept, the one that was used last before all others."""
    from uvmre.flows.cache import ls as flow

    found = flow(console.cache())
    total = sum(release.size for release in found)
    if as_json:
        releases = [
            {"version": each.version, "bytes": each.size, "used": _when(each.last_used), "in_use": each.in_use}
            for each in found
        ]
        told = {"schema": 1, "path": str(console.cache()), "releases": releases, "bytes": total}
        console.answer_json(told)
    else:
        now = datetime.now(UTC).timestamp()
        rows = [(each.version, _amount(each.size), _ago(now - each.last_used)) for each in found]
        console.answer("\n".join([*_table(rows), f"{_releases(len(found))}, {_amount(total)}"]))
    return 0


@cache.command(short_help="Tell how much room it takes.")
@_json
def size(as_json: bool) -> int:
    """Tell how much room each kind of what is kept takes."""
    from uvmre.flows.cache import sizes as flow

    kinds = flow(console.cache())
    total = sum(kind.size for kind in kinds)
    if as_json:
        told = [{"kind": kind.name, "files": kind.files, "bytes": kind.size} for kind in kinds]
        console.answer_json({"schema": 1, "path": str(console.cache()), "kinds": told, "bytes": total})
    else:
        rows = [(kind.name, _amount(kind.size), kind.what) for kind in kinds]
        console.answer("\n".join([*_table(rows), f"{_amount(total)} in {console.cache()}"]))
    return 0


@cache.command(short_help="Delete what was not used for the longest time.")
@click.option("--size", default="", metavar="SIZE", help="How large it may be; `UVMRE_CACHE_SIZE`, or 5 GB.")
@click.option("--age", default="", metavar="AGE", help="How long ago it was used; `UVMRE_CACHE_AGE`, or 30 days.")
@click.option("--keep", default=None, type=click.IntRange(min=0), help="How many releases stay, whatever the limits.")
@click.option("--images", is_flag=True, help="Instead, remove all that uvmre made on container engines.")
@click.option("--background", is_flag=True, hidden=True)
@_json
def prune(size: str, age: str, keep: int | None, images: bool, background: bool, as_json: bool) -> int:
    """Delete what was not used for AGE, then what was not used for the longest time until the cache is within SIZE.

    That covers releases of uv, recorded answers, the MREs that triage made with their evidence, outcomes of searches,
    and the archives of stand-in images. What a running uvmre uses stays. Commands that run steps prune the cache by
    themselves once an hour, in the background; `none` is no limit. An MRE finds what was pruned of its recording on
    the network again; `uvmre recording pack` keeps it for good.

    With --images no release goes, but the containers and images that uvmre labelled, those that were built on them,
    and the archives that they were made of. What BuildKit keeps of builds for itself is `docker builder prune`'s.
    """
    if images:
        return _prune_images(as_json)
    import os

    from uvmre.cli.progress import show_progress
    from uvmre.core.cache_limits import limits
    from uvmre.flows.prune import prune as flow

    limit = limits(os.environ, size, age)
    if background:
        os.nice(19)
    with show_progress() as progress:
        pruned = flow(console.cache(), limit, progress.working, keep=keep, wait=not background)
    if as_json:
        told = {
            "schema": 1,
            "path": str(console.cache()),
            "removed": list(pruned.removed),
            "spared": list(pruned.skipped),
            "kept": pruned.kept,
            "left_overs": pruned.stale,
            "others": dict(pruned.others),
            "freed": pruned.freed,
        }
        console.answer_json(told)
        return 0
    gone = [
        _releases(len(pruned.removed)),
        *(f"{count} {_named(kind, count)}" for kind, count in pruned.others.items()),
    ]
    left = [f"{pruned.stale} unfinished"] if pruned.stale else []
    console.answer(f"deleted {', '.join([*gone, *left])}; {_amount(pruned.freed)} freed; {_releases(pruned.kept)} kept")
    if pruned.skipped:
        console.say(f"in use, and therefore kept: {', '.join(pruned.skipped)}")
    return 0


def _named(kind: str, count: int) -> str:
    one, many = NAMES.get(kind, ("other file", "other files"))
    return one if count == 1 else many


def _prune_images(as_json: bool) -> int:
    from uvmre.flows.cache import prune_images as flow

    cleared, freed = flow(console.cache())
    if as_json:
        engines = [vars(each) for each in cleared]
        console.answer_json({"schema": 1, "path": str(console.cache()), "engines": engines, "freed": freed})
        return 0
    for each in cleared:
        left = f"; {each.left} could not be removed" if each.left else ""
        console.answer(f"{each.engine}: {each.images} images and {each.containers} containers removed{left}")
    if not cleared:
        console.say("no container engine can be used here, so there are no images to remove")
    console.answer(f"{_amount(freed)} of archives deleted")
    return 0


def _when(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")


def _ago(seconds: float) -> str:
    for length, name in UNITS:
        if (count := int(seconds // length)) > 0:
            return f"used {count} {name}{'' if count == 1 else 's'} ago"
    return "used just now"


def _table(rows: Sequence[tuple[str, str, str]]) -> list[str]:
    first, second = (max((len(row[i]) for row in rows), default=0) for i in (0, 1))
    return [f"{row[0]:<{first}}  {row[1]:>{second}}  {row[2]}" for row in rows]


def _releases(count: int) -> str:
    return f"{count} release{'' if count == 1 else 's'}"


def _amount(size: int) -> str:
    return f"{size / MEGABYTE:.1f} MB" if size >= MEGABYTE / 10 else f"{size} bytes"
