"""The image of a Dockerfile that runs without an engine: folders below the run's root, one tree per stage.

The current stage always has the same path, so that a virtual environment, which contains its own path, still works when
it is copied into the next stage.
"""

import contextlib
import errno
import re
import shutil
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from uvmre.core.mre.files import File
from uvmre.core.mre.layer import HOME, Layer, LayerFolder, StageFetch, StageStart
from uvmre.core.mre.model import Mre
from uvmre.errors import cause
from uvmre.run import environment
from uvmre.run.environment import RunDirs

IMAGE = "image"
STAGES = "stages"
"""The folder of the previous stages, by number."""
CURRENT = ".stage"


class CannotRunStep(Exception):
    """A step needs something that is not there, is outside its folders, or is an engine."""


def folder(dirs: RunDirs) -> Path:
    """Return the root of the image."""
    return dirs.writable / IMAGE


def inside(dirs: RunDirs, path: str) -> Path:
    """Return the local path of a path in the image, which it cannot leave.

    Raises:
        CannotRunStep: when a link that a step made leads out of the image.
    """
    image = folder(dirs)
    if image.is_symlink():
        raise CannotRunStep("the image was replaced by a link")
    return _confined(
        image.joinpath(*(part for part in PurePosixPath(path).parts if part not in ("/", ".."))), image, path
    )


def _confined(local: Path, root: Path, path: str) -> Path:
    """Return a path unless a folder of it is a link to outside of `root`; no step runs meanwhile."""
    if local != root and not local.parent.resolve().is_relative_to(root.resolve()):
        raise CannotRunStep(f"`{path}` leads out of the image")
    return local


def prepare(dirs: RunDirs, layer: Layer) -> Path:
    """Apply the instructions before a RUN, and return its folder.

    Raises:
        CannotRunStep: when a COPY names a path that its stage lacks, or a RUN left something else in its place.
    """
    try:
        return _prepare(dirs, layer)
    except (OSError, RecursionError, RuntimeError) as error:
        # Such as a FIFO in place of a file, folders nested too deeply, or a loop of links.
        if getattr(error, "errno", None) == errno.ENOSPC:
            raise
        raise CannotRunStep(f"the image cannot be changed: {cause(error)}") from None


def _prepare(dirs: RunDirs, layer: Layer) -> Path:
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
    if now.is_symlink():
        raise CannotRunStep("the image was replaced by a link")
    if now.exists():
        left.mkdir(exist_ok=True)
        now.rename(left / (dirs.root / CURRENT).read_text())
    (dirs.root / CURRENT).write_text(str(begin.stage))
    if begin.base is not None:
        shutil.copytree(left / str(begin.base), now, symlinks=True)
    for path in (f"{HOME}/.cache/uv", "/tmp"):  # as environment.lay does for a step's home
        inside(dirs, path).mkdir(parents=True, exist_ok=True)


def _write(dirs: RunDirs, file: File) -> None:
    target = inside(dirs, file.path)
    _remove_special(target)
    try:
        environment.write_file(folder(dirs), File(str(target.relative_to(folder(dirs))), file.content, file.executable))
    except (IsADirectoryError, NotADirectoryError, FileExistsError) as error:
        raise CannotRunStep(f"`/{file.path}` cannot be written: {error.strerror}") from None
    if file.path.startswith(f"{HOME.lstrip('/')}/."):
        target.chmod(target.stat().st_mode & 0o700)  # some tools refuse a .netrc that others can read


def _remove_special(path: Path) -> None:
    """Remove what is neither a file nor a folder, such as a link or a FIFO."""
    if path.is_symlink() or (path.exists() and not path.is_file() and not path.is_dir()):
        path.unlink()


def _copy_from_stage(dirs: RunDirs, fetch: StageFetch) -> None:
    tree = dirs.root / STAGES / str(fetch.stage)
    source = tree / fetch.source.lstrip("/")
    sources = sorted(tree.glob(fetch.source.lstrip("/"))) if re.search(r"[*?\[]", fetch.source) else [source]
    if not sources or not sources[0].exists():
        raise CannotRunStep(f"`{fetch.source}` is not in the stage that it is copied from")
    target = inside(dirs, fetch.target)
    _confined(target.resolve() / "x", folder(dirs), fetch.target)
    for each in sources:
        _confined(each.resolve() / "x", tree, fetch.source)
        if each.is_dir():
            _copy_folder(each, target, folder(dirs))
        else:
            goal = target / each.name if fetch.target.endswith("/") or target.is_dir() else target
            goal.parent.mkdir(parents=True, exist_ok=True)
            _copy_file(each, goal)


def _copy_folder(source: Path, target: Path, image: Path) -> None:
    """Merge a folder into one of the image, in which a RUN may have left links."""

    def check(inner: str, _names: list[str]) -> tuple[str, ...]:
        goal = target / Path(inner).relative_to(source)
        _confined(goal / "x", image, str(goal.relative_to(image)))
        return ()

    shutil.copytree(source, target, symlinks=True, dirs_exist_ok=True, ignore=check, copy_function=_copy_file)


def _copy_file(source: str | Path, target: str | Path) -> None:
    _remove_special(Path(target))
    shutil.copy2(source, target)


@contextlib.contextmanager
def mounts(dirs: RunDirs, layer: Layer) -> Iterator[None]:
    """Write the files that a RUN mounts, and restore what they replaced afterwards."""
    before: dict[str, bytes | None] = {}
    for file in layer.mounts:
        path = inside(dirs, file.path)
        _remove_special(path)
        before[file.path] = path.read_bytes() if path.is_file() else None
    try:
        for file in layer.mounts:
            _write(dirs, file)
        yield
    finally:
        for name, content in before.items():
            path = inside(dirs, name)  # again, since the RUN may have put a link in its way
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path, ignore_errors=True)
            else:
                path.unlink(missing_ok=True)
            if content is not None:
                path.write_bytes(content)


def translate(dirs: RunDirs, layer: Layer, text: str) -> str:
    """Replace paths of the image in a text by those on this machine."""
    if not layer.owned:
        return text
    names = "|".join(re.escape(path) for path in sorted(layer.owned, key=len, reverse=True))
    root = str(folder(dirs)).replace("\\", r"\\")
    return re.sub(rf"(?:(?<![\w./~$}})*?\]-])|(?<=file://))(?=(?:{names})(?![\w.-]))", root, text)


def variables(dirs: RunDirs, mre: Mre, layer: Layer, gateway: str) -> dict[str, str]:
    """Return all the variables of a RUN; those of the manifest override the Dockerfile's."""
    own = {name: translate(dirs, layer, value) for name, value in layer.variables.items() if name != "PATH"}
    folders = [name for name in layer.variables.get("PATH", "").split(":") if name.startswith("/")]
    path = environment.join_path([*(str(inside(dirs, name)) for name in folders), str(dirs.tools), *dirs.system_path])
    return {
        "HOME": str(inside(dirs, HOME)),
        "TMPDIR": str(inside(dirs, "/tmp")),
        "LANG": "C.UTF-8",
        **environment.gateway_variables(gateway, dirs.authority),
        **environment.outage_variables(mre),
        **environment.own_variables(dirs, mre),
        **environment.git_variables(mre),
        **own,
        "PATH": path,
        **mre.environment.variables,
    }
