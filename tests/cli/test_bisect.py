"""`uvmre bisect`, by the real command line, over releases that are shell scripts. Needs no network."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from math import ceil, log2
from pathlib import Path

import pytest

from tests.conftest import CommandLine
from tests.releases.caches import VERSIONS, stock
from uvmre.core.outcome.result import digest
from uvmre.folder import evidence
from uvmre.folder.read import read_mre
from uvmre.outcomes import store

SCHEMA = json.loads((Path(__file__).parents[2] / "docs" / "schemas" / "bisect.json").read_text())

SCRIPT = """\
#!/bin/sh
echo "$UVMRE_UV" >> {log}
number=${{UVMRE_UV##*.}}
{body}
"""
STEP = '[ "$number" -ge 7 ] && [ "$number" -lt 12 ] && exit 0; exit 1'
"""It shows on 0.4.7 … 0.4.11."""


@pytest.fixture
def bisect(uvmre: CommandLine, home: Path) -> CommandLine:
    return lambda *arguments, **variables: uvmre("bisect", *arguments, **{"XDG_CACHE_HOME": str(home), **variables})


def script(tmp_path: Path, body: str = STEP) -> Path:
    """Write a script that notes each of its runs."""
    path = tmp_path / "script.sh"
    path.write_text(SCRIPT.format(log=tmp_path / "log", body=body))
    path.chmod(0o755)
    return path


def runs(tmp_path: Path) -> list[str]:
    log = tmp_path / "log"
    return log.read_text().split() if log.exists() else []


def test_both_boundaries_are_reported_to_be_pasted(bisect: CommandLine, tmp_path: Path) -> None:
    ended = bisect("--command", script(tmp_path), "--uv", "0.4.9")
    assert (ended.exit, ended.stdout.splitlines()) == (
        0,
        [
            "first bad: uv 0.4.7 (2024-09-19)",
            "first good: uv 0.4.12 (2024-10-24)",
            "release notes:",
            "  first bad: https://github.com/astral-sh/uv/releases/tag/0.4.7",
            "  first good: https://github.com/astral-sh/uv/releases/tag/0.4.12",
        ],
    ), ended.stderr


def test_one_job_asks_no_more_than_it_must(bisect: CommandLine, tmp_path: Path) -> None:
    data = bisect("--command", script(tmp_path), "--uv", "0.4.9", "--jobs", "1", "--json").json("bisect")
    assert (data["first_bad"]["version"], data["first_good"]["version"]) == ("0.4.7", "0.4.12")
    assert len(runs(tmp_path)) == data["ran"] <= 3 + ceil(log2(9)) + ceil(log2(10)) + 4
    assert runs(tmp_path)[0] == "0.4.9"


def test_a_second_call_runs_nothing(bisect: CommandLine, tmp_path: Path) -> None:
    arguments = ("--command", script(tmp_path), "--uv", "0.4.9", "--json")
    first = bisect(*arguments).json("bisect")
    before = runs(tmp_path)
    second = bisect(*arguments).json("bisect")
    assert runs(tmp_path) == before
    assert (second["ran"], second["kept"]) == (0, first["ran"])
    assert second["first_bad"] == first["first_bad"]
    third = bisect(*arguments, "--again").json("bisect")
    assert (third["ran"], third["kept"]) == (first["ran"], 0)
    assert bisect(*arguments).json("bisect")["ran"] == 0


def test_a_script_that_changed_is_run_anew(bisect: CommandLine, tmp_path: Path) -> None:
    bisect("--command", script(tmp_path), "--uv", "0.4.9", "--json").json("bisect")
    data = bisect("--command", script(tmp_path, "exit 0"), "--uv", "0.4.9", "--json").json("bisect")
    assert data["kept"] == 0


def test_the_script_has_what_it_is_promised(bisect: CommandLine, tmp_path: Path) -> None:
    body = f"""\
exec > {tmp_path}/seen.$UVMRE_UV
env; pwd; ls -A; uv; command -v python3; printf 'args: %s|%s\\n' "$1" "$2"
[ "$number" -ge 7 ]"""
    path = script(tmp_path, body)
    (tmp_path / "data").write_text("")
    ended = bisect("--range", "0.4.6..0.4.8", "--uv", "0.4.8", "--command", path, "--", "-x", "data", UV_INDEX="left")
    assert ended.exit == 0, ended.stderr
    output = (tmp_path / "seen.0.4.7").read_text()
    environment = dict(line.split("=", 1) for line in output.splitlines() if re.match(r"\w+=", line))
    assert environment["UVMRE_UV"] == "0.4.7"
    assert "uv 0.4.7\n" in output
    assert f"args: -x|{tmp_path}/data\n" in output
    assert "UV_INDEX" not in environment
    assert environment["HTTPS_PROXY"].startswith("http://127.0.0.1:")
    assert Path(environment["SSL_CERT_FILE"]).name == "authority.pem"
    root = Path(environment["HOME"]).parent
    assert f"\n{root}/mre\n" in output
    assert not root.exists()
    assert environment["HOME"] != str(Path.home())
    assert environment["PATH"].endswith(os.environ["PATH"].rpartition(":")[2])


@pytest.mark.parametrize(
    ("body", "sentences"),
    [
        pytest.param(
            "exit 0",
            [
                "first bad: at or before uv 0.4.0 (2024-08-01), the oldest",
                "first good: none: it still shows on uv 0.4.19 (2024-12-12), the latest",
            ],
            id="it always shows",
        ),
        pytest.param(
            '[ "$number" -lt 5 ] && exit 125; exit 0',
            [
                "first bad: uv 0.4.5 (2024-09-05), or one before it: 0.4.0 … 0.4.4 cannot tell (5 releases)",
                "first good: none: it still shows on uv 0.4.19 (2024-12-12), the latest",
            ],
            id="older ones cannot tell",
        ),
        pytest.param(
            '[ "$number" -lt 5 ] && exit 1; [ "$number" -lt 7 ] && exit 125; exit 0',
            [
                "first bad: uv 0.4.7 (2024-09-19), or one before it: 0.4.5, 0.4.6 cannot tell; uv 0.4.4 (2024-08-29) is good",
                "first good: none: it still shows on uv 0.4.19 (2024-12-12), the latest",
            ],
            id="a range where some between cannot tell",
        ),
    ],
)
def test_what_is_not_one_step_on_each_side_is_reported_so(
    bisect: CommandLine, tmp_path: Path, body: str, sentences: list[str]
) -> None:
    data = bisect("--command", script(tmp_path, body), "--uv", "0.4.9", "--jobs", "2", "--json").json("bisect")
    assert data["sentences"] == sentences


def test_a_bug_that_came_went_and_came_back_is_reported(bisect: CommandLine, tmp_path: Path) -> None:
    body = "case $number in 0|1|2|3|4|10|11|12) exit 0;; esac; exit 1"
    data = bisect("--command", script(tmp_path, body), "--uv", "0.4.11", "--good", "0.4.6", "--json").json("bisect")
    assert data["returns"] == []
    data = bisect("--command", script(tmp_path, body + "  # all"), "--uv", "0.4.3", "--json").json("bisect")
    assert (data["first_good"]["version"], data["first_bad"]["ending"]) == ("0.4.5", "beyond")
    assert set(data["returns"]) <= {"0.4.10", "0.4.11", "0.4.12"}
    assert data["returns"]
    assert data["sentences"][2].startswith("not continuous: it also shows on uv 0.4.1")


def test_a_flaky_one_is_repeated_and_reported_with_its_rate(bisect: CommandLine, tmp_path: Path) -> None:
    # Every second run on a release that has it shows it.
    body = f"""\
[ "$number" -ge 7 ] || exit 1
n=$(grep -cx "$UVMRE_UV" {tmp_path}/log); [ $((n % 2)) = 0 ]"""
    arguments = ("--command", script(tmp_path, body), "--uv", "0.4.9", "--repeat", "4", "--json")
    data = bisect(*arguments).json("bisect")
    assert (data["first_bad"]["version"], data["flaky"]["rate"]) == ("0.4.7", 0.5)
    assert data["first_bad"]["confidence"] == 1 - 0.5**4
    assert "uv 0.4.6 is good with 93.8% confidence after 4 runs" in data["sentences"][-1]
    assert bisect(*arguments).json("bisect")["ran"] == 0


def test_the_path_is_explained(bisect: CommandLine, tmp_path: Path) -> None:
    ended = bisect("--command", script(tmp_path), "--uv", "0.4.9", "--explain", "--jobs", "1")
    lines = ended.stdout.splitlines()
    assert lines[0] == "  1. uv 0.4.9    shows"
    assert lines[1] == "  2. uv 0.4.10   shows        first good: shows on 0.4.10, not found yet"
    assert "first bad: shows on 0.4.9, absent on 0.4.0" in ended.stdout
    assert lines[len(runs(tmp_path))] == "first bad: uv 0.4.7 (2024-09-19)"


@pytest.mark.parametrize(
    ("body", "arguments", "code", "why"),
    [
        pytest.param("exit 1", (), 125, "The bug does not show on uv 0.4.9", id="it never shows"),
        pytest.param(
            "exit 125", (), 125, "uv 0.4.9, for which the bug is reported, cannot tell", id="it never can tell"
        ),
        pytest.param("exit 0", ("--good", "0.4.2"), 125, "uv 0.4.2 is not good", id="the good one is bad"),
        pytest.param("exit 3", (), 125, "on uv 0.4.9, the script exits with code 3", id="another exit code"),
        pytest.param("kill -SEGV $$", (), 125, "is killed by signal 11 (139)", id="it crashes with a signal"),
        pytest.param("exec no-such-thing", (), 125, "does not find a command (127)", id="a command it lacks"),
        pytest.param(STEP, ("--good", "0.4.10"), 2, "`--good 0.4.10` is not older than uv 0.4.9", id="good is newer"),
        pytest.param(STEP, ("--bad", "0.4.8"), 2, "contradict each other", id="two bad ones"),
        pytest.param(STEP, ("--range", "0.4.12..0.4.10"), 2, "is empty", id="a range that is turned round"),
        pytest.param(STEP, ("--range", "0.4.12..0.4.14"), 2, "is not in the range", id="a range without it"),
        pytest.param(STEP, ("--repeat", "0"), 2, "--repeat", id="no run at all"),
        pytest.param(STEP, ("--jobs", "-1"), 2, "--jobs", id="jobs below nothing"),
        pytest.param(STEP, ("--python", "3.99"), 125, "no interpreter found for Python 3.99", id="no interpreter"),
    ],
)
@pytest.mark.few(5)
def test_bad_input_is_a_sentence(
    bisect: CommandLine, tmp_path: Path, body: str, arguments: tuple[str, ...], code: int, why: str
) -> None:
    ended = bisect("--command", script(tmp_path, body), "--uv", "0.4.9", *arguments)
    assert ended.exit == code, ended.stderr
    assert why in ended.stdout + ended.stderr
    assert "Traceback" not in ended.stderr
    assert "hint: " in ended.stderr


def test_a_script_that_is_not_there_is_a_sentence(bisect: CommandLine) -> None:
    ended = bisect("--command", "./nothing.sh", "--uv", "0.4.9", "--json")
    assert (ended.exit, json.loads(ended.stdout)["error"]) == (2, "script `./nothing.sh` does not exist")


def test_an_mre_that_is_none_is_a_sentence(bisect: CommandLine, tmp_path: Path) -> None:
    assert "is not an MRE" in bisect(tmp_path).stderr
    assert bisect("one", "two").exit == 2


MRE = """\
schema = 1
title = "It breaks"
[environment]
uv = "0.4.9"
[[step]]
role = "observe"
run = "case $(uv) in *.[0-6]) uv;; *) uv fail;; esac"
[symptom]
exit = "failure"
output = ["it broke in two"]
"""
SOONER = """\
[[control]]
name = "sooner"
expect = "present"
[[control.step]]
role = "observe"
run = "case $(uv) in *.[0-3]) uv;; *) uv fail;; esac"
"""


def test_the_outcome_of_an_mre_is_requested_from_its_own_release(bisect: CommandLine, tmp_path: Path) -> None:
    (tmp_path / "mre").mkdir()
    (tmp_path / "mre" / "mre.toml").write_text(MRE)
    data = bisect("mre", "--json").json("bisect")
    assert (data["title"], data["reported"]) == ("It breaks", "0.4.9")
    assert (data["first_bad"]["version"], data["first_good"]["version"]) == ("0.4.7", None)
    # What does not change how it runs does not change what is kept, either.
    (tmp_path / "mre" / "mre.toml").write_text(MRE.replace("It breaks", "It still breaks").replace("0.4.9", "0.4.10"))
    assert bisect("mre", "--range", "0.4.9", "--uv", "0.4.9", "--json").json("bisect")["ran"] == 0
    assert (tmp_path / "mre" / ".uvmre" / ".gitignore").read_text() == "*\n"


CODES = {"shows": 0, "absent": 1, "broken": 125, "different": 125}
GUARDED = (
    (MRE + SOONER).replace("sooner", "guard").replace('"present"', '"absent"').replace("*.[0-3]) uv", "{fine}) uv")
)


@pytest.mark.parametrize(
    ("fine", "first_bad", "ending"),
    [
        pytest.param("*", "0.4.7", "exact", id="sound everywhere"),
        pytest.param("*.9|*.1?", "0.4.9", "between", id="its control shows it too on some"),
    ],
)
def test_a_release_on_which_a_control_fails_never_shows(
    bisect: CommandLine, uvmre: CommandLine, home: Path, tmp_path: Path, fine: str, first_bad: str, ending: str
) -> None:
    (tmp_path / "mre").mkdir()
    guard = GUARDED.replace("{fine}", f"{fine}|*.[0-6]")
    (tmp_path / "mre" / "mre.toml").write_text(guard)
    data = bisect("mre", "--json").json("bisect")
    assert (data["first_bad"]["version"], data["first_bad"]["ending"]) == (first_bad, ending)
    assert data["first_bad"]["beside"] == "0.4.6"
    silent = [probe["reason"] for probe in data["probes"] if probe["outcome"] == "broken"]
    assert all("the control “guard” expects the symptom to be absent" in reason for reason in silent)
    assert bool(silent) == (ending == "between")
    # `run` and `matrix` say the same of a release.
    codes = {probe["release"]: CODES[probe["outcome"]] for probe in data["probes"]}
    for release in ("0.4.6", "0.4.8", "0.4.9"):
        assert uvmre("run", "mre", "--uv", release, XDG_CACHE_HOME=str(home)).exit == codes.get(release, 125)
    arguments = ("mre", "--uv", "0.4.6..0.4.9", "--all-variants", "--json")
    cells = json.loads(uvmre("matrix", *arguments, XDG_CACHE_HOME=str(home)).stdout)["cells"]
    base = {cell["release"]: CODES[cell["outcome"]] for cell in cells if cell["variant"] == "as reported"}
    assert base.items() & codes.items() == {(each, codes[each]) for each in base if each in codes}


def test_a_release_that_is_not_made_for_this_platform_is_skipped(uvmre: CommandLine, tmp_path: Path) -> None:
    stock(tmp_path / "home", gone=("0.4.7",))
    arguments = ("bisect", "--command", script(tmp_path), "--uv", "0.4.9", "--json")
    data = uvmre(*arguments, XDG_CACHE_HOME=str(tmp_path / "home")).json("bisect")
    assert (data["first_bad"]["version"], data["first_bad"]["skipped"]) == ("0.4.8", ["0.4.7"])
    (probe,) = [probe for probe in data["probes"] if probe["release"] == "0.4.7"]
    assert "no wheel for this platform" in probe["reason"]


def started(home: Path, *arguments: str | Path) -> "subprocess.Popen[str]":
    command = [sys.executable, "-m", "uvmre", "bisect", *map(str, arguments)]
    environment = {**os.environ, "XDG_CACHE_HOME": str(home)}
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_loses_nothing_that_was_finished(
    bisect: CommandLine, home: Path, tmp_path: Path, number: signal.Signals
) -> None:
    # The fourth run waits until it is ended.
    path = script(tmp_path, f"[ $(wc -l < {tmp_path}/log) -eq 4 ] && [ -e {tmp_path}/wait ] && sleep 61\n{STEP}")
    (tmp_path / "wait").write_text("")
    arguments = ("--command", path, "--uv", "0.4.9", "--jobs", "1")
    search = started(home, *arguments)
    deadline = time.monotonic() + 120
    while len(runs(tmp_path)) < 4 and time.monotonic() < deadline:
        time.sleep(0.05)
    search.send_signal(number)
    _, talk = search.communicate(timeout=120)
    assert (search.returncode, "run the same command to continue" in talk) == (130, True)
    (tmp_path / "wait").unlink()
    data = bisect(*arguments, "--json").json("bisect")
    assert data["kept"] == 3
    assert len(runs(tmp_path)) == 4 + data["ran"]
    assert (data["first_bad"]["version"], data["first_good"]["version"]) == ("0.4.7", "0.4.12")


def test_one_that_is_killed_loses_nothing_either(bisect: CommandLine, home: Path, tmp_path: Path) -> None:
    path = script(tmp_path, f"[ $(wc -l < {tmp_path}/log) -eq 4 ] && sleep 2\n{STEP}")
    search = started(home, "--command", path, "--uv", "0.4.9", "--jobs", "1")
    while len(runs(tmp_path)) < 4:
        time.sleep(0.05)
    search.kill()
    search.communicate(timeout=120)
    assert bisect("--command", path, "--uv", "0.4.9", "--jobs", "1", "--json").json("bisect")["kept"] == 3


@pytest.fixture
def mre(tmp_path: Path) -> Path:
    (tmp_path / "mre").mkdir()
    (tmp_path / "mre" / "mre.toml").write_text(MRE)
    return tmp_path / "mre"


def test_a_variant_has_a_history_of_its_own(bisect: CommandLine, mre: Path) -> None:
    (mre / "mre.toml").write_text(MRE + SOONER)
    assert bisect(mre, "--json").json("bisect")["first_bad"]["version"] == "0.4.7"
    assert bisect(mre, "--variant", "sooner", "--json").json("bisect")["first_bad"]["version"] == "0.4.4"
    ended = bisect(mre, "--variant", "later")
    assert (ended.exit, "has no variant “later”" in ended.stderr) == (2, True)


BUILT = """\
#!/bin/sh
[ "$1" = --version ] && echo "uv 0.4.19+7 (abc 2024-12-24)" && exit
[ "$1" = fail ] && {fails}
echo "uv 0.4.19"
"""


@pytest.mark.parametrize(("fails", "first_good"), [("exit 0", True), ("echo it broke in two >&2 && exit 2", False)])
def test_a_binary_that_was_built_locally_is_the_newest_there_is(
    bisect: CommandLine, mre: Path, tmp_path: Path, fails: str, first_good: bool
) -> None:
    built = tmp_path / "uv-built"
    built.write_text(BUILT.format(fails=fails))
    built.chmod(0o755)
    data = bisect(mre, "--range", f"0.4..,{built}", "--json").json("bisect")
    assert data["highest"].startswith("0.4.19+7.head.")
    assert (data["first_good"]["version"] == data["highest"], data["first_good"]["notes"]) == (first_good, None)
    if first_good:
        assert data["first_good"]["beside"] == "0.4.19"
    else:
        # Where it shows there, the search may begin with it.
        assert bisect(mre, "--uv", built, "--json").json("bisect")["first_bad"]["version"] == "0.4.7"


def test_two_at_once_do_not_fight(home: Path, tmp_path: Path) -> None:
    path = script(tmp_path, f"sleep 0.1; {STEP}")
    searches = [started(home, "--command", path, "--uv", "0.4.9", "--json") for _ in range(2)]
    for search in searches:
        answer, talk = search.communicate(timeout=60)
        assert search.returncode == 0, talk
        assert json.loads(answer)["first_bad"]["version"] == "0.4.7"
        assert "cannot" not in talk


def test_what_is_kept_and_cannot_be_read_is_reported_and_set_aside(
    bisect: CommandLine, home: Path, tmp_path: Path
) -> None:
    (home / "uvmre" / store.FILE).write_text("no database")
    ended = bisect("--command", script(tmp_path), "--uv", "0.4.9", "--json")
    assert ended.stderr.count("warning: stored outcomes cannot be read") == 1
    assert ended.json("bisect")["first_bad"]["version"] == "0.4.7"


def test_the_cache_is_as_these_tests_think() -> None:
    assert (VERSIONS[0], VERSIONS[-1], len(VERSIONS)) == ("0.4.0", "0.4.19", 20)


NUMBERED = """\
title = "t"
[environment]
uv = "0.4.9"
[[step]]
run = '''
number=$(uv --version); number=${{number##*.}}; number=${{number%% *}}
{body}
'''
[symptom]
exit = "failure"
output = ["the frobnicator is upside down"]
"""
UNKNOWN = "echo \"error: unrecognized subcommand 'frob'\" >&2; exit 2"
FAILS = "echo 'error: the frobnicator is upside down' >&2; exit 2"


@pytest.mark.parametrize(
    ("body", "ending", "kinds", "groups"),
    [
        pytest.param(
            f'[ "$number" -lt 6 ] && {{ {UNKNOWN}; }}; [ "$number" -lt 12 ] && {{ {FAILS}; }}; exit 0',
            "introduced",
            ["introduced", "behaviour"],
            ["broken", "shows", "absent"],
            id="the command came with the bug",
        ),
        pytest.param(
            f'[ "$number" -lt 6 ] && exit 0; [ "$number" -lt 12 ] && {{ {FAILS}; }}; '
            "echo 'error: it is refused because of its other end' >&2; exit 2",
            "exact",
            ["behaviour", "message_changed"],
            ["absent", "shows", "absent"],
            id="another error came in its place",
        ),
    ],
)
def test_what_changed_at_a_boundary_is_named(
    bisect: CommandLine, tmp_path: Path, body: str, ending: str, kinds: list[str], groups: list[str]
) -> None:
    (tmp_path / "mre").mkdir()
    (tmp_path / "mre" / "mre.toml").write_text(NUMBERED.format(body=body))
    data = bisect("mre", "--json").json("bisect")
    assert (data["first_bad"]["version"], data["first_good"]["version"]) == ("0.4.6", "0.4.12"), data["sentences"]
    assert data["first_bad"]["ending"] == ending
    assert [data["first_bad"]["kind"], data["first_good"]["kind"]] == kinds
    assert [group["outcome"] for group in data["groups"]] == groups
    changed = data["first_bad"]["unavailable"]
    assert changed == ({"feature": "frob", "uv": "0.4.5", "came": "0.4.6"} if ending == "introduced" else None)
    assert data["first_good"]["compared"] == ["0.4.11", "0.4.12"]
    assert data["first_good"]["difference"][0] == "- error: the frobnicator is upside down"
    sides = {path.name for path in (tmp_path / data["evidence"]).iterdir()}
    assert {"uv-0-4-6", "uv-0-4-11", "uv-0-4-12"} <= sides
    kept = evidence.latest_search(tmp_path / "mre", digest(read_mre(tmp_path / "mre")))
    assert kept
    assert kept["probes"] == data["probes"]
    assert {each["release"] for each in kept["probes"]} < set(kept["releases"])
    assert evidence.latest_search(tmp_path / "mre", "of another") is None
    explained = bisect("mre", "--explain")
    assert ("`frob` came with uv 0.4.6" in explained.stdout) == (ending == "introduced")
    assert ("failures:" in explained.stdout) == (ending == "exact")
    assert ("lacks it" in explained.stdout) == (ending == "introduced")
    assert ("the first release that supports it" in explained.stdout) == (ending == "introduced")


@pytest.mark.slow
def test_a_release_that_takes_far_longer_than_the_reported_one_is_skipped(bisect: CommandLine, tmp_path: Path) -> None:
    body = f'[ "$number" = 12 ] && sleep 60; [ "$number" -lt 12 ] && {{ {FAILS}; }}; exit 0'
    (tmp_path / "mre").mkdir()
    (tmp_path / "mre" / "mre.toml").write_text(NUMBERED.format(body=body))
    started = time.monotonic()
    data = bisect("mre", "--json", "--range", "0.4.9..0.4.13").json("bisect")
    assert time.monotonic() - started < 50
    assert data["first_good"]["version"] == "0.4.13"
    assert data["first_good"]["skipped"] == ["0.4.12"]
    (late,) = [probe for probe in data["probes"] if probe["release"] == "0.4.12"]
    assert late["reason"].endswith("far longer than uv 0.4.9 took")


def test_a_program_that_does_not_support_something_is_no_release_without_a_command(
    bisect: CommandLine, tmp_path: Path
) -> None:
    # 0.4.5 alone fails, so that older ones must not be taken as lacking a command.
    manifest = NUMBERED.replace("[[step]]", PREPARED, 1)
    (tmp_path / "mre").mkdir()
    body = f'[ "$number" -ge 3 ] && {{ {FAILS}; }}; exit 0'
    (tmp_path / "mre" / "mre.toml").write_text(manifest.format(body=body))
    data = bisect("mre", "--json", "--range", "0.4.0..0.4.9").json("bisect")
    assert data["first_bad"]["version"] == "0.4.3", data["sentences"]
    assert "lacks" not in {step["answer"] for step in data["path"]}


PREPARED = """\
[[setup]]
run = '''
uv --version | grep -qv 'uv 0.4.[45] *$' || {{ echo 'error: the wheel does not support `musl`' >&2; exit 1; }}
'''
[[step]]"""
