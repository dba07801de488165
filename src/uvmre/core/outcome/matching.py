"""Match an observation with the reported symptom: the outcome of a variant."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from uvmre.core.mre.symptom import Symptom
from uvmre.core.network.request import Request
from uvmre.core.outcome.observation import Observation, StepResult
from uvmre.core.text.normalize import find_pattern, normalize, readable

Word = Literal["shows", "absent", "different", "broken"]

UNSUPPORTED = re.compile(
    r"unrecognized subcommand '(?P<a>[^']+)'|unexpected argument '(?P<b>[^']+)'"
    r"|argument '(?P<c>[^']+)' which wasn't expected|subcommand '(?P<d>[^']+)' wasn't recognized"
    r"|invalid value '(?P<e>[^']+)' for '[^']+'\s{1,9}\[possible values"
    r"|\"(?P<f>[^\"]+)\" isn't a valid value for '[^']+'\s{1,9}\[possible values"
    r"|(?P<g>\buvx): (?:command )?not found"
)
"""The errors of clap 3 and 4 for an unsupported command, option or value, and of a shell for a missing `uvx`."""
UNSUPPORTED_SETTING = re.compile(r"unknown (?:field|variant) [`'](?P<a>[^`'\n]+)[`']|(?P<b>untagged enum \w+)")
"""The errors and warnings of uv for an unsupported setting."""

RESET = normalize("Connection reset by peer (os error 104)")
DIRECT = {
    kind: "".join(normalize(f"{link}{between} {cause}") for between in (":", "\nCaused by:"))
    for kind, link, cause in (
        ("refused", "tcp connect error", "Connection refused (os error 111)"),
        ("unresolvable", "dns error", "failed to lookup address information: Name or service not known"),
    )
}
"""What uv prints without a proxy for an unreachable host, in one or two lines; with the gateway it prints `RESET`."""
DOES_NOT_SUPPORT = "does not support"
DISK_FULL = "No space left on device"


@dataclass(frozen=True)
class Outcome:
    """The outcome of an observation."""

    word: Word
    reason: str
    """One line."""


def match(symptom: Symptom, observation: Observation) -> Outcome:
    """Return the outcome of an observation.

    `shows`: one observe step has the whole symptom. `absent`: the observe steps succeed without it. `different`: an
    observe step fails in another way. `broken`: no answer, because a setup step fails, a request has no response, the
    release lacks a command, option or setting, or a step exceeds its time limit.
    """
    if obstacle := _obstacle(observation):
        return Outcome("broken", obstacle)
    observed = [step for step in observation.steps if step.role == "observe"]
    failed = [step for step in observed if step.exit]
    if word := unsupported_feature(symptom, failed, settings=symptom.bare):
        return unsupported_outcome(observation, word)
    missing = [_missing_parts(symptom, step, observation) for step in observed]
    if [] in missing:
        step = observed[missing.index([])]
        return Outcome("shows", f"`{step.title}` exits with code {step.exit}, with everything that was reported")
    # A program may continue after such an error of uv, and an ignored setting is only a warning.
    if word := unsupported_feature(symptom, failed, settings=True) or unsupported_feature(symptom, observed):
        return unsupported_outcome(observation, word)
    if not failed:
        return Outcome("absent", f"`{observed[-1].title}` succeeds")
    failures = [(missing[i], step) for i, step in enumerate(observed) if step.exit]
    least, step = min(failures, key=lambda pair: len(pair[0]))
    return Outcome("different", f"`{step.title}` fails ({step.exit}), but not as reported: {least[0]}")


def matching_step(symptom: Symptom, observation: Observation) -> StepResult | None:
    """Return the first observe step that has the whole symptom."""
    observed = [step for step in observation.steps if step.role == "observe"]
    return next((step for step in observed if not _missing_parts(symptom, step, observation)), None)


def _obstacle(observation: Observation) -> str:
    if observation.obstacle:
        return observation.obstacle
    if unanswered := observation.unanswered:
        return _no_response(unanswered)
    for step in observation.steps:
        if step.exit and DISK_FULL in step.stderr:
            return f"`{step.title}` fails because the disk is full"
        if step.timed_out:
            return f"`{step.title}` exceeds its time limit ({step.seconds:.0f} s)"
        if step.limit:
            return f"`{step.title}` exceeds the limit of {step.limit}"
        if step.role == "setup" and step.exit:
            word = _find_unsupported(step.stderr, settings=True)
            why = f"uv {observation.uv} {DOES_NOT_SUPPORT} `{word}`" if word else last_line(step)
            return f"the setup step `{step.title}` fails ({step.exit}): {why}"
    if not any(step.role == "observe" for step in observation.steps):
        return "no observe step ran"
    return ""


def _no_response(requests: tuple[Request, ...]) -> str:
    hosts = dict.fromkeys(request.host for request in requests)
    reasons = dict.fromkeys(request.reason for request in requests)
    return f"no response from {', '.join(hosts)}: {next(iter(reasons))}"


def unsupported_feature(symptom: Symptom, steps: Iterable[StepResult], *, settings: bool = False) -> str:
    """Return the command, option or setting that a release does not support, unless that is the symptom."""
    if any(_find_unsupported(text, settings=True) for text in symptom.output):
        return ""
    output = (stream for step in steps for stream in (step.stderr, step.stdout))
    return next((word for text in output if (word := _find_unsupported(text, settings=settings))), "")


def is_conclusive(outcome: Outcome) -> bool:
    """Tell whether an outcome is an answer: also a different failure, or an unsupported feature."""
    return outcome.word != "broken" or DOES_NOT_SUPPORT in outcome.reason


def _find_unsupported(text: str, *, settings: bool) -> str:
    output = readable(text)
    match = UNSUPPORTED.search(output) or (UNSUPPORTED_SETTING.search(output) if settings else None)
    return next(word for word in match.groups() if word) if match else ""


def unsupported_outcome(observation: Observation, word: str) -> Outcome:
    """Return the outcome of a release without a feature."""
    return Outcome("broken", f"uv {observation.uv} {DOES_NOT_SUPPORT} `{word}`")


def last_line(step: StepResult) -> str:
    """Return the last line that a step printed."""
    output = readable(step.stderr).strip() or readable(step.stdout).strip()
    return output.splitlines()[-1].strip() if output else "no output"


def _missing_parts(symptom: Symptom, step: StepResult, observation: Observation) -> list[str]:
    """Return the parts of the symptom that a step does not have."""
    missing = []
    if symptom.exit == "failure" and not step.exit:
        missing.append("it succeeds")
    elif isinstance(symptom.exit, int) and symptom.exit != step.exit:
        missing.append(f"the exit code is {step.exit}, not {symptom.exit}")
    missing += _missing_output(symptom.output, step, observation)
    contents = dict(observation.files)
    for pattern in symptom.files:
        content = contents.get(pattern.path)
        if content is None:
            missing.append(f"there is no file {pattern.path}")
        elif find_pattern(pattern.contains, normalize(content)) is None:
            missing.append(f"{pattern.path} does not contain “{pattern.contains}”")
    return missing


def without_proxy(text: str, observation: Observation) -> str:
    """Return a normalized output as it is without a proxy, if hosts were unreachable in one way.

    The gateway can only reset such a connection; with two ways, the resets are ambiguous.
    """
    reasons = (request.reason for request in observation.requests if request.answered_by == "fault")
    kinds = {kind for reason in reasons for kind in DIRECT if reason.startswith(f"fault: {kind},")}
    return text.replace(RESET, DIRECT[kinds.pop()]) if len(kinds) == 1 else text


def _missing_output(patterns: tuple[str, ...], step: StepResult, observation: Observation) -> list[str]:
    """Return the texts that are missing in the better of both streams, which must have them in order."""
    best: list[str] | None = None
    for stream in (step.stderr, step.stdout):
        text, at, missing = without_proxy(normalize(stream), observation), 0, []
        for pattern in patterns:
            end = find_pattern(pattern, text, at)
            if end is None:
                missing.append(f"the output does not contain “{pattern}”")
            else:
                at = end
        if best is None or len(missing) < len(best):
            best = missing
    return best or []
