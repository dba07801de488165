"""Parse a Dockerfile with embedded files into an MRE: files, a Dockerfile that copies them, the manifest."""

import base64
import re
import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import PurePosixPath
from typing import Any

from uvmre.core.dockerfile.build_context import build_context, copy_sources
from uvmre.core.dockerfile.comments import split_comment
from uvmre.core.dockerfile.copy import HEREDOC, NotInterpreted, heredoc_files
from uvmre.core.dockerfile.expansion import expand, expand_if_valid
from uvmre.core.dockerfile.image_names import parse_image_name
from uvmre.core.dockerfile.parser import DOCKERFILE, Instruction, Stage, parse, run_instructions, stages
from uvmre.core.mre import manifest
from uvmre.core.mre.files import File
from uvmre.core.mre.model import MANIFEST, Environment, Mre
from uvmre.core.mre.portable_names import is_reserved
from uvmre.core.mre.symptom import Symptom
from uvmre.errors import InputError

FILES = "mre-files"
"""The stage with the files that the MRE's own Dockerfile copies."""
ASIDE = "mre-aside"
"""The stage with the other files of the MRE."""
CUT = "-cut"
"""The suffix of a stage that removes the trailing line breaks that heredocs add."""
WORK = "/mre"
SPACE = "SPACE"
"""The ARG for a space in a path."""
RELEASES = (
    re.compile(r"\bpip3? install\b[^\n&|;]{0,500}?[\s\"']uv==(\d+\.\d+\.\d+)"),
    re.compile(r"astral\.sh/uv/(\d+\.\d+\.\d+)/install"),
    re.compile(r"UV_VERSION=[\"']?(\d+\.\d+\.\d+)"),
)
ANSWERS = ("uv", "python", "title", "issue", "exit", "output")


@dataclass
class _Extraction:
    """The files and lines extracted from a Dockerfile."""

    lines: list[str]
    files: dict[str, File] = field(default_factory=dict)
    replaced_lines: dict[int, list[str]] = field(default_factory=dict)
    """New lines of an instruction, by its first line."""


def read_back(text: str, source: str, answers: Mapping[str, Any], read_context: Callable[[], Sequence[File]]) -> Mre:
    """Parse a Dockerfile into an MRE whose steps are its RUNs.

    Args:
        text: the Dockerfile.
        source: its name in errors.
        answers: uv, python, title, issue, exit, output; they override what the Dockerfile has.
        read_context: returns the files of the Dockerfile's folder; called only if something is copied from it.

    Raises:
        InputError: with everything that is invalid or missing.
    """
    text = text.removeprefix("\ufeff")
    lines = text.split("\n")
    commented, lines = split_comment(lines, source)
    embedded = None
    if own := commented.get(MANIFEST):
        parsed = manifest.parse(own.content.decode(errors="replace"), source=f"{source}, {MANIFEST}", dockerfile=True)
        embedded = replace(parsed, steps=(), controls=())
    instructions = parse("\n".join(lines), source)
    heads, found = stages(instructions)
    extraction = _Extraction(lines)
    faults = [f"{key} is not a known answer: use one of {', '.join(ANSWERS)}" for key in answers if key not in ANSWERS]
    try:
        removed = _extract_stages(extraction, found)
    except NotInterpreted as fault:
        raise InputError(f"failed to parse `{source}`", [str(fault)]) from None
    faults += _take_context_files(extraction, instructions, removed, read_context)
    for first in sorted(extraction.replaced_lines, reverse=True):
        each = next(each for each in instructions if each.first == first)
        ends = any(found[number].instructions[-1:] == (each,) for number in removed)
        blank = ends and extraction.lines[each.last : each.last + 1] == [""]
        extraction.lines[each.first - 1 : each.last + blank] = extraction.replaced_lines[first]
    mre, missing = _build_mre(embedded, answers, heads, found, instructions)
    faults += missing
    if faults:
        raise InputError(f"failed to make an MRE of `{source}`", faults)
    rest = "\n".join(extraction.lines).strip("\n") + "\n"
    return replace(mre, files=(*extraction.files.values(), File(DOCKERFILE, rest.encode())))


def embedded_files(text: str, source: str) -> dict[str, File]:
    """Return the files in the stages of files alone, by path."""
    extraction = _Extraction([])
    own = [each for each in stages(parse(text, source))[1] if each.name.removesuffix(CUT) in (FILES, ASIDE)]
    try:
        for stage in filter(_only_files, own):
            _extract_stage(extraction, stage, of_files=True)
    except NotInterpreted as fault:
        raise InputError(f"failed to parse `{source}`", [str(fault)]) from None
    return extraction.files


def _extract_stages(extraction: _Extraction, found: Sequence[Stage]) -> set[int]:
    """Extract heredocs into files; return the stages that are then empty."""
    removed = set()
    for stage in found:
        if stage.name.removesuffix(CUT) in (FILES, ASIDE) and _only_files(stage):
            removed.add(stage.number)
            for each in (stage.start, *stage.instructions):
                extraction.replaced_lines[each.first] = []
        _extract_stage(extraction, stage, of_files=stage.number in removed)
    return removed


def _only_files(stage: Stage) -> bool:
    plain = [each for each in stage.instructions if each.name not in ("ARG", "WORKDIR")]
    return all(
        (each.name == "COPY" and (each.heredocs or (each.flag("from") or "").endswith(CUT)))
        or _cut(each)
        or _decoded(each)
        for each in plain
    )


def _cut(each: Instruction) -> list[str]:
    """Return the paths whose trailing line break a RUN removes."""
    if each.name != "RUN" or each.json or not (match := re.match(r"truncate -s -1 (.+)\Z", each.value[0], re.DOTALL)):
        return []
    return shlex.split(match[1])


def _decoded(each: Instruction) -> File | None:
    """Return the file that a RUN writes which `decode_run` returned."""
    if each.name != "RUN" or each.json or len(each.heredocs) != 1:
        return None
    try:
        words = shlex.split(each.value[0])
        if words[:2] != ["mkdir", "-p"] or words[3:] != _decoding(mode := words[-2], path := words[-1]):
            return None
        return File(path, base64.b64decode(each.heredocs[0].data), mode == "755")
    except (ValueError, IndexError):
        return None


def _decoding(mode: str, path: str) -> list[str]:
    return ["&&", "base64", "-d", f">{path}", "<<EOF", "&&", "chmod", mode, path]


def decode_run(path: str, lines: Sequence[str], *, executable: bool) -> list[str]:
    """Return a RUN that writes a file which is not text."""
    quoted, folder = shlex.quote(path), shlex.quote(str(PurePosixPath(path).parent))
    mode = 755 if executable else 644
    return [f"RUN mkdir -p {folder} && base64 -d >{quoted} <<'EOF' && chmod {mode} {quoted}", *lines, "EOF"]


def _extract_stage(extraction: _Extraction, stage: Stage, *, of_files: bool) -> None:
    cwd = "/"
    variables: dict[str, str] = {}
    copied: dict[str, str] = {}  # target → path in the folder
    space = None
    for each in stage.instructions:
        try:
            if each.name == "WORKDIR":
                cwd = str(PurePosixPath("/", cwd, expand(each.value[0], variables)))
            elif each.name in ("ENV", "ARG"):
                variables |= {name: expand(value, variables) for name, value in each.pairs if value is not None}
                space = each if each.text == f'ARG {SPACE}=" "' else space
            elif each.name == "COPY" and each.heredocs and (copy := _extracted(extraction, each, cwd, variables)):
                copied |= copy
                new = [_copy(each, path, target) for target, path in copy.items()]
                extraction.replaced_lines[each.first] = [] if of_files else new
            elif file := _decoded(each):
                copied[str(PurePosixPath(cwd, file.path))] = path = file.path.lstrip("/")
                others = extraction.files.values()
                if file.path == path or all(replace(file, path=other.path) != other for other in others):
                    extraction.files[path] = replace(file, path=path)
                extraction.replaced_lines[each.first] = []
            elif cut := [str(PurePosixPath(cwd, path)) for path in _cut(each)]:
                if not set(cut) <= copied.keys():
                    continue
                for path in {copied[target] for target in cut}:
                    file = extraction.files[path]
                    extraction.files[path] = replace(file, content=file.content.removesuffix(b"\n"))
                extraction.replaced_lines[each.first] = []
        except ValueError as error:
            raise NotInterpreted(f"line {each.first}: {error}") from None
    left = [each for each in stage.instructions if each.first not in extraction.replaced_lines and each.name == "COPY"]
    if space and not any("${" + SPACE + "}" in each.text for each in left):
        extraction.replaced_lines[space.first] = []


def _extracted(extraction: _Extraction, each: Instruction, cwd: str, variables: Mapping[str, str]) -> dict[str, str]:
    """Extract the heredocs of a COPY, and return their paths by target; nothing if one must stay."""
    literal = not any(heredoc.expand and re.search(r"[$\\]", heredoc.data) for heredoc in each.heredocs)
    if each.json or not literal or not all(map(HEREDOC.match, each.value[:-1])):
        return {}
    target = expand(each.value[-1], variables)
    whole = str(PurePosixPath("/", cwd, target)) + "/" * (target.endswith("/") or target in (".", ".."))
    copy = {}
    for file in heredoc_files(each, variables, whole):
        at = PurePosixPath("/", file.path)
        path = str(at.relative_to(cwd)) if at.is_relative_to(cwd) else str(at.relative_to("/"))
        same = next((other.path for other in extraction.files.values() if replace(file, path=other.path) == other), "")
        if not at.is_relative_to(cwd) and same:
            path = same
        elif path in extraction.files or path in ("", DOCKERFILE) or is_reserved(path) or ".." in at.parts:
            return {}
        copy[str(at)] = path
        extraction.files[path] = replace(file, path=path)
    return copy


def _copy(each: Instruction, path: str, target: str) -> str:
    """Return the COPY of a file, which has its own executable bit."""
    flags = [flag for flag in each.flags if not flag.startswith("--chmod")]
    words = re.sub(r"([\[*?\\])", r"\\\1", path), target
    if re.search(r"[\s\"'$\\\[]", path + target):
        import json

        return " ".join(["COPY", *flags, json.dumps([re.sub(r"([\\\"'$])", r"\\\1", word) for word in words])])
    return " ".join(["COPY", *flags, "./" * path.startswith("--") + words[0], words[1]])


def _take_context_files(
    extraction: _Extraction,
    instructions: Sequence[Instruction],
    removed: set[int],
    read_context: Callable[[], Sequence[File]],
) -> list[str]:
    """Add the files that are copied from the folder, and return errors for missing ones."""
    faults = []
    context: tuple[File, ...] | None = None
    for each in instructions:
        if each.first in extraction.replaced_lines or each.name not in ("COPY", "ADD", "RUN"):
            continue
        if removed and f"from={FILES}" in each.text:
            changed = re.sub(rf" --from={FILES}(?=\s)", "", each.text, count=1)
            changed = changed.replace(f",from={FILES}", "") if each.name == "RUN" else changed
            extraction.replaced_lines[each.first] = _renumber_stages(changed, len(removed)).split("\n")
            continue
        if removed and each.text != (changed := _renumber_stages(each.text, len(removed))):
            extraction.replaced_lines[each.first] = changed.split("\n")
        for word in context_sources(each):
            if context is None:
                context = tuple(file for file in read_context() if file.path not in extraction.files)
            files = [file for match in copy_sources(word, build_context(context)) for file in match.files]
            if not files and word not in (".", "./", "/"):
                faults.append(f"line {each.first}: {word} is not in the Dockerfile's folder: add it")
            extraction.files |= {file.path: file for file in files if file.path != DOCKERFILE}
    if context is not None:
        extraction.files |= {file.path: file for file in context if file.path == ".dockerignore"}
    return faults


def _renumber_stages(text: str, fewer: int) -> str:
    """Renumber stages without those of the files, which were the first."""
    return re.sub(r"(?<=[ ,=-]from=)[1-9]\d*(?=[\s,])", lambda match: str(int(match[0]) - fewer), text)


def context_sources(each: Instruction) -> list[str]:
    """Return the paths that an instruction copies from the context."""
    if each.name in ("COPY", "ADD"):
        if each.flag("from") is not None:
            return []
        words = [word for word in each.value[:-1] if each.json or not HEREDOC.match(word)]
    else:
        mounts = [flag.removeprefix("--mount=").split(",") for flag in each.flags if flag.startswith("--mount=")]
        keys = [dict(part.partition("=")[::2] for part in mount) for mount in mounts]
        binds = [key for key in keys if key.get("type", "bind") == "bind" and "from" not in key]
        words = [key.get("source", key.get("src", ".")) for key in binds]
    return [re.sub(r"\$\w+|\$\{[^}]{0,500}\}", "*", word).strip("\"'") for word in words if "://" not in word]


def _build_mre(
    embedded: Mre | None,
    answers: Mapping[str, Any],
    heads: Sequence[Instruction],
    found: Sequence[Stage],
    instructions: Sequence[Instruction],
) -> tuple[Mre, list[str]]:
    """Return the MRE, and errors for what is missing."""
    uv, python = _find_versions(heads, found, instructions)
    base = embedded or Mre("", Environment(uv), (), Symptom())
    environment = base.environment
    uv = str(answers.get("uv", "") or environment.uv or uv)
    python = str(answers.get("python", "") or environment.python or python)
    given = answers.get("output", ())
    output = tuple(given.split("\n")) if isinstance(given, str) else tuple(map(str, given))
    code = answers.get("exit")
    code = int(code) if isinstance(code, str) and code.isdigit() else code
    symptom = base.symptom
    if output or code is not None:
        symptom = replace(symptom, exit=code if code is not None else "failure", output=output or symptom.output)
    missing = []
    if not uv:
        missing.append("it names no release of uv: pass one with `-d uv=0.5.21`")
    if symptom == Symptom():
        missing.append("a Dockerfile has no symptom: pass one with `-d output='text of the error'`")
    if not run_instructions(instructions):
        missing.append("it has no RUN to observe: add the command as one")
    title = str(answers.get("title", "") or base.title or "Bug shown by a Dockerfile")
    issue = str(answers.get("issue", "") or base.issue)
    kept = replace(environment, uv=uv, python=python)
    return replace(base, title=title, issue=issue, environment=kept, symptom=symptom), missing


def _find_versions(
    heads: Sequence[Instruction], found: Sequence[Stage], instructions: Sequence[Instruction]
) -> tuple[str, str]:
    """Return the release of uv and the Python version that a Dockerfile names first."""
    variables: dict[str, str] = {}
    for each in heads:
        variables |= {name: expand_if_valid(value or "", variables) for name, value in each.pairs}
    names = [stage.image for stage in found] + [origin for each in instructions if (origin := each.flag("from"))]
    names += [match[1] for each in instructions for flag in each.flags if (match := re.search(r"\bfrom=([^,]+)", flag))]
    known = [parse_image_name(expand_if_valid(name, variables)) for name in names]
    uv = next((each.uv for each in known if each.uv), "")
    texts = [each.text for each in instructions]
    uv = uv or next((match[1] for text in texts for pin in RELEASES if (match := pin.search(text))), "")
    python = next((each.python for each in known if each.python), "")
    return uv, ".".join(python.split(".")[:2])
