"""What is built for a variant: the MRE's own Dockerfile, and in it what the variant and the gateway need.

Nothing else is changed: without a variant, another release or a gateway the text is the MRE's, byte for byte.
"""

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
"""Where the certificate is in the image."""
CA_VARIABLES = ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "GIT_SSL_CAINFO")
VERSION_COMMAND = "uv --version"
"""Added as a RUN where the Dockerfile itself does not say which release it takes."""
NO_FILE = "uvmre: no such file"
SYNTAX = re.compile(r"#\s*syntax\s*=\s*(?:docker\.io/)?docker/dockerfile:1(?:\.\d+)*\s*\Z")
SECRET = re.compile(r"(?<!\S)--mount=(?=\S*\btype=secret\b)\S*\bid=([^\s,]+)")


@dataclass(frozen=True)
class BuildPlan:
    """What is built."""

    text: str
    steps: tuple[Step, ...]
    """Its RUNs in their order: those of the manifest by their name, role and time limit."""
    headings: tuple[str, ...]
    """The same as an engine shows them, in a line each."""
    images: tuple[str, ...]
    """What is taken from elsewhere."""
    arguments: tuple[str, ...]
    """The build arguments that it declares."""
    secrets: tuple[str, ...]
    """The names of the build secrets that it mounts."""
    heredocs: bool
    python: str
    """The version of the interpreter that its image has, where its name says one."""
    uv: str = ""
    """The release that it says it takes; empty where it says none, or several."""
    shown_files: Mapping[str, str] = field(default_factory=dict)
    """RUNs that are added to show a file to the symptom: the command and the file's path."""
    uv_from_context: bool = False
    """Whether uv's binaries have to lie in the context."""
    repinned: bool = False
    """Whether it takes another release than the MRE's own."""

    @property
    def images_of_uv(self) -> tuple[str, ...]:
        """Return the images that are uv's."""
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
        control: the variant of it, if it is one.
        uv: the release to take.
        python: a version instead of the image's own.
        labels: of what is built behind the gateway; empty where the Dockerfile is to be built untouched.
        uv_from_context: whether uv's binaries lie in the context, because their image is not to be had.

    Raises:
        UsageError: when there is no Dockerfile, or a variant cannot be laid over it.
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
    shown = {_show_command(pattern.path): pattern.path for pattern in mre.symptom.files} if labels else {}
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
    """Return the RUNs as steps: those of the manifest, and others that only prepare them.

    Where none is what the manifest observes, whatever does not prepare it is observed.
    """
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
    """Add what sends the RUNs through the gateway, marks what is made, and asks uv which release it is."""
    first, _, rest = text.partition("\n")
    if SYNTAX.match(first):
        # The builder would fetch the image of that reader, and has the same one built in.
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
