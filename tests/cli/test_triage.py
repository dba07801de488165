"""`uvmre triage`, by the real command line: invented posts over releases that are shell scripts. Needs no network."""

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from tests.conftest import CommandLine, Ended
from tests.releases.caches import VERSIONS, stock
from uvmre.cli.main import main

SCHEMA = json.loads((Path(__file__).parents[2] / "docs" / "schemas" / "triage.json").read_text())

UV = """\
#!/bin/sh
number={number}
case "$1" in
--version) echo "uv 0.4.$number" ;;
sync)
    if [ "$number" -lt 7 ] || [ "$number" -ge 12 ]; then echo 'Resolved 2 packages in 3ms' >&2; exit 0; fi
    echo 'error: Failed to build the workspace' >&2
    echo '  Caused by: the member `ext` stands twice in the table of members' >&2
    exit 2 ;;
lock) if [ "$number" -ge 15 ]; then echo 'error: a lock is asked for' >&2; exit 2; fi
    echo 'error: the marker of `ext` has two ends' >&2; exit 2 ;;
tree) if [ "$number" -lt 12 ]; then echo 'root v0.1.0'; echo '└── ext v0.1.0 (group: dev)'
    else echo 'root v0.1.0'; echo '├── ext v0.1.0'; fi ;;
export) echo 'error: Request failed after 3 retries' >&2; echo '  Caused by: error sending request for url' >&2; exit 2 ;;
build|venv) if [ "$number" -lt 3 ]; then echo "error: unrecognized subcommand 'build'" >&2; exit 2; fi
    if [ "$number" -lt 5 ] && [ "$1" = build ]; then echo 'error: it is not known yet how' >&2; exit 2; fi
    if [ "$number" -lt 12 ] && grep -q 3.11 pyproject.toml; then echo 'error: it broke' >&2; exit 2; fi ;;
*) echo "uv 0.4.$number" ;;
esac
"""
HEAD = "# {title}\n<!-- somebody/something#1 created 2024-10-10T10:00:00Z -->\n_@somebody_\n\n"
FORM = "\n### Platform\n\n{platform}\n\n### Version\n\nuv {uv}\n"
PROJECT = """\
With this `pyproject.toml`:

```toml
[project]
name = "root"
version = "0.1.0"
requires-python = ">=3.8"
```

"""


def post(body: str, *, uv: str = "0.4.9", title: str = "uv sync fails", platform: str = "Ubuntu 22.04 x86_64") -> str:
    return HEAD.format(title=title) + PROJECT + body + FORM.format(uv=uv, platform=platform)


def console(command: str, output: str) -> str:
    return f"This fails:\n\n```console\n$ {command}\n{output}```\n"


BUILD = "error: Failed to build the workspace\n  Caused by: the member `ext` stands twice in the table of members\n"
SYNC = console("uv sync", BUILD)
NOTHING = "# it does not work\n\nIt worked yesterday. Please help.\n"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    cache = stock(tmp_path / "home")
    for version in VERSIONS:
        (cache / "uv" / version / "uv").write_text(UV.format(number=version.rpartition(".")[2]))
    return tmp_path / "home"


@pytest.fixture
def triage(uvmre: CommandLine, home: Path) -> CommandLine:
    return lambda *arguments, **variables: uvmre("triage", *arguments, **{"XDG_CACHE_HOME": str(home), **variables})


def only_answer(ended: Ended) -> dict[str, Any]:
    """Return the only answer, after validating it against the schema."""
    (answer,) = answers(ended)
    assert answer["exit"] == ended.exit, ended.stderr
    return answer


def answers(ended: Ended) -> list[dict[str, Any]]:
    found = [json.loads(line) for line in ended.stdout.splitlines()]
    for each in found:
        jsonschema.validate(each, SCHEMA)
    return found


def issue(tmp_path: Path, text: str, name: str = "issue.md") -> Path:
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return path


def test_an_error_that_shows_is_reproducible_with_its_boundary(triage: CommandLine, tmp_path: Path) -> None:
    answer = only_answer(triage(issue(tmp_path, post(SYNC)), "--bisect", "--json"))
    assert (answer["verdict"], answer["exit"]) == ("reproducible", 0), answer["reason"]
    assert answer["boundary"] == {"first_bad": "0.4.7", "first_good": "0.4.12"}
    assert (answer["uv"], answer["labels"]) == ("0.4.9", ["bug"])
    assert answer["steps"][-1]["exit"] == 2
    assert "pyproject.toml" in answer["mre"]["files"]
    assert (Path(answer["folder"]) / "mre.toml").is_file()


def test_without_a_search_the_latest_is_run(triage: CommandLine, tmp_path: Path) -> None:
    answer = only_answer(triage(issue(tmp_path, post(SYNC)), "--json"))
    assert (answer["verdict"], answer["boundary"]) == ("reproducible", None), answer["reason"]
    assert [(run["why"], run["uv"], run["outcome"]) for run in answer["runs"]] == [
        ("reported", "0.4.9", "shows"),
        ("latest", "0.4.19", "absent"),
    ]


def test_a_newer_release_that_fails_differently_is_fixed(triage: CommandLine, tmp_path: Path) -> None:
    text = post(console("uv lock", "error: the marker of `ext` has two ends\n"), title="uv lock fails")
    answer = only_answer(triage(issue(tmp_path, text), "--bisect", "--json"))
    assert answer["verdict"] == "reproducible", answer["reason"]
    assert answer["boundary"] == {"first_bad": "0.4.0", "first_good": "0.4.15"}


BUILDS = (
    HEAD.format(title="`uv build` fails")
    + """\
`uv build` fails to build the project.

`uv build` works fine if the project requires Python >=3.10:

```toml
[project]
name = "u"
version = "0"
requires-python = ">=3.10"
```

And breaks with Python >=3.11:

```toml
[project]
name = "u"
version = "0"
requires-python = ">=3.11"
```
"""
    + FORM.format(uv="0.4.9", platform="Linux")
)


@pytest.mark.parametrize(
    ("text", "boundary"),
    [
        pytest.param(
            BUILDS.replace("uv build", "uv venv"),
            {"first_bad": "0.4.3", "first_good": "0.4.12"},
            id="a failure without a text, and older releases lack the command",
        ),
        # On 0.4.3 and 0.4.4 it fails with both projects: it may be a different failure.
        pytest.param(
            BUILDS,
            {"first_bad": None, "first_good": "0.4.12"},
            id="a failure without a text, and on older releases the control fails too",
        ),
        pytest.param(post(SYNC), {"first_bad": "0.4.7", "first_good": "0.4.12"}, id="a text"),
        pytest.param(
            post(console("uv build", "error: it is not known yet how\n"), uv="0.4.4", title="uv build fails"),
            {"first_bad": "0.4.3", "first_good": "0.4.5"},
            id="a text of releases after those that lack the command",
        ),
    ],
)
@pytest.mark.few(2)
def test_a_bisection_of_the_mre_that_triage_made_finds_the_same_boundary(
    triage: CommandLine, uvmre: CommandLine, home: Path, tmp_path: Path, text: str, boundary: dict[str, str | None]
) -> None:
    answer = only_answer(triage(issue(tmp_path, text), "--bisect", "--json"))
    assert (answer["verdict"], answer["boundary"]) == ("reproducible", boundary), answer["reason"]
    ended = uvmre("bisect", answer["folder"], "--json", XDG_CACHE_HOME=str(home))
    found = json.loads(ended.stdout)
    assert {side: found[side]["version"] for side in boundary if boundary[side]}.items() <= boundary.items()
    assert found["sentences"] == answer["sentences"]
    # It is the same search, so everything is stored already.
    assert found["ran"] == 0


def test_not_reproducible(triage: CommandLine, tmp_path: Path) -> None:
    answer = only_answer(triage(issue(tmp_path, post(SYNC, uv="0.4.3")), "--bisect", "--json"))
    assert (answer["verdict"], answer["exit"]) == ("not_reproducible", 1), answer["reason"]
    assert {run["why"] for run in answer["runs"]} == {"reported", "varied", "latest"}


def test_never_not_reproducible_on_another_platform(triage: CommandLine, tmp_path: Path) -> None:
    text = post(SYNC, uv="0.4.3", platform="Windows 11")
    answer = only_answer(triage(issue(tmp_path, text), "--json"))
    assert answer["verdict"] in ("inconclusive", "needs_more_information")
    assert answer["exit"] == 125


def test_a_network_error_is_no_evidence(triage: CommandLine, tmp_path: Path) -> None:
    output = "error: Request failed after 3 retries\n  Caused by: error sending request for url\n"
    text = post(console("uv export", output), title="uv export fails")
    answer = only_answer(triage(issue(tmp_path, text), "--bisect", "--json"))
    assert answer["verdict"] in ("inconclusive", "needs_more_information"), answer["reason"]


def test_a_report_without_commands_needs_more_information(triage: CommandLine, tmp_path: Path) -> None:
    answer = only_answer(triage(issue(tmp_path, NOTHING), "--json"))
    assert (answer["verdict"], answer["exit"], answer["mre"]) == ("needs_more_information", 125, None)
    assert answer["questions"]
    assert answer["labels"] == ["needs-mre"]


def test_a_different_failure_needs_more_information(triage: CommandLine, tmp_path: Path) -> None:
    text = post(console("uv sync", "error: the disk of `ext` is of another make\n"))
    answer = only_answer(triage(issue(tmp_path, text), "--json"))
    assert answer["verdict"] == "needs_more_information", answer["reason"]
    assert "stands twice" in answer["reason"]
    assert answer["questions"]


def test_every_issue_has_a_line_of_output(triage: CommandLine, tmp_path: Path) -> None:
    folder = tmp_path / "many"
    folder.mkdir()
    issue(folder, post(SYNC), "1.md")
    issue(folder, "", "2.md")
    (folder / "3.md").write_bytes(b"\x00\xff" * 1000)
    ended = triage(folder, "--json")
    assert [answer["verdict"] for answer in answers(ended)] == [
        "reproducible",
        "inconclusive",
        "inconclusive",
    ]
    assert [(answer["exit"], answer["questions"]) for answer in answers(ended)[1:]] == [(2, [])] * 2
    assert "2.md is empty" in ended.stderr
    assert "3.md is not text" in ended.stderr
    assert ended.exit == 125
    ended = triage(folder / "1.md", tmp_path / "none.md", "--json")
    first, second = answers(ended)
    assert (first["verdict"], second["verdict"], second["exit"], ended.exit) == ("reproducible", "inconclusive", 2, 125)
    assert "none.md" in second["reason"]


def test_a_read_only_cache_is_an_error(triage: CommandLine, tmp_path: Path, home: Path) -> None:
    (home / "uvmre" / "triage").write_text("in the way")
    answer = only_answer(triage(issue(tmp_path, post(SYNC)), "--json"))
    assert (answer["verdict"], answer["exit"]) == ("inconclusive", 125)
    assert "triage" in answer["reason"]


def test_a_crash_of_one_issue_does_not_stop_the_others(
    tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fails(text: str, *_: Any, **__: Any) -> None:
        raise RuntimeError(text)

    monkeypatch.setenv("XDG_CACHE_HOME", str(home))
    monkeypatch.setattr("uvmre.flows.triage.understand", fails)
    arguments = ["triage", str(issue(tmp_path, NOTHING, "1.md")), str(issue(tmp_path, NOTHING, "2.md")), "--json"]
    code = main(arguments)
    found = answers(Ended(code, *capsys.readouterr()))
    assert (code, [(each["verdict"], each["exit"]) for each in found]) == (3, [("inconclusive", 3)] * 2)
    assert "RuntimeError" in found[0]["reason"]
    assert list((home / "uvmre").glob("crash-*.md"))


def test_text_output_has_the_reason_the_commands_and_the_questions(triage: CommandLine, tmp_path: Path) -> None:
    ended = triage(issue(tmp_path, post(SYNC)), "--bisect")
    lines = ended.stdout.splitlines()
    assert lines[0].endswith("issue.md: uv sync fails")
    assert lines[1].startswith("reproducible: uv 0.4.9 shows it")
    assert "first good: uv 0.4.12 (2024-10-24)" in lines
    assert "  $ uv sync" in lines
    assert "    exit code 2" in lines
    ended = triage(issue(tmp_path, NOTHING))
    assert any(line.startswith("to ask: ") for line in ended.stdout.splitlines())


def test_comment_and_label_output(triage: CommandLine, tmp_path: Path) -> None:
    path = issue(tmp_path, post(SYNC))
    comment = triage(path, "--comment").stdout
    assert comment.startswith("**reproducible**: uv 0.4.9 shows it")
    assert "```console\n$ uv sync\n" in comment
    assert triage(path, "--label").stdout == "bug\n"
    lines = triage(path, "--explain").stdout.splitlines()
    assert lines[2].startswith("hypothesis 1: failure (line ")
    assert "rule `failing-output`): `uv sync`" in lines[2]
    assert lines[3].startswith("  uv 0.4.9 (reported): shows")


TWO = SYNC + "\n" + console("uv lock", "error: the marker of `ext` has two ends\n")


def test_one_hypothesis_alone_and_without_a_rule(triage: CommandLine, tmp_path: Path) -> None:
    path = issue(tmp_path, post(TWO))
    first = only_answer(triage(path, "--json", "--hypothesis", "1"))["hypotheses"]
    assert [(each["number"], "twice in the table" in each["claim"]["text"]) for each in first] == [(1, True)]
    second = only_answer(triage(path, "--json", "--hypothesis", "2"))["hypotheses"]
    assert {each["number"] for each in second} == {2}
    assert second[0]["claim"] != first[0]["claim"]
    (read,) = answers(triage(path, "--dry-run", "--json", "--hypothesis", "2"))
    assert read["claim"]["line"] == second[0]["claim"]["line"]
    assert "hypothesis 2: " in triage(path, "--explain", "--hypothesis", "2").stdout
    without = only_answer(triage(path, "--json", "--no-rule", "failing-output", "--no-rule", "warning"))["hypotheses"]
    assert without
    assert not {"failing-output", "warning"} & {each["claim"]["rule"] for each in without}
    many = triage(path, "--hypothesis", "90")
    assert (many.exit, "there is no hypothesis 90" in many.stderr, "read " in many.stderr) == (2, True, True)


@pytest.mark.parametrize(
    ("wrong", "hint"),
    [("failing-outputs", "`failing-output`"), ("qqq", "one of repeated-run,"), ("no-folde", "`no-folder`")],
)
def test_an_unknown_rule_is_an_error_with_similar_ones(triage: CommandLine, wrong: str, hint: str) -> None:
    ended = triage("-", "--no-rule", wrong)
    assert (ended.exit, f"no rule `{wrong}`" in ended.stderr, hint in ended.stderr) == (2, True, True)


def test_a_dry_run_prints_what_the_post_says_with_its_lines(triage: CommandLine, tmp_path: Path, home: Path) -> None:
    path = issue(tmp_path, post(SYNC))
    ended = triage(path, "--dry-run")
    number = path.read_text().splitlines().index("$ uv sync") + 1
    assert f"line {number:>4}  $ uv sync" in ended.stdout
    assert "uv 0.4.9" in ended.stdout
    assert ended.exit == 0
    assert not (home / "uvmre" / "triage").exists()
    (data,) = answers(triage(path, "--dry-run", "--json"))
    assert data["reported_uv"]["text"] == "0.4.9"


def test_new_creates_an_mre_of_an_issue_that_runs(uvmre: CommandLine, home: Path, tmp_path: Path) -> None:
    path = issue(tmp_path, post(SYNC))
    made = uvmre("new", "made", "--from-issue", path, XDG_CACHE_HOME=str(home))
    assert made.exit == 0, made.stderr
    assert "found:" in made.stderr
    assert uvmre("run", "made", XDG_CACHE_HOME=str(home)).exit == 0
    wrong = uvmre("new", "other", "--from-issue", path, "-t", "auth", XDG_CACHE_HOME=str(home))
    assert (wrong.exit, "--template" in wrong.stderr) == (2, True)


@pytest.mark.parametrize(
    "arguments",
    [(), ("-", "--json", "--comment"), ("-", "--label", "--dry-run"), ("no/where.md",), ("-", "--hypothesis", "0")],
)
def test_a_wrong_command_line(triage: CommandLine, arguments: tuple[str, ...]) -> None:
    assert triage(*arguments).exit == 2


SECRET = "hunter2hunter2"
WITH_SECRET = console(f"UV_INDEX_CORP_PASSWORD={SECRET} uv sync", BUILD)


@pytest.mark.parametrize("form", ["--json", "--comment", "--dry-run", ""])
@pytest.mark.few(2)
def test_no_secret_in_the_output(triage: CommandLine, tmp_path: Path, form: str) -> None:
    ended = triage(issue(tmp_path, post(WITH_SECRET)), *([form] if form else []))
    assert "uv sync" in ended.stdout
    assert SECRET not in ended.stdout + ended.stderr


ROOTLESS = """\
# uv sync does not work at the root of a workspace
<!-- somebody/something#2 created 2024-06-27T10:00:00Z -->

### pyproject.toml

```toml
[tool.uv.workspace]
members = ["a"]
```

### a/pyproject.toml

```toml
[project]
name = "a"
version = "0.1.0"
requires-python = ">=3.8"
```

At the root this fails:

```console
$ uv sync
error: No `project` table found in: `/home/me/thing/pyproject.toml`
```

I am on Ubuntu 22.04, with uv 0.2.15.
"""


@pytest.mark.network
def test_an_invented_post_over_real_releases(uvmre: CommandLine, tmp_path: Path) -> None:
    answer = only_answer(uvmre("triage", issue(tmp_path, ROOTLESS), "--json"))
    assert (answer["verdict"], answer["uv"]) == ("reproducible", "0.2.15"), answer["reason"]
    (reported,) = [run for run in answer["runs"] if run["why"] == "reported"]
    assert reported["outcome"] == "shows"
    fixed = only_answer(
        uvmre("triage", issue(tmp_path, ROOTLESS.replace("0.2.15", "0.4.0").replace("2024-06", "2024-09")), "--json")
    )
    assert (fixed["verdict"], fixed["exit"]) == ("not_reproducible", 1), fixed["reason"]


def test_the_mre_of_a_bug_that_shows_is_shrunk(triage: CommandLine, tmp_path: Path) -> None:
    answer = only_answer(triage(issue(tmp_path, post(SYNC)), "--shrink", "--json"))
    assert answer["verdict"] == "reproducible", answer["reason"]
    folder, small = Path(answer["folder"]), Path(answer["small"])
    assert (folder / "pyproject.toml").is_file()
    assert not (small / "pyproject.toml").exists()  # the release of this test reads none
    assert "stands twice" in (small / "mre.toml").read_text()


def test_an_mre_without_a_bug_is_not_shrunk(triage: CommandLine, tmp_path: Path) -> None:
    answer = only_answer(triage(issue(tmp_path, post(SYNC, uv="0.4.6")), "--shrink", "--json"))
    assert (answer["verdict"] != "reproducible", answer["small"]) == (True, "")
