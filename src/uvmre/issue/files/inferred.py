"""Files that must exist although the post does not show them: readmes, modules, workspace members."""

import re
from collections.abc import Iterator, Sequence
from typing import Any

from uvmre.core.triage.parsed_issue import PostedFile
from uvmre.issue.files import content_type, names, pyproject
from uvmre.issue.files.trees import dependencies_of, tree_paths, version_of

EMPTY = re.compile(r"(?:^|/)(?:__init__\.py|py\.typed|README(?:\.\w+)?|LICENSE(?:\.\w+)?|CHANGELOG\.md|\.gitkeep)$")
GENERATED = re.compile(r"(?:^|/)(?:uv\.lock|\.venv/|__pycache__/|\.git/|dist/|build/|\.python-version$)|\.egg-info")


def infer_files(
    files: Sequence[PostedFile],
    trees: Sequence[str],
    outputs: Sequence[str] = (),
    *,
    python: str = "",
    from_dockerfile: bool = False,
) -> list[PostedFile]:
    """Return the files that the posted ones require.

    Args:
        files: the posted files.
        trees: the posted directory trees.
        outputs: the output of commands, which may show the dependencies of a member.
        python: the Python version.
        from_dockerfile: whether the commands come from a Dockerfile: then members are not created.
    """
    known = {file.path for file in files}
    found: list[PostedFile] = []

    def add(path: str, text: str, line: int, why: str) -> None:
        path = names.clean_path(path)
        if path and path not in known:
            known.add(path)
            found.append(PostedFile(path, text, line, why, inferred=True))

    for path in (path for tree in trees for path in tree_paths(tree)):
        if EMPTY.search(path) and not GENERATED.search(path):
            add(path, "", 0, "the directory tree lists it")
    for file in list(files):
        if not file.path.endswith("pyproject.toml"):
            continue
        data = content_type.parse_toml(file.text) or {}
        folder = file.path.removesuffix("pyproject.toml")
        if not from_dockerfile:
            for path, name, line_why in _members(data, folder, trees):
                dependencies = next(filter(None, (dependencies_of(name, output) for output in outputs)), ())
                version = next(filter(None, (version_of(name, output) for output in outputs)), "0.1.0")
                text = pyproject.minimal(name, python, version=version, build=True, dependencies=dependencies)
                add(path, text, file.line, line_why)
        for path, why in _metadata_files(data, folder):
            add(path, "", file.line, why)
    for file in [*files, *found]:
        if file.path.endswith("pyproject.toml"):
            data = content_type.parse_toml(file.text) or {}
            folder = file.path.removesuffix("pyproject.toml")
            if (module := _module(data, folder, known)) is not None:
                add(module, "", file.line, f"the package that {file.path} builds")
    return found


def _members(data: dict[str, Any], folder: str, trees: Sequence[str]) -> Iterator[tuple[str, str, str]]:
    """Yield the members and local sources of a project: the path of the pyproject.toml, the name, and why."""
    uv = content_type.table(data, "tool", "uv")
    tree_files = [path for tree in trees for path in tree_paths(tree) if path.endswith("/pyproject.toml")]
    members = [each for each in content_type.table(uv, "workspace").get("members", []) if isinstance(each, str)]
    sources = content_type.table(uv, "sources")
    globbed: list[str] = []
    for member in members:
        if "*" in member:
            globbed.append(member)
        elif ".." not in member:
            yield (
                f"{folder}{member.rstrip('/')}/pyproject.toml",
                member.rstrip("/").rpartition("/")[2],
                f"the member “{member}”",
            )
    for pattern in globbed:
        shape = re.compile(re.escape(f"{folder}{pattern.rstrip('/')}").replace(r"\*", r"[^/]+") + r"/pyproject\.toml")
        for path in tree_files:
            if shape.fullmatch(path):
                yield path, path.split("/")[-2].replace("_", "-"), f"the member that “{pattern}” matches in the tree"
    for name, source in sources.items():
        entry = source[0] if isinstance(source, list) and source else source
        if not isinstance(entry, dict):
            continue
        if (
            entry.get("workspace")
            and globbed
            and not any(path.split("/")[-2].replace("_", "-") == name for path in tree_files)
        ):
            yield f"{folder}{globbed[0].replace('*', name).rstrip('/')}/pyproject.toml", name, f"the source of `{name}`"
        elif isinstance(local := entry.get("path"), str) and _is_folder(local):
            yield f"{folder}{local.rstrip('/')}/pyproject.toml", name, f"the source of `{name}`"


def _is_folder(path: str) -> bool:
    return ".." not in path and not path.endswith((".whl", ".gz", ".zip")) and path.rstrip("/") not in (".", "")


def _metadata_files(data: dict[str, Any], folder: str) -> Iterator[tuple[str, str]]:
    table = content_type.table(data, "project")
    for key in ("readme", "license"):
        value = table.get(key)
        path = value.get("file") if isinstance(value, dict) else value if key == "readme" else None
        if isinstance(path, str) and ".." not in path:
            yield f"{folder}{path}", f"`{key}` names it"
    for each in table.get("license-files", []):
        if isinstance(each, str) and "*" not in each and ".." not in each:
            yield f"{folder}{each}", "`license-files` names it"


def _module(data: dict[str, Any], folder: str, known: set[str]) -> str | None:
    """Return the module that a build backend expects; None if it exists, or nothing is built."""
    name = content_type.table(data, "project").get("name")
    backend = str(content_type.table(data, "build-system").get("build-backend", ""))
    if (
        not isinstance(name, str)
        or not re.fullmatch(r"[\w.-]+", name)
        or "build-system" not in data
        or backend.startswith("maturin")
    ):
        return None
    uv = content_type.table(data, "tool", "uv")
    if uv.get("package") is False:
        return None
    if any(path.startswith(folder) and path.endswith(".py") for path in known):
        return None
    module = re.sub(r"[-.]+", "_", name).lower()
    return f"{folder}src/{module}/__init__.py"
