"""Rewriting posted commands, and those that access files outside the directory."""

import pytest

from uvmre.issue.commands.rewrite import endangers, rewrite


@pytest.mark.parametrize(
    ("text", "is_outside"),
    [
        ("rm -rf /etc", True),
        ("rm -rf " + "a" * 5_000 + " /etc", True),
        ("rm -rf a \\\n  b \\\n  /etc", True),
        ("rm -rf ~; ls", True),
        ("rm -rf ~", True),
        ("rm -rf $HOME/a", True),
        ("chmod 700 'a' \"/usr/b\"", True),
        ("kill -9 -1", True),
        ("killall -1", True),
        ("sudo ls", True),
        ("rm -rf .venv; ls /etc", False),
        ("rm -rf .venv\nls /etc", False),
        ("rm -rf .venv && cat /etc/hosts", False),
        ("rm a > /dev/null", False),
        ("rm -rf $TMPDIR/a", False),
        ("uv sync", False),
    ],
)
def test_a_command_that_modifies_files_outside_is_not_run(text: str, is_outside: bool) -> None:
    assert endangers(text) is is_outside


@pytest.mark.parametrize(
    ("run", "inner"),
    [
        ("docker run me/it uv sync", "uv sync"),
        ("docker run me/it sh -c 'uv lock'", "uv lock"),
        ('docker run --rm me/it bash -lc "uv lock"  ', "uv lock"),
        ("docker run me/it sh -c 'echo \"sh -c\"; uv sync'", 'echo "sh -c"'),
    ],
)
def test_the_command_of_a_container(run: str, inner: str) -> None:
    assert rewrite(run)[0].run == inner or rewrite(run)[-1].run == inner


@pytest.mark.parametrize("run", ["docker run uv/uv x", "docker run -it a", "docker run a sh -c 'uv sync"])
def test_a_container_without_a_command(run: str) -> None:
    assert not rewrite(run)[0].run


@pytest.mark.parametrize(
    ("posted", "run"),
    [("cd .\\a-b\\", "cd ./a-b/"), ("cd a\\", "cd a/"), ("cd a b\\", "cd a b\\"), ("cd a/b", "cd a/b")],
)
def test_a_folder_of_windows_is_entered(posted: str, run: str) -> None:
    assert [each.run for each in rewrite(posted)] == [run]
