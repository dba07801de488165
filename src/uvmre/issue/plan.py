"""From the events of a post to files and commands in an order in which they can be run."""

import re
from dataclasses import dataclass, field, replace

from uvmre.core.draft import Command, Gap, Named
from uvmre.issue import commands, contents, drawn, names, shell
from uvmre.issue.story import READS, Act, Story

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
ECHOED = re.compile(r"echo\s+\"?\$\{?(?P<name>[A-Za-z_]\w*)\}?\"?")
WRITES = re.compile(r"(?:(?<![<>=])>{1,2}|-o|--output-file|\btee(?: -a)?|\btouch)[ =]*\"?(?P<path>[\w./-]+)")
MAKES = re.compile(r"\b(?:mkdir(?: -p)?|uv init(?: --\S+)*|git init(?: -\w+)*|mktemp)\s+(?P<paths>[\w./ -]+)")


@dataclass
class Plan:
    """What is gathered while the acts are gone through."""

    commands: list[Command] = field(default_factory=list)
    files: list[Named] = field(default_factory=list)
    good: list[Named] = field(default_factory=list)
    """Files with which the post says that it works."""
    results: list[Named] = field(default_factory=list)
    """Files as the post says they are after the commands; `before` counts those."""
    wanted: list[Named] = field(default_factory=list)
    """Files as the post says they ought to be."""
    gaps: list[Gap] = field(default_factory=list)
    about: dict[int, str] = field(default_factory=dict)
    """What is said of each command."""
    made: set[str] = field(default_factory=set)
    """Files and folders that commands make."""
    variables: dict[str, str] = field(default_factory=dict)
    """Those whose value an `echo` shows."""
    fine: set[int] = field(default_factory=set)
    """The lines of files with which the post says that it works."""


def plan(told: Story) -> Plan:
    """Go through the acts of a post."""
    gathered = Plan()
    for act in _named(told):
        if len(gathered.commands) > MOST_COMMANDS:
            gathered.gaps.append(
                Gap(act.line, "there are more commands than are read", True, "Which few commands show it?")
            )
            break
        if act.path:
            _file(gathered, act)
        elif act.run:
            _command(gathered, act)
    _relocate(gathered, told)
    return gathered


def _named(told: Story) -> list[Act]:
    """Give unnamed files the names that commands ask for."""
    runs = [act.run for act in told.acts if act.run]
    have = {act.path for act in told.acts if act.path}
    python = [path for run in runs for path in PYTHON_ARGUMENT.findall(run) if path not in have and "-c " not in run]
    listed = [path for run in runs for path in REQUIREMENTS_ARGUMENT.findall(run) if path not in have]
    python, listed = list(dict.fromkeys(python)), list(dict.fromkeys(listed))
    acts: list[Act] = []
    for act in told.acts:
        if act.run or act.path or not act.text:
            acts.append(act)
            continue
        wanted = listed if act.kind == "requirements" else python
        if wanted:
            path = names.clean(wanted.pop(0))
            acts.append(
                Act(
                    act.line,
                    path=path,
                    text=act.text,
                    why=f"a command asks for {path}",
                    works=act.works,
                    kind=act.kind,
                    about=act.about,
                )
            )
    return [act for act in acts if act.run or act.path]


def _file(gathered: Plan, act: Act) -> None:
    text = act.text
    if act.kind == "pyproject" and act.path == "pyproject.toml" and (folder := _folder_of(gathered, text)):
        act = replace(act, path=f"{folder}/pyproject.toml", why=f"{act.why}, of the member {folder}")
    same = [file for file in gathered.files if file.path == act.path]
    at = len(gathered.commands)
    lead = act.about.strip().split("\n")[-1]
    if act.works is True:
        gathered.fine.add(act.line)
    if not same:
        made = act.path in gathered.made or (
            act.path in ("pyproject.toml", "uv.lock")
            and any(re.search(r"\buv init\b", each.run) for each in gathered.commands)
        )
        if act.kind == "lock" or (made and not EDITED.search(lead) and BECOMES.search(lead)):
            (gathered.wanted if EXPECTED.search(lead) else gathered.results).append(
                Named(act.path, text, act.line, act.why, before=at)
            )
            return
        if _is_written(gathered, act.path):
            gathered.results.append(Named(act.path, text, act.line, act.why, before=at))
            return
        gathered.files.append(
            Named(act.path, text, act.line, act.why, before=at if made or _exists(gathered, act.path) else 0)
        )
        return
    last = same[-1]
    if " ".join(last.text.split()) == " ".join(text.split()):
        return
    changed = any(_changes(each.run, act.path) for each in gathered.commands[last.before :])
    if (
        (act.works is True) != (last.line in gathered.fine)
        and not changed
        and (act.works is False or last.line in gathered.fine or act.works)
    ):
        _pair(gathered, act, last)
    elif changed and not _is_edit(lead, act) and act.works is not True:
        (gathered.wanted if EXPECTED.search(lead) else gathered.results).append(
            Named(act.path, text, act.line, act.why, before=at)
        )
    elif EXPECTED.search(lead) and changed:
        gathered.wanted.append(Named(act.path, text, act.line, act.why, before=at))
    else:
        gathered.files.append(Named(act.path, text, act.line, act.why, before=at))


def _folder_of(gathered: Plan, text: str) -> str:
    """Return the folder of a project that another one, shown before, has as a member; empty where none has it."""
    root = next((file for file in gathered.files if file.path == "pyproject.toml"), None)
    name, data = _project_name(text), contents.toml(root.text) if root else None
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
            return names.clean(path)
        if last == "*":
            return names.clean(path.replace("*", name))
    return ""


def _project_name(text: str) -> str:
    table = (contents.toml(text) or {}).get("project")
    return str(table.get("name", "")) if isinstance(table, dict) else ""


def _pair(gathered: Plan, act: Act, last: Named) -> None:
    """Take the one of two files that goes wrong, and keep the other as what works."""
    this = Named(act.path, act.text, act.line, act.why, before=last.before)
    gathered.good.append(this if act.works is True else last)
    if act.works is not True:
        gathered.files[gathered.files.index(last)] = this


def _changes(run: str, path: str) -> bool:
    name = path.rpartition("/")[2]
    pattern = CHANGES.get(name)
    return bool(pattern.search(run)) if pattern else name in run


def _is_edit(lead: str, act: Act) -> bool:
    return bool(EDITED.search(lead)) and not BECOMES.search(lead) and bool(act.about)


def _is_written(gathered: Plan, path: str) -> bool:
    """Tell whether a command that ran already wrote that file."""
    return any(
        match["path"] == path
        for each in gathered.commands
        for match in WRITES.finditer(each.run)
        if "<<" not in each.run
    )


def _exists(gathered: Plan, path: str) -> bool:
    """Tell whether the folder of a file, or the file, is there only after some command."""
    return any(path.startswith(f"{folder}/") for folder in gathered.made)


def _command(gathered: Plan, act: Act) -> None:
    parts = shell.statements(act.run)
    reads = parts[0] if len(parts) == 1 and parts[0].program in READS and len(parts[0].words) == 2 else None
    if reads and act.output and (path := names.clean(reads.words[1])) and _is_source(gathered, path, act):
        have = any(file.path == path for file in gathered.files)
        at = len(gathered.commands)
        if not have:
            gathered.files.append(
                Named(
                    path,
                    f"{act.output}\n",
                    act.line,
                    f"`{act.run}` shows it",
                    before=at if _exists(gathered, path) else 0,
                )
            )
            return
    shown = ECHOED.fullmatch(act.run.strip()) if act.output.strip() else None
    if shown and not any(shown["name"] in each.run for each in gathered.commands):
        gathered.variables[shown["name"]] = act.output.strip()
        return
    script = next((file for file in gathered.files if act.run == f"bash {file.path}"), None)
    if script and (commands.endangers(script.text) or commands.GIT_HOST.search(script.text)):
        gathered.gaps.append(Gap(act.line, f"`{script.path}` reaches out of its folder and is not run", True, ""))
        return
    taken = _together(commands.take(act.run)) if act.output else commands.take(act.run)
    last = max((i for i, each in enumerate(taken) if each.run and not each.other), default=-1)
    for i, each in enumerate(taken):
        if each.gap:
            decides = not re.match(r"`(?:apt|apt-get|brew|apk|yum|dnf|pacman|systemctl|pyenv|gpg|nix)`", each.gap)
            gathered.gaps.append(Gap(act.line, f"`{_one_line(act.run)}` needs {each.gap}", decides, ""))
        if not each.run or each.other:
            continue
        if each.run.startswith("cd ") and not _can_enter(gathered, each.run):
            continue
        for found in MAKES.finditer(each.run):
            gathered.made |= {names.clean(word) for word in found["paths"].split() if not word.startswith("-")} - {""}
        gathered.made |= {names.clean(found["path"]) for found in WRITES.finditer(each.run)} - {""}
        gathered.about[len(gathered.commands)] = act.about
        gathered.commands.append(Command(each.run, act.line, act.output if i == last else "", act.works))


def _together(taken: list[commands.Taken]) -> list[commands.Taken]:
    """Keep the calls of uv in one line together: what is shown below is what they all printed."""
    uv = [i for i, each in enumerate(taken) if re.match(r"(?:\w+=\S* )*uvx?\s", each.run) and not each.other]
    if len(uv) < 2:
        return taken
    between = taken[uv[0] : uv[-1] + 1]
    if any(not each.run or each.gap or re.match(r"(?:cd|export|\.|set|unset)\s", each.run) for each in between):
        return taken
    joined = commands.Taken(" && ".join(each.run for each in between))
    return [*taken[: uv[0]], joined, *taken[uv[-1] + 1 :]]


def _one_line(run: str) -> str:
    return " ".join(run.split())[:100]


def _is_source(gathered: Plan, path: str, act: Act) -> bool:
    if path in gathered.made or _is_written(gathered, path) or path.startswith("."):
        return False
    if path == "pyproject.toml" and any(
        re.search(r"\buv (?:init|add|remove)\b", each.run) for each in gathered.commands
    ):
        return False
    return "No such file" not in act.output and path not in ("uv.lock",)


def _can_enter(gathered: Plan, run: str) -> bool:
    """Tell whether a folder is there: a command made it, a file lies in it; else the reporter goes to what is here."""
    target = run[3:].strip().strip("\"'").split("&&")[0].strip().rstrip("/")
    if not target or target in ("-", "..", ".", "$_", '$_"') or target.startswith(("$", "../", "`")):
        return target not in (".", "")
    path = names.clean(target)
    last = target.rpartition("/")[2]
    inside = any(file.path.startswith(f"{path}/") for file in gathered.files)
    return not target.startswith("~") and (path in gathered.made or last in gathered.made or inside)


def _relocate(gathered: Plan, told: Story) -> None:
    """Put files where the post's drawing, or a command, has them."""
    shown = [path for tree in told.trees for path in drawn.paths(tree.block.text) if not path.endswith("/")]
    asked = [path for each in gathered.commands for path in PYTHON_ARGUMENT.findall(each.run)]
    for i, file in enumerate(gathered.files):
        for places in (shown, asked):
            ends = {path for path in places if path.endswith(f"/{file.path}")}
            if file.path not in places and len(ends) == 1 and (file.path != "pyproject.toml" or places is not shown):
                path = names.clean(ends.pop())
                if path and not any(other.path == path for other in gathered.files):
                    gathered.files[i] = Named(
                        path, file.text, file.line, f"{file.why}; its folder is drawn", before=file.before
                    )
                    break
