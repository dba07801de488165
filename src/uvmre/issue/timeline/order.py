"""From the events of a post to files and commands in an order in which they can be run."""

import re
from dataclasses import dataclass, field, replace

from uvmre.core.shell import statements
from uvmre.core.triage.parsed_issue import Command, Gap, PostedFile
from uvmre.issue.commands import rewrite
from uvmre.issue.files import content_type, names, trees
from uvmre.issue.timeline.events import PRINTS_FILE, Event, Timeline

CHANGES = {
    "pyproject.toml": re.compile(r"\buv\s+(?:--\S+\s+){0,12}(?:add|remove|init|version|upgrade)\b"),
    "uv.lock": re.compile(r"\buv\s+(?:--\S+\s+){0,12}(?:lock|sync|add|remove|run|version)\b"),
    ".python-version": re.compile(r"\buv\s+(?:python\s+pin|init)\b"),
}
"""Which commands change a file by themselves; any other is changed where its name is an argument."""
BECOMES = re.compile(
    r"(?i)\b(?:result|results|resulting|becomes?|became|turns? into|now (?:has|contains|looks|reads"
    r"|is)|generate[sd]?|produce[sd]?|creates?d?|after(?:wards)?"
    r"|ends? up|updated (?:to|file)|looks like|get|gets|output|expect\w*|actual\w*|modified|leaves?"
    r"|left with|I see|adds?)\b"
)
EDITED = re.compile(
    r"(?i)\b(?:change[ds]?|edit(?:ed)?|modif(?:y|ied)|update[ds]?|replace[ds]?|switch(?:ed)?|add(?:ed"
    r"|ing)?|remove[ds]?|then|now|instead)\b"
)
EXPECTED = re.compile(r"(?i)\b(?:expect\w*|should|instead|would|desired|want\w*|ought)\b")
MOST_COMMANDS = 200
PYTHON_ARGUMENT = re.compile(r"(?<![\w./-])((?:[\w.-]+/)*[\w-]+\.py)\b")
REQUIREMENTS_ARGUMENT = re.compile(
    r"(?:(?:-r|--requirements?|-c|--constraints?|--overrides?|--override|compile"
    r"|sync)[ =]+)((?:[\w.-]+/)*[\w.-]+\.(?:txt|in))\b"
)
ECHO_VARIABLE = re.compile(r"echo\s+\"?\$\{?(?P<name>[A-Za-z_]\w*)\}?\"?")
WRITES = re.compile(r"(?:(?<![<>=])>{1,2}|-o|--output-file|\btee(?: -a)?|\btouch)[ =]*\"?(?P<path>[\w./-]+)")
MAKES = re.compile(r"\b(?:mkdir(?: -p)?|uv init(?: --\S+)*|git init(?: -\w+)*|mktemp)\s+(?P<paths>[\w./ -]+)")


@dataclass
class OrderedEvents:
    """What is gathered while the acts are gone through."""

    commands: list[Command] = field(default_factory=list)
    files: list[PostedFile] = field(default_factory=list)
    good: list[PostedFile] = field(default_factory=list)
    """Files with which the post says that it works."""
    results: list[PostedFile] = field(default_factory=list)
    """Files as the post says they are after the commands; `before` counts those."""
    expected: list[PostedFile] = field(default_factory=list)
    """Files as the post says they ought to be."""
    gaps: list[Gap] = field(default_factory=list)
    context: dict[int, str] = field(default_factory=dict)
    """What is said of each command."""
    created: set[str] = field(default_factory=set)
    """Files and folders that commands make."""
    variables: dict[str, str] = field(default_factory=dict)
    """Those whose value an `echo` shows."""
    working_lines: set[int] = field(default_factory=set)
    """The lines of files with which the post says that it works."""


def order_events(told: Timeline) -> OrderedEvents:
    """Go through the acts of a post."""
    gathered = OrderedEvents()
    for event in _with_names(told):
        if len(gathered.commands) > MOST_COMMANDS:
            gathered.gaps.append(
                Gap(event.line, "there are more commands than are read", True, "Which few commands show it?")
            )
            break
        if event.path:
            _file(gathered, event)
        elif event.run:
            _command(gathered, event)
    _relocate(gathered, told)
    return gathered


def _with_names(told: Timeline) -> list[Event]:
    """Give unnamed files the names that commands ask for."""
    runs = [event.run for event in told.events if event.run]
    have = {event.path for event in told.events if event.path}
    python = [path for run in runs for path in PYTHON_ARGUMENT.findall(run) if path not in have and "-c " not in run]
    listed = [path for run in runs for path in REQUIREMENTS_ARGUMENT.findall(run) if path not in have]
    python, listed = list(dict.fromkeys(python)), list(dict.fromkeys(listed))
    acts: list[Event] = []
    for event in told.events:
        if event.run or event.path or not event.text:
            acts.append(event)
            continue
        wanted = listed if event.kind == "requirements" else python
        if wanted:
            path = names.clean_path(wanted.pop(0))
            acts.append(
                Event(
                    event.line,
                    path=path,
                    text=event.text,
                    why=f"a command asks for {path}",
                    works=event.works,
                    kind=event.kind,
                    context=event.context,
                )
            )
    return [event for event in acts if event.run or event.path]


def _file(gathered: OrderedEvents, event: Event) -> None:
    text = event.text
    if event.kind == "pyproject" and event.path == "pyproject.toml" and (folder := _folder_of(gathered, text)):
        event = replace(event, path=f"{folder}/pyproject.toml", why=f"{event.why}, of the member {folder}")
    same = [file for file in gathered.files if file.path == event.path]
    at = len(gathered.commands)
    lead = event.context.strip().split("\n")[-1]
    if event.works is True:
        gathered.working_lines.add(event.line)
    if not same:
        made = event.path in gathered.created or (
            event.path in ("pyproject.toml", "uv.lock")
            and any(re.search(r"\buv init\b", each.run) for each in gathered.commands)
        )
        if event.kind == "lock" or (made and not EDITED.search(lead) and BECOMES.search(lead)):
            (gathered.expected if EXPECTED.search(lead) else gathered.results).append(
                PostedFile(event.path, text, event.line, event.why, before=at)
            )
            return
        if _is_written(gathered, event.path):
            gathered.results.append(PostedFile(event.path, text, event.line, event.why, before=at))
            return
        gathered.files.append(
            PostedFile(
                event.path,
                text,
                event.line,
                event.why,
                before=at if made or _needs_command(gathered, event.path) else 0,
            )
        )
        return
    last = same[-1]
    if " ".join(last.text.split()) == " ".join(text.split()):
        return
    changed = any(_changes(each.run, event.path) for each in gathered.commands[last.before :])
    if (
        (event.works is True) != (last.line in gathered.working_lines)
        and not changed
        and (event.works is False or last.line in gathered.working_lines or event.works)
    ):
        _keep_failing(gathered, event, last)
    elif changed and not _is_edit(lead, event) and event.works is not True:
        (gathered.expected if EXPECTED.search(lead) else gathered.results).append(
            PostedFile(event.path, text, event.line, event.why, before=at)
        )
    elif EXPECTED.search(lead) and changed:
        gathered.expected.append(PostedFile(event.path, text, event.line, event.why, before=at))
    else:
        gathered.files.append(PostedFile(event.path, text, event.line, event.why, before=at))


def _folder_of(gathered: OrderedEvents, text: str) -> str:
    """Return the folder of a project that another one, shown before, has as a member; empty where none has it."""
    root = next((file for file in gathered.files if file.path == "pyproject.toml"), None)
    name, data = _project_name(text), content_type.parse_toml(root.text) if root else None
    if not data or not name or not root or name == _project_name(root.text):
        return ""
    uv = data.get("tool", {}).get("uv", {}) if isinstance(data.get("tool"), dict) else {}
    workspace, sources = uv.get("workspace", {}), uv.get("sources", {})
    members = workspace.get("members", []) if isinstance(workspace, dict) else []
    paths = [each for each in members if isinstance(each, str)]
    source = sources.get(name) if isinstance(sources, dict) else None
    if isinstance(source, dict) and isinstance(source.get("path"), str):
        paths.insert(0, source["path"])
    for path in paths:
        last = path.rstrip("/").rpartition("/")[2]
        if last.replace("_", "-") == name.replace("_", "-"):
            return names.clean_path(path)
        if last == "*":
            return names.clean_path(path.replace("*", name))
    return ""


def _project_name(text: str) -> str:
    table = (content_type.parse_toml(text) or {}).get("project")
    return str(table.get("name", "")) if isinstance(table, dict) else ""


def _keep_failing(gathered: OrderedEvents, event: Event, last: PostedFile) -> None:
    """Take the one of two files that goes wrong, and keep the other as what works."""
    this = PostedFile(event.path, event.text, event.line, event.why, before=last.before)
    gathered.good.append(this if event.works is True else last)
    if event.works is not True:
        gathered.files[gathered.files.index(last)] = this


def _changes(run: str, path: str) -> bool:
    name = path.rpartition("/")[2]
    pattern = CHANGES.get(name)
    return bool(pattern.search(run)) if pattern else name in run


def _is_edit(lead: str, event: Event) -> bool:
    return bool(EDITED.search(lead)) and not BECOMES.search(lead) and bool(event.context)


def _is_written(gathered: OrderedEvents, path: str) -> bool:
    """Tell whether a command that ran already wrote that file."""
    return any(
        match["path"] == path
        for each in gathered.commands
        for match in WRITES.finditer(each.run)
        if "<<" not in each.run
    )


def _needs_command(gathered: OrderedEvents, path: str) -> bool:
    """Tell whether the folder of a file, or the file, is there only after some command."""
    return any(path.startswith(f"{folder}/") for folder in gathered.created)


def _command(gathered: OrderedEvents, event: Event) -> None:
    parts = statements.statements(event.run)
    reads = parts[0] if len(parts) == 1 and parts[0].program in PRINTS_FILE and len(parts[0].argv) == 2 else None
    if reads and event.output and (path := names.clean_path(reads.argv[1])) and _is_source(gathered, path, event):
        have = any(file.path == path for file in gathered.files)
        at = len(gathered.commands)
        if not have:
            gathered.files.append(
                PostedFile(
                    path,
                    f"{event.output}\n",
                    event.line,
                    f"`{event.run}` shows it",
                    before=at if _needs_command(gathered, path) else 0,
                )
            )
            return
    shown = ECHO_VARIABLE.fullmatch(event.run.strip()) if event.output.strip() else None
    if shown and not any(shown["name"] in each.run for each in gathered.commands):
        gathered.variables[shown["name"]] = event.output.strip()
        return
    script = next((file for file in gathered.files if event.run == f"bash {file.path}"), None)
    if script and (rewrite.endangers(script.text) or rewrite.GIT_HOST.search(script.text)):
        gathered.gaps.append(Gap(event.line, f"`{script.path}` reaches out of its folder and is not run", True, ""))
        return
    taken = _join_uv_calls(rewrite.rewrite(event.run)) if event.output else rewrite.rewrite(event.run)
    last = max((i for i, each in enumerate(taken) if each.run and not each.other), default=-1)
    for i, each in enumerate(taken):
        if each.gap:
            decides = not re.match(r"`(?:apt|apt-get|brew|apk|yum|dnf|pacman|systemctl|pyenv|gpg|nix)`", each.gap)
            gathered.gaps.append(Gap(event.line, f"`{_one_line(event.run)}` needs {each.gap}", decides, ""))
        if not each.run or each.other:
            continue
        if each.run.startswith("cd ") and not _can_enter(gathered, each.run):
            continue
        for found in MAKES.finditer(each.run):
            gathered.created |= {
                names.clean_path(word) for word in found["paths"].split() if not word.startswith("-")
            } - {""}
        gathered.created |= {names.clean_path(found["path"]) for found in WRITES.finditer(each.run)} - {""}
        gathered.context[len(gathered.commands)] = event.context
        gathered.commands.append(Command(each.run, event.line, event.output if i == last else "", event.works))


def _join_uv_calls(taken: list[rewrite.RewrittenCommand]) -> list[rewrite.RewrittenCommand]:
    """Keep the calls of uv in one line together: what is shown below is what they all printed."""
    uv = [i for i, each in enumerate(taken) if re.match(r"(?:\w+=\S* )*uvx?\s", each.run) and not each.other]
    if len(uv) < 2:
        return taken
    between = taken[uv[0] : uv[-1] + 1]
    if any(not each.run or each.gap or re.match(r"(?:cd|export|\.|set|unset)\s", each.run) for each in between):
        return taken
    joined = rewrite.RewrittenCommand(" && ".join(each.run for each in between))
    return [*taken[: uv[0]], joined, *taken[uv[-1] + 1 :]]


def _one_line(run: str) -> str:
    return " ".join(run.split())[:100]


def _is_source(gathered: OrderedEvents, path: str, event: Event) -> bool:
    if path in gathered.created or _is_written(gathered, path) or path.startswith("."):
        return False
    if path == "pyproject.toml" and any(
        re.search(r"\buv (?:init|add|remove)\b", each.run) for each in gathered.commands
    ):
        return False
    return "No such file" not in event.output and path not in ("uv.lock",)


def _can_enter(gathered: OrderedEvents, run: str) -> bool:
    """Tell whether a folder is there: a command made it, a file lies in it; else the reporter goes to what is here."""
    target = run[3:].strip().strip("\"'").split("&&")[0].strip().rstrip("/")
    if not target or target in ("-", "..", ".", "$_", '$_"') or target.startswith(("$", "../", "`")):
        return target not in (".", "")
    path = names.clean_path(target)
    last = target.rpartition("/")[2]
    inside = any(file.path.startswith(f"{path}/") for file in gathered.files)
    return not target.startswith("~") and (path in gathered.created or last in gathered.created or inside)


def _relocate(gathered: OrderedEvents, told: Timeline) -> None:
    """Put files where the post's drawing, or a command, has them."""
    shown = [path for tree in told.trees for path in trees.tree_paths(tree.block.text) if not path.endswith("/")]
    asked = [path for each in gathered.commands for path in PYTHON_ARGUMENT.findall(each.run)]
    for i, file in enumerate(gathered.files):
        for places in (shown, asked):
            ends = {path for path in places if path.endswith(f"/{file.path}")}
            if file.path not in places and len(ends) == 1 and (file.path != "pyproject.toml" or places is not shown):
                path = names.clean_path(ends.pop())
                if path and not any(other.path == path for other in gathered.files):
                    gathered.files[i] = PostedFile(
                        path, file.text, file.line, f"{file.why}; its folder is drawn", before=file.before
                    )
                    break
