"""Plan the build of a variant: the MRE's Dockerfile with only the edits that the variant and the gateway need."""

import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from uvmre.core.dockerfile import parser
from uvmre.core.dockerfile.edits import (
    CONTEXT_FOLDER,
    after_each_from,
    apply_control,
    comparable,
    copy_uv_from_context,
    edit_instructions,
    match_steps,
    pinned_release,
    quoted,
    set_python,
    set_release,
)
from uvmre.core.dockerfile.image_names import parse_image_name
from uvmre.core.dockerfile.parser import DOCKERFILE, Instruction, RunInstruction
from uvmre.core.mre.model import Control, Mre, Role, Step, overlay
from uvmre.errors import UsageError

CA_FILE = f"{CONTEXT_FOLDER}/authority.pem"
CA_PATH = "/.uvmre/authority.pem"
"""The path of the certificate in the image."""
CA_VARIABLES = ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "GIT_SSL_CAINFO")
VERSION_COMMAND = "uv --version"
"""Added as a RUN if the Dockerfile does not name its release of uv."""
NO_FILE = "uvmre: no such file"
SYNTAX = re.compile(r"#\s*syntax\s*=\s*(?:docker\.io/)?docker/dockerfile:1(?:\.\d+)*\s*\Z")
SECRET = re.compile(r"(?<!\S)--mount=(?=\S*\btype=secret\b)\S*\bid=([^\s,]+)")


@dataclass(frozen=True)
class BuildPlan:
    """The plan of a build."""

    text: str
    steps: tuple[Step, ...]
    """Its RUNs in order, with the name, role and time limit of the manifest's steps."""
    headings: tuple[str, ...]
    """The RUNs as an engine prints them, one line each."""
    images: tuple[str, ...]
    """The external images."""
    arguments: tuple[str, ...]
    """The declared build arguments."""
    secrets: tuple[str, ...]
    """The names of the mounted build secrets."""
    heredocs: bool
    python: str
    """The Python version in the image's name, if any."""
    uv: str = ""
    """The release that it names; empty if it names none or several."""
    shown_files: Mapping[str, str] = field(default_factory=dict)
    """Added RUNs that print a file of the symptom: path by command."""
    uv_from_context: bool = False
    """Whether uv's binaries must be in the context."""
    repinned: bool = False
    """Whether it uses another release than the MRE's."""

    @property
    def images_of_uv(self) -> tuple[str, ...]:
        """Return the images of uv."""
        return tuple(name for name in self.images if parse_image_name(name).of_uv)


def plan_build(
    base: Mre,
    control: Control | None,
    *,
    uv: str,
    python: str = "",
    labels: Mapping[str, str] | None = None,
    uv_from_context: bool = False,
) -> BuildPlan:
    """Plan the build of a variant.

    Args:
        base: the MRE.
        control: the control, if the variant is one.
        uv: the release of uv.
        python: a Python version instead of the image's.
        labels: labels of a build behind the gateway; empty to build the Dockerfile unchanged.
        uv_from_context: whether uv's binaries are in the context, because their image is not available.

    Raises:
        UsageError: if there is no Dockerfile, or a control cannot be applied to it.
    """
    mre = overlay(base, control) if control else base
    file = mre.file(DOCKERFILE)
    if file is None:
        raise UsageError("a container backend needs a Dockerfile, and the MRE has none", "use `--backend local`")
    text = file.content.decode(errors="replace")
    if control:
        text = apply_control(text, base, mre, control)
    text = set_release(text, uv)
    if python:
        text = set_python(text, python)
    if uv_from_context:
        text = edit_instructions(text, copy_uv_from_context)
    known = uv if uv_from_context else pinned_release(text)
    shown = {_show_command(pattern.path): pattern.path for pattern in mre.observed_files} if labels else {}
    if labels:
        text = _add_gateway(text, mre, labels, ask=not known)
    if shown:
        text = "\n".join([text.rstrip("\n"), *(f"RUN {look}" for look in shown), ""])
    return replace(
        _describe(text, mre),
        uv=known,
        uv_from_context=uv_from_context,
        shown_files=shown,
        repinned=known != pinned_release(file.content.decode(errors="replace")),
    )


def _show_command(path: str) -> str:
    return f"test -f {shlex.quote(path)} && cat {shlex.quote(path)} || echo '{NO_FILE}'"


def _describe(text: str, mre: Mre) -> BuildPlan:
    instructions = parser.parse(text)
    _, stages = parser.stages(instructions)
    runs = parser.run_instructions(instructions)
    own = {stage.name for stage in stages} | {str(stage.number) for stage in stages} | {"scratch"}
    images = [stage.image for stage in stages]
    images += [name for each in instructions if each.name == "COPY" and (name := each.flag("from"))]
    images = [name for name in dict.fromkeys(images) if name.lower() not in own and "$" not in name]
    flags = " ".join(flag for run in runs for flag in run.instruction.flags)
    pythons = {parse_image_name(name).python for name in images} - {""}
    return BuildPlan(
        text=text,
        steps=_steps(mre, runs),
        headings=tuple(_heading(run.instruction) for run in runs),
        images=tuple(images),
        arguments=tuple(name for each in instructions if each.name == "ARG" for name, _ in each.pairs),
        secrets=tuple(dict.fromkeys(SECRET.findall(flags))),
        heredocs=any(each.heredocs for each in instructions),
        python=pythons.pop() if len(pythons) == 1 else "",
    )


def _steps(mre: Mre, runs: Sequence[RunInstruction]) -> tuple[Step, ...]:
    """Return the RUNs as steps: those of the manifest, and setup steps; all are observed if none of those is."""
    placed = {at: step for step, at in zip(mre.steps, match_steps(mre.steps, runs), strict=True) if at is not None}
    others: Role = "setup" if any(step.role == "observe" for step in placed.values()) else "observe"
    return tuple(
        replace(placed[i], run=run.command)
        if i in placed
        else Step(run.command, "setup" if run.command == VERSION_COMMAND else others)
        for i, run in enumerate(runs)
    )


def _heading(instruction: Instruction) -> str:
    if instruction.json:
        return comparable(instruction.text.partition("[")[1] + instruction.text.partition("[")[2])
    return comparable(instruction.value[0])


def _add_gateway(text: str, mre: Mre, given: Mapping[str, str], *, ask: bool) -> str:
    """Add the gateway's certificate, the labels and a RUN that prints the version of uv."""
    first, _, rest = text.partition("\n")
    if SYNTAX.match(first):
        # The builder has this frontend built in and would pull its image.
        text = f"# in place of {first.partition('=')[2].strip()}: the builder's own\n{rest}"
    labels = "LABEL " + " ".join(f"{name}={quoted(value)}" for name, value in given.items())
    trust = "ENV " + " ".join(f"{name}={CA_PATH}" for name in CA_VARIABLES)
    text = after_each_from(text, [f"COPY {CA_FILE} {CA_PATH}", trust, labels])
    runs = parser.run_instructions(parser.parse(text))
    if not ask or not runs:
        return text
    at = next((at for at in match_steps(mre.steps, runs) if at is not None), len(runs) - 1)
    line = runs[at].instruction.first
    return edit_instructions(
        text, lambda each: [f"RUN {VERSION_COMMAND}", *each.text.split("\n")] if each.first == line else None
    )
