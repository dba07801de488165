"""What a Dockerfile lacks on this machine: paths of its build context, the release of uv, an engine."""

import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from uvmre.core.dockerfile.expansion import expand_if_valid
from uvmre.core.dockerfile.image_names import UV
from uvmre.core.dockerfile.interpret import PIP, UV_PIP
from uvmre.core.dockerfile.parser import Instruction, parse, parse_run, stages
from uvmre.core.dockerfile.single_file import context_sources
from uvmre.core.mre.files import File
from uvmre.core.shell.installs import without_installs
from uvmre.core.shell.uv_calls import Call, parse_calls, without_flag

LOCK, PYPROJECT = "uv.lock", "pyproject.toml"
PROJECT_VERBS = frozenset({"add", "build", "export", "lock", "remove", "run", "sync", "tree", "version"})
FILE = re.compile(r"\.\w+\Z|(?:\A|/)(?:\.[\w.-]+|[A-Z]+|[A-Z][a-z]+file)\Z")
"""A path that looks like a file."""
OWN_PROJECT = re.compile(r"\.(?:\[(?P<extras>[\w, .-]*)\])?\Z")
REQUIREMENTS = ("-r", "--requirement", "--requirements", "-c", "--constraint")
PROGRAMS = frozenset({"alembic", "celery", "flask", "gunicorn", "mypy", "pytest", "ruff", "uvicorn"})
"""Programs of a package of the same name."""
SERIES = re.compile(r":(\d+(?:\.\d+)?)(?=-|$)")
PIP_UV = re.compile(r"\bpip3? install\b[^\n&|;]{0,300}?[\s\"']uv(?P<pin>[=~<>!][^\s\"'&|;]{1,60})?(?=[\s\"'&|;]|$)")
VENV = "uv venv --seed /opt/venv && "
ENV = "ENV VIRTUAL_ENV=/opt/venv PATH=/opt/venv/bin:$PATH"
BY_VARIABLE = re.compile(r"(?<=UV_SYSTEM_PYTHON[= ])[\"']?(?:1|true)[\"']?")


@dataclass
class Needs:
    """What the instructions of a Dockerfile need."""

    paths: dict[str, str] = field(default_factory=dict)
    """Who names or reads each path of the context; a folder ends with `/`."""
    calls: list[Call] = field(default_factory=list)
    """The commands of RUN, CMD and ENTRYPOINT."""

    def values(self, *options: str) -> list[str]:
        """Return the values of some options of all commands, without variables."""
        found = (value for call in self.calls for value in call.values(*options))
        return sorted({value for value in found if re.fullmatch(r"[\w.-]+", value)})


@dataclass
class _Image:
    cwd: str = "/"
    variables: dict[str, str] = field(default_factory=dict)
    copies: list[tuple[str, str]] = field(default_factory=list)
    """Paths of the context, and of the image."""

    def folder(self, path: str) -> str:
        return str(PurePosixPath("/", self.cwd, expand_if_valid(path, self.variables)))

    def origin(self, path: str) -> str:
        """Return the path of the context that is at a path of the image; empty if none is known."""
        for source, target in reversed(self.copies):
            if PurePosixPath(path).is_relative_to(target) and (path == target or not FILE.search(source)):
                inner = str(PurePosixPath(source, PurePosixPath(path).relative_to(target)))
                return "" if ".." in inner else inner
        return ""


def needs_of(instructions: Sequence[Instruction]) -> Needs:
    """Return what a Dockerfile copies, mounts and reads of its context."""
    needs, known = Needs(), dict[str, _Image]()
    for stage in stages(instructions)[1]:
        base = known.get(stage.image.lower(), _Image())
        image = _Image(base.cwd, dict(base.variables), list(base.copies))
        known |= {stage.name: image, str(stage.number): image}
        for each in stage.instructions:
            if each.name in ("ENV", "ARG"):
                image.variables |= {name: expand_if_valid(value or "", image.variables) for name, value in each.pairs}
            elif each.name == "WORKDIR":
                image.cwd = image.folder(each.value[0])
            elif each.name in ("COPY", "ADD"):
                image.copies += _copied(needs, image, each, each.value[-1])
            elif each.name in ("RUN", "CMD", "ENTRYPOINT") and each.value:
                mounts = _copied(needs, image, each, "") if each.name == "RUN" else []
                _read(needs, _Image(image.cwd, image.variables, image.copies + mounts), each)
    return needs


def _copied(needs: Needs, image: _Image, each: Instruction, target: str) -> list[tuple[str, str]]:
    """Note the sources of an instruction, and return where they are in the image."""
    found = []
    for word in context_sources(each):
        source = str(PurePosixPath("/", re.sub(r"\[[^\]]{0,50}\]|[*?]", "", word))).lstrip("/")
        if source != word.strip("./") and PurePosixPath(source).name[:1] == "." and "*" in word:
            source = f"main{source}"  # as of `*.py`
        if ".." in source or (not source and "*" in word):
            continue
        at = target or source
        into = FILE.search(source) and (at.endswith("/") or at in (".", "..") or not FILE.search(at))
        found.append((source, image.folder(f"{at}/{PurePosixPath(source).name}" if into else at)))
        if source:
            needs.paths.setdefault(source if FILE.search(source) else f"{source}/", f"`{each.name}` names")
    return found


def _read(needs: Needs, image: _Image, each: Instruction) -> None:
    """Note what the commands of an instruction read."""
    text = each.value[-1] if each.json and "-c" in each.value else parse_run(each).command
    for call in parse_calls(text):
        needs.calls.append(call)
        if call.argv[:1] == ("cd",) and len(call.argv) > 1:
            image.cwd = image.folder(call.argv[1])
        for path in _paths_read(call, image.variables):
            if inner := image.origin(image.folder(path)):
                needs.paths.setdefault(inner, f"`{shlex.join(call.argv)[:60]}` reads")


def _paths_read(call: Call, variables: Mapping[str, str]) -> Iterator[str]:
    words, verb = call.argv, call.verb
    folder = (call.values("--directory", "--project") or ["."])[-1]
    pip = verb.startswith("pip ") or words[:1] in (("pip",), ("pip3",))
    project = verb in PROJECT_VERBS and not call.has("--no-project", "--script")
    if project or (pip and any(map(OWN_PROJECT.match, words))):
        yield f"{folder}/{PYPROJECT}"
    if project and (call.has("--frozen", "--locked") or {"UV_FROZEN", "UV_LOCKED"} & {*variables, *call.variables}):
        yield f"{folder}/{LOCK}"
    if pip:
        named = call.values(*REQUIREMENTS) + (call.arguments if verb in ("pip sync", "pip compile") else [])
        yield from filter(FILE.search, named)
    else:
        yield from (word for word in words if word.endswith((".py", ".sh")) and "://" not in word)


def skeletons(needs: Needs, missing: Sequence[str], python: str) -> dict[str, File]:
    """Return a skeleton of each missing path, without those of lock files, which uv makes."""
    projects = [path for path in needs.paths if PurePosixPath(path).name == PYPROJECT]
    folders = {PurePosixPath(path).parent.name.replace("_", "-") for path in projects}
    name = next((each for each in needs.values("--package") if each.replace("_", "-") not in folders), "project")
    found: dict[str, File] = {}
    for path in missing:
        base = PurePosixPath(path).name
        if not path.endswith("/"):
            text = _pyproject(path, name, projects, needs, python) if base == PYPROJECT else _content(base, python)
            found |= {path: File(path, text.encode(), base.endswith(".sh"))} if base != LOCK else {}
        elif not any(other.startswith(path) and other != path for other in needs.paths):
            inner = "__init__.py" if base.isidentifier() else ".gitkeep"
            found[path] = File(f"{path}{name.replace('-', '_')}/{inner}" if base == "src" else f"{path}{inner}", b"")
    return found


def _content(base: str, python: str) -> str:
    if base == ".python-version":
        return f"{python or '3.12'}\n"
    return {"txt": "iniconfig\n", "in": "iniconfig\n", "json": "{}\n", "sh": "#!/bin/sh\n"}.get(
        base.rpartition(".")[2], ""
    )


def _pyproject(path: str, name: str, projects: Sequence[str], needs: Needs, python: str) -> str:
    """Return a project that builds without its sources, with the extras, groups and programs that commands name."""
    import tomli_w

    folder, outermost = path.removesuffix(PYPROJECT), min(projects, key=lambda each: each.count("/")) == path
    inner = [each for each in projects if outermost and each.startswith(folder) and each != path]
    words = {word for call in needs.calls for word in call.argv}
    listed = ",".join(own["extras"] or "" for word in words if (own := OWN_PROJECT.match(word))).split(",")
    extras = {*needs.values("--extra", "--no-extra"), *map(str.strip, listed)} - {""}
    groups = needs.values("--group", "--no-group", "--only-group")
    project = {
        "name": name if outermost else PurePosixPath(path).parent.name.replace("_", "-"),
        "version": "0.1.0",
        "requires-python": f">={python or '3.8'}",
        "dependencies": sorted({word.rpartition("/")[2] for word in words} & PROGRAMS),
        "optional-dependencies": {extra: [] for extra in sorted(extras)},
    }
    members = [each.removeprefix(folder).removesuffix(f"/{PYPROJECT}") for each in inner]
    workspace = {"uv": {"workspace": {"members": members}}} if members else {}
    tool = {**workspace, "setuptools": {"py-modules": []}}
    return tomli_w.dumps({"project": project, "dependency-groups": {group: [] for group in groups}, "tool": tool})


def requested_release(instructions: Sequence[Instruction]) -> tuple[str, str]:
    """Return what a Dockerfile without a release calls uv, and the selector of the releases that it means."""
    heads, found = stages(instructions)
    variables = {name: value or "" for each in heads for name, value in each.pairs}
    names = [stage.image for stage in found] + [each.flag("from") or "" for each in instructions]
    names += re.findall(r"\bfrom=([^,\s]+)", " ".join(flag for each in instructions for flag in each.flags))
    for name in (expand_if_valid(each, variables) for each in names):
        if UV.match(name):
            series = SERIES.search(name.partition("@")[0])
            return name, series[1] if series else "latest"
    pins = (PIP_UV.search(each.text) for each in instructions if each.name == "RUN")
    pin = next((match["pin"] or "" for match in pins if match), "")
    return f"uv{pin}", pin or "latest"


def ignoring(text: str, run: str) -> str:
    """Return a Dockerfile in which the failure of a RUN is ignored; as it is if that RUN has a form of its own."""
    found = (each for each in parse(text) if each.name == "RUN" and parse_run(each).command == run and _is_plain(each))
    each = next(found, None)
    return _replaced(text, {each: _run(each, f"( {run} ) || true")}) if each else text


def in_environment(text: str) -> str:
    """Return a Dockerfile that installs into a virtual environment instead of the system's Python."""
    edits: dict[Instruction, str] = {}
    begun: set[str] = set()
    for stage in stages(parse(text))[1]:
        known = {stage.image.lower()} & begun
        for each in stage.instructions:
            if each.name == "ENV" and BY_VARIABLE.search(each.text):
                edits[each] = BY_VARIABLE.sub("0", each.text)
            elif each.name == "RUN" and _is_plain(each) and (command := _in_environment(each.value[0], bool(known))):
                edits[each] = _run(each, command) if known else f"{ENV}\n{_run(each, command)}"
                known = {stage.name or str(stage.number)}
        begun |= {stage.name, str(stage.number)} if known else set()
    return _replaced(text, edits)


def _in_environment(command: str, known: bool) -> str:
    """Return a command that installs into the environment, which it makes unless it is known; empty for another one."""
    uv = UV_PIP.search(command)
    if not uv and not PIP.search(without_installs(command)):
        return ""
    end = uv.start() if uv else 0
    start = command.rfind(" ", 0, end) + 1 if command[:end].endswith("/") else end
    command = command if known else f"{command[:start]}{command[start:end]}{VENV}{command[start:]}"
    return without_flag(without_flag(command, "--system"), "--break-system-packages")


def _is_plain(each: Instruction) -> bool:
    return not each.json and not each.heredocs


def _run(each: Instruction, command: str) -> str:
    return " ".join(["RUN", *each.flags, command])


def _replaced(text: str, edits: dict[Instruction, str]) -> str:
    lines = text.split("\n")
    for each in sorted(edits, key=lambda each: -each.first):
        lines[each.first - 1 : each.last] = [edits[each]]
    return "\n".join(lines)
