"""The answer to an issue as a comment that can be pasted below it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from uvmre.core.mre.files import File
from uvmre.core.outcome.observation import StepResult
from uvmre.core.text.normalize import readable
from uvmre.core.triage.answer import TriageAnswer, explanations
from uvmre.core.triage.decide import questions
from uvmre.report.markdown import cut, fence

LIMIT = 65_536
"""What GitHub takes in one comment, counted in bytes here, which is never too few."""
LOG_SIZES = (8_000, 2_000, 500)
FILE_SIZES = (10_000, 1_000, 0)


def comment(told: TriageAnswer) -> str:
    """Return the answer as Markdown, at most LIMIT bytes of UTF-8, without secrets."""
    text = ""
    # Masked before anything is cut, or half a secret could stay at the edge.
    steps = told.redacted(_steps(told))
    files = {file.path: told.redacted(_text(file)) for file in told.mre.files} if told.mre else {}
    for log, file in zip(LOG_SIZES, FILE_SIZES, strict=True):
        text = told.redacted("\n".join(_lines(told, steps, files, log, file)).rstrip() + "\n")
        if len(text.encode()) <= LIMIT:
            return text
    return text.encode()[:LIMIT].decode(errors="ignore")


def _lines(
    told: TriageAnswer, steps: Sequence[StepResult], files: Mapping[str, str], log: int, file: int
) -> Iterator[str]:
    yield from (f"**{told.verdict.word}**: {told.verdict.reason}", "")
    if told.sentences:
        yield from (*(f"- {sentence}" for sentence in told.sentences), "")
    for each in explanations(told.state):
        gone = " With that fixed, the symptom is gone." if each["fixed"] else ""
        yield from (f"- {each['where']}: {each['why']}{gone}", "")
    if asked := questions(told.state):
        yield from ("To go on, this is needed:", "", *(f"- {question}" for question in asked), "")
    if told.main_run:
        result = told.main_run.result
        yield from (f"As it was run, with uv {result.uv} and Python {result.python}:", "")
        for step in steps:
            yield from (*_step(step, log), "")
    stood_in = (*told.state.parsed.stand_ins, *told.state.missing)
    if stood_in:
        yield from ("Not as it was reported:", "", *(f"- {each}" for each in stood_in), "")
    if files and file:
        yield from ("<details>", "<summary>The files</summary>", "", *_files(files, file), "</details>", "")


def _steps(told: TriageAnswer) -> tuple[StepResult, ...]:
    """Return the steps of the run that is told, with outputs as a terminal leaves them."""
    steps = told.main_run.result.base.observation.steps if told.main_run else ()
    return tuple(replace(step, stdout=readable(step.stdout), stderr=readable(step.stderr)) for step in steps)


def _step(step: StepResult, size: int) -> list[str]:
    said = (step.stdout + step.stderr).strip("\n")
    shown = "\n".join([f"$ {step.run}", said]) if said else f"$ {step.run}"
    return [*fence(cut(shown, size), "console"), f"exit code {step.exit}"]


def _files(files: Mapping[str, str], size: int) -> Iterator[str]:
    for path, text in sorted(files.items()):
        yield from (f"`{path}`:", "", *fence(cut(text, size).removesuffix("\n")), "")


def _text(file: File) -> str:
    return file.content.decode(errors="replace").replace("\0", "\ufffd")
