"""What is read of a shell text, and what is changed in it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from uvmre.core.shell.uv_calls import changes_directory, exported_variables, parse_calls, with_flag, without_flag


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("uv lock", [("uv", "lock")]),
        ("uv lock && uv sync; uv tree | cat", [("uv", "lock"), ("uv", "sync"), ("uv", "tree"), ("cat",)]),
        ("A=1 B='2 3' uv sync", [("uv", "sync")]),
        ("env A=1 uv sync", [("uv", "sync")]),
        ("uv sync \\\n  --frozen", [("uv", "sync", "--frozen")]),
        ("uv lock\nuv sync", [("uv", "lock"), ("uv", "sync")]),
        ("# uv lock\nuv sync # and more", [("uv", "sync")]),
        ("uv add git+https://x/y#egg=z", [("uv", "add", "git+https://x/y#egg=z")]),
        ("uv lock > out.txt 2>&1 && cat out.txt", [("uv", "lock"), ("cat", "out.txt")]),
        ("(cd a && uv lock)", [("cd", "a"), ("uv", "lock")]),
        ("uv run python -c 'import a; b()'", [("uv", "run", "python", "-c", "import a; b()")]),
        ("echo 'not closed", []),
        ("cat <<EOF\nuv lock\nEOF", []),
        ("", []),
    ],
)
def test_commands(text: str, words: list[tuple[str, ...]]) -> None:
    assert [call.argv for call in parse_calls(text)] == words


@pytest.mark.parametrize(
    ("text", "verb", "arguments"),
    [
        ("uv sync --frozen", "sync", []),
        ("/usr/bin/uv -q --project a sync", "sync", []),
        ("uv pip install -r a.txt b --index-url c", "pip install", ["b"]),
        ("uv pip compile -o out.txt in.txt", "pip compile", ["in.txt"]),
        ("uv tool run ruff check", "tool run", ["ruff", "check"]),
        ("uv", "", []),
        ("pip install x", "", ["install", "x"]),
    ],
)
def test_which_command_of_uv(text: str, verb: str, arguments: list[str]) -> None:
    (call,) = parse_calls(text)
    assert (call.verb, call.arguments) == (verb, arguments)


@pytest.mark.parametrize(
    ("text", "mine"),
    [
        ("uv run --extra a x", ["a"]),
        ("uv run --extra=a x", ["a"]),
        ("uv run x --extra a", []),
        ("uv run -- x --extra a", []),
        ("uv run --with y x --extra a", []),
        ("uv sync --extra a --extra b", ["a", "b"]),
    ],
)
def test_an_option_behind_what_is_run_is_not_uvs(text: str, mine: list[str]) -> None:
    (call,) = parse_calls(text)
    assert call.values("--extra") == mine
    assert call.has("--extra") is bool(mine)


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("export A=1 B='2 3'", {"A": "1", "B": "2 3"}),
        ("A=1", {"A": "1"}),
        ("A=1 uv sync", {}),
        ("export A", {}),
    ],
)
def test_what_is_exported(text: str, left: dict[str, str]) -> None:
    (call,) = parse_calls(text)
    assert exported_variables(call) == left


def test_a_flag_stands_right_behind_its_command() -> None:
    assert (
        with_flag("cd x && uv -q sync --frozen", "sync", "--all-packages")
        == "cd x && uv -q sync --all-packages --frozen"
    )
    assert (
        with_flag("uv  pip   install x; uv lock", "pip install", "--no-deps")
        == "uv  pip   install --no-deps x; uv lock"
    )
    assert with_flag("uv syncing; my-uv sync; uv-sync", "sync", "--x") == "uv syncing; my-uv sync; uv-sync"
    assert without_flag("uv pip install --system x", "--system") == "uv pip install x"
    assert without_flag("uv pip install x --system", "--system") == "uv pip install x"
    assert without_flag("uv pip install --system-site x", "--system") == "uv pip install --system-site x"


def test_another_folder() -> None:
    assert changes_directory("cd a; uv lock")
    assert changes_directory("uv --directory a lock")
    assert not changes_directory("uv lock --color never")


@given(st.text())
def test_no_text_is_too_odd(text: str) -> None:
    for call in parse_calls(text):
        assert isinstance(call.verb, str)
        assert call.argv or call.variables
