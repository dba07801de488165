"""Each kind of feedback, where there is something to say and where there is not."""

import json
import tomllib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.timing import grows
from uvmre.core.mre.files import File
from uvmre.core.mre.manifest import dump
from uvmre.core.mre.model import BASE, Control, Environment, Mre, Step
from uvmre.core.mre.schema import mistakes
from uvmre.core.mre.symptom import Symptom
from uvmre.core.network.request import AnsweredBy, Request
from uvmre.core.outcome.feedback import feedback
from uvmre.core.outcome.matching import Outcome, match
from uvmre.core.outcome.observation import Observation, StepResult
from uvmre.core.outcome.result import Variant

BREAKS = Symptom("failure", ("it breaks",))
CONTROL = Control("without", files={"pyproject.toml": "b"})


def made(run: str = "uv sync", *controls: Control, symptom: Symptom = BREAKS, **more: Any) -> Mre:
    return Mre("t", Environment("0.5.21"), (Step("uv lock"), Step(run, "observe")), symptom, controls=controls, **more)


def ran(
    run: str = "uv sync",
    code: int = 1,
    stderr: str = "error: it breaks",
    stdout: str = "",
    *,
    setup: str = "",
    **more: Any,
) -> Observation:
    timed_out = more.pop("timed_out", False)
    steps = (
        StepResult("uv lock", "uv lock", "setup", 0, "", setup, 0.1),
        StepResult(run, run, "observe", code, stdout, stderr, 0.1, timed_out=timed_out),
    )
    return Observation(BASE, "0.5.21", "3.11.7", "local", "Linux", more.pop("steps", steps), **more)


def judged(mre: Mre, *observations: Observation) -> dict[str, Any]:
    """Return the feedback on an MRE whose controls are observed in their order; those left over succeed."""
    variants = [Variant(BASE, "", observations[0], match(mre.symptom, observations[0]))]
    for n, control in enumerate(mre.controls, 1):
        observation = observations[n] if n < len(observations) else ran(code=0, stderr="")
        symptom = control.symptom or mre.symptom
        variants.append(Variant(control.name, control.expect, observation, match(symptom, observation)))
    return feedback(mre, variants)


def request(
    path: str, status: int = 200, reason: str = "", by: AnsweredBy = "upstream", host: str = "pypi.org"
) -> Request:
    return Request("GET", host, path, status, False, by, 0.1, reason)


def test_a_symptom_that_shows_with_a_sound_control_needs_no_feedback() -> None:
    assert judged(made("uv sync", CONTROL), ran()) == {}


SWALLOWED = "error: Failed to spawn: `foo`\n  Caused by: No such file or directory"


@pytest.mark.parametrize(
    ("run", "stderr", "stdout", "line"),
    [
        pytest.param("uv run foo || true", SWALLOWED, "", "No such file or directory", id="an alternative"),
        pytest.param("uv run foo\ntrue", SWALLOWED, "", "No such file or directory", id="another line"),
        pytest.param("! uv run foo", SWALLOWED, "", "No such file or directory", id="a negation"),
        pytest.param("uv run foo 2>&1 | cat", "", SWALLOWED, "No such file or directory", id="a pipe"),
        pytest.param("uv run foo", SWALLOWED, "", "", id="a program's own output"),
        pytest.param("cd a && uv venv && uv run foo", SWALLOWED, "", "", id="one after the other"),
        pytest.param("uv run foo | cat", "", SWALLOWED, "", id="an output that is not uv's"),
        pytest.param("cat log; true", SWALLOWED, "", "", id="no uv"),
        pytest.param("uv run foo || true", "note: error: nothing", "", "", id="a quotation in a line"),
        pytest.param("uv run foo; echo 'error: quoted text' >&2", "error: quoted text", "", "", id="an echo"),
        pytest.param("uv run foo; cat log >&2", "error: of the log file", "", "", id="a file"),
        pytest.param("uv run foo || true", "error: it breaks", "", "", id="the symptom"),
        pytest.param("uv run foo || true", "warning: no", "", "", id="no error"),
    ],
)
def test_an_error_in_a_step_that_succeeds(run: str, stderr: str, stdout: str, line: str) -> None:
    mre = made(run, CONTROL, files=(File("log", b"error: of the log file\n"),))
    found = judged(mre, ran(run, 0, stderr, stdout)).get("swallowed", [])
    assert found == ([{"variant": BASE, "step": run, "line": line}] if line else [])


@pytest.mark.parametrize(
    ("reason", "late"),
    [
        ("3 files without an upload time are kept", True),
        ("files after the cutoff date are kept: the release of uv decides which uv-build it needs", True),
        ("the page is invalid, so the cutoff date is not applied", True),
        ("it was uploaded on 2025-02-01, after 2025-01-23", False),
        ("", False),
    ],
)
def test_files_newer_than_the_cutoff_date(reason: str, late: bool) -> None:
    found = judged(made("uv sync", CONTROL), ran(requests=(request("/simple/a/", reason=reason),)))
    expected = [{"variant": BASE, "url": "pypi.org/simple/a/", "why": reason}]
    assert found.get("after_cutoff", []) == (expected if late else [])


WHEEL = "/packages/ab/hatchling-1.2-py3-none-any.whl"


@pytest.mark.parametrize(
    ("observation", "versions"),
    [
        pytest.param(ran(stderr=" + six==1.16.0\n ~ foo-bar==2.0 (from file:///a)\nerror: it breaks"), ["foo-bar==2.0", "six==1.16.0"], id="installed"),
        pytest.param(ran(stderr="Added six v1.16.0\nerror: it breaks"), ["six==1.16.0"], id="locked"),
        pytest.param(ran(requests=(request(WHEEL),)), ["hatchling==1.2"], id="downloaded"),
        pytest.param(ran(requests=(request("/hatchling-1.1.tar.gz"), request(f"{WHEEL}.metadata"))), ["hatchling==1.2"], id="looked at last"),
        pytest.param(ran(stderr=" + hatchling==1.1\nerror: it breaks", requests=(request(WHEEL),)), ["hatchling==1.1"], id="installed from the cache"),
        pytest.param(ran(requests=(request(WHEEL, 404), request("/simple/six/"), request("/a.whl"))), [], id="not there"),
        pytest.param(ran(stderr=" - six==1.16.0\nerror: it breaks, a==1"), [], id="uninstalled"),
    ],
)  # fmt: skip
def test_versions_that_were_chosen(observation: Observation, versions: list[str]) -> None:
    found = judged(made("uv sync", CONTROL), observation).get("resolved", [])
    assert [each["added"] for each in found] == ([versions] if versions else [])


def test_the_versions_of_a_control_are_compared_with_those_of_the_mre() -> None:
    base, other = (ran(code=c, stderr=f" + six=={v}\nerror: it breaks") for c, v in ((1, "1.16.0"), (0, "1.17.0")))
    found = judged(
        made("uv sync", CONTROL),
        base,
        replace(other, steps=(*other.steps[:1], replace(other.steps[1], stderr=" + six==1.17.0"))),
    )
    assert found["resolved"][1] == {"variant": "without", "added": ["six==1.17.0"], "removed": ["six==1.16.0"]}
    assert len(judged(made("uv sync", CONTROL), base, replace(base, steps=base.steps[:1]))["resolved"]) == 1


@pytest.mark.parametrize(
    ("run", "stderr", "line"),
    [
        ("uv sync", "a\nOSError: [Errno 98] Address already in use\nb", "OSError: [Errno 98] Address already in use"),
        ("uv sync", "Error: listen EADDRINUSE: :8000", "Error: listen EADDRINUSE: :8000"),
        ("uv sync", "cause: bind (os error 48)", "cause: bind (os error 48)"),
        ("uv sync", "error: reset (os error 104)", ""),
        ("echo 'address already in use'", "address already in use", ""),
    ],
)
def test_an_address_in_use(run: str, stderr: str, line: str) -> None:
    found = judged(made(run, CONTROL), ran(run, stderr=stderr)).get("conflicts", [])
    assert [each["line"] for each in found] == ([line] if line else [])


def test_the_symptom_may_be_an_address_in_use() -> None:
    mre = made("uv sync", CONTROL, symptom=Symptom(1, ("address already in use",)))
    assert "conflicts" not in judged(mre, ran(stderr="Address already in use"))


def test_the_last_progress_of_a_step_that_exceeds_its_limit() -> None:
    requests = tuple(request(f"/simple/{name}/") for name in "abcd")
    (found,) = judged(made(), ran(timed_out=True, requests=requests))["last_progress"]
    assert found["urls"] == ["pypi.org/simple/b/", "pypi.org/simple/c/", "pypi.org/simple/d/"]
    assert "last_progress" not in judged(made(), ran(requests=requests))


@pytest.mark.parametrize(
    ("observation", "line"),
    [
        (ran(stderr="error: Failed to build\n  Caused by: no compiler here"), "no compiler here"),
        (ran(stderr="", stdout="the last line"), "the last line"),
        (ran(), ""),
        (ran(code=0, stderr=""), ""),
        (ran(steps=(StepResult("uv lock", "uv lock", "setup", 2, "", "error: a\n  Caused by: the inner one", 0.1),)), "the inner one"),
    ],
)  # fmt: skip
def test_the_innermost_error_of_another_failure(observation: Observation, line: str) -> None:
    found = judged(made("uv sync", CONTROL), observation).get("cause", [])
    assert [each["line"] for each in found] == ([line] if line else [])


@pytest.mark.parametrize(
    ("run", "stderr", "feature", "need"),
    [
        ("uv audit --fix", "error: unrecognized subcommand 'audit'", "audit", "uv audit"),
        ("uv pip compile --torch-backend=cpu a", "error: unexpected argument '--torch-backend' found", "--torch-backend", "uv pip compile --torch-backend"),
        ("uv sync", "warning: unknown field `required-environments`, expected one of", "required-environments", "required-environments"),
        ("uv sync", "error: something else", "", ""),
    ],
)  # fmt: skip
def test_what_the_release_does_not_support(run: str, stderr: str, feature: str, need: str) -> None:
    mre = made(run, CONTROL, needs=("uv lock",))
    found = judged(mre, ran(run, 2, stderr))
    assert found.get("unavailable", []) == ([{"variant": BASE, "feature": feature, "uv": "0.5.21"}] if feature else [])
    remedies = [tomllib.loads(each["toml"]) for each in found.get("remedy", [])]
    assert remedies == ([{"needs": ["uv lock", need]}] if feature else [])


PRINTS = Symptom(output=("it breaks",))


@pytest.mark.parametrize(
    ("mre", "observation", "weakness"),
    [
        pytest.param(made(), ran(), "there is no control", id="no control"),
        pytest.param(made("uv sync", CONTROL), ran(), "", id="a control of one thing"),
        pytest.param(
            made("uv sync", Control("c", unset=("A",), variables={"B": "1"}, why="w", symptom=PRINTS)), ran(), "",
            id="variables are one thing",
        ),
        pytest.param(
            made("uv sync", Control("c", python="3.12", without_uv=True, variables={"A": "1"})), ran(),
            "control “c” differs from the MRE in more than one thing: python, variables, without-uv", id="three things",
        ),
        pytest.param(
            made("uv sync && echo it breaks", CONTROL, symptom=PRINTS), ran("uv sync && echo it breaks", 0, "", "it breaks\n"),
            "“it breaks” is printed by the command of `uv sync && echo it breaks` itself, not by uv", id="an echo",
        ),
        pytest.param(
            made("uv sync; cat log", CONTROL, symptom=PRINTS, files=(File("log", b"it breaks\n"),)), ran("uv sync; cat log", 0, "", "it breaks\n"),
            "“it breaks” is printed by the command of `uv sync; cat log` itself, not by uv", id="a file",
        ),
        pytest.param(
            made("uv sync; echo it breaks", CONTROL, symptom=PRINTS), ran("uv sync; echo it breaks", 0, "error: it breaks", "it breaks\n"), "",
            id="uv prints it too",
        ),
        pytest.param(
            made("uv run it breaks", CONTROL, symptom=PRINTS), ran("uv run it breaks", 0, "error: it breaks"), "", id="an argument",
        ),
    ],
)  # fmt: skip
def test_why_a_symptom_would_prove_little(mre: Mre, observation: Observation, weakness: str) -> None:
    assert judged(mre, observation).get("weakness", []) == ([weakness] if weakness else [])


def test_a_symptom_that_a_control_shows_too_does_not_depend_on_what_it_changes() -> None:
    found = judged(made("uv sync", CONTROL), ran(), ran())
    assert found["weakness"] == ["the symptom does not depend on what control “without” changes: files"]
    assert found["next_edit"].startswith("control “without” is shows, and must be absent")


REFUSED = "is not a host of this MRE"


def refused(host: str) -> Observation:
    return ran(code=2, stderr="error: no", requests=(request("", 403, f"{host} {REFUSED}", "refused", host),))


def parsed(found: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the remedies, each of which must be a valid part of the manifest."""
    parts = [tomllib.loads(each["toml"]) for each in found.get("remedy", [])]
    for part in parts:
        whole = tomllib.loads(dump(made()))
        for key, value in part.items():
            whole[key] = [*whole.get(key, ()), *value] if isinstance(value, list) else {**whole.get(key, {}), **value}
        assert list(mistakes(whole)) == []
    return parts


@pytest.mark.parametrize(
    ("run", "files", "host", "part"),
    [
        pytest.param("uv sync --index-url https://a:b@pkg.corp.com:8443/simple/", "", "pkg.corp.com", {"index": [{"url": "https://pkg.corp.com:8443/simple"}]}, id="an option"),
        pytest.param("uv sync", '[[tool.uv.index]]\nname = "a"\nurl = "https://pkg.corp.com/pypi"\n', "pkg.corp.com", {"index": [{"url": "https://pkg.corp.com/pypi"}]}, id="a setting"),
        pytest.param("uv add git+https://github.com/org/repo@main", "", "github.com", {"git": [{"url": "https://github.com/org/repo", "commit": [{"folder": "repo"}]}]}, id="a repository"),
        pytest.param("uv sync", 'a = { git = "https://github.com/org/repo.git", rev = "1" }', "github.com", {"git": [{"url": "https://github.com/org/repo", "commit": [{"folder": "repo"}]}]}, id="a source"),
        pytest.param("uv python install", "", "github.com", {"environment": {"allow-hosts": ["github.com"]}}, id="a host that the MRE does not name"),
        pytest.param("curl https://files.internal/a.txt", "", "files.internal", {"answer": [{"url": "https://files.internal/*", "body": ""}]}, id="a private host"),
    ],
)  # fmt: skip
def test_a_host_that_was_refused(run: str, files: str, host: str, part: dict[str, Any]) -> None:
    found = judged(made(run, CONTROL, files=(File("pyproject.toml", files.encode()),)), refused(host))
    assert parsed(found) == [part]
    assert found["next_edit"] == f"`{host}` {REFUSED}: add to `mre.toml`\n{found['remedy'][0]['toml']}"


def test_hosts_that_are_allowed_already_stay_so() -> None:
    mre = replace(made(), environment=Environment("0.5.21", allow_hosts=("a.org",)))
    assert parsed(judged(mre, refused("b.org"))) == [{"environment": {"allow-hosts": ["a.org", "b.org"]}}]


def test_a_time_limit() -> None:
    mre = replace(made(), steps=(Step("uv lock"), Step("uv sync", "observe", name="uv sync", timeout=20)))
    (part,) = parsed(judged(mre, ran(timed_out=True)))
    assert part == {"step": [{"run": "uv sync", "role": "observe", "name": "uv sync", "timeout": 40}]}
    assert parsed(judged(made(), ran(code=2, stderr="other"))) == []


TWO = Symptom(1, ("it breaks", "in the middle"))


@pytest.mark.parametrize(
    ("mre", "observations", "edit"),
    [
        pytest.param(
            made("uv sync", CONTROL, symptom=TWO), [ran(stderr="error: it breaks\n  in the muddle")],
            "drop “in the middle”, or replace it with what is there: “in the muddle”", id="another wording",
        ),
        pytest.param(
            made("uv sync", CONTROL, symptom=TWO), [ran(setup="in the middle")],
            'set `role = "observe"` on step `uv lock`, which meets “in the middle”; no observed step does', id="a setup step",
        ),
        pytest.param(
            made("uv sync", CONTROL, symptom=TWO), [ran()], "fix what fails first in `uv sync`, or report it: “it breaks”", id="another cause",
        ),
        pytest.param(
            made("uv sync", CONTROL), [ran(code=0, stderr="fine")], "nothing in the output is like “it breaks”: check that the steps are those of the report",
            id="nothing alike",
        ),
        pytest.param(
            made("uv sync", CONTROL), [ran(code=0)], "correct `exit`, since the texts are all there: `uv sync` exits with code 0", id="another exit code",
        ),
        pytest.param(
            made("uv sync", CONTROL, symptom=Symptom(1, ("two", "one"))), [ran(stderr="one\ntwo")],
            "correct the order of the texts, or the rest of the symptom: `uv sync` fails (1), but not as reported: the output does not contain “one”", id="another order",
        ),
        pytest.param(
            made("uv sync || :", CONTROL), [ran("uv sync || :", 0, "error: other")],
            "end `uv sync || :` with the exit code of uv, whose error it hides: “other”", id="a hidden error",
        ),
        pytest.param(
            made("uv sync", CONTROL), [ran(stderr="error: Address already in use")],
            "make the server of `uv sync` a `[[service]]`, or give it another port: “error: Address already in use”", id="a conflict",
        ),
        pytest.param(
            made("uv sync", CONTROL), [ran(), ran(stderr="error: a\n  Caused by: b")],
            "control “without” is different, and must be absent: “b”", id="a control that fails otherwise",
        ),
        pytest.param(
            made("uv sync", Control("same", "present", uv="0.5.22")), [ran(), ran(code=0, stderr="")],
            "control “same” is absent, and must be present: “`uv sync` succeeds”", id="a control that does not show it",
        ),
        pytest.param(
            made(), [ran()], "add a `[[control]]` that changes only what causes the symptom, which must then be absent", id="no control",
        ),
        pytest.param(made("uv sync", CONTROL), [ran()], "", id="nothing to change"),
    ],
)  # fmt: skip
def test_what_to_change_next(mre: Mre, observations: list[Observation], edit: str) -> None:
    assert judged(mre, *observations).get("next_edit", "") == edit


@pytest.mark.parametrize(
    "pump", ["error: a\n", "  × a\n", " + a==1\n", "it breaks ", "https://a", "a", "\n", "address in "]
)
def test_it_takes_time_in_proportion_to_the_output(pump: str) -> None:
    def work(length: int) -> Callable[[], object]:
        output = pump * (length // len(pump))
        mre = made(f"uv sync || echo {output[:100]}", CONTROL, files=(File("a", output.encode()),))
        observation = ran("uv sync || true", 0, output, output)
        variants = [
            Variant(BASE, "", observation, Outcome("absent", "a")),
            Variant("without", "absent", observation, Outcome("shows", "b")),
        ]
        return lambda: feedback(mre, variants)

    assert not grows(work, (8_000, 32_000, 128_000))


SCHEMA = json.loads((Path(__file__).parents[3] / "docs" / "schemas" / "run.json").read_text())
FEEDBACK = {**SCHEMA["properties"]["feedback"], "$defs": SCHEMA["$defs"]}
PARTS = [
    "error: ",
    "it breaks",
    "\n",
    "  × ",
    "\x1b[2K\r",
    "address already in use",
    " + a==1",
    "unknown field `a`",
    "{",
    "}",
    "…",
    " ",
    "'",
]
OUTPUTS = st.lists(st.sampled_from(PARTS), max_size=8).map("".join)
RUNS = st.sampled_from(
    [
        "uv sync",
        "! uv lock || true",
        "uv run a 2>&1 | cat b",
        "echo it breaks",
        "uv pip install git+https://a.org/b",
        "'",
    ]
)


@st.composite
def observations(draw: st.DrawFn) -> Observation:
    steps = [
        StepResult(
            run, run, role, draw(st.integers(0, 255)), draw(OUTPUTS), draw(OUTPUTS), 0.1, timed_out=draw(st.booleans())
        )
        for role, run in (
            (role, draw(RUNS)) for role in draw(st.lists(st.sampled_from(["setup", "observe"]), max_size=3))
        )
    ]
    paths = st.sampled_from(["", "/", WHEEL, "/a.whl", "/a-1.tar.gz?b", "//.metadata"])
    requests = [
        request(draw(paths), draw(st.integers(0, 599)), f"a.org {REFUSED}", draw(st.sampled_from(["upstream", "refused"])), draw(st.sampled_from(["a.org", "b", ""])))
        for _ in range(draw(st.integers(0, 4)))
    ]  # fmt: skip
    return ran(steps=tuple(steps), requests=tuple(requests))


@given(observations(), observations(), st.sampled_from([1, "failure", "success", "timeout", None]), RUNS)
def test_any_run_has_feedback_that_fits_its_schema(base: Observation, other: Observation, code: Any, run: str) -> None:
    texts = ("it breaks", "{0} …", "error")
    symptom = Symptom(code, texts[:1], any=texts, raw=texts, absent=("zebra",))
    found = judged(made(run, CONTROL, symptom=symptom, files=(File("b", b"it breaks\xff"),)), base, other)
    jsonschema.validate(json.loads(json.dumps(found)), FEEDBACK)
    parsed(found)
