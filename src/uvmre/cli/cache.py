"""`uvmre cache`."""

from collections.abc import Sequence
from datetime import UTC, datetime

import click

from uvmre.cli import console

MEGABYTE = 1_000_000
UNITS = ((24 * 60 * 60, "day"), (60 * 60, "hour"), (60, "minute"))
KEEP = 20

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
            {"version": each.version, "bytes": each.size, "used": _when(each.used), "in_use": each.in_use}
            for each in found
        ]
        told = {"schema": 1, "path": str(console.cache()), "releases": releases, "bytes": total}
        console.answer_json(told)
    else:
        now = datetime.now(UTC).timestamp()
        rows = [(each.version, _amount(each.size), _ago(now - each.used)) for each in found]
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
@click.option("--keep", default=KEEP, show_default=True, type=click.IntRange(min=0), help="How many releases stay.")
@click.option("--images", is_flag=True, help="Instead, remove all that uvmre made on container engines.")
@_json
def prune(keep: int, images: bool, as_json: bool) -> int:
    """Delete all releases of uv but those used last, and what was left unfinished a day ago.

    A release that a running uvmre has taken stays, and so does one that was used within the hour. The bodies of
    recorded answers stay: tapes in other folders need them.

    With --images no release goes, but the containers and images that uvmre labelled, those that were built on them,
    and the archives that they were made of. What BuildKit keeps of builds for itself is `docker builder prune`'s.
    """
    if images:
        return _prune_images(as_json)
    from uvmre.cli.progress import shown
    from uvmre.flows.cache import prune as flow

    with shown() as progress:
        pruned = flow(console.cache(), keep=keep, told=progress.working)
    if as_json:
        told = {
            "schema": 1,
            "path": str(console.cache()),
            "removed": list(pruned.removed),
            "spared": list(pruned.spared),
            "kept": pruned.kept,
            "left_overs": pruned.left_overs,
            "freed": pruned.freed,
        }
        console.answer_json(told)
        return 0
    left = f" and {pruned.left_overs} unfinished" if pruned.left_overs else ""
    console.answer(f"{_releases(len(pruned.removed))}{left} deleted, {_amount(pruned.freed)} freed; {pruned.kept} kept")
    if pruned.spared:
        console.say(f"spared, as they are in use or were within the hour: {', '.join(pruned.spared)}")
    return 0


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
