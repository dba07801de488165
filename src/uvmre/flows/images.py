"""Base images that cannot be pulled: which a Dockerfile names, what stands in for them, and which there are."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from uvmre import files
from uvmre.core.dockerfile import base_images, parser
from uvmre.core.dockerfile.base_images import Recipe
from uvmre.core.dockerfile.parser import DOCKERFILE
from uvmre.errors import CannotTell, UsageError
from uvmre.releases import binaries
from uvmre.releases.binary_cache import ProgressCallback
from uvmre.run import base_images as made
from uvmre.run import engines, rootfs
from uvmre.run.base_images import Parts
from uvmre.run.engines import Engine

Said = Callable[[str], None]


@dataclass(frozen=True)
class Prepared:
    """How it went with one image on one engine."""

    image: str
    engine: str
    state: str
    """`made`, `there` (it was made before), or `real` (the image itself is there, and was left alone)."""
    made_of: str


def prepare(
    wanted: Sequence[str],
    *,
    cache: Path,
    told: ProgressCallback,
    said: Said,
    found: Sequence[Engine] | None = None,
) -> tuple[Prepared, ...]:
    """Make stand-ins for images on every engine of this machine, where the image is not there.

    Args:
        wanted: names of images, and folders whose Dockerfile names some; this folder where there are none.
        cache: the folder of all that uvmre keeps.
        told: is told how the download of a release goes.
        said: is told what takes its time.
        found: the engines to make them on; asked for where not given.

    Raises:
        UsageError: when there can be no stand-in for one of them.
        CannotTell: when no engine answers, or something that goes into an image cannot be had.
    """
    recipes = [base_images.recipe(name) for name in names(wanted)]
    usable = at_hand(engines.detect_all() if found is None else found)
    cache.mkdir(parents=True, exist_ok=True)
    done = []
    for recipe in recipes:
        parts = None
        for engine in usable:
            labels = engines.labels(engine, recipe.image)
            if labels is None:
                parts = parts or _parts(recipe, cache, told, said)
                said(f"{engine.name}: {recipe.image} is made")
                made.build(engine, parts, cache, said)
                done.append(Prepared(recipe.image, engine.name, "made", parts.description))
            else:
                of = labels.get(engines.STAND_IN_LABEL, "")
                done.append(Prepared(recipe.image, engine.name, "there" if of else "real", of))
    return tuple(done)


def ls(found: Sequence[Engine] | None = None) -> tuple[Prepared, ...]:
    """Return the stand-ins that there are on the engines of this machine."""
    usable = at_hand(engines.detect_all() if found is None else found)
    return tuple(
        Prepared(
            each.image, engine.name, "there", (engines.labels(engine, each.id) or {}).get(engines.STAND_IN_LABEL, "")
        )
        for engine in usable
        for each in engines.images(engine, engines.STAND_IN_LABEL)
        if "<none>" not in each.image
    )


def names(wanted: Sequence[str]) -> tuple[str, ...]:
    """Return the images that are meant: those named, and those that the Dockerfiles of named folders name."""
    found: list[str] = []
    for word in wanted or ["."]:
        folder = Path(word)
        if not folder.is_dir():
            found.append(word)
            continue
        if not (folder / DOCKERFILE).exists():
            raise UsageError(
                f"{folder} has no {DOCKERFILE}, so it names no image.", "Name an image, or a folder that has one."
            )
        text = files.read_text(folder / DOCKERFILE)
        found += base_images.referenced_images(parser.parse(text, str(folder / DOCKERFILE)))
    return tuple(dict.fromkeys(found))


def at_hand(found: Sequence[Engine]) -> tuple[Engine, ...]:
    """Return the engines that can be used; of podman and buildah, which share their images, one."""
    usable = [engine for engine in found if not engine.why]
    if not usable:
        why = "; ".join(f"{engine.name}: {engine.why}" for engine in found)
        raise CannotTell(f"No container engine can be used here ({why}).", "`uvmre doctor` tells how to get one.")
    context = [engine for engine in usable if engine.name != "docker"][:1]
    return tuple([engine for engine in usable if engine.name == "docker"] + context)


def _parts(recipe: Recipe, cache: Path, told: ProgressCallback, said: Said) -> Parts:
    """Bring together what a stand-in is made of."""
    release, uv = binaries.get(recipe.uv, cache, told) if recipe.uv else ("", None)
    version, python = rootfs.interpreter(recipe.python, cache, said) if recipe.python else ("", None)
    return Parts(recipe, uv.parent if uv else None, release, python, version)
