"""The answer to an issue, or an MRE, as a comment for the tracker."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from uvmre.core.mre.files import File
from uvmre.core.mre.model import MANIFEST
from uvmre.core.outcome.observation import StepResult
from uvmre.core.text.normalize import readable
from uvmre.core.text.visible import visible
from uvmre.core.triage.answer import TriageAnswer, explanations
from uvmre.core.triage.decide import questions
from uvmre.report.bundle import Bundle
from uvmre.report.file_blocks import FileBlock, byte_size, file_block, file_blocks
from uvmre.report.github import readable_result
from uvmre.report.markdown import code, cut, fence, prose

LIMIT = 65_536
"""GitHub's limit is in characters; counting bytes is the safe side."""
LOG_SIZES = (8_000, 2_000, 500)
FILE_SIZES = (10_000, 1_000, 0)


def write_comment(bundle: Bundle) -> str:
    """Return a short comment on an MRE: the verdict, the observed steps, and the files, folded."""
    mre, result = bundle.mre, bundle.shortened(LOG_SIZES[0]).result
    assert result, "the format needs a run"
    head = [f"**{result.verdict.word}** on uv {prose(result.uv)}: {prose(result.verdict.reason)}", ""]
    head += [f"- {prose(sentence)}" for sentence in bundle.search["sentences"]] if bundle.search else []
    head += [""] * bool(bundle.search)
    steps = readable_result(result).base.observation.steps
    for step in [step for step in steps if step.role == "observe"] or steps[-1:]:
        head += [*_step(step, LOG_SIZES[1]), ""]
    head += ["<details>", "<summary>The MRE</summary>", ""]
    parts = [file_block(File(MANIFEST, bundle.manifest.encode()), ()), *file_blocks(mre.files, ())]
    sizes = (_text_of(head, parts, most) for most in (LIMIT, *FILE_SIZES))
    return next((text for text in sizes if byte_size(text) <= LIMIT), "") or _cut_to_limit("\n".join(head[:-3]))


def _text_of(head: Sequence[str], parts: Sequence[FileBlock], most: int) -> str:
    files = (part.block if part.size <= most else part.placeholder for part in parts)
    return "\n".join([*head, "".join(files) + "</details>", ""])


def _cut_to_limit(text: str) -> str:
    return text.encode()[:LIMIT].decode(errors="ignore")


def comment(answer: TriageAnswer) -> str:
    """Return the answer as Markdown, at most LIMIT bytes of UTF-8, without secrets."""
    text = ""
    # Mask before truncating: half a secret at the edge would not be recognized.
    steps = answer.redacted(_steps(answer))
    files = {file.path: answer.redacted(_text(file)) for file in answer.mre.files} if answer.mre else {}
    for log, file in zip(LOG_SIZES, FILE_SIZES, strict=True):
        text = answer.redacted("\n".join(_lines(answer, steps, files, log, file)).rstrip() + "\n")
        if len(text.encode()) <= LIMIT:
            return text
    return _cut_to_limit(text)


def _lines(
    answer: TriageAnswer, steps: Sequence[StepResult], files: Mapping[str, str], log: int, file: int
) -> Iterator[str]:
    def shown(text: str) -> str:
        return prose(answer.redacted(text))

    yield from (f"**{answer.verdict.word}**: {shown(answer.verdict.reason)}", "")
    if answer.sentences:
        yield from (*(f"- {shown(sentence)}" for sentence in answer.sentences), "")
    for each in explanations(answer.state):
        gone = " With that fixed, the symptom is gone." if each["fixed"] else ""
        yield from (f"- {shown(each['where'])}: {shown(each['why'])}{gone}", "")
    if open_questions := questions(answer.state):
        yield from (
            "To reproduce this, please answer:",
            "",
            *(f"- {shown(each)}" for each in open_questions),
            "",
        )
    if answer.main_run:
        result = answer.main_run.result
        yield from (f"Run with uv {shown(result.uv)} and Python {shown(result.python)}:", "")
        for step in steps:
            yield from (*_step(step, log), "")
    deviations = (*answer.state.parsed.stand_ins, *answer.state.missing)
    if deviations:
        yield from ("Differences from the report:", "", *(f"- {shown(each)}" for each in deviations), "")
    if files and file:
        yield from ("<details>", "<summary>Files</summary>", "", *_files(files, file), "</details>", "")


def _steps(answer: TriageAnswer) -> tuple[StepResult, ...]:
    """Return the steps of the reported run, with outputs as a terminal shows them."""
    steps = answer.main_run.result.base.observation.steps if answer.main_run else ()
    return tuple(replace(step, stdout=readable(step.stdout), stderr=readable(step.stderr)) for step in steps)


def _step(step: StepResult, size: int) -> list[str]:
    output = (step.stdout + step.stderr).strip("\n")
    text = f"$ {step.run}\n{output}" if output else f"$ {step.run}"
    return [*fence(cut(visible(text), size), "console"), f"exit code {step.exit}"]


def _files(files: Mapping[str, str], size: int) -> Iterator[str]:
    for path, text in sorted(files.items()):
        yield from (f"{code(path)}:", "", *fence(cut(text, size).removesuffix("\n")), "")


def _text(file: File) -> str:
    return visible(file.content.decode(errors="replace"))
