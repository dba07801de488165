"""The house: imports go down only, and every outside thing has one door."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

SRC = Path(__file__).parents[1] / "src"
MODULES = {".".join(path.relative_to(SRC).with_suffix("").parts): path for path in SRC.rglob("*.py")}

MIDDLE = ("folder", "gateway", "issue", "lint", "releases", "report", "run", "scaffold", "triage")
ALLOWED = {
    "errors": set(),
    "core": {"errors"},
    "client": set(),
    "files": {"errors"},
    "owned": set(),
    **{room: {"core", "errors", "owned"} for room in MIDDLE},
    "folder": {"core", "errors", "files", "owned"},
    "gateway": {"core", "errors", "client", "owned"},
    "releases": {"core", "errors", "client", "owned"},
    "triage": {"core", "errors", "client", "files"},
    "flows": {*MIDDLE, "core", "errors", "files", "owned"},
    "cli": {"flows", "core", "errors", "files"},
    "__main__": {"cli", "gateway"},
    "__init__": set(),
}
DOORS = {
    "click": {"cli"},
    "rich": {"cli"},
    "copier": {"scaffold"},
    "subprocess": {"run.process"},
    "psutil": {"run.process"},
    "socket": {"gateway"},
    "uvloop": {"gateway"},
    "httptools": {"gateway"},
    "trustme": {"gateway"},
    "httpx": {"client", "releases", "triage.inbox"},
    "httpcore": {"client", "gateway.upstream"},
    "urllib.request": set(),
    "requests": set(),
    "sqlite3": {"triage.store"},
    "print": {"cli.console"},
}
IMPURE = {"os", "pathlib", "time", "subprocess", "socket", "random", "shutil", "tempfile", "io", "threading"}


def imports(path: Path, *, typing: bool = True) -> Iterator[str]:
    """Yield the modules that a file imports, anywhere in it; those for types only are left out where asked."""
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


def room(module: str) -> str:
    """Return the room of a module of ours."""
    parts = module.split(".")
    return parts[1] if len(parts) > 1 else "__init__"


@pytest.mark.parametrize("module", sorted(MODULES))
def test_imports_go_down_only(module: str) -> None:
    for imported in imports(MODULES[module]):
        if imported.split(".")[0] == "uvmre" and room(imported) != room(module):
            below = ALLOWED[room(module)] | {"__init__"}
            assert room(imported) in below, f"{module} may not import {imported}"


@pytest.mark.parametrize("door", sorted(set(DOORS) - {"print"}))
def test_every_outside_thing_has_one_door(door: str) -> None:
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


@pytest.mark.parametrize("module", sorted(m for m in MODULES if room(m) in ("core", "issue", "lint")))
def test_the_core_is_pure(module: str) -> None:
    # A pure path is only a text; Path opens files.
    pure = {"pathlib"} if "from pathlib import PurePosixPath\n" in MODULES[module].read_text() else set()
    assert not (IMPURE - pure) & set(imports(MODULES[module])), f"{module} reaches outside"


def test_there_is_no_circle() -> None:
    graph = {m: {i for i in imports(p, typing=False) if i in MODULES and i != m} for m, p in MODULES.items()}
    done: set[str] = set()

    def visit(module: str, path: tuple[str, ...]) -> None:
        assert module not in path, " → ".join([*path[path.index(module) :], module])
        if module not in done:
            for imported in graph[module]:
                visit(imported, (*path, module))
            done.add(module)

    for module in graph:
        visit(module, ())


def test_no_file_or_function_outgrows_its_room() -> None:
    for module, path in MODULES.items():
        text = path.read_text()
        assert text.count("\n") <= 350, f"{module} has {text.count(chr(10))} lines"
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                assert (node.end_lineno or 0) - node.lineno <= 70, f"{module}.{node.name} is long"
