"""Build the MRE of a parsed issue: steps, the symptom, and controls."""

import re
import shlex
from collections.abc import Sequence

from uvmre.core.mre.files import File
from uvmre.core.mre.model import HOLDS, Control, Environment, Mre, Step, slug
from uvmre.core.network.request import PYPI_HOSTS
from uvmre.core.outcome.error_chain import innermost_cause
from uvmre.core.shell import statements
from uvmre.core.triage.parsed_issue import Claim, Command, ParsedIssue, PostedFile
from uvmre.issue.build_symptom import build_expected, build_symptom, short_texts
from uvmre.issue.commands import recognize
from uvmre.issue.environment import versions
from uvmre.issue.files import content_type

_STATE_COMMANDS = "cd export . set unset alias pushd popd source declare"
STATE_COMMANDS = frozenset(_STATE_COMMANDS.split())
ECHO = "echo -e"
BASH = re.compile(
    r"\[\[|<\(|<<<|&>|\$'|\bpushd\b|\bpopd\b|\bshopt\b|\bset -o pipefail\b|\{\d+\.\.\d+\}"
    r"|\bfunction \w|\bdeclare\b|\bread -\w*a\b|\bmapfile\b|\$RANDOM"
)
UNKNOWN_RELEASE = "0.1.0"
MINORS = ("3.12", "3.11", "3.13", "3.10", "3.9", "3.14", "3.8", "3.7")


def to_mre(parsed: ParsedIssue) -> Mre:
    """Return the MRE of a parsed issue."""
    claim = parsed.claim
    last = claim.command if claim.command >= 0 else len(parsed.commands) - 1
    steps, folder, variables = _steps(parsed, claim, last)
    files = [file for file in parsed.files if not file.good and not file.before]
    return Mre(
        title=" ".join(parsed.title.split()) or "untitled issue",
        issue=parsed.issue,
        environment=Environment(
            uv=parsed.uv.text if parsed.uv else UNKNOWN_RELEASE,
            python=python_version(parsed),
            pythons=more_pythons(parsed),
            variables=dict(parsed.variables) | variables,
            exclude_newer=parsed.created,
        ),
        steps=tuple(steps),
        symptom=build_symptom(claim, parsed.commands, folder),
        expected=build_expected(claim, parsed.commands, folder),
        controls=(*_controls(parsed, claim, last), *_reachable_control(parsed)),
        indexes=parsed.indexes,
        faults=parsed.outages,
        files=tuple(File(file.path, file.text.encode()) for file in {file.path: file for file in files}.values()),
    )


def _steps(
    parsed: ParsedIssue, claim: Claim, last: int, replacement: Command | None = None
) -> tuple[list[Step], str, dict[str, str]]:
    """Return the steps up to the failing command, the directory in which that one runs, and the variables of all."""
    state: list[str] = []
    steps: list[Step] = []
    variables: dict[str, str] = {}
    previous = ""
    for i in _relevant_commands(parsed.commands, last):
        command = replacement if replacement and i == last else parsed.commands[i]
        edits = [file for file in parsed.files if file.before and file.before == i and not file.good]
        steps += [_write_step(file, state) for file in edits]
        run = _expand_last_argument(command.run, previous)
        previous = run
        if i != last and (exports := _constant_exports(run)) and not steps:
            variables |= exports
            continue
        if i != last and _changes_shell_state(run):
            state.append(run)
            continue
        if i == last:
            steps += _observe_steps(run, claim, state)
        else:
            steps.append(Step(_script([*state, _allow_failure(run, command)]), "setup", name=_step_name(run)))
    return steps, working_directory(state), variables


def _relevant_commands(commands: Sequence[Command], last: int) -> list[int]:
    """Return the indices of the commands up to the failing one, without those that are only for comparison."""
    if not commands:
        return []
    failing = commands[last]
    return [
        i
        for i, each in enumerate(commands[: last + 1])
        if i == last or not (each.works is True and (_is_same_command(each, failing) or each.run == failing.run))
    ]


def _is_same_command(one: Command, other: Command) -> bool:
    first, second = statements.statements(one.run), statements.statements(other.run)
    if not first or not second or first[0].program not in ("uv", "uvx") or first[0].program != second[0].program:
        return False
    return _subcommand(first[0].argv) == _subcommand(second[0].argv)


def _subcommand(words: Sequence[str]) -> tuple[str, ...]:
    positional = [word for word in words[1:] if not word.startswith("-")]
    depth = 2 if positional[:1] in (["pip"], ["python"], ["tool"], ["cache"]) else 1
    return tuple(positional[:depth]) if words[0] == "uv" else ()


def _expand_last_argument(run: str, previous: str) -> str:
    if "$_" in run and previous:
        word = previous.rsplit(maxsplit=1)[-1]
        return re.sub(r"\"?\$_\"?", lambda _: word, run)
    return run


def _changes_shell_state(run: str) -> bool:
    parts = statements.statements(run)
    return bool(parts) and all(
        (part.program in STATE_COMMANDS or (not part.argv and part.assignments)) and part.simple for part in parts
    )


def _constant_exports(run: str) -> dict[str, str]:
    """Return the variables that a command exports with constant values."""
    parts = statements.statements(run)
    if not parts or not all(part.argv[:1] == ("export",) and len(part.argv) == 1 for part in parts):
        return {}
    exports = {name: value for part in parts for name, value in part.assignments}
    return exports if not any(set("$`~") & set(value) for value in exports.values()) else {}


def _allow_failure(run: str, command: Command) -> str:
    """Ignore the failure of a command that failed for the reporter too."""
    failed = command.works is not True and command.output and innermost_cause(command.output)
    return f"( {run}\n) || true" if failed or recognize.fails_to_read(run, command.output) else run


def _observe_steps(run: str, claim: Claim, state: Sequence[str]) -> list[Step]:
    name = _step_name(run)
    if short := short_texts(claim):
        checks = " && ".join(f'grep -qF -- {shlex.quote(text)} "$TMPDIR/output"' for text in short)
        check = f'( {run}\n) > "$TMPDIR/output" 2>&1\ncode=$?\ncat "$TMPDIR/output"\n{_exit_if(checks)}\nexit $code'
        return [Step(_script([*state, check]), "observe", name=name)]
    if claim.test:
        check = f"check {claim.file}" if claim.file else "check"
        test = _script([*state, _exit_if(claim.test)])
        return [Step(_script([*state, run]), "setup", name=name), Step(test, "observe", name=check)]
    if claim.kind == "failure" and not claim.output:
        run = f"( {run}\n) || exit {HOLDS}"
    elif claim.kind == "output" and len(claim.output) > 1:
        run = f"( {run}\n) 2>&1"
    return [Step(_script([*state, run]), "observe", name=name)]


def _exit_if(test: str) -> str:
    return f"if {test}; then exit {HOLDS}; fi"


def _step_name(run: str) -> str:
    line = run.strip().splitlines()[0]
    return line if len(line) <= 100 and line.isprintable() else f"{line[:97]}..."


def _script(lines: Sequence[str]) -> str:
    text = "\n".join(lines)
    return f"bash -c {shlex.quote(text)}" if BASH.search(text) or ECHO in text else text


def _write_step(file: PostedFile, state: Sequence[str]) -> Step:
    word = "END"
    while word in file.text:
        word += "_"
    text = file.text if file.text.endswith("\n") else f"{file.text}\n"
    folder = file.path.rpartition("/")[0]
    make = [f"mkdir -p {shlex.quote(folder)}"] if folder else []
    lines = [
        *(state if not folder else ()),
        *make,
        f"cat {'>>' if file.append else '>'} {shlex.quote(file.path)} <<'{word}'\n{text}{word}",
    ]
    return Step("\n".join(lines), "setup", name=f"write {file.path}")


def working_directory(state: Sequence[str]) -> str:
    """Return the directory in which a command runs after these."""
    parts: list[str] = []
    for run in state:
        for part in statements.statements(run):
            if part.program != "cd" or len(part.argv) < 2:
                continue
            for name in part.argv[1].split("/"):
                if name == "..":
                    parts = parts[:-1]
                elif name not in ("", ".") and not name.startswith("$"):
                    parts.append(name)
    return "/".join(parts)


def _controls(parsed: ParsedIssue, claim: Claim, last: int) -> list[Control]:
    """Return the controls: what works, according to the post."""
    found: list[Control] = []
    for file in parsed.files:
        if file.good and not file.before:
            why = f"according to the post (line {file.line})"
            found.append(Control(f"with the working {file.path}", "absent", why, files={file.path: file.text}))
    failing = parsed.commands[last] if 0 <= last < len(parsed.commands) else None
    # A test runs the failing command itself, whatever the step has instead.
    tested = failing is not None and failing.run in claim.test
    if failing is None or tested or claim.kind not in ("failure", "output"):
        return _with_unique_names(found)
    for command in parsed.commands:
        if (
            command.works is True
            and command.run != failing.run
            and _is_same_command(command, failing)
            and not _failed(command)
        ):
            renamed = Command(_copy_renamed_file(command.run, failing.run, parsed.files), command.line, works=True)
            steps, _, _ = _steps(parsed, claim, last, renamed)
            why = f"according to the post (line {command.line})"
            found.append(Control(f"with {_step_name(command.run)}", "absent", why, steps=tuple(steps)))
    return _with_unique_names(found)


def _reachable_control(parsed: ParsedIssue) -> list[Control]:
    """Return the control without outages, if the host is reachable here."""
    hosts = [fault.host for fault in parsed.outages]
    why = "the error names no other cause"
    return [Control(f"with {hosts[0]} reachable", "absent", why, faults=False)] if {*hosts} & {*PYPI_HOSTS} else []


def _failed(command: Command) -> bool:
    return bool(command.output and innermost_cause(command.output))


def _copy_renamed_file(run: str, failing: str, files: Sequence[PostedFile]) -> str:
    """Copy a file to the name that the working command uses."""
    paths = {file.path for file in files}
    pairs = list(zip(statements.statements(failing)[:1], statements.statements(run)[:1], strict=False))
    for one, other in pairs:
        if len(one.argv) == len(other.argv):
            for bad, good in zip(one.argv, other.argv, strict=True):
                if bad != good and bad in paths and good not in paths:
                    return f"cp {shlex.quote(bad)} {shlex.quote(good)}\n{run}"
    return run


def _with_unique_names(controls: Sequence[Control]) -> list[Control]:
    used: set[str] = set()
    kept = []
    for control in controls:
        name, number = control.name[:80], 2
        while slug(name) in used:
            name, number = f"{control.name[:30]} {number}", number + 1
        used.add(slug(name))
        kept.append(Control(name, control.expect, control.why, files=control.files, steps=control.steps))
    return kept


def python_version(parsed: ParsedIssue) -> str:
    """Return the Python version of the MRE; empty for any."""
    requested = versions.requested_pythons(each.run for each in parsed.commands)
    reported = ".".join(parsed.python.text.split(".")[:2]) if parsed.python else ""
    specifiers = [
        _requires_python(file) for file in parsed.files if file.path.endswith("pyproject.toml") and not file.good
    ]
    minors = [minor for minor in MINORS if all(_allows(each, minor) for each in specifiers)]
    if len(requested) == 1:
        return requested[0]
    if reported and (reported in minors or not any(specifiers)):
        return reported
    return minors[0] if any(specifiers) and minors else ""


def more_pythons(parsed: ParsedIssue) -> tuple[str, ...]:
    """Return the other Python versions that commands request."""
    first = python_version(parsed)
    return tuple(each for each in versions.requested_pythons(each.run for each in parsed.commands) if each != first)


def _requires_python(file: PostedFile) -> str:
    value = content_type.table(content_type.parse_toml(file.text) or {}, "project").get("requires-python", "")
    return value if isinstance(value, str) else ""


def _allows(specifier: str, minor: str) -> bool:
    from packaging.specifiers import InvalidSpecifier, SpecifierSet

    try:
        # A late patch: `>=3.12.4` is met by the 3.12 of today.
        return SpecifierSet(specifier).contains(f"{minor}.99") or SpecifierSet(specifier).contains(f"{minor}.0")
    except InvalidSpecifier:
        return True
