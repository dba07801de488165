"""The files that a COPY, an ADD or a `--mount` of a Dockerfile puts into the image."""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import PurePosixPath

from uvmre.core.dockerfile.build_context import copy_sources
from uvmre.core.dockerfile.expansion import expand
from uvmre.core.dockerfile.image_names import parse_image_name
from uvmre.core.dockerfile.parser import Instruction, Stage
from uvmre.core.mre.files import File

HEREDOC = re.compile(r"\A\d*<<-?(?P<quote>[\"']?)(?P<name>[^\"']+)(?P=quote)\Z")
ARCHIVE = re.compile(r"\.(?:tar|tgz|tbz2?|txz|tar\.(?:gz|bz2|xz|zst))\Z")
REMOTE = re.compile(r"\A(?:[a-z][a-z0-9+]*://|git@)")
SUPPORTED_FLAGS = frozenset({"chmod", "chown", "link", "from"})
SECRETS = "/run/secrets"


class NotInterpreted(Exception):
    """An error in the Dockerfile, with its line."""


class NeedsEngine(Exception):
    """An instruction that only a container engine supports."""


def heredoc_files(instruction: Instruction, variables: Mapping[str, str], target: str) -> list[File]:
    """Return the files of a COPY's heredocs; `target` is absolute and ends with `/` for a folder."""
    if instruction.json:
        return []
    found_names = [match["name"] for word in instruction.value[:-1] if (match := HEREDOC.match(word))]
    several = len(instruction.value) > 2
    given = {heredoc.name: heredoc for heredoc in instruction.heredocs}
    found = []
    for name in found_names:
        heredoc = given[name]
        try:
            text = expand(heredoc.data, variables, quotes=False) if heredoc.expand else heredoc.data
        except ValueError as error:
            raise NotInterpreted(f"line {instruction.first}: {error}") from None
        path = f"{target.rstrip('/')}/{name}" if several or target.endswith("/") else target
        found.append(File(path.lstrip("/"), text.encode(), _executable(instruction, False)))
    return found


def copied_files(
    instruction: Instruction, words: Sequence[str], target: str, files: Sequence[File], folders: set[str]
) -> list[File]:
    """Return the files that a COPY or an ADD copies from the context, with their paths in the image.

    Args:
        instruction: the COPY.
        words: its sources, with variables expanded.
        target: absolute; ends with `/` for a folder.
        files: the context.
        folders: known folders of the image.

    Raises:
        NeedsEngine: if a source is missing, or it needs an engine.
    """
    for flag in instruction.flags:
        if flag.lstrip("-").partition("=")[0] not in SUPPORTED_FLAGS:
            raise NeedsEngine(f"`{flag}` is not supported")
    names = [word for word in words if instruction.json or not HEREDOC.match(word)]
    if instruction.name == "ADD" and (far := next((word for word in names if REMOTE.match(word)), "")):
        raise NeedsEngine(f"it fetches {far}")
    found = {name: copy_sources(name, files) for name in names}
    if missing := [name for name, those in found.items() if not those]:
        raise NeedsEngine(f"{missing[0]} is not among the files (or `.dockerignore` excludes it)")
    several = sum(map(len, found.values())) > 1
    result = []
    for each in (source for those in found.values() for source in those):
        if each.folder:
            inside = [(file, file.path[len(each.path) :].lstrip("/")) for file in each.files]
        else:
            below = several or target.endswith("/") or target in folders
            inside = [(each.files[0], PurePosixPath(each.path).name if below else "")]
        if instruction.name == "ADD" and not each.folder and ARCHIVE.search(each.path):
            raise NeedsEngine(f"it unpacks {each.path}")
        for file, rest in inside:
            path = str(PurePosixPath(target, rest)).lstrip("/")
            result.append(File(path, file.content, _executable(instruction, file.executable)))
    return result


def _executable(instruction: Instruction, before: bool) -> bool:
    mode = instruction.flag("chmod")
    if mode is None:
        return before
    return any(int(digit) & 1 for digit in mode[-3:]) if re.fullmatch(r"[0-7]{3,4}", mode) else "+x" in mode or before


def mounted_files(
    instruction: Instruction,
    variables: Mapping[str, str],
    cwd: str,
    files: Sequence[File],
    *,
    secret: Callable[[str], bytes | None],
    stages: Sequence[Stage],
) -> tuple[tuple[File, ...], dict[str, str]]:
    """Return the files, and the variables with secrets, that the `--mount`s of a RUN provide; a cache is empty.

    Raises:
        NeedsEngine: if a mount is from another image, or of a type that needs an engine.
    """
    result: list[File] = []
    secret_variables: dict[str, str] = {}
    for flag in instruction.flags:
        name, _, value = flag.lstrip("-").partition("=")
        if name != "mount":
            if (name, value) not in (("network", "default"), ("security", "sandbox")):
                raise NeedsEngine(f"`{flag}` is not supported")
            continue
        keys = {
            key.lower(): expand(text, variables) for key, _, text in (part.partition("=") for part in value.split(","))
        }
        kind = keys.get("type", "bind")
        target = keys.get("target") or keys.get("dst") or keys.get("destination") or ""
        if kind == "secret":
            _mount_secret(keys, target, secret, result, secret_variables)
        elif kind == "bind" and "from" not in keys:
            source = keys.get("source") or keys.get("src") or "."
            for each in copy_sources(source, files):
                for file in each.files:
                    rest = file.path[len(each.path) :].lstrip("/") if each.folder else ""
                    result.append(
                        File(str(PurePosixPath("/", cwd, target, rest)).lstrip("/"), file.content, file.executable)
                    )
            if not copy_sources(source, files):
                raise NeedsEngine(f"{source} is not among the files (or `.dockerignore` excludes it)")
        elif kind == "bind" and not _is_uv_image(keys["from"], stages):
            raise NeedsEngine(f"it mounts from {keys['from']}")
        elif kind not in ("bind", "cache", "tmpfs"):
            raise NeedsEngine(f"a mount of type {kind} needs an engine")
    return tuple(result), secret_variables


def _is_uv_image(origin: str, stages: Sequence[Stage]) -> bool:
    found_names = [stage.image for stage in stages if origin.lower() in (stage.name, str(stage.number))]
    return parse_image_name(found_names[-1] if found_names else origin).of_uv


def _mount_secret(
    keys: Mapping[str, str],
    target: str,
    secret: Callable[[str], bytes | None],
    result: list[File],
    secret_variables: dict[str, str],
) -> None:
    name = keys.get("id") or PurePosixPath(target).name
    content = secret(name)
    if content is None:
        if keys.get("required", "false").lower() in ("true", "1", ""):
            raise NeedsEngine(f"the secret {json.dumps(name)} is required, but no file or variable has that name")
        return
    if "env" in keys:
        secret_variables[keys["env"]] = content.decode(errors="replace")
    if target or "env" not in keys:
        path = PurePosixPath(SECRETS, target or name)
        result.append(File(str(path).lstrip("/"), content))
