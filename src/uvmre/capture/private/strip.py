"""Drop the texts of a project that no tool reads: comments, descriptions, people, addresses, unknown tables."""

import ast
import re
from collections.abc import Iterator
from dataclasses import replace

import tree_sitter
import tree_sitter_bash
import tree_sitter_toml

from uvmre.core.mre.files import File
from uvmre.core.mre.model import Mre, Step
from uvmre.core.text.parse_toml import parse_toml

PROSE = frozenset(
    {"description", "authors", "maintainers", "keywords", "urls", "classifiers", "license", "license-files"}
)
"""Keys of `project` and `tool.poetry` that are prose."""
POETRY_PROSE = PROSE | {"homepage", "repository", "documentation"}
EMPTY = {("project", "description"): '""', ("tool", "poetry", "description"): '""', ("tool", "poetry", "authors"): "[]"}
"""What some build backends require is emptied."""
TOOLS = frozenset(
    {
        *(
            "uv",
            "hatch",
            "setuptools",
            "setuptools_scm",
            "setuptools-scm",
            "setuptools-git-versioning",
            "flit",
            "poetry",
        ),
        *("poetry-dynamic-versioning", "pdm", "scikit-build", "maturin", "meson-python", "versioningit", "distutils"),
        *("uv-dynamic-versioning", "setuptools-rust", "cython", "pip", "cibuildwheel", "dynamic-metadata"),
    }
)
"""The `[tool]` tables that uv or a build backend reads."""
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
REQUIREMENTS = re.compile(
    r"(?:\s*(?:-{1,2}\w.*|[A-Za-z0-9][\w.-]*\s*(?:$|[\[<>=!~;@(\\]).*|\S+://.*|\.{0,2}/.*|#.*|[^\s#]+\.(?:whl|gz|zip))?\s*\n)*\s*"
)
REQUIREMENT_FILE = re.compile(r"(?:requirement|constraint|override)[^/]*\.(?:txt|in)\Z", re.IGNORECASE)
LINE_COMMENT = re.compile(r"(?m)^[ \t]*[#;](?!!|[ \t]*(?:syntax|escape|check)[ \t]*=|[ \t]*///).*\n?|[ \t]+#(?=\s).*$")
"""A comment that has a line of its own, or follows white space; not a directive."""
LABELS = re.compile(r"(?mi)^[ \t]*(?:LABEL|MAINTAINER)\b(?:.*\\\n)*.*\n?")
SECTION_KEYS = re.compile(rf"(?mi)^(?:{'|'.join(sorted(ARGUMENTS))})[ \t]*[=:].*\n(?:[ \t]+.*\n)*")
LINES = re.compile(
    r"(?:\A|/)(?:[^/]*Dockerfile[^/]*|Containerfile|MANIFEST\.in|setup\.cfg|pip\.(?:conf|ini)|\.python-versions?|[._]?netrc"
    r"|\.?[^/]*\.env|\.env[^/]*|\.(?:docker|git)ignore|\.pypirc)\Z"
)
"""Files that are read line by line."""


def strip_text(mre: Mre) -> Mre:
    """Return an MRE without the texts that are no part of a failure."""
    return replace(
        mre,
        files=tuple(strip_file(file) for file in mre.files),
        steps=tuple(_strip_step(step) for step in mre.steps),
        controls=tuple(replace(each, steps=tuple(map(_strip_step, each.steps))) for each in mre.controls),
        indexes=tuple(
            replace(index, packages=tuple(replace(each, description="") for each in index.packages))
            for index in mre.indexes
        ),
    )


def strip_file(file: File) -> File:
    """Return a file with what a tool reads in it; empty if no tool of packaging does."""
    try:
        text = file.content.decode()
    except UnicodeDecodeError:
        return replace(file, content=b"")
    return replace(file, content=_strip(file.path, text).encode())


def _strip(path: str, text: str) -> str:
    name = path.rpartition("/")[2]
    if name.endswith((".toml", ".lock")):
        return strip_toml(text)
    if name.endswith(".py"):
        metadata = INLINE_METADATA.search(text)
        if name in BUILD_SCRIPTS:
            return _strip_python(text)
        return f"{_strip_metadata(metadata[0])}\n" if metadata else ""
    if name.endswith((".sh", ".bash")):
        return strip_shell(text)
    if REQUIREMENT_FILE.search(path) or (name.endswith((".txt", ".in")) and REQUIREMENTS.fullmatch(f"{text}\n")):
        return LINE_COMMENT.sub("", text)
    if LINES.search(path):
        return SECTION_KEYS.sub("", LABELS.sub("", LINE_COMMENT.sub("", text)))
    return ""


def _strip_step(step: Step) -> Step:
    return replace(step, run=strip_shell(step.run).strip() or step.run)


def strip_shell(text: str) -> str:
    """Return a shell text without its comments."""
    tree = tree_sitter.Parser(tree_sitter.Language(tree_sitter_bash.language())).parse(text.encode())
    return _without(text, (node for node in _nodes(tree.root_node) if node.type == "comment" and not _is_shebang(node)))


def _is_shebang(node: tree_sitter.Node) -> bool:
    return node.start_byte == 0 and (node.text or b"").startswith(b"#!")


def strip_toml(text: str) -> str:
    """Return a TOML text without comments, prose and tables of other tools; the rest keeps its form."""
    tree = tree_sitter.Parser(tree_sitter.Language(tree_sitter_toml.language())).parse(text.encode())
    nodes = [node for node in _nodes(tree.root_node) if node.type == "comment"]
    kept: dict[tuple[int, int], str] = {}
    for node in tree.root_node.named_children:
        table: tuple[str, ...] = ()
        if node.type in ("table", "table_array_element"):
            table = _key(node.named_children[0])
            if _is_dropped(table):
                nodes.append(node)
                continue
        for pair in [node] if node.type == "pair" else node.named_children:
            if pair.type == "pair":
                path = (*table, *_key(pair.named_children[0]))
                if path in EMPTY:
                    kept[pair.named_children[1].byte_range] = EMPTY[path]
                elif _is_dropped(path):
                    nodes.append(pair)
    return _without(text, nodes, kept)


def _is_dropped(path: tuple[str, ...]) -> bool:
    if path[:1] == ("project",):
        return path[1:2] != () and path[1] in PROSE and path not in EMPTY
    if path[:2] == ("tool", "poetry"):
        return path[2:3] != () and path[2] in POETRY_PROSE and path not in EMPTY
    return path[:1] == ("tool",) and path[1:2] != () and path[1] not in TOOLS


def _key(node: tree_sitter.Node) -> tuple[str, ...]:
    """Return the parts of a key."""
    if node.type == "dotted_key":
        return tuple(part for child in node.named_children for part in _key(child))
    try:
        return tuple(parse_toml(f"{(node.text or b'').decode()} = 0"))
    except ValueError:
        return ()


def _nodes(node: tree_sitter.Node) -> Iterator[tree_sitter.Node]:
    yield node
    for child in node.children:
        yield from _nodes(child)


def _without(
    text: str,
    nodes: Iterator[tree_sitter.Node] | list[tree_sitter.Node],
    changed: dict[tuple[int, int], str] | None = None,
) -> str:
    """Return a text without some nodes, and without the lines that they leave empty; other nodes have a new text."""
    data = text.encode()
    edits = {node.byte_range: "" for node in nodes} | (changed or {})
    last = len(data) + 1
    for start, end in sorted(edits, key=lambda span: (-span[1], span[0])):
        if start >= last:
            continue  # inside one that is gone
        last, new = start, edits[start, end].encode()
        before, after = data[:start], data[end:]
        if not new:
            line, rest = before.rpartition(b"\n")[2], after.partition(b"\n")
            if not rest[0].strip():
                before, after = (
                    (before.removesuffix(line), rest[2]) if not line.strip() else (before.rstrip(b" \t"), after)
                )
        data = before + new + after
    return data.decode()


def _strip_metadata(text: str) -> str:
    """Return inline metadata of a script without what its TOML does not need."""
    lines = [line.removeprefix("#").removeprefix(" ") for line in text.splitlines()[1:-1]]
    stripped = strip_toml("\n".join(lines)).splitlines()
    return "\n".join(["# /// script", *(f"# {line}".rstrip() for line in stripped), "# ///"])


def _strip_python(text: str) -> str:
    """Return Python code without comments, docstrings and arguments that are prose."""
    try:
        tree = ast.parse(text)
    except (ValueError, SyntaxError):
        return LINE_COMMENT.sub("", text)
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            node.keywords = [each for each in node.keywords if each.arg not in ARGUMENTS]
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            first = node.body[0] if node.body else None
            if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant):
                node.body = node.body[1:] or [ast.Pass()] * (not isinstance(node, ast.Module))
    return ast.unparse(ast.fix_missing_locations(tree)) + "\n"
