"""What the outcomes of an MRE and of its controls say together."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from uvmre.core.mre.model import BASE, Control, Environment, Expectation, Mre, Step
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
