import pytest

from uvmre.capture.project import UserProject, split_commands
from uvmre.capture.requirements import named_packages, own_packages
from uvmre.core.mre.files import File


def project(path: str, text: str, command: str = "uv sync") -> UserProject:
    return UserProject((File(path, text.encode()),), (command,), "0.8.0")


@pytest.mark.parametrize(
    ("path", "text", "command", "names"),
    [
        ("pyproject.toml", '[project]\ndependencies = ["Corp_A[x]>=1", "six"]', "uv sync", {"corp-a", "six"}),
        ("b/pyproject.toml", "[project.optional-dependencies]\nx = [\"corp.b ; extra == 'y'\"]", "uv sync", {"corp-b"}),
        ("pyproject.toml", '[dependency-groups]\ndev = ["a", {include-group = "b"}]', "uv sync", {"a"}),
        ("pyproject.toml", '[build-system]\nrequires = ["hatchling>=1"]', "uv sync", {"hatchling"}),
        ("pyproject.toml", '[tool.uv]\nconstraint-dependencies = ["c<2"]', "uv sync", {"c"}),
        ("pyproject.toml", '[tool.uv.sources]\nd = { git = "https://x" }', "uv sync", {"d"}),
        ("requirements.txt", "a==1 # why\n--hash=x\n-r b.txt\n\n  c @ https://x\n", "uv sync", {"a", "c"}),
        ("s.py", '# /// script\n# dependencies = ["e"]\n# ///\n', "uv run s.py", {"e"}),
        ("x", "", "uv add f 'g>1' --index https://x", {"f", "g"}),
        ("x", "", "uv run --with h -- pytest", {"h"}),
        ("README.md", "a>=1", "uv sync", set()),
        ("pyproject.toml", "[project", "uv sync", set()),
    ],
)
def test_required_packages_are_found(path: str, text: str, command: str, names: set[str]) -> None:
    assert named_packages(project(path, text, command))[0] == names


def test_a_source_names_the_index_of_a_package() -> None:
    text = '[tool.uv.sources]\nCorp-A = { index = "corp" }\nb = [{ index = "other", marker = "x" }, { path = "b" }]'
    assert named_packages(project("pyproject.toml", text))[1] == {"corp-a": "corp", "b": "other"}


def test_own_packages_are_the_projects_of_the_workspace() -> None:
    assert own_packages(project("libs/x/pyproject.toml", '[project]\nname = "My_Lib"')) == {"my-lib"}
    assert own_packages(project("libs/x/other.toml", '[project]\nname = "My_Lib"')) == frozenset()


@pytest.mark.parametrize(
    ("arguments", "commands"),
    [
        (["uv", "sync", "--group", "a b"], ("uv sync --group 'a b'",)),
        (["uv lock && uv sync"], ("uv lock", "uv sync")),
        (["uv lock; uvx ruff"], ("uv lock", "uvx ruff")),
        (["cd a && uv sync"], ("cd a && uv sync",)),
        (["uv lock || true"], ("uv lock || true",)),
        (["for i in 1 2; do uv lock; done"], ("for i in 1 2; do uv lock; done",)),
        (["./build.sh"], ("./build.sh",)),
    ],
)
def test_only_calls_of_uv_become_separate_steps(arguments: list[str], commands: tuple[str, ...]) -> None:
    assert split_commands(arguments) == commands
