"""What of a reporter's command is run here, and what would reach out of the folder."""

import pytest

from uvmre.issue.commands.rewrite import endangers, rewrite


@pytest.mark.parametrize(
    ("text", "far"),
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
def test_what_removes_or_overwrites_outside_is_not_run(text: str, far: bool) -> None:
    assert endangers(text) is far


@pytest.mark.parametrize(
    ("run", "inner"),
    [
        ("docker run me/it uv sync", "uv sync"),
        ("docker run me/it sh -c 'uv lock'", "uv lock"),
        ('docker run --rm me/it bash -lc "uv lock"  ', "uv lock"),
        ("docker run me/it sh -c 'echo \"sh -c\"; uv sync'", 'echo "sh -c"'),
    ],
)
def test_a_container_s_command_is_taken(run: str, inner: str) -> None:
    assert rewrite(run)[0].run == inner or rewrite(run)[-1].run == inner


@pytest.mark.parametrize("run", ["docker run uv/uv x", "docker run -it a", "docker run a sh -c 'uv sync"])
def test_a_container_without_a_command_has_none(run: str) -> None:
    assert not rewrite(run)[0].run
