"""Render an MRE as one Dockerfile that contains its files, as uv's guide on reproducible examples recommends."""

import itertools
import re
import shlex
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import PurePosixPath

from uvmre.core.dockerfile.build_context import IGNORE, OWN_IGNORE, build_context, copy_sources
from uvmre.core.dockerfile.comments import comment, split_comment
from uvmre.core.dockerfile.copy import HEREDOC, REMOTE
from uvmre.core.dockerfile.image_names import slim_image
from uvmre.core.dockerfile.parser import DOCKERFILE, Instruction, Stage, parse, stages
from uvmre.core.dockerfile.single_file import ASIDE, CUT, FILES, SPACE, WORK, decode_run, embedded_files, read_back
from uvmre.core.mre import manifest
from uvmre.core.mre.files import File
from uvmre.core.mre.layer import HOME
from uvmre.core.mre.model import MANIFEST, Mre, Step
from uvmre.core.secrets.redact import redact, secrets
from uvmre.core.text.file_lines import delimiter, embed
from uvmre.core.text.visible import visible
from uvmre.errors import InputError, UsageError
from uvmre.report.bundle import Bundle

IGNORED = (DOCKERFILE, IGNORE, OWN_IGNORE)
"""Not needed in an image."""
MAX_FILE = 65_536
"""Bytes of the largest readable file."""
MAX_LINE = 65_000
"""Bytes; the builder's limit is 65,535."""
PLATFORM = "--platform=linux/amd64"
SYNTAX = "# syntax=docker/dockerfile:1"
DIRECTIVE = re.compile(r"#\s*(?:syntax|check)\s*=", re.IGNORECASE)
NEEDS_HEREDOC = re.compile(r"\\$|^(?:\[|--|#)|(?:^|\s)\d*<<|^\s|\s$")
"""Commands that a RUN of one line would parse differently from a shell."""
BETWEEN = re.compile(r"(^|,)(from=)(\d+)(?=,|$)")


def write_dockerfile(bundle: Bundle) -> str:
    """Return the MRE as one Dockerfile, with the files that no instruction has in a comment."""
    text = dockerfile(bundle.mre, bundle.files[:1])
    own = bundle.mre.file(DOCKERFILE)
    found = {file.path: file for file in read_back(text, DOCKERFILE, {}, tuple).files}
    if own and found.get(DOCKERFILE) != own:
        found = embedded_files(text, DOCKERFILE)
    carried = [file for file in bundle.files[1:] if found.get(file.path) != file]
    return dockerfile(bundle.mre, [*bundle.files[:1], *carried]) if carried else text


def read_dockerfile(text: str, source: str) -> tuple[File, ...]:
    """Return the files of the MRE in a Dockerfile that `write_dockerfile` wrote.

    Raises:
        InputError: when it was changed since.
    """
    carried, _ = split_comment(text.split("\n"), source)
    own = carried.get(MANIFEST, File(MANIFEST, b"")).content.decode(errors="replace")
    found = {file.path: file for file in read_back(text, source, {}, tuple).files}
    if DOCKERFILE in carried:
        found = embedded_files(text, source)
    found |= carried
    for left_out in ({MANIFEST, DOCKERFILE}, {MANIFEST}):
        files = tuple(file for path, file in found.items() if path not in left_out)
        mre = replace(manifest.parse(own, source=source, dockerfile=True), files=files)
        if (mre.steps or DOCKERFILE not in left_out) and write_dockerfile(Bundle(mre, None, own)) == text:
            return (carried[MANIFEST], *files)
    raise InputError(
        f"`{source}` is not as uvmre wrote it",
        ["an instruction or a file of it was changed"],
        "make an MRE of it, whose steps are its RUNs: `uvmre new NAME --from-dockerfile FILE`",
    )


def dockerfile(mre: Mre, carried: Sequence[File] = ()) -> str:
    """Return the MRE as one Dockerfile: its own with its files in a new stage, or one with its steps.

    Args:
        mre: the MRE.
        carried: the files in its comment; by default, the manifest.

    Raises:
        InputError: with every file that a Dockerfile cannot contain, and why.
    """
    carried = carried or [File(MANIFEST, manifest.dump(mre).encode())]
    own = mre.file(DOCKERFILE)
    copied: Sequence[File] = mre.files
    aside: Sequence[File] = ()
    instructions: Sequence[Instruction] = ()
    if own:
        instructions = parse(own.content.decode(errors="replace"))
        copied = _copied_files(instructions, [file for file in build_context(mre.files) if file.path not in IGNORED])
        # Files that the manifest or a build uses without a COPY.
        named = {
            mre.environment.env_file,
            *(package.file for index in mre.indexes for package in index.packages),
            *IGNORED[1:],
        }
        aside = [file for file in mre.files if file.path in named and file not in copied]
    faults = [f"{file.path!r} {why}" for file in (*copied, *aside) if (why := _unsupported(file))]
    if faults:
        raise InputError(
            f"a Dockerfile cannot contain {len(faults)} file{'s' * (len(faults) > 1)} of the MRE",
            faults,
            "remove them from the MRE, or share its folder as a Git repository",
        )
    text = _with_files(own.content.decode(), instructions, copied, aside) if own else _from_steps(mre, copied)
    rest = text.split("\n")
    directives = list(itertools.takewhile(DIRECTIVE.match, rest))
    text = "\n".join([*(directives or [SYNTAX]), *comment(carried), *rest[len(directives) :]]).rstrip("\n") + "\n"
    # Whoever prints it may be at a terminal; and a line break in a variable would start another instruction.
    if visible(text) != text or (not own and any("\n" in value for value in mre.variables.values())):
        what = "control characters, or a variable of more than one line"
        raise InputError(
            "a Dockerfile cannot contain the MRE", [f"it has {what}"], "share its folder as a Git repository"
        )
    return redact(text, secrets(mre))


def _unsupported(file: File) -> str:
    if len(file.content) > MAX_FILE:
        return f"is too large ({len(file.content)} bytes)"
    if not _is_binary(file) and any(len(line) > MAX_LINE for line in file.content.split(b"\n")):
        return "has a line that is too long for a Dockerfile"
    return "has a name that a Dockerfile cannot contain" if re.search(r"[\t\n\v\f\r]|<<|[^\S ]", file.path) else ""


def _with_files(text: str, instructions: Sequence[Instruction], files: Sequence[File], aside: Sequence[File]) -> str:
    """Return a Dockerfile that copies from a stage what it copied from the folder."""
    lines = text.removeprefix("\ufeff").split("\n")
    _, found = stages(instructions)
    first = found[0].start.first
    more = sum(1 + (not all(map(_ends_with_newline, those))) for those in (files, aside) if those)
    for each in reversed(instructions):
        changed = _rewrite(each, found, more)
        if changed != each.text:
            lines[each.first - 1 : each.last] = changed.split("\n")
    base = next((stage.image for stage in found if stage.image.lower() != "scratch"), "scratch")
    for name, those in ((FILES, files), (ASIDE, aside)):
        if those:
            lines[first - 1 : first - 1] = [*_stage(name, those, base), ""]
    return "\n".join(lines)


def _rewrite(each: Instruction, found: Sequence[Stage], more: int) -> str:
    """Return an instruction with the platform, the files' stage, and shifted stage numbers."""
    names = {stage.name for stage in found if stage.name}
    if each.name == "FROM":
        plain = each.value[0].lower() in (*names, "scratch") or each.flag("platform") is not None
        return each.text if plain else re.sub(r"(?i)^(\s*from)\b", rf"\1 {PLATFORM}", each.text)
    if each.name in ("COPY", "ADD"):
        origin = each.flag("from")
        if origin is not None and origin.isdigit():
            return re.sub(r"--from=\d+", f"--from={int(origin) + more}", each.text, count=1)
        if origin is None and _from_context(each):
            return re.sub(r"(?i)^(\s*)(copy|add)\b", rf"\1COPY --from={FILES}", each.text)
    if each.name == "RUN":
        return re.sub(r"--mount=\S+", lambda match: _mount(match[0], more), each.text)
    return each.text


def _mount(flag: str, more: int) -> str:
    value = flag.removeprefix("--mount=")
    if re.search(r"(^|,)from=", value):
        return "--mount=" + BETWEEN.sub(lambda match: f"{match[1]}from={int(match[3]) + more}", value)
    kind = re.search(r"(?:^|,)type=(\w+)", value)
    return f"{flag},from={FILES}" if kind is None or kind[1] == "bind" else flag


def _from_context(each: Instruction) -> list[str]:
    words = each.value[:-1]
    if any(REMOTE.match(word) for word in words):
        return []
    return [word for word in words if each.json or not HEREDOC.match(word)]


def _copied_files(instructions: Sequence[Instruction], files: Sequence[File]) -> list[File]:
    """Return the files that some instruction copies or mounts."""
    copied_paths: set[str] = set()
    for each in instructions:
        if each.name in ("COPY", "ADD") and each.flag("from") is None:
            patterns = _from_context(each)
        else:
            mounts = [flag.removeprefix("--mount=") for flag in each.flags if flag.startswith("--mount=")]
            keys = [dict(part.partition("=")[::2] for part in mount.split(",")) for mount in mounts]
            patterns = [
                key.get("source", key.get("src", "."))
                for key in keys
                if key.get("type", "bind") == "bind" and "from" not in key
            ]
        for word in patterns:
            plain = re.sub(r"\$\w+|\$\{[^}]{0,500}\}", "*", word).strip("\"'")
            copied_paths |= {file.path for source in copy_sources(plain, files) for file in source.files}
    return [file for file in files if file.path in copied_paths]


def _stage(name: str, files: Sequence[File], base: str) -> list[str]:
    """Return a stage with files only; final newlines are removed in a stage before it."""
    if all(_ends_with_newline(file) and not _is_binary(file) for file in files):
        return [f"FROM scratch AS {name}", *_copies([(file, f"/{file.path}") for file in files])]
    cut = [f"FROM {PLATFORM} {base} AS {name}{CUT}", f"WORKDIR /{name}{CUT}"]
    cut += _copies([(file, file.path) for file in files])
    return [*cut, f"FROM scratch AS {name}", f"COPY --from={name}{CUT} /{name}{CUT}/ /"]


def _from_steps(mre: Mre, files: Sequence[File]) -> str:
    if keys := mre.host_keys:
        raise UsageError(f"`{keys[0]}` cannot be written as a Dockerfile", "share the folder, which `uvmre run` runs")
    environment = mre.environment
    image = slim_image(environment.uv, environment.python)
    lines = [f"FROM {PLATFORM} {image or f'python:{environment.python or 3}-slim'}"]
    lines += [] if image else [f"RUN pip install uv=={environment.uv}"]
    lines.append(f"WORKDIR {WORK}")
    path = ":".join(f"{WORK}/{folder}" for folder in environment.path)
    lines += [f'ENV PATH="{path}:$PATH"'] if path else []
    lines += [f"ENV {name}={_quoted(value)}" for name, value in mre.variables.items()]
    home = f"{environment.home.rstrip('/')}/"
    copied = [(file, file.path) for file in files]
    if environment.home:
        copied += [(f, str(PurePosixPath(HOME, f.path.removeprefix(home)))) for f in files if f.path.startswith(home)]
    return "\n".join([*lines, *_copies(copied), *(line for step in mre.steps for line in _run(step))])


def _copies(copied: Iterable[tuple[File, str]]) -> list[str]:
    """Return the instructions that write files to their paths."""
    copies, cut = [], []
    for file, path in copied:
        if _is_binary(file):
            copies += decode_run(path, embed(file.content)[1], executable=file.executable)
            continue
        text = file.content.decode()
        end = delimiter([line.rstrip("\r") for line in text.split("\n")])
        mode = "--chmod=755 " if file.executable else ""
        body = text.removesuffix("\n")
        copies += [f"COPY {mode}<<'{end}' {_target(path)}", *([body] if text else []), end]
        if not _ends_with_newline(file):
            cut.append(path)
    spaces = [f'ARG {SPACE}=" "'] if any("${" + SPACE + "}" in line for line in copies) else []
    # A heredoc always ends with a newline.
    return [*spaces, *copies, *([f"RUN truncate -s -1 {shlex.join(cut)}"] if cut else [])]


def _is_binary(file: File) -> bool:
    """Tell whether a heredoc cannot have the file; line ends of Windows it can."""
    return embed(file.content.replace(b"\r\n", b"\n"))[0] == "base64"


def _ends_with_newline(file: File) -> bool:
    return not file.content or file.content.endswith(b"\n")


def _target(path: str) -> str:
    """Return a path escaped for COPY, which splits at white space even inside quotes."""
    return re.sub(r"([\\\"'$])", r"\\\1", path).replace(" ", "${" + SPACE + "}")


def _quoted(value: str) -> str:
    return '"' + re.sub(r'(["\\$])', r"\\\1", value) + '"'


def _run(step: Step) -> list[str]:
    lines = step.run.strip("\n").split("\n")
    if len(lines) == 1 and lines[0].isprintable() and not NEEDS_HEREDOC.search(lines[0]):
        return [f"RUN {lines[0]}"]
    if lines[0].startswith("#!"):
        lines = ["", *lines]  # else the builder would execute it as a file
    end = delimiter([line.rstrip("\r") for line in lines])
    return [f"RUN <<'{end}'", *lines, end]
