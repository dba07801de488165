"""Edit a Dockerfile for a control, another release or another Python, leaving all other lines unchanged."""

import re
from collections.abc import Callable, Sequence
from difflib import SequenceMatcher

from uvmre.core.dockerfile import parser
from uvmre.core.dockerfile.image_names import parse_image_name
from uvmre.core.dockerfile.parser import DOCKERFILE, Instruction
from uvmre.core.mre.model import Control, Mre, Step
from uvmre.errors import UsageError

CONTEXT_FOLDER = ".uvmre"
"""The folder of uvmre in the build context."""
RELEASE = r"(?P<release>\d+\.\d+\.\d+)"
PINS = tuple(
    re.compile(pattern)
    for pattern in (
        rf"\b(?:ghcr\.io/astral-sh/uv|astral/uv):{RELEASE}(?P<variant>-[\w.-]+)?(?:@sha256:[0-9a-f]{{64}})?",
        rf"\buv\s*==\s*{RELEASE}",
        rf"\bastral\.sh/uv/{RELEASE}/install",
        rf"\bastral-sh/uv/releases/download/v?{RELEASE}/",
        rf"\bUV_VERSION=[\"']?{RELEASE}",
    )
)
"""How Dockerfiles pin a release of uv."""
PYTHON = re.compile(r"(?P<before>(?:^|/)python:|-python)(?P<version>3\.\d+)(?P<rest>\.\d+)?(?=[-@]|$)")


def pinned_release(text: str) -> str:
    """Return the release that a Dockerfile pins; empty if it pins none or several."""
    found = {match["release"] for each in parser.parse(text) for pin in PINS for match in pin.finditer(each.text)}
    return found.pop() if len(found) == 1 else ""


def comparable(text: str) -> str:
    """Return a command for comparison, without line continuations and repeated white space."""
    return " ".join(text.replace("\\\n", " ").split())


def apply_control(text: str, base: Mre, mre: Mre, control: Control) -> str:
    """Apply a control to a Dockerfile: its steps, variables and files of the home.

    Args:
        text: the variant's Dockerfile.
        base: the MRE, whose steps the control replaces.
        mre: the variant.
        control: the control.

    Raises:
        UsageError: if no RUN matches a step that the control changes.
    """
    if mre.steps != base.steps and DOCKERFILE not in control.files:
        text = _replace_steps(text, base.steps, mre.steps)
    changed_names = {*control.unset, *control.variables}
    if changed_names:
        text = edit_instructions(text, lambda each: _remove_variables(each, changed_names))
    added = []
    home = f"{mre.environment.home.rstrip('/')}/"
    if mre.environment.home and any(path.startswith(home) for path in control.files):
        copies = [each for each in parser.parse(text) if each.name in ("COPY", "ADD")]
        if not any(each.value[0].removeprefix("./").startswith(home) for each in copies):
            added.append(f"COPY {home} /root/")
    new_variables = {name: value for name, value in control.variables.items() if name not in control.unset}
    if new_variables:
        added.append("ENV " + " ".join(f"{name}={quoted(value)}" for name, value in new_variables.items()))
    return after_each_from(text, added)


def _remove_variables(each: Instruction, names: set[str]) -> list[str] | None:
    """Return an ENV or ARG without some variables."""
    if each.name not in ("ENV", "ARG") or not any(name in names for name, _ in each.pairs):
        return None
    kept = [name if value is None else f"{name}={value}" for name, value in each.pairs if name not in names]
    return [f"{each.name} {' '.join(kept)}"] if kept else []


def _replace_steps(text: str, old: Sequence[Step], new: Sequence[Step]) -> str:
    """Replace the RUNs of some steps; equal steps stay."""
    runs = parser.run_instructions(parser.parse(text))
    found = match_steps(old, runs)
    edits: dict[int, list[str]] = {}

    def line(i: int) -> Instruction:
        at = found[i]
        if at is None:
            raise UsageError(
                f"a control changes the step `{old[i].title}`, but no RUN of the Dockerfile matches it",
                "add a Dockerfile to the control's files, or use the step's command as the RUN",
            )
        return runs[at].instruction

    matcher = SequenceMatcher(None, [step.run for step in old], [step.run for step in new], autojunk=False)
    for what, i1, i2, j1, j2 in matcher.get_opcodes():
        if what == "equal":
            continue
        # Steps are paired from the end, because the observed one comes last.
        pairs = min(i2 - i1, j2 - j1)
        for k in range(pairs):
            i, instruction = i2 - 1 - k, line(i2 - 1 - k)
            edits[instruction.first] = [_run(new[j2 - 1 - k], instruction, old[i])]
        for i in range(i1, i2 - pairs):
            edits[line(i).first] = []
        more = [f"RUN {_run_argument(step)}" for step in new[j1 : j2 - pairs]]
        if more:
            last = i2 - pairs == len(old)
            beside = line(i2 - pairs - last)
            there = edits.get(beside.first, beside.text.split("\n"))
            edits[beside.first] = [*there, *more] if last else [*more, *there]
    return edit_instructions(text, lambda each: edits.get(each.first))


def _run(step: Step, instead_of: Instruction, old: Step) -> str:
    """Return a RUN with another command but the same mounts and the same commands before an `&&`."""
    before = comparable(instead_of.value[0]).removesuffix(comparable(old.run)) if not instead_of.json else ""
    return " ".join(["RUN", *instead_of.flags, before + _run_argument(step)])


def match_steps(steps: Sequence[Step], runs: Sequence[parser.RunInstruction]) -> tuple[int | None, ...]:
    """Return the RUN of each step, in order: one whose command equals it, or ends with it after an `&&`."""
    found: list[int | None] = []
    start = 0
    for step in steps:
        expected = comparable(step.run)
        ends = (f"&& {expected}", f"; {expected}")
        at = next(
            (
                i
                for i, run in enumerate(runs)
                if i >= start and (comparable(run.command) == expected or comparable(run.command).endswith(ends))
            ),
            None,
        )
        found.append(at)
        start = start if at is None else at + 1
    return tuple(found)


def _run_argument(step: Step) -> str:
    """Return a step's command as the argument of a RUN: a heredoc if it has several lines."""
    lines = step.run.strip().split("\n")
    if len(lines) == 1:
        return lines[0]
    return f"<<'UVMRE'\n{step.run.strip()}\nUVMRE"


def quoted(value: str) -> str:
    """Return a value quoted for ENV and LABEL."""
    return '"' + re.sub(r'(["\\$])', r"\\\1", value) + '"'


def set_release(text: str, uv: str) -> str:
    """Replace the pinned release of a Dockerfile; several are left unchanged."""
    if pinned_release(text) in ("", uv):
        return text

    def put(match: "re.Match[str]") -> str:
        first, last = (at - match.start() for at in match.span("release"))
        # A digest would still pin the old image.
        rest = (match["variant"] or "") if "variant" in match.re.groupindex else match[0][last:]
        return match[0][:first] + uv + rest

    def edited(each: Instruction) -> list[str] | None:
        changed = each.text
        for pin in PINS:
            changed = pin.sub(put, changed)
        return changed.split("\n") if changed != each.text else None

    return edit_instructions(text, edited)


def copy_uv_from_context(each: Instruction) -> list[str] | None:
    """Copy uv's binaries from the context instead of uv's image."""
    if each.name != "COPY" or not parse_image_name(each.flag("from") or "").of_uv or each.json:
        return None
    sources = [
        f"{CONTEXT_FOLDER}{source}" if source.startswith("/") else f"{CONTEXT_FOLDER}/{source}"
        for source in each.value[:-1]
    ]
    flags = [flag for flag in each.flags if not flag.startswith("--from")]
    return [" ".join(["COPY", *flags, *sources, each.value[-1]])]


def set_python(text: str, python: str) -> str:
    """Replace the Python version in the names of images."""
    instructions = parser.parse(text)
    if not any(each.name == "FROM" and PYTHON.search(each.value[0]) for each in instructions):
        raise UsageError("no image name of the Dockerfile has a Python version", "remove `--python`")

    def edited(each: Instruction) -> list[str] | None:
        match = PYTHON.search(each.value[0]) if each.name == "FROM" else None
        if not match or (match["version"] + (match["rest"] or "")) == python:
            return None
        image = each.value[0][: match.end("before")] + python + each.value[0][match.end() :].partition("@")[0]
        return [" ".join(["FROM", *each.flags, image, *each.value[1:]])]

    return edit_instructions(text, edited)


def after_each_from(text: str, added: Sequence[str]) -> str:
    """Add lines at the start of every stage that is not from scratch."""
    if not added:
        return text

    def edited(each: Instruction) -> list[str] | None:
        if each.name != "FROM" or each.value[0].lower() == "scratch":
            return None
        return [*each.text.split("\n"), *added]

    return edit_instructions(text, edited)


def edit_instructions(text: str, edited: Callable[[Instruction], list[str] | None]) -> str:
    """Return the text with the lines of some instructions replaced; None leaves one unchanged."""
    lines = text.split("\n")
    for each in reversed(parser.parse(text)):
        instead = edited(each)
        if instead is not None:
            lines[each.first - 1 : each.last] = instead
    return "\n".join(lines)
