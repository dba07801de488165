"""Imports go down only, and each outside thing is used by one module or package."""

import ast
import functools
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

SRC = Path(__file__).parents[1] / "src"
MODULES = {".".join(path.relative_to(SRC).with_suffix("").parts): path for path in SRC.rglob("*.py")}

MIDDLE = (
    "capture",
    "folder",
    "gateway",
    "inbox",
    "issue",
    "lint",
    "outcomes",
    "project",
    "readers",
    "releases",
    "report",
    "run",
    "scaffold",
)
ALLOWED = {
    "errors": set(),
    "core": {"errors"},
    "client": {"public_network"},
    "public_network": set(),
    "credentials": {"core"},
    "files": {"errors"},
    "temp_folders": set(),
    **{package: {"core", "errors"} for package in MIDDLE},
    "folder": {"core", "errors", "files", "temp_folders"},
    "gateway": {"core", "errors", "client", "files", "temp_folders"},
    "inbox": {"core", "errors", "client", "files"},
    "project": {"capture", "core", "errors", "client", "files"},
    "releases": {"core", "errors", "client", "temp_folders"},
    "run": {"core", "errors", "temp_folders"},
    "flows": {*MIDDLE, "core", "credentials", "errors", "files", "temp_folders"},
    "cli": {"flows", "report", "core", "errors", "files"},
    "__main__": {"cli", "credentials", "gateway"},
    "__init__": set(),
}
# Within a package, each imports only what stands left of a bar before it; those between two bars do not import each other.
ORDER = {
    "core": "text shell | network | mre | outcome | secrets search | dockerfile triage progress cache_limits | shrink generated",
    "gateway": "http config | recording | index | routing | server | prespawn | session __main__",
    "issue": "markdown | commands files environment | timeline claims gaps | private_index build_symptom | build_mre | read repairs | thread propose",
    "lint": "subject finding toml_edit | dockerfiles projects | rules | find",
}
CROWDED = {"cli", "flows"}
"""A file for each verb."""
DOORS = {
    "click": {"cli"},
    # Reports show output with its colours, as the command line does.
    "rich": {"cli", "report.page"},
    "copier": {"scaffold"},
    "subprocess": {"run.process"},
    "psutil": {"run.process_tree"},
    "socket": {"gateway"},
    "uvloop": {"gateway"},
    "httptools": {"gateway"},
    "trustme": {"gateway"},
    "httpx": {"client", "project", "releases", "inbox"},
    "httpcore": {"client", "public_network", "gateway.recording", "inbox.web"},
    "urllib.request": set(),
    "requests": set(),
    "sqlite3": {"outcomes.store"},
    "tomllib": {"core.text.parse_toml"},
    "print": {"cli.console"},
}
IMPURE = {"os", "pathlib", "time", "subprocess", "socket", "random", "shutil", "tempfile", "io", "threading"}


@functools.cache
def imports(path: Path, *, typing: bool = True) -> tuple[str, ...]:
    """Return the modules that a file imports, anywhere in it; without `typing`, not those for types only."""
    return tuple(_imports(path, typing=typing))


def _imports(path: Path, *, typing: bool) -> Iterator[str]:
    tree = ast.parse(path.read_text())
    skipped = {
        id(child)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"
        for child in ast.walk(node)
    }
    for node in ast.walk(tree):
        if not typing and id(node) in skipped:
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                whole = f"{node.module}.{alias.name}"
                yield whole if whole in MODULES or f"{whole}.__init__" in MODULES else node.module


def package_of(module: str, depth: int = 1) -> str:
    """Return the name that a module of ours has at a depth: `core` of `uvmre.core.text.normalize`, or `text` at 2."""
    parts = module.split(".")
    return parts[depth] if len(parts) > depth else "__init__"


@pytest.mark.parametrize("module", sorted(MODULES))
def test_imports_go_down_only(module: str) -> None:
    for imported in imports(MODULES[module]):
        if imported.split(".")[0] == "uvmre" and package_of(imported) != package_of(module):
            below = ALLOWED[package_of(module)] | {"__init__"}
            assert package_of(imported) in below, f"{module} may not import {imported}"


@pytest.mark.parametrize("package", sorted(ORDER))
def test_a_package_keeps_its_order(package: str) -> None:
    lines = [line.split() for line in ORDER[package].split("|")]
    height = {name: n for n, line in enumerate(lines) for name in line}
    inside = {m: path for m, path in MODULES.items() if m.startswith(f"uvmre.{package}.")}
    assert set(height) == {package_of(module, 2) for module in inside} - {"__init__"}
    for module, path in inside.items():
        for imported in imports(path):
            here, there = package_of(module, 2), package_of(imported, 2)
            if imported.startswith(f"uvmre.{package}.") and here != there:
                assert height[there] < height[here], f"{module} may not import {imported}"


@pytest.mark.parametrize("door", sorted(set(DOORS) - {"print"}))
def test_every_outside_thing_has_one_listener(door: str) -> None:
    for module, path in MODULES.items():
        if any(name == door or name.startswith(f"{door}.") for name in imports(path, typing=False)):
            inside = module.removeprefix("uvmre.")
            assert any(inside == d or inside.startswith(f"{d}.") for d in DOORS[door]), f"{module} imports {door}"


def test_only_the_console_prints() -> None:
    for module, path in MODULES.items():
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call):
                called = ast.unparse(node.func)
                if called in ("print", "click.echo", "sys.stdout.write", "sys.stderr.write"):
                    assert module == "uvmre.cli.console", f"{module}:{node.lineno} prints"


@pytest.mark.parametrize("module", sorted(m for m in MODULES if package_of(m) in ("capture", "core", "issue", "lint")))
def test_the_core_is_pure(module: str) -> None:
    # A pure path is only a text; Path opens files.
    pure = {"pathlib"} if "from pathlib import PurePosixPath\n" in MODULES[module].read_text() else set()
    assert not (IMPURE - pure) & set(imports(MODULES[module])), f"{module} has effects"


def test_there_is_no_circle() -> None:
    graph = {m: {i for i in imports(p) if i in MODULES and i != m} for m, p in MODULES.items()}
    done: set[str] = set()

    def visit(module: str, path: tuple[str, ...]) -> None:
        assert module not in path, " → ".join([*path[path.index(module) :], module])
        if module not in done:
            for imported in graph[module]:
                visit(imported, (*path, module))
            done.add(module)

    for module in graph:
        visit(module, ())


def test_no_folder_is_crowded() -> None:
    modules = Counter(path.parent for path in MODULES.values() if path.name != "__init__.py")
    crowded = {folder.name: n for folder, n in modules.items() if n > 13 and folder.name not in CROWDED}
    assert not crowded


def test_no_class_name_is_defined_twice() -> None:
    trees = [(module, ast.parse(path.read_text())) for module, path in MODULES.items()]
    classes = [(node.name, module) for module, tree in trees for node in tree.body if isinstance(node, ast.ClassDef)]
    names = Counter(name for name, _ in classes)
    assert not [(name, module) for name, module in classes if names[name] > 1]


def test_no_file_or_function_is_too_long() -> None:
    for module, path in MODULES.items():
        text = path.read_text()
        assert text.count("\n") <= 350, f"{module} has {text.count(chr(10))} lines"
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                assert (node.end_lineno or 0) - node.lineno <= 70, f"{module}.{node.name} is long"
