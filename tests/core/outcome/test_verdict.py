"""What the outcomes of an MRE and of its controls say together."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from uvmre.core.mre.model import BASE, Control, Deviation, Environment, Expectation, Mre, Step
from uvmre.core.mre.symptom import Symptom
from uvmre.core.outcome.matching import Outcome, Word
from uvmre.core.outcome.verdict import Answer, Verdict, verdict

NETRC = Control("netrc", "absent")
NOTHING = Control("nothing", "present")
FIXES = Control("fixed", "absent", explains="the password is wrong")


def mre(*controls: Control) -> Mre:
    return Mre("t", Environment("0.5.21"), (Step("uv sync", "observe"),), Symptom(2), controls)


def outcomes(base: Word, **controls: Word) -> dict[str, Outcome]:
    return {BASE: Outcome(base, "so it is"), **{name: Outcome(word, f"{name} says") for name, word in controls.items()}}


@pytest.mark.parametrize(
    ("controls", "found", "expected"),
    [
        pytest.param(
            (),
            outcomes("shows"),
            Verdict("reproducible", "The symptom shows: so it is, and no control confirms the MRE."),
            id="it shows and there are no controls",
        ),
        pytest.param(
            (),
            outcomes("absent"),
            Verdict(
                "not_reproducible",
                "The symptom is absent: so it is, and no control confirms the MRE.",
            ),
            id="it is absent and there are no controls",
        ),
        pytest.param(
            (NETRC,),
            outcomes("shows", netrc="absent"),
            Verdict("reproducible", "The symptom shows: so it is, and its control behaves as expected."),
            id="it shows and its control is without it",
        ),
        pytest.param(
            (NETRC, NOTHING),
            outcomes("shows", netrc="absent", nothing="shows"),
            Verdict("reproducible", "The symptom shows: so it is, and all 2 controls behave as expected."),
            id="it shows and both controls are as they must",
        ),
        pytest.param(
            (NETRC, NOTHING),
            outcomes("absent", netrc="absent", nothing="shows"),
            Verdict("not_reproducible", "The symptom is absent: so it is, and all 2 controls behave as expected."),
            id="it is absent and both controls are as they must",
        ),
        pytest.param(
            (NETRC,),
            outcomes("broken", netrc="absent"),
            Verdict("inconclusive", "The run does not reach the symptom: so it is."),
            id="it is broken",
        ),
        pytest.param(
            (NETRC,),
            outcomes("different", netrc="absent"),
            Verdict("inconclusive", "It fails, but not as reported: so it is."),
            id="it fails in another way",
        ),
        pytest.param(
            (NETRC,),
            outcomes("shows", netrc="shows"),
            Verdict(
                "inconclusive",
                "The MRE is not sound: the control “netrc” expects the symptom to be absent, "
                "but its outcome is shows (netrc says).",
            ),
            id="it shows and so it does in the control that must be without it",
        ),
        pytest.param(
            (NETRC,),
            outcomes("shows", netrc="different"),
            Verdict(
                "inconclusive",
                "The MRE is not sound: the control “netrc” expects the symptom to be absent, "
                "but its outcome is different (netrc says).",
            ),
            id="it shows and the control that must be without it fails in another way",
        ),
        pytest.param(
            (NOTHING,),
            outcomes("absent", nothing="absent"),
            Verdict(
                "inconclusive",
                "The MRE is not sound: the control “nothing” expects the symptom to be present, "
                "but its outcome is absent (nothing says).",
            ),
            id="it is absent and so it is in the control that must have it",
        ),
        pytest.param(
            (NETRC, NOTHING),
            outcomes("shows", netrc="shows", nothing="absent"),
            Verdict(
                "inconclusive",
                "The MRE is not sound: the control “netrc” expects the symptom to be absent, "
                "but its outcome is shows (netrc says); the control “nothing” expects the symptom to be present, "
                "but its outcome is absent (nothing says).",
            ),
            id="two controls are unsound and both are told",
        ),
        pytest.param(
            (NETRC, NOTHING),
            outcomes("shows", netrc="absent", nothing="broken"),
            Verdict(
                "inconclusive",
                "A control could not be run (“nothing”): nothing says.",
            ),
            id="it shows and a control is broken",
        ),
        pytest.param(
            (NETRC, NOTHING),
            outcomes("shows", netrc="shows", nothing="broken"),
            Verdict(
                "inconclusive",
                "A control could not be run (“nothing”): nothing says.",
            ),
            id="a broken control comes before an unsound one",
        ),
        pytest.param(
            (NETRC,),
            outcomes("shows"),
            Verdict("inconclusive", "The MRE is not sound: the control “netrc” did not run."),
            id="it shows and its control was not run",
        ),
        pytest.param(
            (FIXES,),
            outcomes("shows", fixed="absent"),
            Verdict(
                "explained",
                "The symptom shows because the password is wrong; with that fixed (“fixed”), the symptom is gone.",
            ),
            id="it shows and a control explains it",
        ),
        pytest.param(
            (FIXES,),
            outcomes("absent", fixed="absent"),
            Verdict("not_reproducible", "The symptom is absent: so it is, and its control behaves as expected."),
            id="there is nothing to explain where it is absent",
        ),
        pytest.param(
            (FIXES, NETRC),
            outcomes("shows", fixed="absent", netrc="shows"),
            Verdict(
                "inconclusive",
                "The MRE is not sound: the control “netrc” expects the symptom to be absent, "
                "but its outcome is shows (netrc says).",
            ),
            id="nothing is explained by an MRE that is not sound",
        ),
    ],
)
def test_the_outcomes_make_a_verdict(
    controls: tuple[Control, ...], found: dict[str, Outcome], expected: Verdict
) -> None:
    assert verdict(mre(*controls), found) == expected


@pytest.mark.parametrize(
    ("word", "code"),
    [
        ("reproducible", 0),
        ("explained", 0),
        ("not_reproducible", 1),
        ("needs_more_information", 125),
        ("inconclusive", 125),
    ],
)
def test_a_verdict_has_its_exit_code(word: Answer, code: int) -> None:
    assert Verdict(word, "").exit_code == code


WORDS = st.sampled_from(["shows", "absent", "different", "broken"])
EXPECTATIONS = st.sampled_from(["absent", "present"])


@given(WORDS, st.lists(st.tuples(EXPECTATIONS, st.one_of(st.none(), WORDS), st.booleans()), max_size=4))
def test_only_a_sound_mre_tells_anything(base: Word, found: list[tuple[Expectation, Word | None, bool]]) -> None:
    controls = [
        Control(str(i), expect, explains="a mistake" if explains else "")
        for i, (expect, _, explains) in enumerate(found)
    ]
    words = {str(i): word for i, (_, word, _) in enumerate(found) if word}
    told = verdict(mre(*controls), outcomes(base, **words))
    sound = all(word == {"absent": "absent", "present": "shows"}[expect] for expect, word, _ in found)
    assert (told.exit_code == 0) == (base == "shows" and sound)
    assert (told.exit_code == 1) == (base == "absent" and sound)
    assert (told.word == "explained") == (
        base == "shows" and sound and any(explains and expect == "absent" for expect, _, explains in found)
    )


PIP = Control("pip", without_uv=True)
GUESS = replace(mre(FIXES).symptom, guess=True)
WINDOWS = Environment("0.5.21", reported_platform="Windows 11")
DECIDES = Deviation("a private index", "PyPI", decides=True)
NAMED = Deviation("three members", "one")


@pytest.mark.parametrize(
    ("given", "found", "vacuous", "word", "says"),
    [
        pytest.param(mre(PIP), outcomes("shows", pip="shows"), {}, "explained", "without uv too (“pip”): it is not uv's", id="it shows without uv"),
        pytest.param(mre(PIP), outcomes("shows", pip="shows"), {"pip": "a command was not found"}, "inconclusive", "not sound", id="it shows only since uv is missing"),
        pytest.param(mre(PIP), outcomes("shows", pip="different"), {}, "reproducible", "its control behaves", id="another program fails in another way"),
        pytest.param(mre(PIP), outcomes("absent", pip="absent"), {}, "not_reproducible", "its control behaves", id="absent with and without uv"),
        pytest.param(mre(NETRC), outcomes("shows", netrc="absent"), {"netrc": "it has no uv.lock"}, "reproducible", "no control confirms the MRE; the control “netrc” proves nothing: it has no uv.lock", id="a vacuous control"),
        pytest.param(mre(FIXES), outcomes("shows", fixed="absent"), {"fixed": "it has no uv.lock"}, "reproducible", "no control confirms", id="a vacuous control explains nothing"),
        pytest.param(replace(mre(FIXES), symptom=GUESS), outcomes("shows", fixed="absent"), {}, "reproducible", "The symptom, which is a guess, shows", id="a guess explains nothing"),
        pytest.param(replace(mre(NETRC), symptom=GUESS), outcomes("absent", netrc="absent"), {}, "inconclusive", "it is a guess", id="a guess is absent"),
        pytest.param(replace(mre(FIXES), deviations=(DECIDES,)), outcomes("shows", fixed="absent"), {}, "reproducible", "“a private index” is “PyPI” here", id="a deviation that decides explains nothing"),
        pytest.param(replace(mre(NETRC), deviations=(DECIDES,)), outcomes("absent", netrc="absent"), {}, "inconclusive", "departs in what may decide", id="absent, and a deviation may decide"),
        pytest.param(replace(mre(NETRC), deviations=(NAMED,)), outcomes("absent", netrc="absent"), {}, "not_reproducible", "“three members” is “one” here", id="absent, and a deviation does not decide"),
        pytest.param(replace(mre(NETRC), environment=WINDOWS), outcomes("absent", netrc="absent"), {}, "not_reproducible", "The report is about Windows 11.", id="absent on another system"),
        pytest.param(mre(Control("c", "different")), outcomes("shows", c="different"), {}, "reproducible", "its control behaves", id="another failure that is expected"),
        pytest.param(mre(Control("c", "different")), outcomes("shows", c="absent"), {}, "inconclusive", "expects the symptom to be different, but its outcome is absent", id="a failure that did not come"),
    ],
)  # fmt: skip
def test_what_an_author_guessed_or_left_out_proves_nothing(
    given: Mre, found: dict[str, Outcome], vacuous: dict[str, str], word: Answer, says: str
) -> None:
    judged = verdict(given, found, vacuous)
    assert (judged.word, says in judged.reason) == (word, True), judged.reason


@pytest.mark.parametrize("platform", ["Linux 6.8 x86_64", "Ubuntu 24.04", ""])
def test_a_report_about_linux_needs_no_mention(platform: str) -> None:
    given = replace(mre(), environment=Environment("0.5.21", reported_platform=platform))
    assert "The report is about" not in verdict(given, outcomes("absent")).reason
