"""The answer to an issue as a comment that can be pasted below it."""

from collections.abc import Iterator

from uvmre.core.answer import Answer, explanations
from uvmre.core.mre import File, Mre
from uvmre.core.observation import StepResult
from uvmre.core.plain import readable
from uvmre.core.triage import questions
from uvmre.report.markdown import cut, fence

LIMIT = 65_536
"""What GitHub takes in one comment, counted in bytes here, which is never too few."""
LOG_SIZES = (8_000, 2_000, 500)
FILE_SIZES = (10_000, 1_000, 0)


def comment(told: Answer) -> str:
    """Return the answer as Markdown, at most LIMIT bytes of UTF-8, without secrets."""
    text = ""
    for log, file in zip(LOG_SIZES, FILE_SIZES, strict=True):
        text = told.redacted("\n".join(_lines(told, log, file)).rstrip() + "\n")
        if len(text.encode()) <= LIMIT:
            return text
    return text.encode()[:LIMIT].decode(errors="ignore")


def _lines(told: Answer, log: int, file: int) -> Iterator[str]:
    yield from (f"**{told.verdict.word}**: {told.verdict.reason}", "")
    if told.sentences:
        yield from (*(f"- {sentence}" for sentence in told.sentences), "")
    for each in explanations(told.case):
        gone = " With that mended, the symptom is gone." if each["mended"] else ""
        yield from (f"- {each['where']}: {each['why']}{gone}", "")
    if asked := questions(told.case):
        yield from ("To go on, this is needed:", "", *(f"- {question}" for question in asked), "")
    if told.main:
        result = told.main.result
        yield from (f"As it was run, with uv {result.uv} and Python {result.python}:", "")
        for step in result.base.observation.steps:
            yield from (*_step(step, log), "")
    stood_in = (*told.case.draft.stood_in, *told.case.lacks)
    if stood_in:
        yield from ("Not as it was reported:", "", *(f"- {each}" for each in stood_in), "")
    if told.mre and told.mre.files and file:
        yield from ("<details>", "<summary>The files</summary>", "", *_files(told.mre, file), "</details>", "")


def _step(step: StepResult, size: int) -> list[str]:
    said = (readable(step.stdout) + readable(step.stderr)).strip("\n")
    shown = "\n".join([f"$ {step.run}", said]) if said else f"$ {step.run}"
    return [*fence(cut(shown, size), "console"), f"exit code {step.exit}"]


def _files(mre: Mre, size: int) -> Iterator[str]:
    for file in sorted(mre.files, key=lambda each: each.path):
        yield from (f"`{file.path}`:", "", *fence(cut(_text(file), size).removesuffix("\n")), "")


def _text(file: File) -> str:
    return file.content.decode(errors="replace").replace("\0", "\ufffd")
