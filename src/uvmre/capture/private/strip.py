"""Drop the texts of a project that no tool reads: comments, descriptions, people, addresses, unknown tables."""

import ast
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace

import tree_sitter
import tree_sitter_bash
import tree_sitter_toml

from uvmre.core.mre.files import File
from uvmre.core.mre.model import Control, Mre, Step
from uvmre.core.network.index import Index
from uvmre.core.text.parse_toml import parse_toml

PROSE = frozenset(
    {
        *("description", "authors", "maintainers", "keywords", "urls", "classifiers", "license", "license-files"),
        *("homepage", "repository", "documentation"),
    }
)
"""Keys of `project`, `tool.poetry` and `package` that are prose."""
EMPTY = {("project", "description"): '""', ("tool", "poetry", "description"): '""', ("tool", "poetry", "authors"): "[]"}
"""What some build backends require is emptied."""
TOOLS = frozenset(
    {
        *("uv", "hatch", "setuptools", "setuptools_scm", "setuptools-scm", "flit", "poetry", "pdm", "scikit-build"),
        *("poetry-dynamic-versioning", "uv-dynamic-versioning", "setuptools-git-versioning", "versioningit"),
        *("maturin", "meson-python", "setuptools-rust", "cython", "distutils", "pip", "cibuildwheel"),
    }
)
"""The `[tool]` tables that uv or a build backend reads."""
FANCY_README = ("tool", "hatch", "metadata", "hooks", "fancy-pypi-readme")
"""The table of a plugin that builds a description from other files."""
ARGUMENTS = frozenset(
    {
        *("author", "author_email", "maintainer", "maintainer_email", "description", "long_description", "license"),
        *("url", "download_url", "project_urls", "keywords", "classifiers", "license_files", "license_file"),
        "long_description_content_type",
    }
)
"""The arguments of `setup` and keys of `setup.cfg` that are prose."""
BUILD_SCRIPTS = frozenset({"setup.py", "hatch_build.py", "build.py", "_build.py", "pdm_build.py"})
INLINE_METADATA = re.compile(r"(?m)^# /// script\s*\n(?:^#(?: .*)?\n)+?^# ///[ \t]*$")
DOCSTRING = re.compile(r"(?:\s*#.*\n|\s)*[rRuU]?[\"']")
IDENTITY = re.compile(r"(?m)^(?:Metadata-Version|Name|Version): .*$")
ONLY_VERSION = re.compile(r"\s*v?\d[\w.+!-]*\s*")
VERSION = re.compile(r"(?m)^(?:__version__|VERSION|version)(?: *:[^=\n]*)? *= *[\"'][^\"'\n]*[\"']")
REQUIREMENT_LINE = re.compile(
    r"\s*(?:$|#|-{1,2}\w|[A-Za-z0-9][\w.-]*\s*(?:$|[\[<>=!~;@(\\])|\S+://|\.{0,2}/|[^\s#]+\.(?:whl|gz|zip)\s*$)"
)
REQUIREMENT_FILE = re.compile(r"(?:requirement|constraint|override)[^/]*\.(?:txt|in)\Z", re.IGNORECASE)
LINE_COMMENT = re.compile(r"(?m)^[ \t]*[#;](?!!|[ \t]*(?:syntax|escape|check)[ \t]*=|[ \t]*///).*\n?|[ \t]+#(?=\s).*$")
"""A comment that has a line of its own, or follows white space; not a directive."""
LABELS = re.compile(r"(?mi)^[ \t]*(?:LABEL|MAINTAINER)\b(?:.*\\\n)*.*\n?")
SECTION_KEYS = re.compile(rf"(?mi)^(?:{'|'.join(sorted(ARGUMENTS))})[ \t]*[=:].*\n(?:[ \t]+.*\n)*")
LINES = re.compile(
    r"(?:\A|/)(?:[^/]*Dockerfile[^/]*|Containerfile|MANIFEST\.in|setup\.cfg|pip\.(?:conf|ini)|\.python-versions?|[^/]*netrc"
    r"|\.?[^/]*\.env|\.env[^/]*|\.(?:docker|git)ignore|\.pypirc)\Z"
)
"""Files that are read line by line."""


def strip_text(mre: Mre, *, code: bool = False) -> Mre:
    """Return an MRE without the texts that are no part of a failure; `code` keeps that of its modules."""
    return replace(
        mre,
        files=tuple(strip_file(file, code=code) for file in mre.files),
        steps=tuple(map(_strip_step, mre.steps)),
        controls=tuple(map(_strip_control, mre.controls)),
        indexes=tuple(map(_strip_index, mre.indexes)),
        repositories=tuple(
            replace(each, commits=tuple(replace(commit, message="Update") for commit in each.commits))
            for each in mre.repositories
        ),
    )


def _strip_step(step: Step) -> Step:
    return replace(step, run=strip_shell(step.run).strip() or step.run)


def _strip_control(control: Control) -> Control:
    files = {path: strip_file(File(path, text.encode())).content.decode() for path, text in control.files.items()}
    steps = tuple(map(_strip_step, control.steps))
    return replace(control, files=files, steps=steps, indexes=tuple(map(_strip_index, control.indexes)))


def _strip_index(index: Index) -> Index:
    return replace(
        index,
        packages=tuple(replace(each, description="", yanked=bool(each.yanked)) for each in index.packages),
    )


def strip_file(file: File, *, code: bool = False) -> File:
    """Return a file with what a tool reads in it; empty if no tool of packaging does, and it is no `code` to keep."""
    try:
        text = file.content.decode()
    except UnicodeDecodeError:
        return replace(file, content=b"")
    return replace(file, content=_strip(file.path, text, code=code).encode())


def _strip(path: str, text: str, *, code: bool) -> str:
    name = path.rpartition("/")[2]
    if name.endswith((".toml", ".lock")):
        return strip_toml(text)
    if name.endswith(".py"):
        metadata = INLINE_METADATA.search(text)
        if name in BUILD_SCRIPTS or (code and not metadata):
            return _strip_python(text)
        return f"{_strip_metadata(metadata[0])}\n" if metadata else _strip_module(text)
    if name.endswith((".sh", ".bash")):
        return strip_shell(text)
    if REQUIREMENT_FILE.search(path) or (
        name.endswith((".txt", ".in")) and all(map(REQUIREMENT_LINE.match, text.splitlines()))
    ):
        return LINE_COMMENT.sub("", text)
    if LINES.search(path):
        return SECTION_KEYS.sub("", LABELS.sub("", LINE_COMMENT.sub("", text)))
    if name == "PKG-INFO":
        return "".join(f"{match[0]}\n" for match in IDENTITY.finditer(text))
    return text if ONLY_VERSION.fullmatch(text) else ""


def strip_shell(text: str) -> str:
    """Return a shell text without its comments."""
    comments = [node for node in _nodes(text, tree_sitter_bash.language()) if node.type == "comment"]
    return _without(text, [node for node in comments if node.start_byte or not text.startswith("#!")])


def strip_toml(text: str) -> str:
    """Return a TOML text without comments, prose and tables of other tools; the rest keeps its form."""
    root, *inner = _nodes(text, tree_sitter_toml.language())
    nodes = [node for node in inner if node.type == "comment"]
    kept: dict[tuple[int, int], str] = {}
    for node in root.named_children:
        table = () if node.type == "pair" or not node.named_children else _key(node.named_children[0])
        if _is_dropped(table):
            nodes.append(node)
            continue
        for pair in [node] if node.type == "pair" else [each for each in node.named_children if each.type == "pair"]:
            path = (*table, *_key(pair.named_children[0]))
            if path in EMPTY:
                kept[pair.named_children[1].byte_range] = EMPTY[path]
            elif _is_dropped(path):
                nodes.append(pair)
    return _without(text, nodes, kept)


def _is_dropped(path: tuple[str, ...]) -> bool:
    """Tell whether the table or key of a path is prose, or of another tool."""
    inner = path[2:] if path[:2] == ("tool", "poetry") else path[1:] if path[:1] in (("project",), ("package",)) else ()
    other = path[:1] == ("tool",) and len(path) > 1 and path[1] not in TOOLS
    return (
        other or path[: len(FANCY_README)] == FANCY_README or (bool(inner) and inner[0] in PROSE and path not in EMPTY)
    )


def _key(node: tree_sitter.Node) -> tuple[str, ...]:
    """Return the parts of a key."""
    if node.type == "dotted_key":
        return tuple(part for child in node.named_children for part in _key(child))
    try:
        return tuple(parse_toml(f"{(node.text or b'').decode()} = 0"))
    except ValueError:
        return ()


def _nodes(text: str, language: object) -> Iterator[tree_sitter.Node]:
    """Yield all nodes of a text, the root first."""
    pending = [tree_sitter.Parser(tree_sitter.Language(language)).parse(text.encode()).root_node]
    while pending:
        yield (node := pending.pop())
        pending += node.children


def _without(text: str, nodes: list[tree_sitter.Node], changed: Mapping[tuple[int, int], str] | None = None) -> str:
    """Return a text without some nodes, and without the lines that they leave empty; others have a new text."""
    data = text.encode()
    edits = {node.byte_range: "" for node in nodes} | dict(changed or {})
    last = len(data) + 1
    for start, end in sorted(edits, key=lambda span: (-span[1], span[0])):
        if start >= last:
            continue  # inside one that is gone
        last, new = start, edits[start, end].encode()
        before, after = data[:start], data[end:]
        line, (rest, _, following) = before.rpartition(b"\n")[2], after.partition(b"\n")
        if not new and not rest.strip():
            whole = not line.strip()
            before, after = (before.removesuffix(line), following) if whole else (before.rstrip(b" \t"), after)
        data = before + new + after
    return data.decode()


def _strip_metadata(text: str) -> str:
    """Return inline metadata of a script without what its TOML does not need."""
    lines = [line.removeprefix("#").removeprefix(" ") for line in text.splitlines()[1:-1]]
    stripped = strip_toml("\n".join(lines)).splitlines()
    return "\n".join(["# /// script", *(f"# {line}".rstrip() for line in stripped), "# ///"])


def _strip_module(text: str) -> str:
    """Return the lines of a module that give its version, and a docstring, without which flit builds none."""
    versions = "".join(f"{match[0]}\n" for match in VERSION.finditer(text))
    return f'"""Module."""\n{versions}' if versions or DOCSTRING.match(text) else ""


def _strip_python(text: str) -> str:
    """Return Python code without comments, docstrings and arguments that are prose."""
    try:
        tree = ast.parse(text)
    except (ValueError, SyntaxError, RecursionError):
        return LINE_COMMENT.sub("", text)
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            node.keywords = [each for each in node.keywords if each.arg not in ARGUMENTS]
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            first = node.body[0] if node.body else None
            if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant):
                node.body = node.body[1:] or [ast.Pass()] * (not isinstance(node, ast.Module))
    return ast.unparse(ast.fix_missing_locations(tree)) + "\n"
