"""The runs of an issue's MRE, and the verdict on them."""

import datetime
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from uvmre.core.mre.files import File
from uvmre.core.mre.model import BASE, Control, Environment, Mre, Step
from uvmre.core.mre.symptom import Symptom
from uvmre.core.network.index import Fault
from uvmre.core.network.request import Request
from uvmre.core.outcome.matching import Outcome, Word, match
from uvmre.core.outcome.observation import Observation, StepResult
from uvmre.core.outcome.result import Result, Variant
from uvmre.core.outcome.verdict import verdict
from uvmre.core.search.bisect import Boundaries
from uvmre.core.search.bisect_half import Edge
from uvmre.core.search.bisect_result import History, Probe
from uvmre.core.search.release import Release
from uvmre.core.triage.decide import choose, decide, questions
from uvmre.core.triage.explain import as_data, as_lines
from uvmre.core.triage.hypothesis import Repair
from uvmre.core.triage.next_run import first_run, next_run
from uvmre.core.triage.parsed_issue import Claim, Command, Gap, Located, ParsedIssue, PostedFile
from uvmre.core.triage.state import Kind, Mistake, PlannedRun, TriageRun, TriageState

DAY = datetime.date(2024, 9, 6)
FAILURE = "error: the extension `ext` is given twice\n"
OTHER_FAILURE = "error: there is no such thing as that\n"
PYPI = Request("GET", "pypi.org", "/simple/a/", 200, False, "upstream", 0.1)
MRE = Mre(
    "t",
    Environment("0.4.6", exclude_newer=DAY),
    (Step("uv init"), Step("uv sync", "observe")),
    Symptom("failure", ("the extension `ext` is given twice",)),
)
SUCCEEDS = replace(MRE, symptom=Symptom(0, ("Resolved 2 packages, of which one twice",)))
CLAIM = Claim("failure", 1, 7, ("the extension `ext` is given twice",))
WEAK = replace(CLAIM, kind="output", unconfirmed=True)
PARSED = ParsedIssue("t", DAY, uv=Located("0.4.6", 3), commands=(Command("uv sync", 7),), claim=CLAIM)
FIXED = Control("fixed: twice", "absent", explains="it is given twice")
TWICE = Mistake("twice", "pyproject.toml:3", "The extension is listed twice", "fixed: twice")


def ran(
    kind: Kind,
    stderr: str = "",
    *,
    mre: Mre = MRE,
    exit: int | None = None,
    uv: str = "0.4.6",
    name: str = "",
    controls: dict[str, Word] | None = None,
    requests: tuple[Request, ...] = (PYPI,),
    setup: int = 0,
) -> TriageRun:
    """Return a run that printed this, and failed if it printed anything, unless an exit code is given."""
    code = (2 if stderr else 0) if exit is None else exit
    steps = [StepResult("uv init", "uv init", "setup", setup, "", "" if not setup else stderr, 0.1)]
    if not setup:
        steps.append(StepResult("uv sync", "uv sync", "observe", code, "", stderr, 0.1))
    observation = Observation(BASE, uv, "3.11.7", "local", "Linux", tuple(steps), requests)
    variants = [Variant(BASE, "", observation, match(mre.symptom, observation))]
    outcomes = {name: Outcome(word, f"{name} is {word}") for name, word in (controls or {}).items()}
    variants += [Variant(name, "absent", observation, outcome) for name, outcome in outcomes.items()]
    judged = verdict(mre, {BASE: variants[0].outcome, **outcomes})
    result = Result("t", "", "0.4.6", uv, "3.11.7", "local", "Linux", "auto", "", "", tuple(variants), judged)
    return TriageRun(PlannedRun(kind, mre, name=name), result, judged)


def history(first_good: str = "0.4.8", *, word: Any = "exact", unsound: bool = False) -> History:
    releases = tuple(Release(f"0.4.{n}", datetime.datetime(2024, 9, n, tzinfo=datetime.UTC)) for n in range(1, 10))
    place = {release.version: index for index, release in enumerate(releases)}
    good = place[first_good] if first_good else None
    up = Edge(word if first_good else "beyond", place["0.4.6"], good, (), 0, 1.0)
    down = Edge("exact", place["0.4.3"], place["0.4.2"], (), 0, 1.0)
    boundaries = Boundaries("good" if unsound else "bad", down, up, (), 5, True)
    probes = {place["0.4.6"]: Probe("shows", "so it is", 1, 1, 1.0, False)}
    return History(releases, place["0.4.6"], 0, 8, "", boundaries, probes, ())


def state_of(*runs: TriageRun, parsed: ParsedIssue = PARSED, mre: Mre | None = MRE, **more: Any) -> TriageState:
    return TriageState(parsed, mre, runs=runs, **more)


GAP = Gap(9, "the file requirements.in is not in the post", True, "What is in requirements.in?")
SMALL = Gap(9, "an ellipsis in pyproject.toml", False, "What stands there?")


@pytest.mark.parametrize(
    ("state", "word", "reason"),
    [
        pytest.param(state_of(ran("reported", FAILURE)), "reproducible", "exits with 2: “the extension", id="an error"),
        pytest.param(
            state_of(ran("reported", FAILURE), history=history()), "reproducible", "Fixed in uv 0.4.8", id="and fixed"
        ),
        pytest.param(
            state_of(ran("reported", FAILURE), history=history("")),
            "reproducible",
            "still shows it",
            id="and by design",
        ),
        pytest.param(
            state_of(ran("reported", FAILURE), ran("today")),
            "reproducible",
            "today's PyPI: absent",
            id="the cutoff date matters, and the reason says so",
        ),
        pytest.param(
            state_of(ran("reported", FAILURE, controls={"fixed: twice": "absent"}), mistakes=(TWICE,)),
            "explained",
            "The extension is listed twice. With that fixed",
            id="a known mistake, fixed",
        ),
        pytest.param(
            state_of(ran("reported", FAILURE, controls={"fixed: twice": "shows"}), mistakes=(TWICE,)),
            "reproducible",
            "uv 0.4.6 shows it",
            id="a known mistake that is not why",
        ),
        pytest.param(
            state_of(ran("reported", FAILURE, controls={"fixed: twice": "different"}), mistakes=(TWICE,)),
            "reproducible",
            "uv 0.4.6 shows it",
            id="with it fixed, it fails differently: no explanation",
        ),
        pytest.param(
            state_of(
                ran("reported", FAILURE, controls={"fixed: twice": "absent"}),
                parsed=replace(PARSED, gaps=(GAP,)),
                mistakes=(TWICE,),
            ),
            "explained",
            "With that fixed",
            id="what explains it needs no more",
        ),
        pytest.param(state_of(mre=None), "needs_more_information", "no command", id="nothing to run"),
        pytest.param(
            state_of(parsed=replace(PARSED, gaps=(GAP,))),
            "needs_more_information",
            "requirements.in",
            id="a blocking gap",
        ),
        pytest.param(
            state_of(ran("reported", FAILURE), parsed=replace(PARSED, gaps=(GAP,))),
            "needs_more_information",
            "requirements.in",
            id="a blocking gap, whatever the run shows",
        ),
        pytest.param(
            state_of(ran("reported", OTHER_FAILURE)),
            "needs_more_information",
            "not as reported: there is",
            id="fails differently",
        ),
        pytest.param(
            state_of(ran("reported", OTHER_FAILURE, setup=1)),
            "needs_more_information",
            "`uv init` fails",
            id="fails before",
        ),
        pytest.param(
            state_of(ran("reported", OTHER_FAILURE), parsed=replace(PARSED, platform=Located("Windows 11 x86_64", 5))),
            "inconclusive",
            "fails, but not as reported",
            id="fails differently on another platform",
        ),
        pytest.param(
            state_of(ran("reported", OTHER_FAILURE), stop_reason="the disk is full"),
            "needs_more_information",
            "",
            id="cut, too",
        ),
        pytest.param(state_of(stop_reason="PyPI is away"), "inconclusive", "PyPI is away", id="nothing could be run"),
        pytest.param(
            state_of(ran("reported")), "not_reproducible", "does not show it: `uv sync` succeeds", id="absent"
        ),
        pytest.param(
            state_of(ran("reported"), ran("varied", name="with `--no-dev`"), ran("latest", uv="0.9.0")),
            "not_reproducible",
            "uv 0.9.0 does not show it either (also tried: with `--no-dev`)",
            id="absent, and tried hard",
        ),
        pytest.param(
            state_of(ran("reported"), ran("varied", FAILURE, name="with `--no-dev`")),
            "needs_more_information",
            "shows it with `--no-dev`",
            id="shows only another way",
        ),
        pytest.param(
            state_of(ran("reported"), ran("today", FAILURE)),
            "inconclusive",
            "shows it with today's PyPI",
            id="absent on the day, shows today: PyPI has changed",
        ),
        pytest.param(
            state_of(ran("reported", OTHER_FAILURE), ran("today", FAILURE)),
            "reproducible",
            "with today's PyPI",
            id="the day cannot tell, today shows",
        ),
        pytest.param(
            state_of(ran("reported"), ran("latest", FAILURE, uv="0.9.0")),
            "inconclusive",
            "but uv 0.9.0 does",
            id="only newer",
        ),
        pytest.param(
            state_of(ran("reported"), parsed=replace(PARSED, platform=Located("macOS 14 arm64", 5))),
            "inconclusive",
            "reported on macOS",
            id="absent here, reported elsewhere",
        ),
        pytest.param(
            state_of(ran("reported"), parsed=replace(PARSED, platform=Located("Windows 11 with WSL2 Ubuntu", 5))),
            "inconclusive",
            "reported on Windows",
            id="where two platforms are named, it may be the other",
        ),
        pytest.param(
            state_of(ran("reported"), parsed=replace(PARSED, platform=Located("Ubuntu 22.04 aarch64", 5))),
            "not_reproducible",
            "does not show",
            id="another processor is no other platform",
        ),
        pytest.param(
            state_of(ran("reported"), parsed=replace(PARSED, stand_ins=("a stand-in index for corp.example",))),
            "inconclusive",
            "a stand-in index",
            id="absent with a stand-in",
        ),
        pytest.param(
            state_of(ran("reported"), missing=("Python 3.14 is not on this machine",)),
            "inconclusive",
            "Python 3.14",
            id="a missing interpreter",
        ),
        pytest.param(
            state_of(ran("reported"), parsed=replace(PARSED, gaps=(SMALL,), stand_ins=("a git repository",))),
            "needs_more_information",
            "weak evidence",
            id="absent with a stand-in, and there is something to ask",
        ),
        pytest.param(
            state_of(
                ran("reported"),
                parsed=replace(PARSED, files=(PostedFile("a/pyproject.toml", "", 3, "implied", inferred=True),)),
            ),
            "inconclusive",
            "does not show a/pyproject.toml",
            id="absent with a synthetic file",
        ),
        pytest.param(
            state_of(
                ran("reported"),
                parsed=replace(PARSED, files=(PostedFile("README.md", "", 3, "implied", inferred=True),)),
            ),
            "not_reproducible",
            "",
            id="absent, and only the README is synthetic",
        ),
        pytest.param(
            state_of(ran("reported"), parsed=replace(PARSED, claim=Claim("none", -1, 0))),
            "needs_more_information",
            "does not say how the failure shows",
            id="no symptom in the report",
        ),
        pytest.param(
            state_of(ran("reported"), stop_reason="the time was up"),
            "inconclusive",
            "the time was up",
            id="absent, hurried",
        ),
    ],
)
def test_verdict(state: TriageState, word: str, reason: str) -> None:
    found = decide(state)
    assert (found.word, reason in found.reason) == (word, True), found
    assert "\n" not in found.reason
    assert found.reason.endswith((".", "?"))


PRINTS_TWICE = "Resolved 2 packages, of which one twice\n"
PRINTS_ONCE = "Resolved 2 packages\n"
SHOWN = ran("reported", PRINTS_TWICE, mre=SUCCEEDS, exit=0)


@pytest.mark.parametrize(
    ("state", "word", "reason"),
    [
        pytest.param(
            state_of(SHOWN, ran("good", PRINTS_ONCE, mre=SUCCEEDS, exit=0, uv="0.4.8"), history=history()),
            "reproducible",
            "uv 0.4.8 behaves differently",
            id="a release fixes it",
        ),
        pytest.param(
            state_of(SHOWN, ran("latest", PRINTS_ONCE, mre=SUCCEEDS, exit=0, uv="0.9.0")),
            "reproducible",
            "uv 0.9.0 does not show it",
            id="the latest is without it",
        ),
        pytest.param(
            state_of(SHOWN, ran("latest", OTHER_FAILURE, mre=SUCCEEDS, uv="0.9.0")),
            "inconclusive",
            "on uv 0.9.0",
            id="the latest fails: that is no other behaviour",
        ),
        pytest.param(
            state_of(SHOWN, history=history("")),
            "inconclusive",
            "no release without the symptom is known",
            id="on every release",
        ),
        pytest.param(
            state_of(SHOWN, history=history(unsound=True)),
            "inconclusive",
            "no release without the symptom is known",
            id="not a second time",
        ),
        pytest.param(
            state_of(SHOWN, ran("latest", PRINTS_TWICE, mre=SUCCEEDS, exit=0, uv="0.9.0")),
            "inconclusive",
            "Weak evidence",
            id="the latest does the same",
        ),
        pytest.param(
            state_of(
                SHOWN,
                ran("good", PRINTS_ONCE, mre=SUCCEEDS, exit=0, uv="0.4.8"),
                parsed=replace(PARSED, claim=replace(WEAK, expected=("Resolved 2 packages",))),
                history=history(),
            ),
            "reproducible",
            "prints the expected output",
            id="and does what was expected",
        ),
        pytest.param(
            state_of(
                SHOWN,
                ran("good", "Resolved 7 packages\n", mre=SUCCEEDS, exit=0, uv="0.4.8"),
                parsed=replace(PARSED, claim=replace(WEAK, expected=("Resolved 2 packages",))),
                history=history(),
            ),
            "inconclusive",
            "not as the report expects",
            id="does neither",
        ),
        pytest.param(
            state_of(
                SHOWN,
                ran("good", OTHER_FAILURE, mre=SUCCEEDS, uv="0.4.8"),
                parsed=replace(PARSED, claim=replace(WEAK, expected=("there is no such thing",))),
                history=history(),
            ),
            "reproducible",
            "prints the expected output",
            id="and prints the expected error",
        ),
        pytest.param(
            state_of(SHOWN, stop_reason="the time was up"), "inconclusive", "the time was up", id="no time to compare"
        ),
    ],
)
def test_an_unconfirmed_claim(state: TriageState, word: str, reason: str) -> None:
    found = decide(state if state.parsed is not PARSED else replace(state, parsed=replace(PARSED, claim=WEAK)))
    assert (found.word, reason in found.reason) == (word, True), found


def test_a_symptom_that_a_control_shows_too_is_inconclusive() -> None:
    sound = replace(MRE, controls=(Control("works", "absent"),))
    assert decide(state_of(ran("reported", FAILURE, mre=sound, controls={"works": "absent"}))).word == "reproducible"
    found = decide(state_of(ran("reported", FAILURE, mre=sound, controls={"works": "shows"})))
    assert (found.word, "not sound" in found.reason) == ("inconclusive", True)


def test_an_error_with_a_stand_in_must_be_fixed_in_a_release() -> None:
    parsed = replace(PARSED, stand_ins=("a stand-in index for corp.example",))
    still = state_of(ran("reported", FAILURE), parsed=parsed, history=history(""))
    assert decide(still).word == "inconclusive"
    gone = state_of(ran("reported", FAILURE), ran("good", uv="0.4.8"), parsed=parsed, history=history())
    assert decide(gone).word == "reproducible"


def test_a_network_error_is_never_evidence() -> None:
    text = "error sending request for url (https://example.org/simple/)"
    there = replace(MRE, symptom=Symptom("failure", (text,)))
    state = state_of(
        ran("reported", f"error: {text}\n", mre=there), ran("good", mre=there, uv="0.4.8"), history=history()
    )
    assert decide(state).word == "inconclusive"


REFUSAL = "error: Connection refused (os error 111)\n"


@pytest.mark.parametrize(
    ("faults", "later", "word"),
    [
        pytest.param((Fault("https://pypi.org/*", refused=True),), "", "reproducible", id="a release does without"),
        pytest.param(
            (Fault("https://pypi.org/*", refused=True),), REFUSAL, "inconclusive", id="no release does without"
        ),
        pytest.param((Fault("https://pypi.org/*", refused=True),), FAILURE, "inconclusive", id="one fails differently"),
        pytest.param((Fault("https://pypi.org/*", status=500),), "", "inconclusive", id="a host that answers"),
        pytest.param((), "", "inconclusive", id="the network of the run"),
    ],
)
def test_a_deliberate_outage_is_evidence_if_a_release_works_without_the_host(
    faults: tuple[Fault, ...], later: str, word: str
) -> None:
    there = replace(MRE, symptom=Symptom("failure", ("Connection refused (os error 111)",)), faults=faults)
    parsed = replace(PARSED, claim=Claim("failure", 0, 1, there.symptom.output))
    runs = ran("reported", REFUSAL, mre=there), ran("good", later, mre=there, uv="0.4.8")
    assert decide(state_of(*runs, parsed=parsed, history=history())).word == word


def test_a_deliberate_outage_is_no_evidence_of_absence() -> None:
    parsed = replace(PARSED, stand_ins=("pypi.org is unreachable",))
    assert decide(state_of(ran("reported"), parsed=parsed)).word == "inconclusive"


def test_a_request_without_response_is_inconclusive() -> None:
    refused = Request("CONNECT", "corp.example", "", 403, False, "refused", 0.1, "it is not let through")
    found = decide(state_of(ran("reported", FAILURE, requests=(refused,))))
    assert (found.word, "corp.example" in found.reason) == ("inconclusive", True)


ABSENT, SHOWS = ran("reported"), ran("reported", FAILURE)
UNDATED = replace(MRE, environment=replace(MRE.environment, exclude_newer=None))


@pytest.mark.parametrize(
    ("state", "kinds"),
    [
        pytest.param(state_of(mre=None), [], id="nothing to run"),
        pytest.param(state_of(parsed=replace(PARSED, claim=Claim("none", -1, 0))), [], id="no symptom to look for"),
        pytest.param(
            state_of(parsed=replace(PARSED, gaps=(GAP,))),
            ["reported", "latest", "again", "today"],
            id="a blocking gap is a reason to doubt",
        ),
        pytest.param(state_of(), ["reported", "latest", "today"], id="it shows"),
        pytest.param(state_of(search=True), ["reported", "history", "today"], id="it shows, and since when"),
        pytest.param(
            state_of(search=True, parsed=replace(PARSED, claim=WEAK)),
            ["reported", "latest", "history", "good", "again", "today"],
            id="an unconfirmed claim is run on the first good release",
        ),
        pytest.param(state_of(mre=UNDATED), ["reported", "latest"], id="today as it is"),
    ],
)
def test_what_is_run_for_a_symptom_that_shows(state: TriageState, kinds: list[str]) -> None:
    assert kinds_of_runs(state, {"reported": FAILURE, "today": FAILURE, "good": "", "latest": ""}) == kinds


@pytest.mark.parametrize(
    ("state", "kinds"),
    [
        pytest.param(state_of(), ["reported", "today", "varied", "latest"], id="it does not show"),
        pytest.param(
            state_of(uv_stated=False, neighbours=("0.4.31",)),
            ["reported", "day", "today", "varied", "latest"],
            id="on a release that the report does not name",
        ),
        pytest.param(state_of(mre=UNDATED), ["reported", "varied", "latest"], id="today as it is"),
    ],
)
def test_what_is_run_before_a_verdict_of_not_reproducible(state: TriageState, kinds: list[str]) -> None:
    assert kinds_of_runs(state, {}) == kinds


@pytest.mark.parametrize(
    ("state", "kinds"),
    [
        pytest.param(state_of(uv_stated=False, neighbours=("0.4.31",)), ["reported", "day"], id="no release is named"),
        pytest.param(state_of(neighbours=("0.4.31",)), ["reported"], id="the report names its release"),
        pytest.param(state_of(uv_stated=False), ["reported"], id="no release followed"),
        pytest.param(
            state_of(
                uv_stated=False,
                neighbours=("0.4.31",),
                parsed=replace(PARSED, claim=replace(CLAIM, rule="quoted-error")),
            ),
            ["reported"],
            id="not what the command is said to print",
        ),
    ],
)
def test_the_first_release_after_a_report_that_names_none(state: TriageState, kinds: list[str]) -> None:
    while planned := first_run(state):
        state = replace(state, runs=(*state.runs, ran(planned.kind, "")))
    assert [each.kind for each in state.runs] == kinds
    shown = replace(state, runs=(ran("reported", FAILURE),))
    assert first_run(shown) is None


def test_a_difference_only_in_the_version_of_uv_is_no_fix() -> None:
    numbered = replace(MRE, symptom=Symptom(0, ('requires = ["uv_build>=0.4.6"]',)))
    first = ran("reported", 'requires = ["uv_build>=0.4.6"]', mre=numbered, exit=0)
    second = ran("good", 'requires = ["uv_build>=0.4.8"]', mre=numbered, exit=0, uv="0.4.8")
    parsed = replace(PARSED, claim=WEAK)
    assert decide(state_of(first, second, parsed=parsed, history=history())).word == "inconclusive"
    gone = ran("good", "requires = []", mre=numbered, exit=0, uv="0.4.8")
    assert decide(state_of(first, gone, parsed=parsed, history=history())).word == "reproducible"


@pytest.mark.parametrize("kind", ["failure", "silence"])
def test_a_failure_without_output_needs_a_control_that_works(kind: Any) -> None:
    parsed = replace(PARSED, claim=Claim(kind, 1, 7, unconfirmed=True))
    state = state_of(ran("reported", FAILURE), ran("good", uv="0.4.8"), parsed=parsed, history=history())
    assert decide(state).word == "inconclusive"
    sound = replace(MRE, controls=(Control("works", "absent"),))
    state = replace(state, runs=(ran("reported", FAILURE, mre=sound, controls={"works": "absent"}), state.runs[1]))
    assert decide(state).word == "reproducible"


LACKS = replace(MRE, symptom=Symptom("success", absent=("a line of its own",)))


@pytest.mark.parametrize(
    ("later", "exit", "word"),
    [
        ("a line of its own\n", 0, "reproducible"),
        ("another line\n", 0, "inconclusive"),
        (OTHER_FAILURE, 2, "inconclusive"),
    ],
)
def test_something_missing_needs_a_release_that_has_it(later: str, exit: int, word: str) -> None:
    mre = replace(LACKS, expected=Symptom("success", ("a line of its own",)))
    claim = Claim("output", 1, 7, absent=("a line of its own",), expected=("a line of its own",), unconfirmed=True)
    runs = ran("reported", "x\n", mre=mre, exit=0), ran("good", later, mre=mre, exit=exit, uv="0.4.8")
    good = runs[1]
    base = match(mre.symptom, good.result.base.observation, mre.expected)
    variants = (replace(good.result.base, outcome=base), *good.result.variants[1:])
    good = replace(good, result=replace(good.result, variants=variants))
    assert decide(state_of(runs[0], good, parsed=replace(PARSED, claim=claim), mre=mre)).word == word


def test_something_missing_that_no_run_shows_is_no_proof_of_the_contrary() -> None:
    claim = Claim("output", 1, 7, absent=("a line of its own",), unconfirmed=True, rule="missing-output")
    first = ran("reported", "a line of its own\n", mre=LACKS, exit=0)
    state = state_of(first, replace(first, planned=replace(first.planned, kind="latest")), mre=LACKS)
    assert decide(replace(state, parsed=replace(PARSED, claim=claim))).word == "inconclusive"


@pytest.mark.parametrize(
    ("about", "word"),
    [
        (("uv ignores that an extension is given twice",), "inconclusive"),
        (("uv ignores unknown specifiers of groups",), "reproducible"),
        (("uv ignores `specifiers` of `groups`",), "reproducible"),
        (("uv ignores `specifiers`",), "inconclusive"),
        ((), "inconclusive"),
    ],
)
def test_silence_is_proven_by_a_release_that_reports_the_same(about: tuple[str, ...], word: str) -> None:
    silent = replace(MRE, symptom=Symptom(0))
    parsed = replace(PARSED, claim=Claim("silence", 1, 7, about=about, unconfirmed=True))
    error = "error: the table has unknown specifiers of groups\n"
    runs = ran("reported", mre=silent), ran("good", error, mre=silent, uv="0.4.8"), ran("again", mre=silent)
    assert decide(state_of(*runs, parsed=parsed, mre=silent, history=history())).word == word
    known = ran("reported", error, mre=silent, exit=0)
    assert decide(state_of(known, *runs[1:], parsed=parsed, mre=silent, history=history())).word != "reproducible"


def test_if_the_reports_date_is_inconclusive_today_is_run_and_nothing_varied() -> None:
    assert kinds_of_runs(state_of(), {"reported": OTHER_FAILURE, "today": OTHER_FAILURE}) == ["reported", "today"]


def kinds_of_runs(state: TriageState, outputs: dict[str, str]) -> list[str]:
    """Do all runs that are needed, each with its output, and return their kinds."""
    kinds: list[str] = []
    while planned := next_run(state):
        kinds.append(planned.kind)
        assert len(kinds) < 20
        if planned.kind == "history":
            state = replace(state, history=history())
        else:
            run = replace(ran(planned.kind, outputs.get(planned.kind, ""), mre=planned.mre), planned=planned)
            state = replace(state, runs=(*state.runs, run))
    return list(dict.fromkeys(kinds))


def test_the_questions_of_blocking_gaps_come_first() -> None:
    state = state_of(parsed=replace(PARSED, gaps=(SMALL, GAP)))
    assert questions(state) == ("What is in requirements.in?", "What stands there?")


def test_without_a_gap_the_question_is_what_is_missing() -> None:
    (question,) = questions(state_of(ran("reported", OTHER_FAILURE)))
    assert "uv 0.4.6" in question
    assert questions(state_of(ran("reported"))) == ()


WORDS = st.sampled_from(["", FAILURE, OTHER_FAILURE])


@given(
    st.lists(st.tuples(st.sampled_from(["reported", "day", "today", "good", "latest", "varied"]), WORDS), max_size=6),
    st.booleans(),
    st.sampled_from([None, "", "0.4.8"]),
)
def test_never_reproducible_without_the_symptom_on_the_reported_release(
    runs: list[tuple[Kind, str]], weak: bool, fixed: str | None
) -> None:
    parsed = replace(PARSED, claim=replace(CLAIM, unconfirmed=weak))
    found = history(fixed) if fixed is not None else None
    state = state_of(*(ran(kind, output) for kind, output in runs), parsed=parsed, history=found)
    if decide(state).word == "reproducible":
        assert any(kind in ("reported", "day", "today") and output == FAILURE for kind, output in runs)
        assert not weak or any(kind in ("good", "latest") and output == "" for kind, output in runs)


def test_directories_are_varied_only_in_a_workspace() -> None:
    folder = replace(MRE, files=(File("pyproject.toml", b"[tool.uv.workspace]\n"), File("a/pyproject.toml", b"")))
    assert "varied" in kinds_of_runs(state_of(mre=folder), {})


OTHER = replace(CLAIM, rule="loose-error")
PLACED = replace(CLAIM, output=("No such file or directory (os error 2) at setup",))
HEADLINE = replace(CLAIM, output=("Failed to parse the file",))
NEUTRAL, INVENTED, CHANGED = (
    Repair("a-rule", kind, "the output", f"did {number}")
    for number, kind in enumerate(("neutral", "inventing", "altering"))
)


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        pytest.param({}, "not_reproducible", id="all was as the report has it"),
        pytest.param({"parsed": replace(PARSED, claim=OTHER)}, "inconclusive", id="another output than the command's"),
        pytest.param({"parsed": replace(PARSED, claim=PLACED)}, "inconclusive", id="an error of the surroundings"),
        pytest.param({"repairs": (NEUTRAL,)}, "inconclusive", id="a repair"),
        pytest.param(
            {"parsed": replace(PARSED, files=(PostedFile("a.txt", "a", 1, ""), PostedFile("a.txt", "b", 2, "")))},
            "inconclusive",
            id="two versions of a file",
        ),
    ],
)
def test_a_no_is_as_careful_as_a_yes(changes: dict[str, Any], word: str) -> None:
    assert decide(replace(state_of(ran("reported")), **changes)).word == word


@pytest.mark.parametrize(
    ("repairs", "alone", "two_sided"),
    [
        pytest.param((), "reproducible", "reproducible", id="none"),
        pytest.param((NEUTRAL, NEUTRAL), "reproducible", "reproducible", id="what any project has"),
        pytest.param((INVENTED,), "inconclusive", "reproducible", id="one invention"),
        pytest.param((INVENTED,) * 3, "inconclusive", "inconclusive", id="three inventions"),
        pytest.param((CHANGED,), "inconclusive", "inconclusive", id="a change of what is posted"),
    ],
)
def test_the_more_was_repaired_the_less_it_proves(repairs: Any, alone: str, two_sided: str) -> None:
    shows = state_of(ran("reported", FAILURE), repairs=repairs)
    assert decide(shows).word == alone
    compared = replace(shows, runs=(*shows.runs, ran("neighbour", uv="0.4.7"), ran("again", FAILURE)))
    assert decide(compared).word == two_sided


@pytest.mark.parametrize(
    ("found", "word"), [(history(""), "inconclusive"), (history(), "reproducible"), (None, "reproducible")]
)
def test_another_output_of_the_latest_release_needs_the_release_in_which_it_changed(
    found: History | None, word: str
) -> None:
    runs = (ran("reported", FAILURE), ran("latest", uv="0.4.9"), ran("again", FAILURE))
    assert decide(state_of(*runs, history=found, parsed=replace(PARSED, claim=WEAK))).word == word


def test_what_shows_only_once_is_not_reproducible_every_time() -> None:
    runs = (ran("reported", FAILURE), ran("latest", uv="0.4.9"))
    parsed = replace(PARSED, claim=WEAK)
    assert decide(state_of(*runs, ran("again", FAILURE), parsed=parsed)).word == "reproducible"
    assert "not show every time" in decide(state_of(*runs, ran("again"), parsed=parsed)).reason


@pytest.mark.parametrize(("rule", "word"), [("failing-output", "reproducible"), ("quoted-error", "inconclusive")])
def test_a_headline_proves_nothing_of_another_command(rule: str, word: str) -> None:
    headline = replace(MRE, symptom=Symptom("failure", ("Failed to parse the file",)))
    runs = (ran("reported", "error: Failed to parse the file\n", mre=headline), ran("latest", uv="0.4.9", mre=headline))
    assert decide(state_of(*runs, parsed=replace(PARSED, claim=replace(HEADLINE, rule=rule)))).word == word


def test_the_answer_is_the_first_attempt_that_is_proven() -> None:
    weak = state_of(ran("reported", FAILURE), repairs=(CHANGED,))
    absent, proven = state_of(ran("reported")), state_of(ran("reported", FAILURE))
    assert choose([absent, weak, proven]) is proven
    assert choose([absent, weak]) is weak
    assert choose([absent, absent]) is absent


def test_the_neighbours_of_the_reported_release_are_run_until_one_differs() -> None:
    weak = replace(PARSED, claim=WEAK)
    state = state_of(search=False, parsed=weak, neighbours=("0.4.7", "0.4.8"))
    shown = {"reported": FAILURE, "latest": FAILURE, "today": FAILURE, "again": FAILURE}
    assert kinds_of_runs(state, {**shown, "neighbour": FAILURE}) == ["reported", "latest", "neighbour", "today"]
    found = ["reported", "latest", "neighbour", "again", "today"]
    assert kinds_of_runs(state, {**shown, "neighbour": ""}) == found
    # A latest release that fails for another reason is no answer.
    assert kinds_of_runs(state, {**shown, "latest": OTHER_FAILURE, "neighbour": ""}) == found


def test_an_explanation_names_rules_repairs_and_runs() -> None:
    parsed = replace(PARSED, claim=replace(CLAIM, rule="failing-output", command=0))
    attempts = [
        state_of(ran("reported", OTHER_FAILURE), parsed=parsed, number=1),
        state_of(ran("reported", FAILURE), repairs=(NEUTRAL,)),
    ]
    lines = "\n".join(as_lines(attempts))
    for text in ("hypothesis 1: failure (line 7, rule `failing-output`): `uv sync`", "did 0 (rule `a-rule`, neutral)"):
        assert text in lines
    assert [each["verdict"] for each in as_data(attempts)] == ["needs_more_information", "reproducible"]


@pytest.mark.parametrize(
    ("line", "word"), [("+ six==1.16.0", "inconclusive"), ("+ six==1.16.0 (twice)", "reproducible")]
)
def test_that_a_package_was_installed_proves_nothing(line: str, word: str) -> None:
    installs = replace(MRE, symptom=Symptom(output=(line,)))
    parsed = replace(PARSED, claim=Claim("output", 1, 7, (line,), unconfirmed=True))
    runs = ran("reported", line, mre=installs, exit=0), ran("latest", mre=installs, uv="0.4.9")
    assert decide(state_of(*runs, parsed=parsed)).word == word


@pytest.mark.parametrize(
    ("text", "is_environment"),
    [
        ("Querying Python at `…` failed with status exit status: 2", True),
        ("program not found", True),
        ("No Python default installation found in virtual environments", True),
        ("the program is not the one that was found", False),
    ],
)
def test_an_error_of_the_reporters_machine_is_no_reason_for_a_no(text: str, is_environment: bool) -> None:
    claim = replace(CLAIM, output=(text,), rule="failing-output")
    verdict = decide(state_of(ran("reported", ""), ran("latest", "", uv="0.13.9"), parsed=replace(PARSED, claim=claim)))
    assert verdict.word == ("inconclusive" if is_environment else "not_reproducible")
