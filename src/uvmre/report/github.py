"""A run as an issue for GitHub: the fields of uv's bug form, and enough in it to build the MRE again."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from uvmre.core.manifest import dump
from uvmre.core.mre import MANIFEST, Control, File, Mre
from uvmre.core.observation import StepResult
from uvmre.core.plain import readable
from uvmre.core.redact import masked, redact, secrets
from uvmre.core.result import Result, Variant
from uvmre.report.markdown import cut, fence

LIMIT = 65_536
"""What GitHub takes in one issue or comment. Counted in bytes here, which is never too few."""
OPEN_LINES = 30
"""Output longer than this is folded."""
LOG_SIZES = (20_000, 8_000, 3_000, 1_000, 300)
"""How much is kept of each log, tried from the left until the whole fits."""
LANGUAGES = {".toml": "toml", ".py": "python", ".sh": "sh", ".lock": "toml", ".md": "markdown", ".cfg": "ini"}


def github(mre: Mre, result: Result) -> str:
    """Return the report as Markdown, at most LIMIT bytes of UTF-8."""
    values = secrets(mre)
    # Masked before anything is cut, or half a secret could stay at the edge.
    base = replace(result.base, observation=masked(result.base.observation, values))
    result = replace(result, variants=(base, *result.variants[1:]))
    for size in LOG_SIZES:
        text = redact(_whole(mre, result, size, mre.files), values)
        if len(text.encode()) <= LIMIT:
            return text
    kept = sorted(mre.files, key=lambda file: len(file.content))
    while kept:
        kept.pop()
        text = redact(_whole(mre, result, LOG_SIZES[-1], kept), values)
        if len(text.encode()) <= LIMIT:
            return text
    form = "\n".join(["", "", "(cut: the steps alone are too long for an issue)", "", *_form(result)])
    return text.encode()[: LIMIT - len(form.encode())].decode(errors="ignore") + form


def _whole(mre: Mre, result: Result, size: int, kept: Sequence[File]) -> str:
    return "\n".join([*_summary(mre, result, size), *_variants(mre, result), *_files(mre, kept), *_form(result)])


def _summary(mre: Mre, result: Result, size: int) -> list[str]:
    base = result.base
    lines = ["### Summary", "", f"{mre.title}" + (f" ({mre.issue})" if mre.issue else ""), ""]
    lines += [f"**{result.verdict.word}**: {result.verdict.reason}", ""]
    if result.uv != result.reported_uv:
        lines += [f"This is a run on uv {result.uv}; the report is about uv {result.reported_uv}.", ""]
    if result.stand_ins:
        images = ", ".join(f"`{image}`" for image in result.stand_ins)
        lines += [f"Not the real images, but stand-ins that were made on this machine: {images}.", ""]
    if mre.environment.date:
        lines += [f"PyPI is as it was at the end of {mre.environment.date}.", ""]
    variables = [f"{name}={value}" for name, value in mre.variables.items()]
    if variables:
        lines += ["With these variables:", "", *fence("\n".join(variables), "sh"), ""]
    for step in base.observation.steps:
        lines += [*_step(step, size), ""]
    if base.observation.obstacle:
        lines += [f"The steps could not be run: {base.observation.obstacle}.", ""]
    return lines


def _step(step: StepResult, size: int) -> list[str]:
    ended = f"exit code {step.exit}" + (", ended at its time limit" if step.timed_out else "")
    said = (readable(step.stdout) + readable(step.stderr)).strip("\n")
    command = f"$ {step.run}"
    shown = fence(cut("\n".join([command, said]) if said else command, size), "console")
    if said.count("\n") < OPEN_LINES:
        return [*shown, f"{ended}, {step.seconds:.1f} s"]
    return [
        "<details>",
        f"<summary><code>{_escape(step.title)}</code>: {ended}</summary>",
        "",
        *shown,
        "",
        "</details>",
    ]


def _variants(mre: Mre, result: Result) -> Iterable[str]:
    if not mre.controls:
        return
    yield from (
        "The same steps, varied one thing at a time:",
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
        yield "The public test index was answered by a local stand-in with the same rules."
        yield ""


def _why(control: Control | None, variant: Variant) -> str:
    return control.why if control and control.why else variant.outcome.reason


def _files(mre: Mre, kept: Sequence[File]) -> Iterable[str]:
    yield from ("<details>", "<summary>The files</summary>", "")
    manifest = File(MANIFEST, dump(mre).encode())
    for file in (manifest, *sorted(mre.files, key=lambda file: file.path)):
        if file is not manifest and file not in kept:
            yield from (f"{_code(file.path)} is left out: it is too long for an issue ({len(file.content)} bytes).", "")
            continue
        text = _text(file)
        if text is None:
            yield from (f"{_code(file.path)} is left out: it is not text ({len(file.content)} bytes).", "")
            continue
        notes = ["executable"] * file.executable
        notes += ["no line break at its end"] * (text != "" and not text.endswith("\n"))
        notes += ["empty"] * (text == "")
        yield _code(file.path) + (f" ({', '.join(notes)})" if notes else "") + ":"
        yield ""
        yield from fence(text.removesuffix("\n"), _language(file.path))
        yield ""
    yield from ("</details>", "")


def _text(file: File) -> str | None:
    try:
        text = file.content.decode()
    except UnicodeDecodeError:
        return None
    return None if "\0" in text or "\r" in text else text


def _in(result: Result) -> str:
    """Say what the steps ran in, where it is not that platform itself."""
    return "" if result.backend == "local" else f", in a container ({result.backend})"


def _form(result: Result) -> list[str]:
    return [
        *("### Platform", "", result.platform + _in(result), ""),
        *("### Version", "", f"uv {result.uv}", ""),
        *("### Python version", "", f"Python {result.python}", ""),
    ]


def _language(path: str) -> str:
    name = path.rpartition("/")[2]
    if name == "Dockerfile":
        return "dockerfile"
    return LANGUAGES.get("." + name.rpartition(".")[2], "")


def _code(text: str) -> str:
    """Return a code span that a backtick inside cannot end (CommonMark 0.31, 6.1)."""
    return f"`` {text} ``" if "`" in text else f"`{text}`"


def _cell(text: str) -> str:
    return text.replace("\\|", "|").replace("|", "\\|").replace("\n", " ")


def _escape(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;")
