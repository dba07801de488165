"""Build and list stand-ins for base images."""

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
from uvmre.run.engines import availability, rootfs
from uvmre.run.engines import base_images as stand_ins
from uvmre.run.engines.availability import Engine
from uvmre.run.engines.base_images import Parts

Log = Callable[[str], None]


@dataclass(frozen=True)
class Prepared:
    """A stand-in on one engine."""

    image: str
    engine: str
    state: str
    """`made`, `there` (it was made before), or `real` (the image itself is there, and unchanged)."""
    made_of: str


def prepare(
    sources: Sequence[str],
    *,
    cache: Path,
    on_progress: ProgressCallback,
    log: Log,
    found: Sequence[Engine] | None = None,
) -> tuple[Prepared, ...]:
    """Build stand-ins for images on every engine that lacks them.

    Args:
        sources: names of images, and folders whose Dockerfile names some; this folder if empty.
        cache: the cache's folder.
        on_progress: called with the progress of a release's download.
        log: called with a line for each long operation.
        found: the engines; detected by default.

    Raises:
        UsageError: if there is no stand-in for one of them.
        CannotTell: if no engine is usable, or a part of an image is not available.
    """
    recipes = [base_images.recipe(name) for name in names(sources)]
    usable = at_hand(availability.detect_all() if found is None else found)
    cache.mkdir(parents=True, exist_ok=True)
    done = []
    for recipe in recipes:
        parts = None
        for engine in usable:
            labels = availability.labels(engine, recipe.image)
            if labels is None:
                parts = parts or _parts(recipe, cache, on_progress, log)
                log(f"{engine.name}: {recipe.image} is made")
                stand_ins.build(engine, parts, cache, log)
                done.append(Prepared(recipe.image, engine.name, "made", parts.description))
            else:
                of = labels.get(availability.STAND_IN_LABEL, "")
                done.append(Prepared(recipe.image, engine.name, "there" if of else "real", of))
    return tuple(done)


def ls(found: Sequence[Engine] | None = None) -> tuple[Prepared, ...]:
    """Return the stand-ins on all engines."""
    usable = at_hand(availability.detect_all() if found is None else found)
    return tuple(
        Prepared(
            each.image,
            engine.name,
            "there",
            (availability.labels(engine, each.id) or {}).get(availability.STAND_IN_LABEL, ""),
        )
        for engine in usable
        for each in availability.images(engine, availability.STAND_IN_LABEL)
        if "<none>" not in each.image
    )


def names(sources: Sequence[str]) -> tuple[str, ...]:
    """Return the images among `sources`, and those in the Dockerfiles of the folders among them."""
    found: list[str] = []
    for source in sources or ["."]:
        folder = Path(source)
        if not folder.is_dir():
            found.append(source)
            continue
        if not (folder / DOCKERFILE).exists():
            raise UsageError(f"`{folder}` has no {DOCKERFILE}", "name an image, or a folder with a Dockerfile")
        text = files.read_text(folder / DOCKERFILE)
        found += base_images.referenced_images(parser.parse(text, str(folder / DOCKERFILE)))
    return tuple(dict.fromkeys(found))


def at_hand(found: Sequence[Engine]) -> tuple[Engine, ...]:
    """Return the usable engines, and only one of podman and buildah, which share their images."""
    usable = [engine for engine in found if not engine.why]
    if not usable:
        why = "; ".join(f"{engine.name}: {engine.why}" for engine in found)
        raise CannotTell("no container engine is usable", "run `uvmre doctor` to see how to install one", cause=why)
    others = [engine for engine in usable if engine.name != "docker"][:1]
    return tuple([engine for engine in usable if engine.name == "docker"] + others)


def _parts(recipe: Recipe, cache: Path, on_progress: ProgressCallback, log: Log) -> Parts:
    """Fetch the parts of a stand-in."""
    release, uv = binaries.get(recipe.uv, cache, on_progress) if recipe.uv else ("", None)
    version, python = rootfs.interpreter(recipe.python, cache, log) if recipe.python else ("", None)
    return Parts(recipe, uv.parent if uv else None, release, python, version)
