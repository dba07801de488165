"""Render a run as a GitHub issue with the fields of uv's bug form and the files of the MRE."""

import itertools
import json
from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace

from uvmre.core.mre.files import File
from uvmre.core.mre.manifest import dump
from uvmre.core.mre.model import MANIFEST, Control, Mre
from uvmre.core.network.simple_page import describe_cutoff
from uvmre.core.outcome.observation import StepResult
from uvmre.core.outcome.result import Result, Variant, to_data
from uvmre.core.secrets.redact import redact_deep, secrets
from uvmre.core.text.normalize import readable
from uvmre.core.text.visible import escape_hiding, visible
from uvmre.report.bundle import Bundle
from uvmre.report.file_blocks import FileBlock, byte_size, file_block, file_blocks, join_lines
from uvmre.report.markdown import code, cut, fence, prose

LIMIT = 65_536
"""GitHub's limit for an issue or comment, counted in bytes to be safe."""
OPEN_LINES = 30
"""Longer output is folded."""
LOG_SIZES = (20_000, 8_000, 3_000, 1_000, 300)
"""The characters kept of each log, tried in order until the report fits."""


def write_github(bundle: Bundle) -> str:
    """Return the report as Markdown, at most LIMIT bytes of UTF-8."""
    assert bundle.result, "the format needs a run"
    return _render(bundle.mre, bundle.result, (), bundle.manifest)[0]


def write_json(bundle: Bundle) -> str:
    """Return the run and the report as one JSON object."""
    assert bundle.result, "the format needs a run"
    return escape_hiding(json.dumps({**to_data(bundle.result), "markdown": write_github(bundle)}, ensure_ascii=False))


def github(mre: Mre, result: Result, values: Collection[str] | None = None) -> str:
    """Return the report as Markdown, at most LIMIT bytes of UTF-8, without the secrets `values` of the MRE."""
    return _render(mre, result, values)[0]


def fits_limit(mre: Mre, result: Result) -> bool:
    """Tell whether no file is left out of the report, nor the report cut, because of its length."""
    return _render(mre, result, None)[1]


def _render(mre: Mre, result: Result, values: Collection[str] | None, text: str | None = None) -> tuple[str, bool]:
    """Return the report, and whether it fits the limit."""
    values = secrets(mre) if values is None else values
    # Redacted before truncating, which could leave half a secret.
    shown, result = redact_deep(replace(mre, files=()), values), redact_deep(readable_result(result), values)
    own = dump(shown) if text is None else text
    manifest = file_block(File(MANIFEST, own.encode()), values).block
    before = [*variant_lines(shown, result), "<details>", "<summary>The files</summary>", ""]
    form = _form(result, shown.environment.reported_platform)
    head, tail = join_lines(before) + manifest, join_lines(["</details>", "", *form])
    parts = file_blocks(mre.files, values)
    room = LIMIT - byte_size(head + tail) + 1  # the last newline is removed
    files_size = sum(byte_size(part.block) for part in parts)
    summaries = []
    for size in LOG_SIZES:
        summaries.append(summary := join_lines(_summary(shown, result, size)))
        if byte_size(summary) + files_size <= room:
            return (summary + head + "".join(part.block for part in parts) + tail).removesuffix("\n"), True
    cut = _fit(summaries, head, parts, tail, room) or _cut(summaries[-1] + head + tail, form)
    return cut.removesuffix("\n"), False


def _fit(summaries: Sequence[str], head: str, parts: Sequence[FileBlock], tail: str, room: int) -> str:
    """Return the report without its longest files, or with only the shortest; empty where it does not fit."""
    over = byte_size(summaries[-1]) + sum(byte_size(part.block) for part in parts) - room
    by_size = sorted(parts, key=lambda part: (part.size, part.position))
    for count, part in enumerate(reversed(by_size), 1):
        over -= part.saves
        if over <= 0:
            out = {part.position for part in by_size[-count:]}
            files = (part.placeholder if part.position in out else part.block for part in parts)
            return "".join([summaries[-1], head, *files, tail])
    # Even the placeholders are too long.
    reserved = byte_size(_left_out(parts))
    summary = next((each for each in summaries if byte_size(each) + reserved <= room // 2), summaries[-1])
    room -= byte_size(summary) + reserved
    if room < 0:
        return ""
    sizes = itertools.accumulate(byte_size(part.block) for part in by_size)
    kept = {part.position for part, size in zip(by_size, sizes, strict=True) if size <= room}
    shown = (part.block for part in parts if part.position in kept)
    return "".join([summary, head, *shown, _left_out([part for part in parts if part.position not in kept]), tail])


def _left_out(parts: Sequence[FileBlock]) -> str:
    size = sum(part.size for part in parts)
    return join_lines([f"{len(parts)} files are omitted: together they are too long for an issue ({size} bytes).", ""])


def _cut(text: str, form: Sequence[str]) -> str:
    end = join_lines(["", "", "(cut: the steps alone are too long for an issue)", "", *form])
    return text.encode()[: LIMIT - byte_size(end)].decode(errors="ignore") + end


def readable_result(result: Result) -> Result:
    """Return the parts of a result in the report, with output as a terminal shows it."""
    base = result.base.observation
    steps = (
        replace(step, stdout=visible(readable(step.stdout)), stderr=visible(readable(step.stderr)))
        for step in base.steps
    )
    shown = [replace(result.base, observation=replace(base, steps=tuple(steps), files=(), artifacts=()))]
    shown += [
        replace(v, observation=replace(v.observation, steps=(), files=(), artifacts=())) for v in result.variants[1:]
    ]
    return replace(result, variants=tuple(shown))


def _summary(mre: Mre, result: Result, size: int) -> list[str]:
    base = result.base
    lines = ["### Summary", "", prose(mre.title) + (f" ({code(mre.issue)})" if mre.issue else ""), ""]
    lines += [f"**{result.verdict.word}**: {prose(result.verdict.reason)}", ""]
    if result.uv != result.reported_uv:
        lines += [f"This is a run on uv {prose(result.uv)}; the report is about uv {prose(result.reported_uv)}.", ""]
    if result.stand_ins:
        images = ", ".join(map(code, result.stand_ins))
        lines += [f"Stand-ins built on this machine were used instead of the images: {images}.", ""]
    if mre.environment.exclude_newer:
        lines += [f"PyPI is as it was {describe_cutoff(mre.environment.exclude_newer)}.", ""]
    if mre.deviations:
        departs = (
            f"- “{prose(d.from_)}” is “{prose(d.to)}” here" + f" ({prose(d.why)})" * bool(d.why) for d in mre.deviations
        )
        lines += ["The MRE departs from the report:", "", *departs, ""]
    variables = [f"{name}={value}" for name, value in mre.variables.items()]
    if variables:
        lines += ["With these variables:", "", *fence(visible("\n".join(variables)), "sh"), ""]
    for step in base.observation.steps:
        lines += [*step_lines(step, size), ""]
    if base.observation.obstacle:
        lines += [f"The steps could not be run: {prose(base.observation.obstacle)}.", ""]
    return lines


def step_lines(step: StepResult, size: int) -> list[str]:
    """Return the Markdown of a step; each stream may have `size` characters."""
    ended = f"exit code {step.exit}" + (", ended at its time limit" if step.timed_out else "")
    output = (step.stdout + step.stderr).strip("\n")
    command = f"$ {visible(step.run)}"
    shown = fence(cut("\n".join([command, output]) if output else command, size), "console")
    if output.count("\n") < OPEN_LINES:
        return [*shown, f"{ended}, {step.seconds:.1f} s"]
    return [
        "<details>",
        f"<summary><code>{_escape(visible(step.title))}</code>: {ended}</summary>",
        "",
        *shown,
        "",
        "</details>",
    ]


def variant_lines(mre: Mre, result: Result) -> Iterable[str]:
    """Yield the Markdown table of the controls, if there are any."""
    if not mre.controls:
        return
    yield from (
        "Variants of the steps:",
        "",
        "| variant | symptom | expected | |",
        "|---|---|---|---|",
    )
    controls: dict[str, Control] = {control.name: control for control in mre.controls}
    for variant in result.variants:
        control = controls.get(variant.name)
        expected = control.expect if control else ""
        yield f"| {_cell(variant.name)} | {variant.outcome.word} | {expected} | {_cell(_why(control, variant))} |"
    yield ""
    if any(
        request.answered_by == "stand-in" for variant in result.variants for request in variant.observation.requests
    ):
        yield "A local stand-in with the same rules answered for the public test index."
        yield ""


def _why(control: Control | None, variant: Variant) -> str:
    return control.why if control and control.why else variant.outcome.reason


def _container_note(result: Result) -> str:
    """Return a note on the container, whose system may be another one than this machine's."""
    return "" if result.backend in ("local", "sandbox") else f", in a container ({prose(result.backend)})"


def _form(result: Result, reported: str) -> list[str]:
    platform = prose(result.platform) + _container_note(result)
    return [
        *("### Platform", "", f"{prose(reported)} (run on {platform})" if reported else platform, ""),
        *("### Version", "", f"uv {prose(result.uv)}", ""),
        *("### Python version", "", f"Python {prose(result.python)}", ""),
    ]


def _cell(text: str) -> str:
    return prose(text).replace("\\|", "|").replace("|", "\\|")


def _escape(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;")
