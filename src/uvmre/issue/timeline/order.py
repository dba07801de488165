"""Turn the events of a post into files and commands in the order in which they can be run."""

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
"""The commands that change a file implicitly; other files change if a command names them."""
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
EXPECTS = re.compile(r"(?i)\bexpect(?:s|ed)?\b")
EXPECTED = re.compile(r"(?i)\b(?:expect\w*|should|instead|would|desired|want\w*|ought)\b")
OWN_RESULT = re.compile(
    r"(?i)\b(?:I|you|we) (?:get|got|see|end up|ended up)\b|\bresult(?:s in|ing|ed in)\b|\bends up\b|\bbecomes\b"
)
"""What says that a block is what commands made, not what they start with."""
OF_INIT = ("pyproject.toml", "README.md", "hello.py", "main.py", "__init__.py")
"""What `uv init` creates."""
MOST_COMMANDS = 200
PYTHON_ARGUMENT = re.compile(r"(?<![\w./-])((?:[\w.-]+/)*[\w-]+\.py)\b")
PROJECT_ARGUMENT = re.compile(r"(?<![\w./-])(?:\./)?((?:[\w.-]+/){1,6}pyproject\.toml)\b")
REQUIREMENTS_ARGUMENT = re.compile(
    r"(?:(?:-r|--requirements?|-c|--constraints?|--overrides?|--override|compile"
    r"|sync)[ =]+)((?:[\w.-]+/)*[\w.-]+\.(?:txt|in))\b"
)
ECHO_VARIABLE = re.compile(r"echo\s+\"?\$\{?(?P<name>[A-Za-z_]\w*)\}?\"?")
WRITES = re.compile(r"(?:(?<![<>=])>{1,2}|-o|--output-file|\btee(?: -a)?|\btouch)[ =]*\"?(?P<path>[\w./-]+)")
MAKES = re.compile(r"\b(?:mkdir(?: -p)?|uv init(?: --\S+)*|git init(?: -\w+)*|mktemp)\s+(?P<paths>[\w./ -]+)")


@dataclass
class OrderedEvents:
    """The files and commands of the events so far."""

    commands: list[Command] = field(default_factory=list)
    files: list[PostedFile] = field(default_factory=list)
    good: list[PostedFile] = field(default_factory=list)
    """Files that work, according to the post."""
    results: list[PostedFile] = field(default_factory=list)
    """Files as they are after the commands; `before` is the number of commands."""
    expected: list[PostedFile] = field(default_factory=list)
    """Files as the post expects them."""
    gaps: list[Gap] = field(default_factory=list)
    context: dict[int, str] = field(default_factory=dict)
    """The sentence that introduces each command."""
    created: set[str] = field(default_factory=set)
    """Files and directories that commands create."""
    variables: dict[str, str] = field(default_factory=dict)
    """Variables whose value an `echo` shows."""
    working_lines: set[int] = field(default_factory=set)
    """The lines of files that work, according to the post."""


def order_events(timeline: Timeline) -> OrderedEvents:
    """Return the files and commands of a post."""
    ordered = OrderedEvents()
    for event in _with_names(timeline):
        if len(ordered.commands) > MOST_COMMANDS:
            description = f"only the first {MOST_COMMANDS} commands are read"
            ordered.gaps.append(Gap(event.line, description, True, "Which few commands show the problem?"))
            break
        if event.path:
            _file(ordered, event)
        elif event.run:
            _command(ordered, event)
    _relocate(ordered, timeline)
    return ordered


def _with_names(timeline: Timeline) -> list[Event]:
    """Give unnamed files the names that commands use."""
    python, requirements = (_used_before_shown(timeline, each) for each in (PYTHON_ARGUMENT, REQUIREMENTS_ARGUMENT))
    events: list[Event] = []
    for event in timeline.events:
        if event.run or event.path or not event.text:
            events.append(event)
            continue
        candidates = requirements if event.kind == "requirements" else python
        if candidates:
            path = names.clean_path(candidates.pop(0))
            events.append(replace(event, path=path, why=f"a command uses {path}"))
    return [event for event in events if event.run or event.path]


def _used_before_shown(timeline: Timeline, argument: re.Pattern[str]) -> list[str]:
    """Return the paths in the arguments of commands above which no block has that name."""
    shown: set[str] = set()
    found: dict[str, None] = {}
    for event in timeline.events:
        if event.path:
            shown.add(event.path)
        elif "-c " not in event.run or argument is REQUIREMENTS_ARGUMENT:
            found |= dict.fromkeys(path for path in argument.findall(event.run) if path not in shown)
    return list(found)


def _file(ordered: OrderedEvents, event: Event) -> None:
    text = event.text
    if event.kind == "pyproject" and event.path == "pyproject.toml" and (folder := _folder_of(ordered, text)):
        event = replace(event, path=f"{folder}/pyproject.toml", why=f"{event.why}, of the member {folder}")
    at = len(ordered.commands)
    posted = PostedFile(event.path, text, event.line, event.why, before=at)
    lead = event.context.strip().split("\n")[-1]
    if event.works is True:
        ordered.working_lines.add(event.line)
    another = any(file.path == event.path for file in ordered.expected) and not BECOMES.search(lead)
    after_commands = ordered.expected if another or EXPECTED.search(lead) else ordered.results
    last = next((file for file in reversed(ordered.files) if file.path == event.path), None)
    if last is None:
        is_created = event.path in ordered.created or (
            event.path in ("pyproject.toml", "uv.lock")
            and any(re.search(r"\buv init\b", each.run) for each in ordered.commands)
        )
        if event.kind == "lock" or _is_result(ordered, event.path, lead, is_created=is_created):
            after_commands.append(posted)
        elif _is_written(ordered, event.path):
            ordered.results.append(posted)
        else:
            needs_command = is_created or _needs_command(ordered, event.path)
            ordered.files.append(posted if needs_command else replace(posted, before=0))
        return
    if " ".join(last.text.split()) == " ".join(text.split()):
        return
    is_edit = EDITED.search(lead) and not BECOMES.search(lead) and event.context
    changed = any(_changes(each.run, event.path) for each in ordered.commands[last.before :])
    if (
        (event.works is True) != (last.line in ordered.working_lines)
        and not changed
        and (event.works is False or last.line in ordered.working_lines or event.works)
    ):
        _keep_failing(ordered, replace(posted, before=last.before), last, works=event.works is True)
    elif changed and not is_edit and event.works is not True:
        after_commands.append(posted)
    elif EXPECTED.search(lead) and changed:
        ordered.expected.append(posted)
    else:
        ordered.files.append(posted)


def _is_result(ordered: OrderedEvents, path: str, lead: str, *, is_created: bool) -> bool:
    """Tell whether a file that the post shows for the first time is what its commands make, or should make."""
    changed = any(_changes(each.run, path) for each in ordered.commands)
    again = any(file.path == path for file in (*ordered.results, *ordered.expected)) and not EDITED.search(lead)
    made = is_created and not EDITED.search(lead) and BECOMES.search(lead)
    return bool(made or (changed and (again or OWN_RESULT.search(lead) or EXPECTS.search(lead))))


def _folder_of(ordered: OrderedEvents, text: str) -> str:
    """Return the directory of a member or source of the root project; empty if it is neither."""
    root = next((file for file in ordered.files if file.path == "pyproject.toml"), None)
    name, data = content_type.project_name(text), content_type.parse_toml(root.text) if root else None
    if not data or not name or not root or name == content_type.project_name(root.text):
        return ""
    uv = content_type.table(data, "tool", "uv")
    members = content_type.table(uv, "workspace").get("members", [])
    paths = [each for each in members if isinstance(each, str)]
    source = content_type.table(uv, "sources").get(name)
    if isinstance(source, dict) and isinstance(source.get("path"), str):
        paths.insert(0, source["path"])
    for path in paths:
        last = path.rstrip("/").rpartition("/")[2]
        if last.replace("_", "-") == name.replace("_", "-"):
            return names.clean_path(path)
        if last == "*":
            return names.clean_path(path.replace("*", name))
    return ""


def _keep_failing(ordered: OrderedEvents, file: PostedFile, last: PostedFile, *, works: bool) -> None:
    """Keep the failing one of two files; the other one is a control."""
    ordered.good.append(file if works else last)
    if not works:
        ordered.files[ordered.files.index(last)] = file


def _changes(run: str, path: str) -> bool:
    name = path.rpartition("/")[2]
    pattern = CHANGES.get(name)
    return bool(pattern.search(run)) if pattern else name in run


def _is_written(ordered: OrderedEvents, path: str) -> bool:
    """Tell whether an earlier command writes the file."""
    runs = [each.run for each in ordered.commands if "<<" not in each.run]
    return any(match["path"] == path for run in runs for match in WRITES.finditer(run))


def _needs_command(ordered: OrderedEvents, path: str) -> bool:
    """Tell whether the directory of a file exists only after a command."""
    return any(path.startswith(f"{folder}/") for folder in ordered.created)


def _command(ordered: OrderedEvents, event: Event) -> None:
    parts = statements.statements(event.run)
    printed_file = parts[0] if len(parts) == 1 and parts[0].program in PRINTS_FILE and len(parts[0].argv) == 2 else None
    path = names.clean_path(printed_file.argv[1]) if printed_file and event.output else ""
    if path and _is_source(ordered, path, event) and event.output.strip() != _last_text(ordered, path):
        known = any(file.path == path for file in ordered.files)
        before = len(ordered.commands) if known or _needs_command(ordered, path) else 0
        file = PostedFile(path, f"{event.output}\n", event.line, f"`{event.run}` shows it", before=before)
        ordered.files.append(file)
        return
    echo = ECHO_VARIABLE.fullmatch(event.run.strip()) if event.output.strip() else None
    if echo and not any(echo["name"] in each.run for each in ordered.commands):
        ordered.variables[echo["name"]] = event.output.strip()
        return
    script = next((file for file in ordered.files if event.run == f"bash {file.path}"), None)
    if script and (rewrite.endangers(script.text) or rewrite.GIT_HOST.search(script.text)):
        description = f"`{script.path}` accesses files outside its directory and is not run"
        ordered.gaps.append(Gap(event.line, description, True))
        return
    rewritten = _join_uv_calls(rewrite.rewrite(event.run)) if event.output else rewrite.rewrite(event.run)
    last = max((i for i, each in enumerate(rewritten) if each.run and not each.other), default=-1)
    for i, each in enumerate(rewritten):
        if each.gap:
            blocking = not re.match(r"`(?:apt|apt-get|brew|apk|yum|dnf|pacman|systemctl|pyenv|gpg|nix)`", each.gap)
            ordered.gaps.append(Gap(event.line, f"`{' '.join(event.run.split())[:100]}` needs {each.gap}", blocking))
        if not each.run or each.other:
            continue
        if each.run.startswith("cd ") and not _can_enter(ordered, each.run):
            continue
        created = [word for found in MAKES.finditer(each.run) for word in found["paths"].split()]
        created = [word for word in created if not word.startswith("-")]
        created += [found["path"] for found in WRITES.finditer(each.run)]
        ordered.created |= {names.clean_path(path) for path in created} - {""}
        ordered.context[len(ordered.commands)] = event.context
        ordered.commands.append(Command(each.run, event.line, event.output if i == last else "", event.works))


def _last_text(ordered: OrderedEvents, path: str) -> str:
    """Return what a file contains where the post shows it last; empty if it does not."""
    last = next((file for file in reversed(ordered.files) if file.path == path), None)
    return last.text.strip() if last else ""


def _join_uv_calls(rewritten: list[rewrite.RewrittenCommand]) -> list[rewrite.RewrittenCommand]:
    """Join the uv calls of one line: the output below is that of all of them."""
    uv = [i for i, each in enumerate(rewritten) if re.match(r"(?:\w+=\S* )*uvx?\s", each.run) and not each.other]
    if len(uv) < 2:
        return rewritten
    between = rewritten[uv[0] : uv[-1] + 1]
    if any(not each.run or each.gap or re.match(r"(?:cd|export|\.|set|unset)\s", each.run) for each in between):
        return rewritten
    joined = rewrite.RewrittenCommand(" && ".join(each.run for each in between))
    return [*rewritten[: uv[0]], joined, *rewritten[uv[-1] + 1 :]]


def _is_source(ordered: OrderedEvents, path: str, event: Event) -> bool:
    if path in ordered.created or _is_written(ordered, path) or path.startswith("."):
        return False
    changes_project = any(re.search(r"\buv (?:init|add|remove)\b", each.run) for each in ordered.commands)
    if path == "uv.lock" or (changes_project and path.rpartition("/")[2] in OF_INIT):
        return False
    name, readers = path.rpartition("/")[2], ("uv ", "uvx ", *(f"{program} " for program in PRINTS_FILE))
    if any(name in each.run and not each.run.startswith(readers) for each in ordered.commands):
        return False
    return "No such file" not in event.output


def _can_enter(ordered: OrderedEvents, run: str) -> bool:
    """Tell whether a directory exists: a command creates it, or it contains a file."""
    target = run[3:].strip().strip("\"'").split("&&")[0].strip().rstrip("/")
    if set(target.split("/")) == {".."}:
        return sum(map(_levels, ordered.commands)) >= target.count("..")
    if not target or target in ("-", "..", ".", "$_", '$_"') or target.startswith(("$", "../", "`")):
        return target not in (".", "")
    path = names.clean_path(target)
    last = target.rpartition("/")[2]
    inside = any(file.path.startswith(f"{path}/") for file in ordered.files)
    return not target.startswith("~") and (path in ordered.created or last in ordered.created or inside)


def _levels(command: Command) -> int:
    """Return by how many directories a command descends."""
    found = re.match(r"cd\s+[\"']?([^\s\"']+)", command.run)
    parts = found[1].split("/") if found and not found[1].startswith("$") else []
    return sum(-1 if part == ".." else part not in ("", ".") for part in parts)


def _relocate(ordered: OrderedEvents, timeline: Timeline) -> None:
    """Move files to the directory that a tree or a command has them in."""
    listed = [path for tree in timeline.trees for path in trees.tree_paths(tree.block.text) if not path.endswith("/")]
    runs = [each.run for each in ordered.commands]
    arguments = [path for run in runs for path in (*PYTHON_ARGUMENT.findall(run), *PROJECT_ARGUMENT.findall(run))]
    for i, file in enumerate(ordered.files):
        for places in (listed, arguments):
            ends = {path for path in places if path.endswith(f"/{file.path}")}
            if file.path not in places and len(ends) == 1 and (file.path != "pyproject.toml" or places is not listed):
                path = names.clean_path(ends.pop())
                if path and not any(other.path == path for other in ordered.files):
                    why = f"{file.why}; its directory is in the tree"
                    ordered.files[i] = PostedFile(path, file.text, file.line, why, before=file.before)
                    break
