"""Repairs of what a project consists of: modules, readmes, members, sources at paths, wheels and sdists."""

import re
import shlex

from uvmre.issue.files import pyproject
from uvmre.issue.repairs.rule import Change, Failure, rule

ARCHIVE = re.compile(
    r"(?P<name>[A-Za-z0-9][\w.]{0,80}?)-(?P<version>\d[\w.+!]{0,40})(?:-(?P<tag>\S{1,80})\.whl|\.tar\.gz)\Z"
)
FILE = re.compile(r"\.(?:whl|gz|zip|txt|in|toml|py|cfg)\Z")
MAKE_ARCHIVE = """\
mkdir -p {folder}
python3 - <<'END'
import io, tarfile, zipfile
path, files = {path!r}, {files!r}
with zipfile.ZipFile(path, "w") if path.endswith(".whl") else tarfile.open(path, "w:gz") as archive:
    for name, text in files.items():
        if path.endswith(".whl"):
            archive.writestr(name, text)
        else:
            info = tarfile.TarInfo(name)
            info.size = len(text)
            archive.addfile(info, io.BytesIO(text.encode()))
END"""
DIRECT = re.compile(
    r"(?P<name>[A-Za-z0-9][\w.-]{0,80})(?:\[[^\]\n]{0,80}\])? ?@ ?(?:file:|\.)[^\s'\"]{0,200}/(?P<folder>[\w.-]{1,80})"
)
METADATA_FILE = r"(?P<path>[\w./-]{0,200}(?:readme|licen[cs]e|changelog|changes|history)[\w.-]{0,20})"


def _module(name: str) -> str:
    return f"src/{re.sub(r'[-.]+', '_', name).lower()}/__init__.py"


def project_files(failure: Failure, folder: str, name: str) -> dict[str, str]:
    """Return the files of a minimal project, in the version that the MRE requires."""
    text = pyproject.minimal(name, failure.mre.environment.python, version=failure.version_of(name), build=True)
    has_module = any(each.path.startswith(f"{folder}/") and each.path.endswith(".py") for each in failure.mre.files)
    return {f"{folder}/pyproject.toml": text} | ({} if has_module else {f"{folder}/{_module(name)}": ""})


def _add_project(failure: Failure, folder: str) -> Change:
    """Add a minimal project in a folder, under the name that a source has for it."""
    last = folder.rpartition("/")[2]
    names = {str(each.get("path", "")).rstrip("/").rpartition("/")[2]: name for name, each in failure.sources()}
    names |= {each["folder"]: each["name"] for each in DIRECT.finditer(failure.text)}
    files = project_files(failure, folder, names.get(last, last))
    if not folder or any(failure.mre.file(f"{folder}/{each}") for each in ("pyproject.toml", "setup.py")):
        return None
    return failure.with_files(files), f"added a minimal project in `{folder}`"


@rule(
    "inventing",
    r"(?:[Dd]istribution not found at:|failed to query metadata of file) `?(?P<path>(?:file://)?/mre/[\w./+!-]{1,200})",
)
def no_distribution(failure: Failure, found: re.Match[str]) -> Change:
    """Make a minimal wheel, sdist or project of the name and version that a path has and that is not there."""
    path = failure.path(found["path"])
    folder, _, last = path.rpartition("/")
    archive = ARCHIVE.match(last)
    if archive is None:
        return None if FILE.search(last) else _add_project(failure, path)
    name, version = archive["name"], archive["version"]
    info = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
    root = f"{name}-{version}"
    files = {f"{root}/PKG-INFO": info, f"{root}/pyproject.toml": pyproject.minimal(name, version=version)}
    if tag := archive["tag"]:
        wheel = f"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: {tag}\n"
        files = {
            f"{root}.dist-info/{file}": text for file, text in (("METADATA", info), ("WHEEL", wheel), ("RECORD", ""))
        }
    run = MAKE_ARCHIVE.format(folder=shlex.quote(folder or "."), path=path, files=files)
    return failure.with_step_before(run, name=f"make {last}", at_root=True), f"made a minimal `{path}`"


@rule("inventing", r"Workspace member `(?P<path>/mre/[\w./-]{1,200})` is missing a `pyproject\.toml`")
def no_member(failure: Failure, found: re.Match[str]) -> Change:
    """Add a minimal pyproject.toml to a workspace member that lacks one."""
    return _add_project(failure, failure.path(found["path"]))


@rule(
    "neutral",
    r"no directory that matches the name of your project \((?P<name>[\w.-]{1,80})\)"
    r"|No file/folder found for (?:package|module) (?P<other>[\w.-]{1,80})"
    r"|Expected a Python module at: `?(?P<path>[\w./-]{1,200}\.pyi?)",
)
def no_module(failure: Failure, found: re.Match[str]) -> Change:
    """Add the module, empty, that a build backend expects."""
    path = failure.path_in_project(found["path"] or _module(found["name"] or found["other"]))
    return failure.with_file(path, "", f"added an empty `{path}`")


@rule(
    "neutral",
    rf"(?i)(?:file does not exist:|failed to open file|file|glob) [`']?{METADATA_FILE}"
    r"(?:[`'] (?:cannot be|did not match)|`?: no such file|(?=\s|\Z))",
)
def no_metadata_file(failure: Failure, found: re.Match[str]) -> Change:
    """Add the readme, licence or changelog, empty, that the project's metadata name."""
    path = failure.path_in_project(found["path"])
    return failure.with_file(path, "", f"added an empty `{path}`")


@rule(
    "inventing",
    r"Failed to read `--find-links` directory: (?P<path>[\w./-]{1,200})"
    r"|invalid value '(?P<other>[\w./-]{1,200})' for '--find-links",
)
def no_find_links(failure: Failure, found: re.Match[str]) -> Change:
    """Add the folder of `--find-links`, empty."""
    path = failure.path(found["path"] or found["other"])
    run = f"mkdir -p {shlex.quote(path)}"
    has_it = not path or any(step.run == run for step in failure.mre.steps)
    return None if has_it else (failure.with_step_before(run, at_root=True), f"added the folder `{path}`")
