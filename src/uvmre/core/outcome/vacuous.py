"""Controls that could not have had the symptom, so that its absence proves nothing."""

import re
from collections.abc import Iterator, Sequence

from uvmre.core.mre.model import BASE, Control, Mre, Step, overlay
from uvmre.core.outcome.matching import Outcome
from uvmre.core.outcome.observation import Observation
from uvmre.core.shell.uv_calls import parse_calls

NOT_FOUND = (126, 127)
"""The exit codes of a shell that cannot execute a command."""
MISSING = re.compile(r"^(?:\S+: (?:line )?\d+: )?[\w./-]+: (?:command )?not found$", re.MULTILINE)
"""What a shell prints for a command that does not exist, also in a step that goes on."""
IDLE = {
    *(":", "[", "cat", "cd", "cp", "echo", "exit", "export", "false", "grep", "ls", "mkdir"),
    *("mv", "printf", "pwd", "rm", "set", "sleep", "test", "touch", "true"),
}
"""Commands that do nothing of what uv does; a script or another program may."""


def vacuous_controls(mre: Mre, runs: "Sequence[tuple[str, Observation, Outcome]]") -> dict[str, str]:
    """Return the names of such controls, and why; `runs` has the MRE's and each control's observation and outcome."""
    observed = {name: observation for name, observation, _ in runs}
    decided = {name for name, _, outcome in runs if outcome.word != "broken"}
    reasons = ((each.name, next(_reasons(mre, each, observed), "")) for each in mre.controls if each.name in decided)
    return {name: reason for name, reason in reasons if reason}


def _reasons(mre: Mre, control: Control, observed: dict[str, Observation]) -> Iterator[str]:
    variant, observation = overlay(mre, control), observed[control.name]
    steps = [step for step in observation.steps if step.role == "observe"]
    if any(step.exit in NOT_FOUND or MISSING.search(step.stderr) for step in steps):
        yield "a command was not found"
    if _observed_programs(variant.steps) <= IDLE and not _observed_programs(mre.steps) <= IDLE:
        yield "its observed step runs no uv command"
    reported, files = ({file.path for file in each.files if file.exists} for each in (observed[BASE], observation))
    for file in () if control.expect == "present" else variant.symptom.files:
        if file.path in reported and file.path not in files and not file.exists:
            yield f"it has no {file.path}"


def _observed_programs(steps: Sequence[Step]) -> set[str]:
    """Return the programs of the observed steps; a step that cannot be parsed counts as one."""
    texts = [step.run for step in steps if step.role == "observe"]
    return {call.argv[0] for text in texts for call in parse_calls(text) if call.argv} | {
        text for text in texts if not parse_calls(text)
    }
