"""Mistakes in the variables and layers of an image's build."""

import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import PurePosixPath
from typing import Any

from uvmre.core.dockerfile.parser import Instruction, parse_run
from uvmre.core.mre.model import Step, read_env_file
from uvmre.core.shell.uv_calls import exported_variables, parse_calls, with_flag
from uvmre.core.text.normalize import find_pattern, normalize
from uvmre.lint.dockerfiles import DockerfileImage, images, uses_uv
from uvmre.lint.finding import Finding, sentence, with_fix
from uvmre.lint.projects import Project, list_of, members_of, projects, root_of, table_of
from uvmre.lint.subject import REFUSED, Subject

COMPOSE = re.compile(r"(?:docker-)?compose(?:\.[\w-]+)?\.ya?ml")
INDEX_VARIABLE = re.compile(r"\A(?:UV_INDEX_\w+_(?:USERNAME|PASSWORD)|UV_(?:EXTRA_)?INDEX_URL|UV_(?:DEFAULT_)?INDEX)")
BUILD_LOG = re.compile(
    r"docker(?:\s+image|\s+buildx)?\s+build\b|docker[ -]compose\b.{0,300}\bbuild\b|error building image|failed to solve"
    r"|/bin/sh -c |=> ERROR \[|^#\d+ \[",
    re.MULTILINE,
)
"""The logs of BuildKit, the classic builder and kaniko."""
NO_MEMBER = (
    "is not a workspace member",
    "is not included as workspace package in",
    "Distribution not found at",
)
NOT_COPIED = (
    "file does not exist",
    "Unable to determine which files to ship",
    "Expected a Python module at",
    "No file/folder found for package",
)
"""What build backends print for a missing readme, licence or package."""


def build_variables(subject: Subject) -> Iterator[Finding]:
    """Find variables for an index that a container or a shell has, but not the build of the image.

    https://docs.docker.com/build/building/variables/: a build gets them by ENV, ARG with `--build-arg`, or a secret.
    compose's `environment` and `env_file` are for the container (https://docs.docker.com/reference/compose-file/).
    """
    built = [image for image in images(subject) if any(uses_uv(run.command) for run in image.runs)]
    has_dockerfile = any(PurePosixPath(path).name.endswith("Dockerfile") for path in subject.texts)
    if not subject.symptom_contains(*REFUSED):
        return
    for path, text in subject.texts.items():
        if COMPOSE.fullmatch(PurePosixPath(path).name) and built:
            for given, args in _services(subject, path, text):
                missing = {name: given[name] for name in given if not _is_set(name, args, built)}
                if missing:
                    yield _missing(subject, _line(path, text, missing), missing, "compose sets in the container only")
    if subject.parsed and not has_dockerfile and BUILD_LOG.search(subject.post):
        exports = [exported_variables(call) for command in subject.parsed.commands for call in parse_calls(command.run)]
        declared = [dict(subject.parsed.variables), *exports]
        typed = {name: value for given in declared for name, value in given.items() if INDEX_VARIABLE.fullmatch(name)}
        if typed:
            yield _missing(
                subject,
                _in_post(subject, typed),
                typed,
                "are set in a shell, whose variables an image's build does not get",
            )


def _missing(subject: Subject, where: str, missing: Mapping[str, str], how: str) -> Finding:
    rule = "build-variables"
    names = ", ".join(f"`{name}`" for name in missing)
    literal = {name: value for name, value in missing.items() if value and not set("$`<>") & set(value)}
    given = any(name in subject.mre.variables for name in missing)
    why = f"{names}, which {how}, without a build argument, a secret or ENV: `docker build` does not have them"
    if how.startswith("are"):
        why = f"{names} {how} unless a build argument, a secret or ENV hands them on"
    question = f"How do {names} reach the image's build: ARG, a build secret, ENV, or in the same RUN as uv?"
    shows = f"With {names} set for uv."
    control = with_fix(rule, shows, why, variables=literal) if literal and not given else None
    return Finding(rule, where, f"{why}.", control, question)


def _services(subject: Subject, path: str, text: str) -> Iterator[tuple[dict[str, str], frozenset[str]]]:
    """Yield the variables and the build arguments of each service with a build."""
    import yaml

    from uvmre.core.text.parse_yaml import parse_yaml

    try:
        data = parse_yaml(text)
    except yaml.YAMLError:
        return
    for service in table_of(data if isinstance(data, dict) else {}, "services").values():
        if not isinstance(service, dict) or "build" not in service:
            continue
        build = service["build"] if isinstance(service["build"], dict) else {}
        args = frozenset(_pairs(build.get("args")))
        if build.get("secrets") is None:
            given = {**_from_files(subject, path, service.get("env_file")), **_pairs(service.get("environment"))}
            yield {name: value for name, value in given.items() if INDEX_VARIABLE.fullmatch(name)}, args


def _pairs(value: Any) -> dict[str, str]:
    if isinstance(value, dict):
        return {str(name): "" if each is None else str(each) for name, each in value.items()}
    found = value if isinstance(value, list) else []
    return {name: each for name, _, each in (str(pair).partition("=") for pair in found)}


def _from_files(subject: Subject, path: str, named: Any) -> dict[str, str]:
    found: dict[str, str] = {}
    for each in named if isinstance(named, list) else [named]:
        name = each.get("path") if isinstance(each, dict) else each
        if isinstance(name, str):
            text = subject.texts.get(str(PurePosixPath(path).parent / name), "")
            found |= read_env_file(text)
    return found


def _is_set(name: str, args: frozenset[str], built: Sequence[DockerfileImage]) -> bool:
    """Return whether a variable may reach a RUN of some image."""
    for image in built:
        for each in image.stage.instructions:
            if each.name == "ARG" and any(name == given and (value or name in args) for given, value in each.pairs):
                return True
            if each.name != "ARG" and (name in each.text or "type=secret" in each.text):
                return True
    return False


def _line(path: str, text: str, missing: Mapping[str, str]) -> str:
    lines = text.splitlines()
    at = [number for number, line in enumerate(lines, 1) if any(name in line for name in missing) or "env_file" in line]
    return f"{path}:{at[0] if at else 1}"


def _in_post(subject: Subject, typed: Mapping[str, str]) -> str:
    commands = subject.parsed.commands if subject.parsed else ()
    lines = [command.line for command in commands if command.line and any(name in command.run for name in typed)]
    return f"the post, line {lines[0]}" if lines else "the post"


def dependency_layer(subject: Subject) -> Iterator[Finding]:
    """Find a `uv sync` before the members are copied, without `--frozen --no-install-workspace`.

    https://docs.astral.sh/uv/guides/integration/docker/#intermediate-layers-in-workspaces.
    """
    rule = "dependency-layer"
    root = root_of(projects(subject))
    text_of_errors = subject.symptom + normalize(subject.post) if subject.parsed else subject.symptom
    if (
        root is None
        or root.path in subject.inferred_files
        or not any(find_pattern(text, text_of_errors) is not None for text in NO_MEMBER)
    ):
        return
    # Without sources a member comes from the index; and what worked before is not this mistake.
    if "--no-sources" in subject.post or any(call.has("--no-sources") for call in subject.all_calls):
        return
    if (subject.parsed and subject.parsed.good) or "UV_NO_SOURCES" in subject.mre.variables:
        return
    found = tuple(images(subject))
    posted = [each for each in members_of(root, projects(subject)) if each.path not in subject.inferred_files]
    if not found and posted and subject.parsed and re.search(r"(?i)\bdocker", subject.post):
        yield _without_dockerfile(subject, rule)
    for image in found:
        for at, each in enumerate(image.stage.instructions):
            if each.name != "RUN" or not _lacks_flags(each) or _members_there(subject, root, image, at):
                continue
            why = (
                "this `uv sync` runs before the members are copied, so it needs both `--frozen`"
                " (they cannot be read) and `--no-install-workspace` (they cannot be built)"
            )
            lines = image.text.split("\n")
            changed = [*lines[: each.first - 1], _with_flags(each.text), *lines[each.last :]]
            steps = tuple(
                replace(step, run=_with_flags(step.run)) if any(call.verb == "sync" for call in found) else step
                for step, found in subject.steps
            )
            shows = "With `--frozen --no-install-workspace` the layer needs no member."
            control = with_fix(rule, shows, why, files={image.path: "\n".join(changed)}, steps=steps)
            sure = control if subject.symptom_contains(*NO_MEMBER) else None
            yield Finding(rule, f"{image.path}:{each.first}", sentence(why), sure)
            return


def _without_dockerfile(subject: Subject, rule: str) -> Finding:
    why = "uv does not find a member that the workspace lists, so the member's folder was not in the image."
    question = (
        "Please post the Dockerfile. Does a `uv sync` in it run before the members are copied, without"
        " `--frozen --no-install-workspace`?"
    )
    return Finding(
        rule,
        subject.at_line(r"not a workspace member|as workspace package in|Distribution not found"),
        why,
        question=question,
    )


def _lacks_flags(instruction: Instruction) -> bool:
    found = [call for call in parse_calls(parse_run(instruction).command) if call.verb == "sync"]
    return any(not (call.has("--frozen") and call.has("--no-install-workspace")) for call in found)


def _members_there(subject: Subject, root: Project, image: DockerfileImage, before: int) -> bool:
    """Return whether a member's folder, or everything, is copied or mounted up to an instruction."""
    folders = [PurePosixPath(each.folder) for each in projects(subject) if each is not root]
    patterns = [PurePosixPath(str(each)) for each in list_of(table_of(root.uv, "workspace"), "members")]
    member_roots = [part.parts[0] for part in (*folders, *patterns) if part.parts]
    for each in image.stage.instructions[: before + 1]:
        sources = list(each.value[:-1]) if each.name in ("COPY", "ADD") and each.flag("from") is None else []
        mounts = [flag for flag in each.flags if flag.startswith("--mount=") and "type=bind" in flag]
        sources += [
            part.partition("=")[2]
            for flag in mounts
            for part in flag.split(",")
            if part.startswith(("source=", "src="))
        ]
        if any("source=" not in flag and "src=" not in flag for flag in mounts):
            return True
        for source in sources:
            top = PurePosixPath(source.removeprefix("/").removeprefix("./")).parts
            if not top or top[0] in member_roots or "*" in top[0] or "$" in source:
                return True
    return False


def _with_flags(text: str) -> str:
    text = re.sub(r"(?<![ \t])[ \t]+--(?:locked|no-install-project|frozen|no-install-workspace)\b", "", text)
    return with_flag(text, "sync", "--frozen --no-install-workspace")


def project_layer(subject: Subject) -> Iterator[Finding]:
    """Find a `uv sync` that installs the project before its readme and sources are copied.

    https://docs.astral.sh/uv/guides/integration/docker/#intermediate-layers.
    """
    if not subject.symptom_contains(*NOT_COPIED) or not any(each.built for each in projects(subject)):
        return
    later = [file for file in subject.parsed.files if file.before and file.inferred] if subject.parsed else []
    last = subject.mre.steps[-1]
    if later and _installs_project(last.run):
        made = [shlex.quote(file.path) for file in later]
        folders = " ".join(dict.fromkeys(shlex.quote(str(PurePosixPath(file.path).parent)) for file in later))
        first = replace(last, run=_without_project(last.run), role="setup", name="")
        copy = Step(f"mkdir -p {folders}\ntouch {' '.join(made)}", "setup", name="copy the project")
        yield _project_layer(subject.at_step(last), steps=(*subject.mre.steps[:-1], first, copy, last))
    for image in images(subject):
        for at, each in enumerate(image.stage.instructions):
            copies = [after for after in image.stage.instructions[at + 1 :] if after.name == "COPY"]
            if each.name != "RUN" or not _installs_project(parse_run(each).command) or not copies:
                continue
            lines = image.text.split("\n")
            changed = [*lines[: each.first - 1], _without_project(each.text), *lines[each.last : copies[-1].last]]
            changed += [each.text, *lines[copies[-1].last :]]
            yield _project_layer(f"{image.path}:{each.first}", files={image.path: "\n".join(changed)})
            return


def _project_layer(where: str, *, steps: tuple[Step, ...] = (), files: dict[str, str] | None = None) -> Finding:
    rule = "project-layer"
    why = (
        "this `uv sync` installs the project before its readme and sources are copied, so it needs"
        " `--no-install-project`, and a second `uv sync` after the copy"
    )
    shows = "With `--no-install-project` first, then the copy, then `uv sync`."
    return Finding(rule, where, sentence(why), with_fix(rule, shows, why, files=files, steps=steps))


def _installs_project(run: str) -> bool:
    kept = ("--no-install-project", "--no-install-workspace", "--no-install-local", "--only-group")
    return any(call.verb == "sync" and not call.has(*kept) for call in parse_calls(run))


def _without_project(text: str) -> str:
    return with_flag(text, "sync", "--no-install-project")
