"""A result through JSON and back, and the digest of an MRE."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from uvmre.core.mre.files import File
from uvmre.core.mre.model import BASE, Control, Environment, Mre, Step
from uvmre.core.mre.symptom import FileSymptom, Symptom
from uvmre.core.network.request import Network, Request
from uvmre.core.outcome.matching import Outcome
from uvmre.core.outcome.observation import FileState, Observation, StepResult
from uvmre.core.outcome.result import Result, Variant, digest, from_data, to_data
from uvmre.core.outcome.verdict import Verdict

RESULT = Result(
    title="t",
    issue="https://github.com/astral-sh/uv/issues/1",
    reported_uv="0.5.21",
    uv="0.5.22",
    python="3.11.7",
    backend="local",
    platform="Linux 6.1 x86_64",
    network="auto",
    started="2025-01-23T12:00:00+00:00",
    digest="d1",
    variants=(
        Variant(
            BASE,
            "",
            Observation(
                BASE,
                "0.5.22",
                "3.11.7",
                "local",
                "Linux 6.1 x86_64",
                (StepResult("sync", "uv sync", "observe", 2, "out", "err ×", 1.25, False, True),),
                (Request("GET", "pypi.org", "/simple/a/", 401, True, "stand-in", 0.5),),
                (FileState("uv.lock", exists=False), FileState("a", True, "text", "b", True)),
            ),
            Outcome("shows", "so it is"),
        ),
        Variant(
            "netrc",
            "absent",
            Observation("netrc", "0.5.22", "3.11.7", "local", "Linux 6.1 x86_64", (), obstacle="no shell"),
            Outcome("broken", "no shell"),
        ),
    ),
    verdict=Verdict("inconclusive", "no shell"),
    evidence="a/b",
    kept="c",
)


def test_the_data_say_the_verdict_and_the_exit_code_first() -> None:
    data = to_data(RESULT)
    assert list(data)[:4] == ["schema", "verdict", "reason", "exit"]
    assert (data["schema"], data["verdict"], data["reason"], data["exit"]) == (1, "inconclusive", "no shell", 125)


def test_a_variant_s_data_say_its_time_and_its_expectation() -> None:
    base, netrc = to_data(RESULT)["variants"]
    assert (base["name"], base["expect"], base["outcome"], base["seconds"]) == ("as reported", None, "shows", 1.25)
    assert (netrc["name"], netrc["expect"], netrc["outcome"], netrc["seconds"]) == ("netrc", "absent", "broken", 0)


def test_the_base_is_the_first_variant() -> None:
    assert RESULT.base.name == "as reported"


def test_a_result_comes_back_from_json() -> None:
    assert from_data(json.loads(json.dumps(to_data(RESULT)))) == RESULT


TEXTS = st.text(max_size=10)
SECONDS = st.floats(0, 1e6)
STEPS = st.builds(
    StepResult, TEXTS, TEXTS, st.sampled_from(["setup", "observe"]), st.integers(0, 255), TEXTS, TEXTS, SECONDS,
    st.booleans(), st.booleans(),
)  # fmt: skip
REQUESTS = st.builds(
    Request, TEXTS, TEXTS, TEXTS, st.integers(0, 599), st.booleans(),
    st.sampled_from(["upstream", "stand-in", "refused", "unreachable"]), SECONDS, TEXTS,
)  # fmt: skip
OBSERVATIONS = st.builds(
    Observation, TEXTS, st.just("0.5.22"), st.just("3.11.7"), st.just("local"), st.just("Linux 6.1 x86_64"),
    st.lists(STEPS, max_size=2).map(tuple), st.lists(REQUESTS, max_size=2).map(tuple),
    st.lists(st.builds(FileState, TEXTS, st.booleans(), st.one_of(st.none(), TEXTS), TEXTS, st.booleans()), max_size=2).map(tuple), TEXTS,
)  # fmt: skip
OUTCOMES = st.builds(Outcome, st.sampled_from(["shows", "absent", "different", "broken"]), TEXTS)
VARIANTS = st.tuples(st.sampled_from(["", "absent", "present"]), OBSERVATIONS, OUTCOMES).map(
    lambda parts: Variant(parts[1].variant, *parts)
)


@given(
    st.lists(VARIANTS, min_size=1, max_size=3).map(tuple),
    st.builds(Verdict, st.sampled_from(["reproducible", "explained", "not_reproducible", "inconclusive"]), TEXTS),
    st.sampled_from(["auto", "live", "replay"]),
)
@settings(deadline=None)
def test_any_result_comes_back_from_json(variants: tuple[Variant, ...], verdict: Verdict, network: Network) -> None:
    result = replace(RESULT, variants=variants, verdict=verdict, network=network)
    assert from_data(json.loads(json.dumps(to_data(result)))) == result


MRE = Mre(
    title="t",
    environment=Environment(
        "0.5.21",
        "3.11",
        exclude_newer=date(2025, 1, 23),
        env_file="mre.env",
        home="home",
        path=("bin",),
        variables={"A": "1", "B": "2"},
    ),
    steps=(Step("uv lock"), Step("uv sync", "observe")),
    symptom=Symptom(2, ("401",), (FileSymptom("uv.lock", "foo"),)),
    controls=(Control("netrc", "absent", files={"home/.netrc": "machine a"}),),
    issue="https://github.com/astral-sh/uv/issues/1",
    files=(File("a", b"1"), File("b", b"2")),
)


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda m: replace(m, title="u"), id="the title"),
        pytest.param(lambda m: replace(m, issue=""), id="the issue"),
        pytest.param(lambda m: replace(m, environment=replace(m.environment, uv="0.5.22")), id="the release"),
        pytest.param(lambda m: replace(m, environment=replace(m.environment, python="")), id="the interpreter"),
        pytest.param(lambda m: replace(m, environment=replace(m.environment, variables={"A": "1"})), id="a variable"),
        pytest.param(lambda m: replace(m, environment=replace(m.environment, env_file="")), id="the env file's name"),
        pytest.param(
            lambda m: replace(m, environment=replace(m.environment, exclude_newer=date(2025, 1, 24))), id="the date"
        ),
        pytest.param(lambda m: replace(m, environment=replace(m.environment, home="house")), id="the home"),
        pytest.param(lambda m: replace(m, environment=replace(m.environment, path=())), id="the path"),
        pytest.param(lambda m: replace(m, steps=m.steps[1:]), id="a step"),
        pytest.param(lambda m: replace(m, steps=m.steps[::-1]), id="the order of the steps"),
        pytest.param(lambda m: replace(m, steps=(replace(m.steps[0], timeout=1), m.steps[1])), id="a step's time"),
        pytest.param(lambda m: replace(m, symptom=replace(m.symptom, exit="failure")), id="the exit code"),
        pytest.param(lambda m: replace(m, symptom=replace(m.symptom, output=("402",))), id="the output"),
        pytest.param(lambda m: replace(m, symptom=replace(m.symptom, files=())), id="the symptom's files"),
        pytest.param(lambda m: replace(m, controls=()), id="a control"),
        pytest.param(lambda m: replace(m, controls=(replace(m.controls[0], files={}),)), id="a control's files"),
        pytest.param(lambda m: replace(m, controls=(replace(m.controls[0], expect="present"),)), id="an expectation"),
        pytest.param(lambda m: replace(m, files=m.files[:1]), id="a file less"),
        pytest.param(lambda m: replace(m, files=(File("a", b"2"), File("b", b"2"))), id="a file's content"),
        pytest.param(lambda m: replace(m, files=(File("c", b"1"), File("b", b"2"))), id="a file's name"),
        pytest.param(lambda m: replace(m, files=(File("a", b"1", True), File("b", b"2"))), id="an executable bit"),
        pytest.param(lambda m: replace(m, files=(File("a1", b""), File("b", b"2"))), id="where name and content part"),
        pytest.param(lambda m: replace(m, files=(File("a", b"2"), File("b", b"1"))), id="two contents exchanged"),
    ],
)
def test_the_digest_changes_with(change: Callable[[Mre], Mre]) -> None:
    assert digest(change(MRE)) != digest(MRE)


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(replace, id="a copy"),
        pytest.param(lambda m: replace(m, files=m.files[::-1]), id="the order in which files were read"),
        pytest.param(
            lambda m: replace(m, environment=replace(m.environment, variables={"B": "2", "A": "1"})),
            id="the order of the variables",
        ),
    ],
)
def test_the_digest_does_not_change_with(change: Callable[[Mre], Mre]) -> None:
    assert digest(change(MRE)) == digest(MRE)


def test_a_digest_is_a_sha_256() -> None:
    assert len(digest(MRE)) == 64
    assert int(digest(MRE), 16) > 0


FILES = st.lists(
    st.builds(File, st.from_regex(r"[a-c]{1,2}", fullmatch=True), st.binary(max_size=3), st.booleans()),
    max_size=4,
    unique_by=lambda file: file.path,
)


@given(FILES, FILES)
def test_two_digests_are_the_same_where_the_files_are(one: list[File], other: list[File]) -> None:
    same = sorted(one, key=lambda file: file.path) == sorted(other, key=lambda file: file.path)
    assert (digest(replace(MRE, files=tuple(one))) == digest(replace(MRE, files=tuple(other)))) == same
