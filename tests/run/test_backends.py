"""Which backend runs what: the user's own MREs, and those that came from outside."""

import pytest

from uvmre.errors import CannotTell, UsageError, UvmreError
from uvmre.run.backends import choose
from uvmre.run.sandbox import bubblewrap


@pytest.mark.parametrize(
    ("name", "origin", "trust", "chosen"),
    [
        pytest.param("", "", False, "local", id="one's own"),
        pytest.param("local", "", False, "local", id="by name"),
        pytest.param("sandbox", "", False, "sandbox", id="one's own in the sandbox"),
        pytest.param("", "an issue", False, "sandbox", id="an issue"),
        pytest.param("auto", "an issue", False, "sandbox", id="no other is good enough"),
        pytest.param("sandbox", "a pack", False, "sandbox", id="a pack"),
        pytest.param("", "an issue", True, "local", id="trusted"),
        pytest.param("local", "an issue", True, "local", id="trusted by name"),
        pytest.param("sandbox", "an issue", True, "sandbox", id="trusted and still in the sandbox"),
    ],
)
def test_the_backend(name: str, origin: str, trust: bool, chosen: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bubblewrap, "find_fault", lambda: "")
    assert choose(name, origin=origin, trust=trust).name == chosen


@pytest.mark.parametrize("name", ["local", "docker", "podman", "buildah"])
def test_nothing_but_the_sandbox_runs_what_came_from_outside(name: str) -> None:
    with pytest.raises(UsageError, match=f"`{name}` is no sandbox") as raised:
        choose(name, origin="an issue")
    assert "--trust" in raised.value.hint


@pytest.mark.parametrize(("name", "origin"), [("", "an issue"), ("sandbox", ""), ("auto", "a report")])
def test_without_a_sandbox_it_cannot_tell(name: str, origin: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bubblewrap, "find_fault", lambda: "bubblewrap is not installed")
    with pytest.raises(UvmreError) as raised:
        choose(name, origin=origin)
    assert isinstance(raised.value, CannotTell)
    assert raised.value.cause == "bubblewrap is not installed"
    assert "uvmre doctor" in raised.value.hint
    assert ("--trust" in raised.value.hint) == bool(origin)
