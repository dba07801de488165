"""An MRE to fill in: whatever a post lacks, its manifest has no mistakes."""

import pytest

from uvmre.core.mre.manifest import dump, parse
from uvmre.core.mre.model import Control, Environment, Mre, Step
from uvmre.core.mre.symptom import Symptom
from uvmre.core.network.index import Index
from uvmre.core.triage.fill_in import NO_COMMAND, NO_SYMPTOM, STUB, to_fill_in
from uvmre.core.triage.parsed_issue import Gap, ParsedIssue

PARSED = ParsedIssue(
    "`uv lock` fails", gaps=(Gap(12, "the file `b.toml`\nis missing", True), Gap(0, "no version", False))
)
GAPS = ["not understood: line 12: the file `b.toml` is missing", "not understood: no version"]
SOUND = Mre("title", Environment("0.5.21"), (Step("uv lock", "observe"),), Symptom(output=("401 Unauthorized",)))


def mre(**changes: object) -> Mre:
    return Mre(**{**vars(SOUND), **changes})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("given", "comments"),
    [
        pytest.param(SOUND, [], id="nothing is missing"),
        pytest.param(None, [NO_COMMAND, NO_SYMPTOM], id="no command"),
        pytest.param(mre(symptom=Symptom("failure")), [NO_SYMPTOM], id="any failure"),
        pytest.param(mre(symptom=Symptom(output=("no",))), [NO_SYMPTOM], id="a text that is too short"),
        pytest.param(
            mre(controls=(Control("a", files={"../x": ""}), Control("b"))),
            ["left out: the control “a”"],
            id="a control outside the folder",
        ),
        pytest.param(
            mre(indexes=(Index("https://a/simple"), Index("https://a/simple/"))),
            ["left out: the index https://a/simple/"],
            id="two indexes at one address",
        ),
    ],
)
def test_an_mre_to_fill_in_has_no_mistakes_and_names_what_is_missing(given: Mre | None, comments: list[str]) -> None:
    filled, lines = to_fill_in(PARSED, given, "0.5.21")
    assert parse(dump(filled)) == filled
    assert lines == GAPS + comments
    assert (filled.symptom == STUB) == (NO_SYMPTOM in comments)
    if given and not comments:
        assert filled == given
