"""`uvmre cache`."""

from collections.abc import Sequence
from datetime import UTC, datetime

import click

from uvmre.cli import console
from uvmre.cli.output import Rendered, json_option
from uvmre.cli.progress import verbose_option

UNITS = ((24 * 60 * 60, "day"), (60 * 60, "hour"), (60, "minute"))
KINDS = {
    "bodies": ("recorded answer", "recorded answers"),
    "recording": ("entry of the gateway's recording", "entries of the gateway's recording"),
    "recordings": ("recording of a script", "recordings of scripts"),
    "images": ("archive of an image", "archives of images"),
    "outcomes.sqlite": ("outcome of a search", "outcomes of searches"),
    "triage": ("MRE of an issue", "MREs of issues"),
}
"""What is deleted of each kind, singular and plural."""
OTHER = ("other file", "other files")


@click.group(short_help="Show what the cache holds, and prune it.")
def cache() -> None:
    """Manage the cache that all MREs share: releases of uv, and the bodies of recorded answers."""


@cache.command(name="dir", short_help="Print the path of the cache.")
@json_option
def dir_() -> Rendered:
    """Print the path of the cache."""
    path = str(console.cache())
    return Rendered(path, lambda: {"schema": 1, "path": path})


@cache.command(short_help="List the releases of uv.")
@json_option
def ls() -> Rendered:
    """List the releases of uv in the cache, the most recently used first."""
    from uvmre.flows.cache import ls as flow

    cached = flow(console.cache())
    total, now = sum(release.size for release in cached), datetime.now(UTC).timestamp()
    rows = [(each.version, console.format_size(each.size), _age(now - each.last_used)) for each in cached]
    releases = [
        {
            "version": each.version,
            "bytes": each.size,
            "used": datetime.fromtimestamp(each.last_used, UTC).isoformat(timespec="seconds"),
            "in_use": each.in_use,
        }
        for each in cached
    ]
    return Rendered(
        "\n".join([*_table(rows), f"{_count(len(cached))}, {console.format_size(total)}"]),
        lambda: {"schema": 1, "path": str(console.cache()), "releases": releases, "bytes": total},
    )


@cache.command(short_help="Print the size of the cache by kind.")
@json_option
def size() -> Rendered:
    """Print how much room each kind of data takes in the cache."""
    from uvmre.flows.cache import sizes as flow

    kinds = flow(console.cache())
    total = sum(kind.size for kind in kinds)
    rows = [(kind.name, console.format_size(kind.size), kind.what) for kind in kinds]
    data = [{"kind": kind.name, "files": kind.files, "bytes": kind.size} for kind in kinds]
    return Rendered(
        "\n".join([*_table(rows), f"{console.format_size(total)} in {console.cache()}"]),
        lambda: {"schema": 1, "path": str(console.cache()), "kinds": data, "bytes": total},
    )


@cache.command(short_help="Delete the least recently used data.")
@click.option("--size", default="", metavar="SIZE", help="Maximum size of the cache [env: UVMRE_CACHE_SIZE] [5 GB].")
@click.option("--age", default="", metavar="AGE", help="Maximum time since its use [env: UVMRE_CACHE_AGE] [30 days].")
@click.option("--keep", default=None, type=click.IntRange(min=0), help="Number of releases to keep in any case.")
@click.option("--images", is_flag=True, help="Remove images and containers from the engines instead.")
@click.option("--background", is_flag=True, hidden=True)
@verbose_option
@json_option
def prune(*, size: str, age: str, keep: int | None, images: bool, background: bool) -> Rendered:
    """Delete what was not used for AGE, then the least recently used data until the cache is within SIZE.

    This covers releases of uv, recorded answers, MREs of triage with their evidence, outcomes of searches, and archives
    of stand-in images. Data that a running uvmre uses is kept. Commands that run steps prune the cache once an hour in
    the background; `none` is no limit. A pruned answer is fetched again when an MRE needs it; `uvmre recording pack`
    keeps it for good.

    `--images` removes the containers and images with the label of uvmre, those built from them, and the archives that
    they were built from. The build cache of BuildKit is left to `docker builder prune`.
    """
    if images:
        return _prune_images()
    import os

    from uvmre.cli.progress import show_progress
    from uvmre.core.cache_limits import limits
    from uvmre.flows.prune import prune as flow

    limit = limits(os.environ, size, age)
    if background:
        os.nice(19)
    with show_progress() as progress:
        pruned = flow(console.cache(), limit, progress.working, keep=keep, wait=not background)
    deleted = [
        _count(len(pruned.removed)),
        *(f"{count} {KINDS.get(kind, OTHER)[count != 1]}" for kind, count in pruned.others.items()),
        *([f"{pruned.stale} unfinished"] if pruned.stale else []),
    ]
    data = {
        "schema": 1,
        "path": str(console.cache()),
        "removed": list(pruned.removed),
        "spared": list(pruned.skipped),
        "kept": pruned.kept,
        "left_overs": pruned.stale,
        "others": dict(pruned.others),
        "freed": pruned.freed,
    }
    return Rendered(
        f"deleted {', '.join(deleted)}; {console.format_size(pruned.freed)} freed; {_count(pruned.kept)} kept",
        lambda: data,
        notes=[f"kept because in use: {', '.join(pruned.skipped)}"] if pruned.skipped else [],
    )


def _prune_images() -> Rendered:
    from uvmre.flows.cache import prune_images as flow

    cleared, freed = flow(console.cache())
    lines = []
    for each in cleared:
        failed = f"; {each.left} could not be removed" if each.left else ""
        lines.append(f"{each.engine}: {each.images} images and {each.containers} containers removed{failed}")
    engines = [vars(each) for each in cleared]
    return Rendered(
        "\n".join([*lines, f"{console.format_size(freed)} of archives deleted"]),
        lambda: {"schema": 1, "path": str(console.cache()), "engines": engines, "freed": freed},
        notes=[] if cleared else ["no container engine is available, so no images were removed"],
    )


def _age(seconds: float) -> str:
    for length, name in UNITS:
        if (count := int(seconds // length)) > 0:
            return f"used {count} {name}{'' if count == 1 else 's'} ago"
    return "used just now"


def _table(rows: Sequence[tuple[str, str, str]]) -> list[str]:
    first, second = (max((len(row[i]) for row in rows), default=0) for i in (0, 1))
    return [f"{row[0]:<{first}}  {row[1]:>{second}}  {row[2]}" for row in rows]


def _count(releases: int) -> str:
    return f"{releases} release{'' if releases == 1 else 's'}"
