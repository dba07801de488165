"""Repairs of the steps themselves: what may fail, what is no command, and which one shows the error."""

import difflib
import re
import shlex
from dataclasses import replace

from uvmre.core.mre.symptom import Symptom
from uvmre.core.outcome.error_chain import innermost_cause
from uvmre.core.shell import statements
from uvmre.issue.repairs.rule import Change, Failure, rule

_READ_ONLY = "ls cat which grep egrep rg tree diff head tail echo pwd env stat find file wc printenv type whereis du"
READ_ONLY = frozenset(_READ_ONLY.split())
"""Programs that only print; what they print decides nothing in a set-up step."""
VERSION = (("-V",), ("--version",))
WRITES = re.compile(r"[<>]|\b(?:xargs|tee)\b|-exec|-delete")
CLOSE = 0.8
"""How similar two options are that differ by a slip or a rename; uv names others too."""
NOT_FOUND = r"(?:\A|sh: (?:line )?\d{0,6}:? ?)(?P<program>[^\s:]{1,60}): (?:command )?(?:not found|No such file)"


@rule("neutral", r"(?:error: |Caused by: |cause: |× |[A-Z]\w{0,40}Error: |\A).{1,80}")
def quoted_error(failure: Failure, _: re.Match[str]) -> Change:
    """Observe the call of uv in the set-up that fails with the error that the report is about."""
    hypothesis, claim = failure.hypothesis, failure.hypothesis.parsed.claim
    calls_uv = any(part.program in ("uv", "uvx") for part in statements.statements(failure.commands[1]))
    if not failure.is_setup or not failure.shows_claim or not calls_uv:
        return None
    commands = hypothesis.parsed.commands
    at = next((i for i, each in enumerate(commands) if each.run and each.run in failure.step.run), claim.command)
    step, symptom = replace(failure.mre.steps[failure.at], role="observe"), Symptom(exit="failure", output=claim.output)
    mre = replace(failure.mre, steps=(*failure.mre.steps[: failure.at], step), symptom=symptom, controls=())
    parsed = replace(hypothesis.parsed, claim=replace(claim, command=at))
    return replace(hypothesis, parsed=parsed, mre=mre), "it is the reported error, so that step is observed"


@rule("neutral", NOT_FOUND)
def decoration(failure: Failure, found: re.Match[str]) -> Change:
    """Leave out a set-up step that is a mark such as `✔️`."""
    is_word = re.search(r"[A-Za-z0-9]", found["program"])
    return None if is_word or not failure.is_setup else (failure.without_step(), f"left out `{found['program']}`")


@rule("neutral", r"\A.{0,160}")
def read_only_step(failure: Failure, _: re.Match[str]) -> Change:
    """Ignore that a set-up step fails which only prints, such as `ls` or `cat`."""
    parts, run = statements.statements(failure.commands[1]), failure.step.run
    only_prints = bool(parts) and all(
        part.simple and (part.program in READ_ONLY or part.argv[1:] in VERSION) for part in parts
    )
    if not failure.is_setup or not only_prints or WRITES.search(failure.commands[1]):
        return None
    return failure.with_run(f"( {run}\n) || true"), f"`{parts[0].program}` only prints, so it may fail"


@rule("neutral", r"\A.{0,160}")
def earlier_run(failure: Failure, _: re.Match[str]) -> Change:
    """Leave out a set-up step that is the observed command, which the post shows twice."""
    is_same = failure.is_setup and failure.step.run == failure.mre.steps[-1].run
    parsed = failure.hypothesis.parsed
    earlier = [each for each in parsed.commands[: max(parsed.claim.command, 0)] if each.run in failure.step.run]
    succeeded = any(each.output and not innermost_cause(each.output) for each in earlier)
    if not is_same or succeeded or parsed.claim.rule == "repeated-run":
        return None
    return failure.without_step(), f"left out an earlier run of `{failure.step.title}`"


@rule("altering", NOT_FOUND)
def other_tool(failure: Failure, found: re.Match[str]) -> Change:
    """Leave out a set-up step whose program is not here."""
    parts = statements.statements(failure.commands[1])
    if not failure.is_setup or len(parts) != 1 or parts[0].argv[:1] != (found["program"],):
        return None
    return failure.without_step(), f"left out `{parts[0].text[:60]}`"


@rule(
    "altering",
    r"unexpected argument '(?P<bad>--?[\w-]{1,60})' found tip: a similar argument exists: '(?P<good>--?[\w-]{1,60})'",
)
def similar_option(failure: Failure, found: re.Match[str]) -> Change:
    """Replace an option that this release does not have by the similar one that uv names."""
    bad, good = found["bad"], found["good"]
    run = re.sub(rf"(?<!\S){re.escape(bad)}(?![\w-])", good, failure.step.run)
    is_close = bool(difflib.get_close_matches(bad, [good], cutoff=CLOSE)) and run != failure.step.run
    return (failure.with_run(run), f"`{good}` replaces `{bad}`") if is_close else None


@rule("inventing", r"cd: (?:can't cd to )?(?P<folder>[\w.-][^\s:$~]{0,120})(?:: No such file or directory|(?=\s|\Z))")
def no_folder(failure: Failure, found: re.Match[str]) -> Change:
    """Create a folder that a `cd` enters and of which the post shows nothing."""
    path = failure.path(f"/mre/{found['folder']}")
    run = f"mkdir -p {shlex.quote(path)}"
    # A project at the root is that of the folder, and was found without entering it.
    has_it = not path or failure.mre.file("pyproject.toml") or any(each.run == run for each in failure.mre.steps)
    return None if has_it else (failure.with_step_before(run, at_root=True), f"added the folder `{path}`")


@rule("neutral", r"Project is already initialized in `|Cannot initialize a project in `[^`]{1,200}` because")
def initialized_project(failure: Failure, _: re.Match[str]) -> Change:
    """Leave out a `uv init` in the set-up where the post has the project."""
    is_init = re.fullmatch(r"uv\s+(?:--\S+\s+){0,12}init\b[^\n;&|]*", failure.commands[1])
    return (failure.without_step(), f"left out `{failure.commands[1]}`") if is_init and failure.is_setup else None


@rule("neutral", r"A virtual environment already exists at: \S{1,120} hint:")
def venv_exists(failure: Failure, _: re.Match[str]) -> Change:
    """Let a `uv venv` in the set-up replace the virtual environment that there is, as older releases do."""
    run = re.sub(r"(?m)^uv venv\b", "UV_VENV_CLEAR=1 uv venv", failure.step.run)
    return (failure.with_run(run), "`uv venv` replaces the environment") if failure.is_setup else None


@rule("neutral", r"cannot create directory .{1,120}: File exists")
def folder_exists(failure: Failure, _: re.Match[str]) -> Change:
    """Replace `mkdir` of a folder that exists by `mkdir -p`."""
    return failure.with_run(re.sub(r"\bmkdir (?!-p)", "mkdir -p ", failure.step.run)), "`mkdir -p` replaces `mkdir`"


@rule("neutral", r"rm: cannot remove .{1,120}?: No such file or directory")
def nothing_to_remove(failure: Failure, _: re.Match[str]) -> Change:
    """Replace `rm` of what does not exist by `rm -f`."""
    return failure.with_run(re.sub(r"(?m)^rm\s", "rm -f ", failure.step.run)), "`rm -f` replaces `rm`"
