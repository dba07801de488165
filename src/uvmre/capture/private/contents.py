"""What the files of a project say of its names: packages, indexes, extras, scripts, people, variables."""

import ast
import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from uvmre.core.mre.files import File
from uvmre.core.shell.uv_calls import parse_calls
from uvmre.core.text.parse_toml import parse_toml

Name = tuple[str, str]
"""What a name is the name of, and the name; "provides": a package with words that are public if it is, `name[a,b]`."""
REQUIREMENT = re.compile(r"\s*([A-Za-z0-9](?:[\w.-]*[A-Za-z0-9])?)\s*(?:\[[^\]]*\]\s*)?(?:$|[<>=!~;@(,])")
REQUIREMENT_LISTS = re.compile(
    r"requires|requires-dist|setup_requires|(?:.*-)?dependencies|dependency-groups|optional-dependencies"
    r"|(?:no-binary|no-build|no-build-isolation|reinstall|upgrade|exclude-newer|no-sources)-package"
)
"""Keys whose values are requirements, or mappings of lists of them."""
SETUP_ARGUMENTS = frozenset({"name", "install_requires", "setup_requires", "tests_require", "extras_require"})
NAMED_TABLES = frozenset(
    {"sources", "dependencies", "dev-dependencies", "extra-build-dependencies", "exclude-newer-package"}
)
"""Keys of tables whose keys are names of packages."""
URL = re.compile(r"(?<![a-z0-9+.-])[a-z][a-z0-9+.-]{0,20}://[^\s\"'`<>|\\)\]},;]+", re.IGNORECASE)
GIT_SSH = re.compile(r"(?<![\w/@:])git@([\w.-]+):(?!//)([\w./~-]+)")
PROVIDES = re.compile(
    r"(?<![\w.-])(?P<name>[\w.-]{1,80}+)(?:[\"'][ \t]*|[ \t]*)(?:\[(?P<words>[\w., -]{1,200}+)\][ \t]*)?"
    r"(?:(?:=[ \t]*\{[ \t]*git[ \t]*=[ \t]*[\"']|@[ \t]*)(?:git\+)?[a-z]+://(?P<url>[^\s\"'?#]{1,300}+))?"
)
"""A package with its extras, and the address of its repository."""
TICKET = re.compile(r"(?<![\w-])([A-Z]{2,10})-\d+(?![\w-])")
EMAIL = re.compile(r"(?<![\w:/.+@-])([\w.+-]+)@([\w-]+(?:\.[\w-]+)*\.[A-Za-z]{2,})(?![\w/])")
VARIABLE = re.compile(r"\$\{?([A-Za-z_]\w+)|(?m:^)[ \t]*(?:export |ENV |ARG )?[ \t]*([A-Z_][A-Z0-9_]+)=")
IMAGE = re.compile(
    r"(?m)^[ \t]*FROM[ \t]+(?:--\S+[ \t]+)*([^\s$@]+)|--from=([^\s,$@]+)|^#[ \t]*syntax[ \t]*=[ \t]*([^\s@]+)"
)
MACHINE = re.compile(r"(?m)(?<![\w-])machine[ \t\n]+(\S+)")
HOST_OPTIONS = re.compile(r"(?i)(?:trusted[-_]host|allow-insecure-host|insecure_host|no_proxy)[ \t]*[= ][ \t]*([^\n]+)")
AUTHOR = re.compile(r"\s*([^<>]*[^<>\s])\s*(?:<[^>]*>)?\s*$")
INDEX_KEYS = frozenset({"index-url", "extra-index-url", "default-index"})


@lru_cache(256)
def toml(file: File) -> dict[str, Any]:
    """Return the data of a TOML file; nothing if it is none, or invalid."""
    if not file.path.endswith((".toml", ".lock")):
        return {}
    try:
        return parse_toml(file.content.decode(errors="replace"))
    except ValueError:
        return {}


def toml_names(data: Any, path: tuple[str, ...] = ()) -> Iterator[Name]:
    """Yield the names in the data of a TOML file."""
    last = path[-1] if path else ""
    if isinstance(data, dict):
        yield from _table_names(data, path, last)
        for key, value in data.items():
            yield from toml_names(value, (*path, key))
    elif isinstance(data, list):
        for item in data:
            if isinstance(item, str):
                yield from _item_names(item, path)
            else:
                yield from toml_names(item, path)


def _table_names(table: dict[str, Any], path: tuple[str, ...], last: str) -> Iterator[Name]:
    name = table.get("name")
    if isinstance(name, str):
        if last == "index":
            yield "index", name
        elif last in ("authors", "maintainers"):
            yield "person", name
        elif (
            path in (("project",), ("tool", "poetry"), ("package",), ("package", "metadata"))
            or "depend" in last
            or "requires" in last
        ):
            yield "package", name
    if (last in ("optional-dependencies", "dependency-groups") and path[0] != "package") or path[-2:] == (
        "poetry",
        "extras",
    ):
        kind = "group" if last == "dependency-groups" else "extra"
        yield from ((kind, key) for key in table)
    if path[:2] == ("tool", "poetry") and last == "group":
        yield from (("group", key) for key in table)
    if last in ("scripts", "gui-scripts"):
        yield from (("script", key) for key in table)
    if last in NAMED_TABLES and path[-2:] != ("pdm", "dev-dependencies"):
        yield from (("package", key) for key in table)
    for key in ("branch", "tag", "rev"):
        if isinstance(table.get(key), str) and ("git" in table or last == "source"):
            yield key, table[key]
            yield "provides", f"{last} @ {str(table.get('git', '')).partition('.git')[0]}.git@{table[key]}"
    if isinstance(name, str) and path[:1] == ("package",):
        more = [*table.get("optional-dependencies", ()), *table.get("extra", ()), *table.get("extras", ())]
        yield "provides", f"{name}[{','.join(map(str, more))}]"
    urls = [table.get("url")] if last == "index" else [table.get(key) for key in INDEX_KEYS]
    for url in urls:
        yield from (("index-url", each) for each in (url if isinstance(url, list) else [url]) if isinstance(each, str))


def _item_names(text: str, path: tuple[str, ...]) -> Iterator[Name]:
    if any(REQUIREMENT_LISTS.fullmatch(key) for key in path[-2:]) and (match := REQUIREMENT.match(text)):
        yield "package", match[1]
    elif path[-1:] in (("authors",), ("maintainers",)) and (match := AUTHOR.match(text)):
        yield "person", match[1]


def requirement_names(text: str) -> Iterator[Name]:
    """Yield the names of the requirements in the lines of a text."""
    for line in text.splitlines():
        if match := REQUIREMENT.match(line.partition(" #")[0].rstrip(" \\")):
            yield "package", match[1]


def python_names(text: str) -> Iterator[Name]:
    """Yield the names in the arguments of `setup`; nothing for code that is invalid."""
    try:
        tree = ast.parse(text)
    except (ValueError, SyntaxError, RecursionError):
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.keyword) and node.arg in SETUP_ARGUMENTS:
            texts = [each.value for each in ast.walk(node.value) if isinstance(each, ast.Constant)]
            yield from requirement_names("\n".join(text for text in texts if isinstance(text, str)))


def command_words(text: str) -> Iterator[str]:
    """Yield the names that may be requirements in commands: a public one stays."""
    for call in parse_calls(text):
        for word in call.argv[1:]:
            if match := REQUIREMENT.match(word.rpartition("=")[2] if word.startswith("--") else word):
                yield match[1]


def text_names(text: str) -> Iterator[Name]:
    """Yield the names in any text that are found by their form."""
    yield from (("url", match[0]) for match in URL.finditer(text))
    yield from (("url", f"ssh://git@{match[1]}/{match[2]}") for match in GIT_SSH.finditer(text))
    yield from (("ticket", match[0]) for match in TICKET.finditer(text))
    yield from (("email", match[0]) for match in EMAIL.finditer(text))
    yield from (("variable", match[1] or match[2]) for match in VARIABLE.finditer(text))
    yield from (("image", match[1] or match[2] or match[3]) for match in IMAGE.finditer(text))
    hosts = (match[1] for pattern in (MACHINE, HOST_OPTIONS) for match in pattern.finditer(text))
    yield from (("host", host) for each in hosts for host in re.findall(r"\w[\w.-]*\w", each))
