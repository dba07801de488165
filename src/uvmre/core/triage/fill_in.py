"""An MRE of an issue's text to go on with by hand: what was not understood is a comment, or a text to fill in."""

from dataclasses import replace

from uvmre.core.mre.manifest import dump
from uvmre.core.mre.model import Environment, Mre, Step
from uvmre.core.mre.schema import mistakes
from uvmre.core.mre.symptom import Symptom
from uvmre.core.text.parse_toml import parse_toml
from uvmre.core.triage.parsed_issue import ParsedIssue

TO_FILL_IN = "fill in a text that uv prints if the bug shows"
STUB = Symptom(output=(TO_FILL_IN,), guess=True)
NO_COMMAND = "not understood: the report has no command; replace the step"
NO_SYMPTOM = "not understood: the symptom; fill it in, and remove `guess`"


def to_fill_in(parsed: ParsedIssue, mre: Mre | None, uv: str) -> tuple[Mre, list[str]]:
    """Return an MRE whose manifest has no mistakes, and what was not understood, as lines of comments."""
    comments = [
        f"not understood: {f'line {gap.line}: ' if gap.line else ''}{' '.join(gap.description.split())}"
        for gap in parsed.gaps
    ]
    if mre is None:
        title = " ".join(parsed.title.split()) or "not understood"
        step = Step("uv --version", "observe", name="to replace")
        mre = Mre(title, Environment(uv), (step,), STUB, issue=parsed.issue)
        return mre, [*comments, NO_COMMAND, NO_SYMPTOM]
    wrong = {path[:2] for path, _ in mistakes(parse_toml(dump(mre)), dockerfile=True)}
    if ("symptom",) in {path[:1] for path in wrong}:
        mre, comments = replace(mre, symptom=STUB), [*comments, NO_SYMPTOM]
    controls = tuple(each for n, each in enumerate(mre.controls) if ("control", n) not in wrong)
    indexes = tuple(each for n, each in enumerate(mre.indexes) if ("index", n) not in wrong)
    comments += [f"left out: the control “{each.name}”" for each in mre.controls if each not in controls]
    comments += [f"left out: the index {each.url}" for each in mre.indexes if each not in indexes]
    return replace(mre, controls=controls, indexes=indexes), comments
