"""What has to be run for an issue, and what its text and its runs say together: every verdict, and every trap."""

import datetime
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from uvmre.core.mre.files import File
from uvmre.core.mre.model import BASE, Control, Environment, Mre, Step, Symptom
from uvmre.core.network.index import Fault
from uvmre.core.network.request import Request
from uvmre.core.outcome.observation import Observation, StepResult
from uvmre.core.outcome.result import Result, Variant
from uvmre.core.outcome.symptom import Outcome, Word, match
from uvmre.core.outcome.verdict import verdict
from uvmre.core.search.bisect import Boundaries
from uvmre.core.search.bisect_half import Edge
from uvmre.core.search.bisect_result import History, Probe
from uvmre.core.search.release import Release
from uvmre.core.triage.decide import decide, questions
from uvmre.core.triage.next_run import next_run
from uvmre.core.triage.parsed_issue import Claim, Command, Gap, Located, ParsedIssue, PostedFile
from uvmre.core.triage.state import Kind, Mistake, PlannedRun, TriageRun, TriageState

DAY = datetime.date(2024, 9, 6)
BROKE = "error: the extension `ext` is given twice\n"
ELSE = "error: there is no such thing as that\n"
PYPI = Request("GET", "pypi.org", "/simple/a/", 200, False, "upstream", 0.1)
MRE = Mre(
    "t",
    Environment("0.4.6", exclude_newer=DAY),
    (Step("uv init"), Step("uv sync", "observe")),
    Symptom("failure", ("the extension `ext` is given twice",)),
)
SILENT = replace(MRE, symptom=Symptom(0, ("Resolved 2 packages, of which one twice",)))
CLAIM = Claim("failure", 1, 7, ("the extension `ext` is given twice",))
WEAK = replace(CLAIM, kind="output", unconfirmed=True)
DRAFT = ParsedIssue("t", DAY, uv=Located("0.4.6", 3), commands=(Command("uv sync", 7),), claim=CLAIM)
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
    """Return a trial that ended so: failed where it said something, unless an exit code is given."""
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


def case(*trials: TriageRun, parsed: ParsedIssue = DRAFT, mre: Mre | None = MRE, **more: Any) -> TriageState:
    return TriageState(parsed, mre, runs=trials, **more)


GAP = Gap(9, "the file requirements.in is not in the post", True, "What is in requirements.in?")
SMALL = Gap(9, "an ellipsis in pyproject.toml", False, "What stands there?")


@pytest.mark.parametrize(
    ("told", "word", "said"),
    [
        pytest.param(case(ran("reported", BROKE)), "reproducible", "ends with 2, “error: the extension", id="an error"),
        pytest.param(
            case(ran("reported", BROKE), history=history()), "reproducible", "Since uv 0.4.8 no more", id="and fixed"
        ),
        pytest.param(
            case(ran("reported", BROKE), history=history("")), "reproducible", "shows it still", id="and by design"
        ),
        pytest.param(
            case(ran("reported", BROKE), ran("today")),
            "reproducible",
            "with that of today: absent",
            id="the calendar matters, and is told",
        ),
        pytest.param(
            case(ran("reported", BROKE, controls={"fixed: twice": "absent"}), mistakes=(TWICE,)),
            "explained",
            "The extension is listed twice. With that fixed",
            id="a known mistake, fixed",
        ),
        pytest.param(
            case(ran("reported", BROKE, controls={"fixed: twice": "shows"}), mistakes=(TWICE,)),
            "reproducible",
            "uv 0.4.6 shows it",
            id="a known mistake that is not why",
        ),
        pytest.param(
            case(ran("reported", BROKE, controls={"fixed: twice": "different"}), mistakes=(TWICE,)),
            "reproducible",
            "uv 0.4.6 shows it",
            id="fixed it fails otherwise: that explains nothing",
        ),
        pytest.param(
            case(
                ran("reported", BROKE, controls={"fixed: twice": "absent"}),
                parsed=replace(DRAFT, gaps=(GAP,)),
                mistakes=(TWICE,),
            ),
            "explained",
            "With that fixed",
            id="what explains it needs no more",
        ),
        pytest.param(case(mre=None), "needs_more_information", "no command", id="nothing to run"),
        pytest.param(
            case(parsed=replace(DRAFT, gaps=(GAP,))),
            "needs_more_information",
            "requirements.in",
            id="a gap that decides",
        ),
        pytest.param(
            case(ran("reported", BROKE), parsed=replace(DRAFT, gaps=(GAP,))),
            "needs_more_information",
            "requirements.in",
            id="a gap that decides, whatever was seen",
        ),
        pytest.param(
            case(ran("reported", ELSE)),
            "needs_more_information",
            "not as reported: error: there is",
            id="fails otherwise",
        ),
        pytest.param(
            case(ran("reported", ELSE, setup=1)), "needs_more_information", "`uv init` fails", id="fails before"
        ),
        pytest.param(
            case(ran("reported", ELSE), parsed=replace(DRAFT, platform=Located("Windows 11 x86_64", 5))),
            "inconclusive",
            "fails, but not as reported",
            id="fails otherwise on another platform",
        ),
        pytest.param(
            case(ran("reported", ELSE), stop_reason="the disk is full"), "needs_more_information", "", id="cut, too"
        ),
        pytest.param(case(stop_reason="PyPI is away"), "inconclusive", "PyPI is away", id="nothing could be run"),
        pytest.param(case(ran("reported")), "not_reproducible", "does not show it: `uv sync` succeeded", id="absent"),
        pytest.param(
            case(ran("reported"), ran("varied", name="with `--no-dev`"), ran("latest", uv="0.9.0")),
            "not_reproducible",
            "nor does uv 0.9.0 (tried too: with `--no-dev`)",
            id="absent, and tried hard",
        ),
        pytest.param(
            case(ran("reported"), ran("varied", BROKE, name="with `--no-dev`")),
            "needs_more_information",
            "it does with `--no-dev`",
            id="shows only another way",
        ),
        pytest.param(
            case(ran("reported"), ran("today", BROKE)),
            "inconclusive",
            "shows it with that of today",
            id="absent on the day, shows today: PyPI has changed",
        ),
        pytest.param(
            case(ran("reported", ELSE), ran("today", BROKE)),
            "reproducible",
            "with PyPI as it is today",
            id="the day cannot tell, today shows",
        ),
        pytest.param(
            case(ran("reported"), ran("latest", BROKE, uv="0.9.0")),
            "inconclusive",
            "but uv 0.9.0 does",
            id="only newer",
        ),
        pytest.param(
            case(ran("reported"), parsed=replace(DRAFT, platform=Located("macOS 14 arm64", 5))),
            "inconclusive",
            "reported on macOS",
            id="absent here, reported elsewhere",
        ),
        pytest.param(
            case(ran("reported"), parsed=replace(DRAFT, platform=Located("Windows 11 with WSL2 Ubuntu", 5))),
            "inconclusive",
            "reported on Windows",
            id="where two platforms are named, it may be the other",
        ),
        pytest.param(
            case(ran("reported"), parsed=replace(DRAFT, platform=Located("Ubuntu 22.04 aarch64", 5))),
            "not_reproducible",
            "does not show",
            id="another processor is no other platform",
        ),
        pytest.param(
            case(ran("reported"), parsed=replace(DRAFT, stand_ins=("a made-up index for corp.example",))),
            "inconclusive",
            "a made-up index",
            id="absent with a stand-in",
        ),
        pytest.param(
            case(ran("reported"), missing=("Python 3.14 is not on this machine",)),
            "inconclusive",
            "Python 3.14",
            id="lacks",
        ),
        pytest.param(
            case(ran("reported"), parsed=replace(DRAFT, gaps=(SMALL,), stand_ins=("a git repository",))),
            "needs_more_information",
            "no proof",
            id="absent with a stand-in, and there is something to ask",
        ),
        pytest.param(
            case(
                ran("reported"),
                parsed=replace(DRAFT, files=(PostedFile("a/pyproject.toml", "", 3, "implied", inferred=True),)),
            ),
            "inconclusive",
            "does not show a/pyproject.toml",
            id="absent with a file that is made up",
        ),
        pytest.param(
            case(
                ran("reported"),
                parsed=replace(DRAFT, files=(PostedFile("README.md", "", 3, "implied", inferred=True),)),
            ),
            "not_reproducible",
            "",
            id="absent, and only a README is made up",
        ),
        pytest.param(
            case(ran("reported"), parsed=replace(DRAFT, claim=Claim("none", -1, 0))),
            "needs_more_information",
            "does not say what is seen",
            id="nobody said what to look for",
        ),
        pytest.param(
            case(ran("reported"), stop_reason="the time was up"),
            "inconclusive",
            "the time was up",
            id="absent, hurried",
        ),
    ],
)
def test_the_verdict(told: TriageState, word: str, said: str) -> None:
    found = decide(told)
    assert (found.word, said in found.reason) == (word, True), found
    assert "\n" not in found.reason
    assert found.reason.endswith((".", "?"))


SAYS = "Resolved 2 packages, of which one twice\n"
FINE = "Resolved 2 packages\n"
SHOWN = ran("reported", SAYS, mre=SILENT, exit=0)


@pytest.mark.parametrize(
    ("told", "word", "said"),
    [
        pytest.param(
            case(SHOWN, ran("good", FINE, mre=SILENT, exit=0, uv="0.4.8"), history=history()),
            "reproducible",
            "uv 0.4.8 does it otherwise",
            id="a release fixes it",
        ),
        pytest.param(
            case(SHOWN, ran("latest", FINE, mre=SILENT, exit=0, uv="0.9.0")),
            "reproducible",
            "uv 0.9.0 does not show it any more",
            id="the latest is without it",
        ),
        pytest.param(
            case(SHOWN, ran("latest", ELSE, mre=SILENT, uv="0.9.0")),
            "inconclusive",
            "on uv 0.9.0",
            id="the latest fails: that is no other behaviour",
        ),
        pytest.param(case(SHOWN, history=history("")), "inconclusive", "no release is known", id="on every release"),
        pytest.param(
            case(SHOWN, history=history(unsound=True)), "inconclusive", "no release is known", id="not a second time"
        ),
        pytest.param(
            case(SHOWN, ran("latest", SAYS, mre=SILENT, exit=0, uv="0.9.0")),
            "inconclusive",
            "By itself that proves nothing",
            id="the latest does the same",
        ),
        pytest.param(
            case(
                SHOWN,
                ran("good", FINE, mre=SILENT, exit=0, uv="0.4.8"),
                parsed=replace(DRAFT, claim=replace(WEAK, expected=("Resolved 2 packages",))),
                history=history(),
            ),
            "reproducible",
            "says what was expected",
            id="and does what was wanted",
        ),
        pytest.param(
            case(
                SHOWN,
                ran("good", "Resolved 7 packages\n", mre=SILENT, exit=0, uv="0.4.8"),
                parsed=replace(DRAFT, claim=replace(WEAK, expected=("Resolved 2 packages",))),
                history=history(),
            ),
            "inconclusive",
            "not as the post expects",
            id="does neither",
        ),
        pytest.param(
            case(
                SHOWN,
                ran("good", ELSE, mre=SILENT, uv="0.4.8"),
                parsed=replace(DRAFT, claim=replace(WEAK, expected=("there is no such thing",))),
                history=history(),
            ),
            "reproducible",
            "says what was expected",
            id="and says the error that was wanted",
        ),
        pytest.param(
            case(SHOWN, stop_reason="the time was up"), "inconclusive", "the time was up", id="no time to compare"
        ),
    ],
)
def test_a_claim_that_proves_nothing_by_itself(told: TriageState, word: str, said: str) -> None:
    found = decide(told if told.parsed is not DRAFT else replace(told, parsed=replace(DRAFT, claim=WEAK)))
    assert (found.word, said in found.reason) == (word, True), found


def test_a_symptom_that_a_control_shows_too_is_no_proof() -> None:
    sound = replace(MRE, controls=(Control("works", "absent"),))
    assert decide(case(ran("reported", BROKE, mre=sound, controls={"works": "absent"}))).word == "reproducible"
    found = decide(case(ran("reported", BROKE, mre=sound, controls={"works": "shows"})))
    assert (found.word, "not sound" in found.reason) == ("inconclusive", True)


def test_an_error_beside_a_stand_in_has_to_be_mended_somewhere() -> None:
    parsed = replace(DRAFT, stand_ins=("a made-up index for corp.example",))
    still = case(ran("reported", BROKE), parsed=parsed, history=history(""))
    assert decide(still).word == "inconclusive"
    gone = case(ran("reported", BROKE), ran("good", uv="0.4.8"), parsed=parsed, history=history())
    assert decide(gone).word == "reproducible"


def test_an_error_of_the_network_is_never_a_proof() -> None:
    text = "error sending request for url (https://example.org/simple/)"
    there = replace(MRE, symptom=Symptom("failure", (text,)))
    told = case(ran("reported", f"error: {text}\n", mre=there), ran("good", mre=there, uv="0.4.8"), history=history())
    assert decide(told).word == "inconclusive"


REFUSAL = "error: Connection refused (os error 111)\n"


@pytest.mark.parametrize(
    ("faults", "later", "word"),
    [
        pytest.param((Fault("https://pypi.org/*", refused=True),), "", "reproducible", id="a release does without"),
        pytest.param(
            (Fault("https://pypi.org/*", refused=True),), REFUSAL, "inconclusive", id="no release does without"
        ),
        pytest.param((Fault("https://pypi.org/*", refused=True),), BROKE, "inconclusive", id="one fails otherwise"),
        pytest.param((Fault("https://pypi.org/*", status=500),), "", "inconclusive", id="a host that answers"),
        pytest.param((), "", "inconclusive", id="the network of the run"),
    ],
)
def test_a_host_that_failed_on_purpose_is_a_proof_where_a_release_does_without_it(
    faults: tuple[Fault, ...], later: str, word: str
) -> None:
    there = replace(MRE, symptom=Symptom("failure", ("Connection refused (os error 111)",)), faults=faults)
    parsed = replace(DRAFT, claim=Claim("failure", 0, 1, there.symptom.output))
    trials = ran("reported", REFUSAL, mre=there), ran("good", later, mre=there, uv="0.4.8")
    assert decide(case(*trials, parsed=parsed, history=history())).word == word


def test_a_host_that_failed_on_purpose_proves_no_absence() -> None:
    parsed = replace(DRAFT, stand_ins=("pypi.org is kept out of reach",))
    assert decide(case(ran("reported"), parsed=parsed)).word == "inconclusive"


def test_what_nobody_answered_tells_nothing() -> None:
    refused = Request("CONNECT", "corp.example", "", 403, False, "refused", 0.1, "it is not let through")
    found = decide(case(ran("reported", BROKE, requests=(refused,))))
    assert (found.word, "corp.example" in found.reason) == ("inconclusive", True)


ABSENT, SHOWS = ran("reported"), ran("reported", BROKE)
UNDATED = replace(MRE, environment=replace(MRE.environment, exclude_newer=None))


@pytest.mark.parametrize(
    ("told", "kinds"),
    [
        pytest.param(case(mre=None), [], id="nothing to run"),
        pytest.param(case(parsed=replace(DRAFT, gaps=(GAP,))), [], id="a gap that decides"),
        pytest.param(
            case(parsed=replace(DRAFT, gaps=(GAP,)), mistakes=(TWICE,)),
            ["reported", "latest", "today"],
            id="a gap that decides, and a mistake that can be fixed",
        ),
        pytest.param(case(), ["reported", "latest", "today"], id="it shows"),
        pytest.param(case(search=True), ["reported", "history", "today"], id="it shows, and since when"),
        pytest.param(
            case(search=True, parsed=replace(DRAFT, claim=WEAK)),
            ["reported", "history", "good", "today"],
            id="a weak claim is looked at where it is fixed",
        ),
        pytest.param(case(mre=UNDATED), ["reported", "latest"], id="today as it is"),
    ],
)
def test_what_is_run_for_a_symptom_that_shows(told: TriageState, kinds: list[str]) -> None:
    assert played(told, {"reported": BROKE, "today": BROKE, "good": "", "latest": ""}) == kinds


@pytest.mark.parametrize(
    ("told", "kinds"),
    [
        pytest.param(case(), ["reported", "today", "varied", "latest"], id="it does not show"),
        pytest.param(
            case(uv_stated=False), ["reported", "day", "today", "varied", "latest"], id="on a release nobody named"
        ),
        pytest.param(case(mre=UNDATED), ["reported", "varied", "latest"], id="today as it is"),
    ],
)
def test_what_is_run_before_it_is_said_not_to_show(told: TriageState, kinds: list[str]) -> None:
    assert played(told, {}) == kinds


def test_what_differs_only_in_the_version_of_uv_is_not_mended() -> None:
    numbered = replace(MRE, symptom=Symptom(0, ('requires = ["uv_build>=0.4.6"]',)))
    first = ran("reported", 'requires = ["uv_build>=0.4.6"]', mre=numbered, exit=0)
    second = ran("good", 'requires = ["uv_build>=0.4.8"]', mre=numbered, exit=0, uv="0.4.8")
    parsed = replace(DRAFT, claim=WEAK)
    assert decide(case(first, second, parsed=parsed, history=history())).word == "inconclusive"
    gone = ran("good", "requires = []", mre=numbered, exit=0, uv="0.4.8")
    assert decide(case(first, gone, parsed=parsed, history=history())).word == "reproducible"


@pytest.mark.parametrize("kind", ["failure", "silence"])
def test_of_a_command_that_only_fails_something_like_it_must_work(kind: Any) -> None:
    parsed = replace(DRAFT, claim=Claim(kind, 1, 7, unconfirmed=True))
    told = case(ran("reported", BROKE), ran("good", uv="0.4.8"), parsed=parsed, history=history())
    assert decide(told).word == "inconclusive"
    sound = replace(MRE, controls=(Control("works", "absent"),))
    told = replace(told, runs=(ran("reported", BROKE, mre=sound, controls={"works": "absent"}), told.runs[1]))
    assert decide(told).word == "reproducible"


def test_where_the_day_cannot_tell_today_is_asked_and_nothing_is_varied() -> None:
    assert played(case(), {"reported": ELSE, "today": ELSE}) == ["reported", "today"]


def played(told: TriageState, said: dict[str, str]) -> list[str]:
    """Run all that is needed, each with what it says, and return why each was run."""
    kinds: list[str] = []
    while planned := next_run(told):
        kinds.append(planned.kind)
        assert len(kinds) < 20
        if planned.kind == "history":
            told = replace(told, history=history())
        else:
            run = replace(ran(planned.kind, said.get(planned.kind, ""), mre=planned.mre), planned=planned)
            told = replace(told, runs=(*told.runs, run))
    return list(dict.fromkeys(kinds))


def test_the_questions_are_those_of_the_gaps_the_deciding_first() -> None:
    told = case(parsed=replace(DRAFT, gaps=(SMALL, GAP)))
    assert questions(told) == ("What is in requirements.in?", "What stands there?")


def test_where_nothing_is_known_to_ask_for_what_is_missing_is_asked_for() -> None:
    (question,) = questions(case(ran("reported", ELSE)))
    assert "uv 0.4.6" in question
    assert questions(case(ran("reported"))) == ()


WORDS = st.sampled_from(["", BROKE, ELSE])


@given(
    st.lists(st.tuples(st.sampled_from(["reported", "day", "today", "good", "latest", "varied"]), WORDS), max_size=6),
    st.booleans(),
    st.sampled_from([None, "", "0.4.8"]),
)
def test_no_yes_without_the_symptom_on_the_reported_release(
    trials: list[tuple[Kind, str]], weak: bool, fixed: str | None
) -> None:
    parsed = replace(DRAFT, claim=replace(CLAIM, unconfirmed=weak))
    found = history(fixed) if fixed is not None else None
    told = case(*(ran(kind, said) for kind, said in trials), parsed=parsed, history=found)
    if decide(told).word == "reproducible":
        assert any(kind in ("reported", "day", "today") and said == BROKE for kind, said in trials)
        assert not weak or any(kind in ("good", "latest") and said == "" for kind, said in trials)


def test_files_are_varied_only_in_a_workspace() -> None:
    folder = replace(MRE, files=(File("pyproject.toml", b"[tool.uv.workspace]\n"), File("a/pyproject.toml", b"")))
    assert "varied" in played(case(mre=folder), {})
