"""Interpret a Dockerfile without an engine: its RUNs as steps, and notes on what is ignored.

The rules are those of BuildKit's `frontend/dockerfile/dockerfile2llb/convert.go` and Docker's reference.
"""

import functools
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import PurePosixPath

from uvmre.core.dockerfile.build_context import build_context
from uvmre.core.dockerfile.copy import NeedsEngine, NotInterpreted, copied_files, heredoc_files, mounted_files
from uvmre.core.dockerfile.expansion import expand
from uvmre.core.dockerfile.image_names import parse_image_name
from uvmre.core.dockerfile.parser import (
    AS_FILE,
    DOCKERFILE,
    Instruction,
    Stage,
    called_programs,
    parse,
    parse_run,
    stages,
)
from uvmre.core.mre.files import File
from uvmre.core.mre.layer import HOME, MACHINE, PATH, USUAL, Layer, LayerFolder, StageFetch, StageStart
from uvmre.core.mre.model import Mre, Step
from uvmre.core.shell.installs import INSTALLED_UV, INSTALLS_UV, MATTERS, SYSTEM_COMMANDS, without_installs
from uvmre.errors import InputError

SHELL = ("/bin/sh", "-c")
PLATFORM = {"PLATFORM": "linux/amd64", "OS": "linux", "ARCH": "amd64", "VARIANT": ""}
PREDEFINED_ARGS = {f"{whose}{what}": value for whose in ("TARGET", "BUILD") for what, value in PLATFORM.items()}
"""The predefined ARGs of the builder."""
IGNORED = frozenset({"CMD", "ENTRYPOINT", "EXPOSE", "HEALTHCHECK", "LABEL", "MAINTAINER", "STOPSIGNAL"})
"""Instructions without effect on the build."""
INTO_THE_SYSTEM = re.compile(r"--(?:system|break-system-packages)\b|\bUV_SYSTEM_PYTHON=[\"']?[1t]")
UV_PIP = re.compile(r"\buv(?:\s+-\S+){0,9}\s+pip\b")
"""Without `--system`, it refuses to install where there is no virtual environment."""
PIP = re.compile(r"(?:^|[\s;&|])pip3? install\b")
PLACE = re.compile(r"(--python|--target|--prefix|\s-[pt])[= ][\"']?([^\s;&|\"']+)")
MAKES_PIP = re.compile(r"-m venv\b|\bvirtualenv\b|\bvenv\b.{0,200}--seed\b")


@dataclass(frozen=True)
class Interpreted:
    """A Dockerfile as steps."""

    steps: tuple[Step, ...]
    notes: tuple[str, ...]
    """What was ignored, one line each."""


@dataclass
class _State:
    """The state of an image at some point of a stage."""

    env: dict[str, str] = field(default_factory=lambda: {"PATH": PATH})
    args: dict[str, str] = field(default_factory=dict)
    cwd: str = "/"
    shell: tuple[str, ...] = SHELL
    folders: set[str] = field(default_factory=lambda: {"/", HOME, "/tmp"})

    @property
    def variables(self) -> dict[str, str]:
        return self.args | self.env

    def copy(self) -> "_State":
        return _State(dict(self.env), dict(self.args), self.cwd, self.shell, set(self.folders))


@dataclass
class _Walk:
    """The state of an interpretation."""

    files: tuple[File, ...]
    build_args: Mapping[str, str]
    secret: "Callable[[str], bytes | None]"
    global_args: dict[str, str]
    """The ARGs before the first FROM."""
    stages: tuple[Stage, ...]
    pending: list[StageStart | LayerFolder | StageFetch | File] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    owned: set[str] = field(default_factory=lambda: {f"/{name}" for name in USUAL})

    def note(self, instruction: Instruction, what: str) -> None:
        self.notes.append(f"line {instruction.first}: {what}")

    def own(self, path: str) -> None:
        """Mark a path as the image's: its first folder, unless that is the machine's."""
        first = path.strip("/").split("/")[0]
        if first and first not in MACHINE:
            self.owned.add(f"/{first}")
        elif first and path.strip("/").count("/"):
            self.owned.add(path.rstrip("/"))


def with_steps(mre: Mre) -> Mre:
    """Return the MRE with the steps of its Dockerfile, if it has none of its own."""
    own = mre.steps and not mre.steps[0].layer
    return mre if own or mre.file(DOCKERFILE) is None else replace(mre, steps=interpret(mre).steps)


def interpret(mre: Mre) -> Interpreted:
    """Return the RUNs of an MRE's Dockerfile that its last stage needs as steps, up to one that needs an engine.

    RUNs that call uv are observed, and so is the last one.

    Raises:
        InputError: if the Dockerfile is not valid.
    """
    return _interpret(mre.files, tuple(mre.variables.items()), mre.environment.env_file)


@functools.lru_cache(maxsize=32)
def _interpret(files: tuple[File, ...], items: tuple[tuple[str, str], ...], env_file: str) -> Interpreted:
    # Cached, so that reading, running and reporting a variant interpret it once.
    content, variables = {file.path: file.content for file in files}, dict(items)
    try:
        text = content[DOCKERFILE].decode()
    except UnicodeDecodeError:
        raise InputError(f"failed to parse `{DOCKERFILE}`", ["it is not UTF-8"]) from None
    heads, found = stages(parse(text))
    secret = functools.partial(_secret, content, variables, env_file)
    walk = _Walk(build_context(files), variables, secret, {}, found)
    try:
        for head in heads:
            _arg(walk, _State(env=walk.global_args), head, walk.global_args)
        _walk_stages(walk, _needed_stages(walk))
    except NotInterpreted as fault:
        raise InputError(f"`{DOCKERFILE}` has 1 error", [str(fault)], "fix it and try again") from None
    steps = [
        replace(step, layer=replace(step.layer, owned=tuple(sorted(walk.owned)))) for step in walk.steps if step.layer
    ]
    if not steps:
        raise InputError(f"`{DOCKERFILE}` has no RUN to observe", ["add the command as a RUN"])
    if steps[-1].layer and not steps[-1].layer.refused:
        steps[-1] = replace(steps[-1], role="observe")
    return Interpreted(tuple(steps), tuple(walk.notes))


def _secret(content: Mapping[str, bytes], variables: Mapping[str, str], env_file: str, name: str) -> bytes | None:
    """Return the content of a build secret: a file, a variable, or the env file by its name."""
    if name not in content and name in variables:
        return variables[name].encode()
    if name not in content and env_file and name in (env_file, PurePosixPath(env_file).stem):
        name = env_file
    return content.get(name)


def _needed_stages(walk: _Walk) -> list[Stage]:
    """Return the stages that the last one needs, in order."""
    numbers, todo = set(), [walk.stages[-1].number]
    while todo:
        number = todo.pop()
        if number in numbers:
            continue
        numbers.add(number)
        stage = walk.stages[number]
        names = [_word(walk.global_args, stage.start, stage.image)]
        names += [each.flag("from") or "" for each in stage.instructions if each.name == "COPY"]
        todo += [inner for name in names if (inner := stage_of(walk.stages[:number], name)) is not None]
    return [stage for stage in walk.stages if stage.number in numbers]


def stage_of(before: tuple[Stage, ...], name: str) -> int | None:
    """Return the number of an earlier stage by its name or number."""
    found = [stage.number for stage in before if name and name.lower() in (stage.name, str(stage.number))]
    return found[-1] if found else None


def _walk_stages(walk: _Walk, needed: list[Stage]) -> None:
    states: dict[int, _State] = {}
    for stage in needed:
        name = _word(walk.global_args, stage.start, stage.image)
        base = stage_of(walk.stages[: stage.number], name)
        state = states[stage.number] = states[base].copy() if base is not None else _State()
        walk.pending.append(StageStart(stage.number, base))
        if base is None:
            walk.note(stage.start, f"the image {name} is replaced by this machine, with the uv and Python of the run")
        for instruction in stage.instructions:
            try:
                _apply(walk, state, instruction)
            except NeedsEngine as why:
                _add_refused(walk, state, instruction, str(why))
                return


def _apply(walk: _Walk, state: _State, instruction: Instruction) -> None:
    name = instruction.name
    if name in IGNORED:
        return
    if name == "ENV":
        before = state.variables
        state.env |= {key: _word(before, instruction, value or "") for key, value in instruction.pairs}
        for key, _ in instruction.pairs:
            for part in state.env[key].split(":"):
                if part.startswith("/") and key != "PATH":
                    walk.own(part)
    elif name == "ARG":
        _arg(walk, state, instruction, state.args)
    elif name == "WORKDIR":
        folder = _word(state.variables, instruction, instruction.value[0])
        state.cwd = str(PurePosixPath("/", state.cwd, folder))
        state.folders.add(state.cwd)
        walk.own(state.cwd)
        walk.pending.append(LayerFolder(state.cwd))
    elif name == "SHELL":
        state.shell = instruction.value
    elif name == "RUN":
        _run(walk, state, instruction)
    elif name in ("COPY", "ADD"):
        _copy(walk, state, instruction)
    else:
        walk.note(instruction, f"{name} is ignored")


def _arg(walk: _Walk, state: _State, instruction: Instruction, into: dict[str, str]) -> None:
    for key, default in instruction.pairs:
        if key in walk.build_args:
            into[key] = walk.build_args[key]
        elif default is not None:
            into[key] = _word(state.variables, instruction, default)
        elif key in walk.global_args or key in PREDEFINED_ARGS:
            into[key] = walk.global_args.get(key, PREDEFINED_ARGS.get(key, ""))


def _copy(walk: _Walk, state: _State, instruction: Instruction) -> None:
    words = [_word(state.variables, instruction, word) for word in instruction.value]
    origin = _word(state.variables, instruction, instruction.flag("from") or "")
    target = words[-1]
    target = str(PurePosixPath("/", state.cwd, target)) + "/" * (target.endswith("/") or target in (".", ".."))
    if not origin:
        new = [
            *heredoc_files(instruction, state.variables, target),
            *copied_files(instruction, words[:-1], target, walk.files, state.folders),
        ]
        walk.pending += new
        for file in new:
            walk.own(f"/{file.path}")
            state.folders |= {str(parent) for parent in PurePosixPath("/", file.path).parents}
        return
    stage = stage_of(walk.stages, origin)
    of_uv = parse_image_name(walk.stages[stage].image if stage is not None else origin).of_uv
    if of_uv:
        walk.note(instruction, "skipped: the uv of the run is already installed")
    elif stage is None:
        raise NeedsEngine(f"it copies from the image {origin}, which only an engine can pull")
    else:
        walk.own(target)
        folder = target.endswith("/") or len(words) > 2 or target in state.folders
        walk.pending += [
            StageFetch(stage, str(PurePosixPath("/", word)), target.rstrip("/") + "/" * folder) for word in words[:-1]
        ]


def _run(walk: _Walk, state: _State, instruction: Instruction) -> None:
    run = parse_run(instruction)
    command, rest = run.command, run.command if run.argv else without_installs(run.command)
    if rest != command and any(map(MATTERS.match, called_programs(rest))):
        walk.note(instruction, "its parts that install uv or change the system are skipped")
        command = rest
    called = {program.rpartition("/")[2] for program in called_programs(command)}
    tools_only = rest != run.command and not rest.strip(" :&;\n") and not called & SYSTEM_COMMANDS
    if tools_only or (INSTALLS_UV.search(command.strip()) and not called & {"uv", "uvx"}):
        walk.note(instruction, "skipped: the uv of the run is already installed")
        return
    if done := sorted(called & SYSTEM_COMMANDS):
        walk.note(
            instruction, f"skipped: `{done[0]}` would change this machine, which must already have what it installs"
        )
        return
    if _changes_system(walk, state, command):
        raise NeedsEngine("it installs into the system's Python, which is that of this machine")
    try:
        mounts, variables = mounted_files(
            instruction, state.variables, state.cwd, walk.files, secret=walk.secret, stages=walk.stages
        )
    except ValueError as error:
        raise NotInterpreted(f"line {instruction.first}: {error}") from None
    for each in mounts:
        walk.own(f"/{each.path}")
    layer = Layer(
        argv=run.argv or (*state.shell, INSTALLED_UV.sub("", command)),
        cwd=state.cwd,
        variables={**state.variables, **variables},
        before=tuple(walk.pending),
        mounts=mounts,
    )
    walk.pending.clear()
    # A script in a heredoc is named by its instruction.
    name = instruction.text.split("\n")[0] if run.command.startswith(AS_FILE) else ""
    walk.steps.append(Step(run.command, "observe" if called & {"uv", "uvx"} else "setup", name, layer=layer))


def _changes_system(walk: _Walk, state: _State, command: str) -> bool:
    """Tell whether a command may install into the machine's Python, rather than below the image."""
    text, known = UV_PIP.sub("uv-pip", command), state.variables
    pip, places = PIP.search(text), [*PLACE.findall(text), ("-p", known.get("UV_PYTHON", "."))]
    by_variable = known.get("UV_SYSTEM_PYTHON", "0") not in ("", "0", "false") and "uv-pip" in text
    if by_variable or INTO_THE_SYSTEM.search(command):
        return True
    if (pip or "uv-pip" in text) and any(_on_machine(option, place, known) for option, place in places):
        return True
    before = text[: pip.start()] if pip else ""
    active = "/bin/activate" in before or not _on_machine("PATH", known["PATH"], known)
    own = active and any(MAKES_PIP.search(each) for each in (before, *(step.run for step in walk.steps)))
    return bool(pip) and not own and not any(option in ("--target", "--prefix", " -t") for option, _ in places)


def _on_machine(option: str, place: str, variables: Mapping[str, str]) -> bool:
    """Tell whether a folder, or what an option names, is not below the image; `3.12` is an interpreter."""
    try:
        place = expand(place, variables)
    except ValueError:  # as of `$(which python)`
        return True
    first = place.strip("/").split("/")[0]
    return first in MACHINE if "/" in place else option.strip() in ("--python", "-p") and not place.startswith(".")


def _add_refused(walk: _Walk, state: _State, instruction: Instruction, why: str) -> None:
    head = instruction.text.split("\n")[0]
    refused = f"line {instruction.first} of the {DOCKERFILE} needs a container engine: {why}"
    walk.steps.append(Step(head, "setup", layer=Layer((), state.cwd, before=tuple(walk.pending), refused=refused)))


def _word(variables: Mapping[str, str], instruction: Instruction, word: str) -> str:
    try:
        return expand(word, variables)
    except ValueError as error:
        raise NotInterpreted(f"line {instruction.first}: {error}") from None
