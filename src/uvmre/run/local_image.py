"""The image of a Dockerfile that is followed without an engine: folders below the run's root, one tree a stage.

Only one stage is at hand at a time, under the same path as all the others: an environment that was made in one of them
names its own place, and still fits where it is copied into the next.
"""

import contextlib
import re
import shutil
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from uvmre.core.mre.files import File
from uvmre.core.mre.layer import HOME, Layer, LayerFolder, StageFetch, StageStart
from uvmre.core.mre.model import Mre
from uvmre.run import environment
from uvmre.run.environment import RunDirs

IMAGE = "image"
STAGES = "stages"
"""Where the trees of the stages before lie, by their number."""
CURRENT = ".stage"


class CannotRunStep(Exception):
    """What a COPY wants is not in the other stage."""


def folder(dirs: RunDirs) -> Path:
    """Return the root of the image."""
    return dirs.root / IMAGE


def inside(dirs: RunDirs, path: str) -> Path:
    """Return where a path of the image is; it cannot leave it."""
    return folder(dirs).joinpath(*(part for part in PurePosixPath(path).parts if part not in ("/", "..")))


def prepare(dirs: RunDirs, layer: Layer) -> Path:
    """Do what comes before a RUN, and return the folder in which it runs.

    Raises:
        Missing: when another stage does not have what is to be copied from it.
    """
    for event in layer.before:
        if isinstance(event, StageStart):
            _start_stage(dirs, event)
        elif isinstance(event, LayerFolder):
            inside(dirs, event.path).mkdir(parents=True, exist_ok=True)
        elif isinstance(event, StageFetch):
            _copy_from_stage(dirs, event)
        else:
            _write(dirs, event)
    cwd = inside(dirs, layer.cwd)
    cwd.mkdir(parents=True, exist_ok=True)
    return cwd


def _start_stage(dirs: RunDirs, begin: StageStart) -> None:
    now, left = folder(dirs), dirs.root / STAGES
    if now.exists():
        left.mkdir(exist_ok=True)
        now.rename(left / (dirs.root / CURRENT).read_text())
    (dirs.root / CURRENT).write_text(str(begin.stage))
    if begin.base is not None:
        shutil.copytree(left / str(begin.base), now, symlinks=True)
    for made in (f"{HOME}/.cache/uv", "/tmp"):  # as environment.lay does for a step's home
        inside(dirs, made).mkdir(parents=True, exist_ok=True)


def _write(dirs: RunDirs, file: File) -> None:
    target = inside(dirs, file.path)
    if target.is_symlink():
        target.unlink()
    try:
        environment.write_file(folder(dirs), File(str(target.relative_to(folder(dirs))), file.content, file.executable))
    except (IsADirectoryError, NotADirectoryError, FileExistsError) as error:
        raise CannotRunStep(f"/{file.path} cannot be written: {error.strerror}") from None
    if file.path.startswith(f"{HOME.lstrip('/')}/."):
        target.chmod(target.stat().st_mode & 0o700)  # .netrc and the like, which some tools refuse otherwise


def _copy_from_stage(dirs: RunDirs, fetch: StageFetch) -> None:
    tree = dirs.root / STAGES / str(fetch.stage)
    source = tree / fetch.source.lstrip("/")
    found = sorted(tree.glob(fetch.source.lstrip("/"))) if re.search(r"[*?\[]", fetch.source) else [source]
    if not found or not found[0].exists():
        raise CannotRunStep(f"{fetch.source} is not in the stage that it is copied from")
    target = inside(dirs, fetch.target)
    for each in found:
        if each.is_dir():
            shutil.copytree(each, target, symlinks=True, dirs_exist_ok=True)
        else:
            goal = target / each.name if fetch.target.endswith("/") or target.is_dir() else target
            goal.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(each, goal)


@contextlib.contextmanager
def mounts(dirs: RunDirs, layer: Layer) -> Iterator[None]:
    """Lay the files that a RUN mounts, and take them away after it; what they covered is back then."""
    covered = [(inside(dirs, file.path), file) for file in layer.mounts]
    before = [(path, path.read_bytes() if path.is_file() else None) for path, _ in covered]
    try:
        for _, file in covered:
            _write(dirs, file)
        yield
    finally:
        for path, content in before:
            if content is not None:
                path.write_bytes(content)
            else:
                path.unlink(missing_ok=True)


def translate(dirs: RunDirs, layer: Layer, text: str) -> str:
    """Return a text with the image's own paths as they are on this machine."""
    if not layer.owned:
        return text
    names = "|".join(re.escape(path) for path in sorted(layer.owned, key=len, reverse=True))
    root = str(folder(dirs)).replace("\\", r"\\")
    return re.sub(rf"(?:(?<![\w./~$}})*?\]-])|(?<=file://))(?=(?:{names})(?![\w.-]))", root, text)


def variables(dirs: RunDirs, mre: Mre, layer: Layer, gateway: str) -> dict[str, str]:
    """Return all the variables of a RUN: the builder's, and over them those that the manifest gives every step."""
    given = {name: translate(dirs, layer, value) for name, value in layer.variables.items() if name != "PATH"}
    folders = [name for name in layer.variables.get("PATH", "").split(":") if name.startswith("/")]
    path = environment.join_path([*(str(inside(dirs, name)) for name in folders), str(dirs.tools), *dirs.system_path])
    return {
        "HOME": str(inside(dirs, HOME)),
        "TMPDIR": str(inside(dirs, "/tmp")),
        "LANG": "C.UTF-8",
        **environment.gateway_variables(gateway, dirs.authority),
        **environment.outage_variables(mre),
        **given,
        "PATH": path,
        **mre.environment.variables,
    }
