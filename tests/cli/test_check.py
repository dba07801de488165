"""`uvmre check`: each of its checks where it holds and where it does not, by the real command line."""

import re
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import CommandLine
from tests.releases.caches import VERSIONS
from uvmre.core.mre.files import File
from uvmre.core.mre.model import Control, Environment, Mre, Step
from uvmre.core.mre.symptom import Symptom
from uvmre.core.network.index import Index
from uvmre.folder.write import write_mre
from uvmre.report.github import LIMIT

PYTHON = ".".join(map(str, sys.version_info[:2]))
READY = Mre(
    "It breaks",
    Environment(VERSIONS[0], python=PYTHON),
    (Step("uv fail", "observe"),),
    Symptom(exit="failure", output=("it broke in two",)),
    (Control("another command", replace={"uv fail": "uv"}),),
)
CHECKS = ["symptom", "controls", "minimal", "run.sh", "private", "report"]
Checked = Callable[..., dict[str, Any]]


@pytest.fixture
def checked(uvmre: CommandLine, tmp_path: Path, home: Path) -> Checked:
    """Return a function that writes an MRE, changes its folder, checks it, and returns each check by its name."""

    def check(mre: Mre, change: Callable[[Path], object] = lambda _: None, *, origin: str = "") -> dict[str, Any]:
        write_mre(mre, tmp_path / "mre", force=True, origin=origin)
        change(tmp_path / "mre")
        ended = uvmre("check", "mre", "--json", XDG_CACHE_HOME=str(home))
        data = ended.json("check")
        assert data["ready"] == (ended.exit == 0)
        return {"exit": ended.exit, **{each["name"]: each for each in data["checks"]}}

    return check


def status(found: dict[str, Any]) -> dict[str, str]:
    return {name: each["status"] for name, each in found.items() if name != "exit"}


def test_an_mre_that_is_ready(checked: Checked) -> None:
    found = checked(READY)
    assert found["exit"] == 0, found
    skipped = {name for name, word in status(found).items() if word == "skipped"}
    assert skipped <= {"minimal", "docker"}
    assert {name for name, word in status(found).items() if word == "ok"} | skipped >= set(CHECKS)
    assert found["run.sh"]["reason"] == "`sh run.sh` exits with 0, as `uvmre run`"


def add_named(folder: Path) -> None:
    append("x.env", "")(folder)
    (folder / "for jean@acme.io").write_text("")


def stale(folder: Path) -> None:
    script = folder / "run.sh"
    script.write_text(script.read_text().replace("'uv fail'", "'uv --version'"))


def own_script(folder: Path) -> None:
    (folder / "run.sh").write_text("echo no >&2\nexit 1\n")


def append(name: str, text: str) -> Callable[[Path], object]:
    def change(folder: Path) -> None:
        with (folder / name).open("a") as file:
            file.write(text)

    return change


ABSENT = replace(READY, steps=(Step("uv --version", "observe"),), controls=())
UNSOUND = replace(READY, controls=(Control("the same", variables={"A": "b"}),))
FAULTS = [
    pytest.param(ABSENT, lambda _: None, "symptom", "absent on uv 0.4.0", "check that the steps", id="absent"),
    pytest.param(
        UNSOUND, lambda _: None, "controls", "the control “the same” expects", "uvmre run mre -v", id="control"
    ),
    pytest.param(
        READY, lambda d: (d / "run.sh").unlink(), "run.sh", "there is no `run.sh`", "uvmre report mre", id="gone"
    ),
    pytest.param(READY, stale, "run.sh", "was not written for this `mre.toml`", "uvmre report mre", id="stale script"),
    pytest.param(READY, own_script, "run.sh", "exits with 1: no", "sh mre/run.sh", id="script of its own"),
    pytest.param(READY, append("mre.toml", "# by jean@acme.io\n"), "private", "e-mail", "replace each", id="e-mail"),
    pytest.param(READY, append("mre.toml", "# wiki.acme.lan\n"), "private", "host", "replace each", id="host"),
    pytest.param(READY, append("x.env", "A=/home/jean/x\n"), "private", "home folder", "replace each", id="home"),
    pytest.param(
        READY, append("x.env", "TOKEN=glpat-aB3dE5fG7hJ9kL1mN2p\n"), "private", "secret", "replace", id="secret"
    ),
    pytest.param(READY, append("run.sh", "# wiki.acme.lan\n"), "private", "host", "replace each", id="run.sh"),
    pytest.param(READY, add_named, "private", "e-mail", "replace each", id="name of a file"),
    pytest.param(READY, append("x.env", "A=b\n"), "minimal", "x.env", "uvmre shrink mre", id="not minimal"),
    pytest.param(replace(READY, private=True), lambda _: None, "private", "marker", "replace each", id="marker"),
    pytest.param(
        READY,
        append("x.env", "many words\n" * 8000),
        "report",
        str(LIMIT),
        "uvmre shrink mre",
        id="long",
        marks=pytest.mark.slow,
    ),
]


@pytest.mark.parametrize(("mre", "change", "name", "reason", "remedy"), FAULTS)
def test_a_fault_is_found_and_comes_with_what_to_do(
    checked: Checked, mre: Mre, change: Callable[[Path], object], name: str, reason: str, remedy: str
) -> None:
    found = checked(mre, change)
    assert found["exit"] == 1
    assert found[name]["status"] == "fault"
    assert reason in found[name]["reason"]
    assert remedy in found[name]["remedy"]
    # A file that is added can go.
    assert {other for other, word in status(found).items() if word == "fault"} - {"minimal"} == {name} - {"minimal"}


def test_what_serves_readers_and_builds_need_not_go(checked: Checked) -> None:
    files = (File("README.md", b"# Read\n"), File(".dockerignore", b".git\n"), File("Dockerfile", b"FROM scratch\n"))
    found = checked(replace(READY, files=files))
    assert status(found)["minimal"] == "ok", found


def test_the_user_of_this_machine_is_found(uvmre: CommandLine, tmp_path: Path, home: Path) -> None:
    write_mre(replace(READY, title="Ask jdupont"), tmp_path / "mre", force=False)
    for user, code in (("jdupont", 1), ("ubuntu", 0)):
        ended = uvmre("check", "mre", "--json", XDG_CACHE_HOME=str(home), LOGNAME=user)
        assert ended.exit == code, ended
        (private,) = [each for each in ended.json("check")["checks"] if each["name"] == "private"]
        assert {place["text"] for place in private["places"]} == ({"jdupont"} if code else set())


def test_a_broken_run_is_no_fault(checked: Checked) -> None:
    found = checked(replace(READY, steps=(Step("false"), Step("uv fail", "observe"))))
    assert found["exit"] == 125
    assert found["symptom"]["status"] == "unknown"
    assert [found[name]["status"] for name in ("controls", "minimal", "run.sh")] == ["skipped"] * 3


def test_a_private_part_is_a_fault_in_a_broken_run_too(checked: Checked) -> None:
    broken = replace(READY, steps=(Step("false"), Step("uv fail", "observe")))
    assert checked(broken, append("mre.toml", "# wiki.acme.lan\n"))["exit"] == 1


def test_no_control_is_no_fault(checked: Checked) -> None:
    found = checked(replace(READY, controls=()))
    assert (found["exit"], found["controls"]["status"]) == (0, "skipped")


def test_a_script_that_needs_the_gateway_is_run_behind_it(checked: Checked) -> None:

    index = Index("https://gitlab.example.com/simple", "gitlab", "public", "heron")
    found = checked(replace(READY, steps=(Step("uv fail", "observe"),), indexes=(index,)))
    assert found["run.sh"]["status"] == "ok"
    assert "uvmre gateway mre" in found["run.sh"]["reason"]


def test_the_script_of_a_stranger_is_not_run(uvmre: CommandLine, tmp_path: Path, home: Path) -> None:
    write_mre(READY, tmp_path / "mre", force=False, origin="an issue")
    (tmp_path / "mre" / "run.sh").write_text(f"touch {tmp_path}/ran\nexit 0\n")
    ended = uvmre("check", "mre", "--json", XDG_CACHE_HOME=str(home))
    if ended.exit != 125:  # there is a sandbox
        (script,) = [each for each in ended.json("check")["checks"] if each["name"] == "run.sh"]
        assert script["status"] == "skipped"
    assert not (tmp_path / "ran").exists()
    uvmre("check", "mre", "--trust", XDG_CACHE_HOME=str(home))
    assert (tmp_path / "ran").exists()


def test_as_text(uvmre: CommandLine, tmp_path: Path, home: Path) -> None:
    write_mre(READY, tmp_path / "mre", force=False)
    append("mre.toml", "# wiki.acme.lan\n")(tmp_path / "mre")
    ended = uvmre("check", cwd=tmp_path / "mre", XDG_CACHE_HOME=str(home), NO_COLOR="1")
    assert (ended.exit, ended.stderr.splitlines()[-1]) == (1, "not ready to be shared")
    lines = ended.stdout.splitlines()
    words = [line.split()[0] for line in lines if not line.startswith("    ")]
    assert set(words) <= {"ok", "fault", "skipped", "unknown"}
    assert any(re.fullmatch(r"    mre\.toml:\d+: host wiki\.acme\.lan", line) for line in lines)
    assert any(line.startswith("    fix: replace each") for line in lines)


def test_what_is_no_mre(uvmre: CommandLine, tmp_path: Path) -> None:
    ended = uvmre("check", tmp_path, "--json")
    assert ended.exit == 2
    assert "is not an MRE" in ended.json("check")["error"]


@pytest.mark.network
@pytest.mark.slow
def test_a_template_has_more_than_it_needs_and_is_fine_otherwise(uvmre: CommandLine) -> None:
    assert uvmre("new", "bug", "-t", "workspace-index", "--defaults", "-d", "credentials=none").exit == 0
    ended = uvmre("check", "bug", "--json")
    faults = [each["name"] for each in ended.json("check")["checks"] if each["status"] not in ("ok", "skipped")]
    assert (ended.exit, faults) == (1, ["minimal"])


def test_what_was_shrunk_is_minimal(uvmre: CommandLine, tmp_path: Path, home: Path) -> None:
    more = {"variables": {"A": "b"}, "pythons": (PYTHON,)}
    write_mre(replace(READY, environment=replace(READY.environment, **more)), tmp_path / "mre", force=False)  # type: ignore[arg-type]
    assert uvmre("check", "mre", XDG_CACHE_HOME=str(home)).exit == 1
    assert uvmre("shrink", "mre", XDG_CACHE_HOME=str(home)).exit == 0
    ended = uvmre("check", "mre-small", XDG_CACHE_HOME=str(home))
    assert ended.exit == 0, ended
