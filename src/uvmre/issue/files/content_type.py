"""Detect the type of a code block by its content: TOML, a script, requirements, a directory tree, or output."""

import ast
import re
from typing import Any, Literal

from uvmre.core.text import parse_toml as toml

Kind = Literal[
    "pyproject", "uv.toml", "lock", "toml", "script", "python", "requirements", "dockerfile", "tree", "output", ""
]

LONGEST = 60_000
ELLIPSIS_LINE = re.compile(
    r"\A\s*(?:#+\s*|//\s*)?(?:\.{2,}|…|\[(?:\.{2,}|…)\]|<snip>|\[?snip(?:ped)?\]?|\(?(?:rest|others?"
    r"|etc)\b[^=]{0,40}\.{3}\)?)\s*(?:,\s*)?"
)
ELLIPSIS_TEXT = re.compile(r"""(?<!=)(?<!= )["'](?:\.{3}|…)["']\s*,?""")
"""An item of an array; the value of a key is not one, such as a description that is not filled in."""
ELLIPSIS_ITEM = re.compile(ELLIPSIS_TEXT.pattern + r"|(?<=\[)\s*(?:\.{3}|…)\s*(?=\])|,\s*(?:\.{3}|…)\s*(?=\])")
OUTPUT = re.compile(
    r"(?<!\s)\s*(?:error\b.{0,20}:|warning:|[×✗]\s|[├╰]─▶|Caused by:|Traceback \(most"
    r"|(?:DEBUG|TRACE|INFO|WARN|ERROR)\b|hint:"
    r"|Resolved \d|Installed \d|Prepared \d|Audited \d|Uninstalled \d|Downloaded \d|Using (?:CPython"
    r"|Python|PyPy)|Creating virtual"
    r"|[+~-] [\w.-]+==\d|Downloading |Building |Built |thread '|[A-Za-z.]{0,100}(?:Error|Exception): |#\d+ "
    r"|=> |\d{1,9}\.\d{1,20} |Initialized project|Package\s+Version|uv \d+\.\d|Adding |ERROR:|Looking in indexes"
    r"|Collecting )"
)
TREE = re.compile(r"[│├└]|^[^\S\n]*[|`+]-- ", re.MULTILINE)
LISTED = re.compile(r"\A\s*[-*] [\w.@-]+/?(?:\s.*)?$")
VERSIONED = re.compile(r"[├└]──\s[\w.-]+(?:\[[\w,.-]+\])? v\d|^[\w.-]+ v\d", re.MULTILINE)
REQUIREMENT = re.compile(
    r"#.*|-[a-zA-Z-]+(?:[ =].*)?|--hash=.*|\\|[A-Za-z0-9][\w.-]*+(?:\[[\w,. -]*\])?\s*+"
    r"(?:@\s*\S.*|(?:[<>=!~]=?=?\s*+[\w.*+!-]++\s*+(?:,\s*+)?)*+(?:[;#].*)?)"
)
DOCKER = re.compile(r"^[^\S\n]*(?:FROM|RUN|COPY|ENV|WORKDIR|ENTRYPOINT|CMD|ARG|ADD) ", re.MULTILINE)
INSTRUCTION = re.compile(r"(?:FROM|RUN|COPY|ENV|WORKDIR|ENTRYPOINT|CMD|ARG|ADD|USER|LABEL|EXPOSE|SHELL|VOLUME)\s")
INLINE_SCRIPT = re.compile(r"^# /// script\s*$", re.MULTILINE)


def detect(text: str, tag: str = "") -> Kind:
    """Return the type of a text; empty if it is unknown."""
    text = text[:LONGEST]
    word = tag.split(maxsplit=1)[0].lower() if tag else ""
    lines = [line for line in text.split("\n") if line.strip()]
    if not lines:
        return ""
    if INLINE_SCRIPT.search(text):
        return "script"
    if _is_dockerfile(lines, word):
        return "dockerfile"
    if is_tree(text):
        return "tree"
    if (data := parse_toml(text)) is not None:
        return _toml_kind(data, text)
    if OUTPUT.match(lines[0]) or sum(bool(OUTPUT.match(line)) for line in lines[:40]) * 2 >= min(len(lines), 40):
        return "output"
    if word in ("python", "py", "python3") or (not word and _resembles_python(text)):
        return "python" if _is_python(text) or word else ""
    if all(REQUIREMENT.fullmatch(line.strip()) for line in lines[:400]) and word in (
        "",
        "text",
        "txt",
        "requirements",
        "plain",
    ):
        return "requirements"
    return ""


def _is_dockerfile(lines: list[str], word: str) -> bool:
    instructions = sum(bool(INSTRUCTION.match(line)) for line in lines)
    return instructions > 0 and (
        word in ("dockerfile", "docker", "containerfile") or (instructions >= 2 and instructions * 4 >= len(lines))
    )


def _toml_kind(data: dict[str, Any], text: str) -> Kind:
    if "version" in data and ("package" in data or isinstance(data["version"], int)):
        return "lock"
    if isinstance(data.get("package"), list) and "[[package]]" in text:
        return "lock"
    if data.keys() & {"project", "build-system", "dependency-groups"} or (
        isinstance(data.get("tool"), dict) and data["tool"]
    ):
        return "pyproject"
    if data.keys() & {"dependencies", "requires-python"} and not data.keys() - PROJECT_KEYS:
        return "pyproject"
    if data.keys() & UV_KEYS:
        return "uv.toml"
    return "toml" if re.search(r"^[^\S\n]*\[", text, re.MULTILINE) and data else ""


PROJECT_KEYS = {"name", "version", "description", "readme", "requires-python", "dependencies", "optional-dependencies"}
UV_KEYS = {"index", "pip", "index-url", "extra-index-url", "find-links", "index-strategy", "exclude-newer", "sources",
           "keyring-provider", "native-tls", "python-preference", "cache-dir", "resolution", "prerelease"}  # fmt: skip


def is_tree(text: str) -> bool:
    """Tell whether a text is a directory tree, not the output of `uv tree`."""
    if _is_list(text):
        return True
    if "─▶" in text:  # an error with its causes
        return False
    tree_lines = [line for line in text.split("\n") if TREE.search(line)]
    return len(tree_lines) > 1 and not VERSIONED.search(text) and not OUTPUT.search(text.lstrip().split("\n", 1)[0])


def _is_list(text: str) -> bool:
    """Tell whether a text is a directory tree as a Markdown list."""
    lines = [line for line in text.split("\n") if line.strip()]
    return len(lines) > 2 and all(LISTED.match(line) for line in lines) and any("/" in line for line in lines)


def parse_toml(text: str) -> dict[str, Any] | None:
    """Parse a text as TOML without its ellipses; None if it is not TOML."""
    if "=" not in text or len(text) > LONGEST:
        return None
    try:
        return toml.parse_toml(without_ellipses(text)[0])
    except ValueError:
        return None


def table(data: dict[str, Any], *keys: str) -> dict[str, Any]:
    """Return a nested table; empty if there is none."""
    for key in keys:
        value = data.get(key)
        data = value if isinstance(value, dict) else {}
    return data


def project_name(text: str) -> str:
    """Return the name of the project in a pyproject.toml; empty if it has none."""
    return str(table(parse_toml(text) or {}, "project").get("name", ""))


def without_ellipses(text: str) -> tuple[str, list[int]]:
    """Return the text without its ellipses, and their line numbers (from 0).

    In what is valid TOML, only comments and strings of arrays can be one.
    """
    valid = _is_toml(text)
    item = ELLIPSIS_TEXT if valid else ELLIPSIS_ITEM
    kept: list[str] = []
    removed: list[int] = []
    for number, line in enumerate(text.split("\n")):
        if line.strip() and ELLIPSIS_LINE.fullmatch(line) and (not valid or line.lstrip()[0] == "#"):
            removed.append(number)
            continue
        if ("..." in line or "…" in line) and item.search(line):
            removed.append(number)
            line = item.sub("", line)  # noqa: PLW2901
        kept.append(line)
    return "\n".join(kept), removed


def _is_toml(text: str) -> bool:
    try:
        return bool(toml.parse_toml(text))
    except ValueError:
        return False


def _is_python(text: str) -> bool:
    try:
        ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return True


def _resembles_python(text: str) -> bool:
    return bool(re.search(r"^(?:import \w|from [\w.]+ import |def \w+\(|class \w+|if __name__)", text, re.MULTILINE))


def is_output(text: str) -> bool:
    """Tell whether a text contains a line of output."""
    return any(OUTPUT.match(line) for line in text[:LONGEST].split("\n"))
