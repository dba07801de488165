"""`uvmre matrix`, by the real command line, over releases that are shell scripts. Needs no network."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.conftest import CommandLine
from tests.releases.caches import stock

SCHEMA = json.loads((Path(__file__).parents[2] / "docs" / "schemas" / "matrix.json").read_text())
HERE = ".".join(map(str, sys.version_info[:2]))

MRE = """\
schema = 1
title = "It breaks"
[environment]
uv = "0.4.9"
[[step]]
role = "observe"
run = "echo $(uv) >> {log}; case $(uv) in *.[0-6]) uv;; *) uv fail;; esac"
[symptom]
exit = "failure"
output = ["it broke in two"]
[[control]]
name = "fixed"
expect = "absent"
[[control.step]]
role = "observe"
run = "uv"
"""


@pytest.fixture
def matrix(uvmre: CommandLine, home: Path) -> CommandLine:
    return lambda *arguments, **variables: uvmre("matrix", *arguments, **{"XDG_CACHE_HOME": str(home), **variables})


@pytest.fixture
def mre(tmp_path: Path) -> Path:
    (tmp_path / "mre").mkdir()
    (tmp_path / "mre" / "mre.toml").write_text(MRE.format(log=tmp_path / "log"))
    return tmp_path / "mre"


def runs(tmp_path: Path) -> int:
    return len((tmp_path / "log").read_text().splitlines())


def test_the_table_is_folded_and_what_explains_it_is_reported(matrix: CommandLine, mre: Path) -> None:
    ended = matrix(mre, "--uv", "0.4.3..0.4.12")
    assert (ended.exit, ended.stdout.splitlines()) == (
        0,
        [
            "0.4.3 … 0.4.6 absent (4) │ 0.4.7 … 0.4.12 shows (6)",
            "Only the release explains it: the bug shows with 0.4.7 … 0.4.12.",
        ],
    ), ended.stderr
    assert "10 cells" in ended.stderr


def test_the_reported_and_the_latest_release_are_accepted_where_none_is_named(matrix: CommandLine, mre: Path) -> None:
    assert [cell["release"] for cell in matrix(mre, "--json").json("matrix")["cells"]] == ["0.4.9", "0.4.19"]


def test_a_second_call_runs_nothing_and_a_wider_one_the_rest(matrix: CommandLine, mre: Path, tmp_path: Path) -> None:
    first = matrix(mre, "--uv", "0.4.5..0.4.8", "--json").json("matrix")
    assert runs(tmp_path) == 4
    second = matrix(mre, "--uv", "0.4.5..0.4.8", "--json").json("matrix")
    assert runs(tmp_path) == 4
    assert [each["kept"] for each in second["cells"]] == [True] * 4
    assert second["rows"] == first["rows"]
    matrix(mre, "--uv", "0.4.5..0.4.9", "--json").json("matrix")
    assert runs(tmp_path) == 5
    matrix(mre, "--uv", "0.4.5..0.4.9", "--again", "--json").json("matrix")
    assert runs(tmp_path) == 10


def test_a_bisection_takes_its_answers_from_the_table(
    matrix: CommandLine, mre: Path, uvmre: CommandLine, home: Path
) -> None:
    matrix(mre, "--uv", "0.4")
    ended = uvmre("bisect", mre, "--json", XDG_CACHE_HOME=str(home))
    found = json.loads(ended.stdout)
    assert (found["first_bad"]["version"], found["ran"]) == ("0.4.7", 0)


def test_interpreters_and_variants_are_axes(matrix: CommandLine, mre: Path) -> None:
    ended = matrix(mre, "--uv", "0.4.9", "--python", f"{HERE},3.99", "--all-variants", "--json")
    data = ended.json("matrix")
    assert [(row["python"], row["variant"], [run["outcome"] for run in row["runs"]]) for row in data["rows"]] == [
        (HERE, "as reported", ["shows"]),
        (HERE, "fixed", ["absent"]),
        ("3.99", "as reported", ["missing"]),
        ("3.99", "fixed", ["missing"]),
    ]
    assert data["explains"] == (
        "Only the variant explains it: the bug shows with “as reported”, observed with interpreter "
        f"{HERE} only; 2 missing (no Python 3.99 on this machine)."
    )


def test_one_variant_is_requested_alone(matrix: CommandLine, mre: Path) -> None:
    data = matrix(mre, "--uv", "0.4.9", "--variant", "fixed", "--json").json("matrix")
    assert [(cell["variant"], cell["outcome"]) for cell in data["cells"]] == [("fixed", "absent")]


def test_a_script_fills_a_table_too(matrix: CommandLine, tmp_path: Path) -> None:
    script = tmp_path / "a.sh"
    script.write_text("#!/bin/sh\ncase $UVMRE_UV in *.7) exit 0;; *.8) exit 125;; *.9) exit 3;; esac; exit 1\n")
    script.chmod(0o755)
    ended = matrix("--command", script, "--uv", "0.4.6..0.4.9")
    assert ended.stdout.splitlines() == [
        "0.4.6 absent │ 0.4.7 shows │ 0.4.8 … 0.4.9 broken (2)",
        "Only the release explains it: the bug shows with 0.4.7; 2 cannot tell.",
    ]
    assert "broken on 0.4.8: the script exits with code 125 (cannot tell)" in ended.stderr
    # What a script may not say is not kept: it is a mistake of its author's.
    kept = {
        cell["release"]: cell["kept"]
        for cell in matrix("--command", script, "--uv", "0.4.6..0.4.9", "--json").json("matrix")["cells"]
    }
    assert kept == {"0.4.6": True, "0.4.7": True, "0.4.8": True, "0.4.9": False}


def test_a_release_that_cannot_be_had_is_missing_with_its_reason(uvmre: CommandLine, mre: Path, tmp_path: Path) -> None:
    stock(tmp_path / "other", gone=("0.4.8",))
    ended = uvmre("matrix", mre, "--uv", "0.4.7..0.4.9", "--json", XDG_CACHE_HOME=str(tmp_path / "other"))
    data = ended.json("matrix")
    assert [cell["outcome"] for cell in data["cells"]] == ["shows", "missing", "shows"]
    assert "no wheel for this platform" in data["cells"][1]["reason"]


@pytest.mark.parametrize(
    ("arguments", "code", "why"),
    [
        pytest.param(("--uv", "0.4.9..0.4.3"), 2, "is empty", id="a range that is turned round"),
        pytest.param(("--uv", "soon"), 2, "'soon' is not a valid release selector", id="no selector"),
        pytest.param(("--python", "three"), 2, "`three` is not a version of Python", id="no version"),
        pytest.param(("--python", "3.11,"), 2, "`` is not a version of Python", id="an empty version"),
        pytest.param(("--variant", "other"), 2, "has no variant “other”", id="no such variant"),
        pytest.param(("--python", "3.99"), 125, "No cell has an answer", id="nothing can be had"),
    ],
)
def test_bad_input_is_a_sentence(
    matrix: CommandLine, mre: Path, arguments: tuple[str, ...], code: int, why: str
) -> None:
    ended = matrix(mre, *arguments)
    assert ended.exit == code, ended.stderr
    assert why in ended.stdout + ended.stderr
    assert "Traceback" not in ended.stderr


def test_a_script_needs_its_releases_named_and_has_no_variants(matrix: CommandLine) -> None:
    assert "a script needs the releases to run on" in matrix("--command", "true").stderr
    assert "a script has no variants" in matrix("--command", "true", "--uv", "0.4.9", "--all-variants").stderr


def test_an_interrupt_loses_nothing_that_was_finished(matrix: CommandLine, home: Path, tmp_path: Path) -> None:
    script = tmp_path / "a.sh"
    script.write_text(f"#!/bin/sh\necho >> {tmp_path}/log\n[ $(wc -l < {tmp_path}/log) -eq 4 ] && sleep 61\nexit 1\n")
    script.chmod(0o755)
    arguments = ["--command", str(script), "--uv", "0.4", "--jobs", "1"]
    filling = subprocess.Popen(
        [sys.executable, "-m", "uvmre", "matrix", *arguments],
        env={**os.environ, "XDG_CACHE_HOME": str(home)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    deadline = time.monotonic() + 120
    while not ((tmp_path / "log").exists() and runs(tmp_path) == 4) and time.monotonic() < deadline:
        time.sleep(0.05)
    filling.send_signal(signal.SIGINT)
    _, talk = filling.communicate(timeout=120)
    assert (filling.returncode, "3 of 20 cells are stored" in talk) == (130, True)
    data = matrix(*arguments, "--json").json("matrix")
    assert sum(cell["kept"] for cell in data["cells"]) == 3
    assert runs(tmp_path) == 4 + 17


def built(tmp_path: Path, name: str, *, fails: bool) -> Path:
    """Make a binary that says it is a development build of 0.4.9."""
    path = tmp_path / name
    path.write_text(BUILT.format(exit="echo 'error: it broke in two' >&2; exit 2" if fails else "exit 0"))
    path.chmod(0o755)
    return path


BUILT = """\
#!/bin/sh
[ "$1" = --version ] && echo "uv 0.4.9+3 (abc 2024-11-11)" && exit
[ -z "$1" ] && echo "uv 0.4.9" && exit
{exit}
"""


def test_a_binary_that_was_built_locally_is_a_release_of_its_own(
    matrix: CommandLine, mre: Path, tmp_path: Path
) -> None:
    path = built(tmp_path, "uv-built", fails=False)
    arguments = (mre, "--uv", f"0.4.9,{path},0.4.10", "--json")
    first = matrix(*arguments).json("matrix")
    outcomes = {cell["release"].split(".head")[0]: cell["outcome"] for cell in first["cells"]}
    assert outcomes == {"0.4.9": "shows", "0.4.9+3": "absent", "0.4.10": "shows"}
    assert all(cell["kept"] for cell in matrix(*arguments).json("matrix")["cells"])
    # Another build at the same path is another release.
    built(tmp_path, "uv-built", fails=True)
    again = {cell["release"].split(".head")[0]: cell for cell in matrix(*arguments).json("matrix")["cells"]}
    assert (again["0.4.9+3"]["outcome"], again["0.4.9+3"]["kept"]) == ("shows", False)


def test_a_path_without_a_uv_is_reported(matrix: CommandLine, mre: Path) -> None:
    ended = matrix(mre, "--uv", "0.4.9,./nowhere/uv")
    assert (ended.exit, "failed to run `nowhere/uv`" in ended.stderr) == (2, True)
