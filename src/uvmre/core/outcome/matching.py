"""Match an observation with the reported symptom: the outcome of a variant."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Literal

from uvmre.core.mre.symptom import Symptom
from uvmre.core.network.request import Request
from uvmre.core.outcome.observation import Observation, StepResult
from uvmre.core.outcome.parts import Missing, missing_parts
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

ERROR_LINES = re.compile(r"^(?:error: .*(?:\n\s+\[possible .*)?|\S*sh: .*)", re.MULTILINE)
"""The lines that are an error of uv or of a shell, and do not only quote one."""
WORDING = re.compile(
    r"unrecognized subcommand|unexpected argument|wasn't (?:expected|recognized)|invalid value|isn't a valid value"
    r"|uvx: (?:command )?not found|unknown (?:field|variant)|untagged enum"
)
"""What a report quotes at least of one of these errors, if it is about it: the name alone may come from anything."""
DOES_NOT_SUPPORT = "does not support"
NETWORK = re.compile(r"request|retr|connect|fetch|download|http|network|timed? ?out|dns|client|proxy", re.IGNORECASE)
CERTIFICATE = re.compile(r"certificate|issuer|self.signed|x509", re.IGNORECASE)
DISK_FULL = "No space left on device"


@dataclass(frozen=True)
class Outcome:
    """The outcome of an observation."""

    word: Word
    reason: str
    """One line."""


def match(symptom: Symptom, observation: Observation, expected: Symptom | None = None) -> Outcome:
    """Return the outcome of an observation.

    `shows`: one observe step has the whole symptom. `absent`: the observe steps succeed without it, and one has what is
    expected, if that is known. `different`: an observe step fails in another way, or has neither. `broken`: no answer,
    because a setup step fails, a request has no response, the release lacks a command, option or setting, or a step
    exceeds its time limit, unless that is the symptom.
    """
    if obstacle := _obstacle(symptom, observation):
        return _despite_rejected_ca(symptom, observation) or Outcome("broken", obstacle)
    observed = _observed(symptom, observation)
    failed = [step for step in observed if step.exit]
    if word := unsupported_feature(symptom, failed, settings=symptom.bare):
        return unsupported_outcome(observation, word)
    missing = [missing_parts(symptom, step, observation) for step in observed]
    if [] in missing:
        step = observed[missing.index([])]
        how = "exceeds its time limit" if step.timed_out else f"exits with code {step.exit}"
        return Outcome("shows", f"`{step.title}` {how}, with everything that was reported")
    # A program may continue after such an error of uv, and an ignored setting is only a warning.
    if word := unsupported_feature(symptom, failed, settings=True) or unsupported_feature(symptom, observed):
        return unsupported_outcome(observation, word)
    unexpected: list[list[Missing]] = []
    if expected:
        whole = replace(expected, exit="success" if expected.exit is None else expected.exit)
        unexpected = [missing_parts(whole, step, observation) for step in _observed(expected, observation)]
        if [] in unexpected:
            step = _observed(expected, observation)[unexpected.index([])]
            return Outcome("absent", f"`{step.title}` exits with code {step.exit}, as expected")
    if failed:
        least, step = min(zip(missing, observed), key=lambda pair: (not pair[1].exit, len(pair[0])))  # noqa: B905
        return Outcome("different", f"`{step.title}` fails ({step.exit}), but not as reported: {least[0].why}")
    for parts, step in zip(missing, observed):  # noqa: B905
        if all(part.undecided for part in parts):
            return Outcome("different", f"`{step.title}` succeeds, but {parts[0].why}")
    if expected:
        least = min(unexpected, key=len, default=[])
        why = least[0].why if least else f"`{expected.step}` did not run"
        return Outcome("different", f"it neither shows the symptom nor what is expected: {why}")
    return Outcome("absent", f"`{observed[-1].title}` succeeds")


def _observed(symptom: Symptom, observation: Observation) -> list[StepResult]:
    """Return the observe steps that can have a symptom."""
    return [step for step in observation.steps if step.role == "observe" and symptom.step in ("", step.title)]


def matching_step(symptom: Symptom, observation: Observation) -> StepResult | None:
    """Return the first observe step that has the whole symptom."""
    observed = _observed(symptom, observation)
    return next((step for step in observed if not missing_parts(symptom, step, observation)), None)


def _obstacle(symptom: Symptom, observation: Observation) -> str:
    if observation.obstacle:
        return observation.obstacle
    if unanswered := observation.unanswered:
        return _no_response(unanswered)
    for step in observation.steps:
        if step.exit and DISK_FULL in step.stderr:
            return f"`{step.title}` fails because the disk is full"
        if step.timed_out and not (symptom.exit == "timeout" and step in _observed(symptom, observation)):
            return f"`{step.title}` exceeds its time limit ({step.seconds:.0f} s)"
        if step.limit:
            return f"`{step.title}` exceeds the limit of {step.limit}"
        if step.role == "setup" and step.exit:
            word = find_unsupported(step.stderr, settings=True)
            why = unsupported_reason(observation.uv, word) if word else last_line(step)
            return f"the setup step `{step.title}` fails ({step.exit}): {why}"
        if step.role == "setup" and (word := unsupported_feature(symptom, [step])):
            return f"the setup step `{step.title}` hides an error: {unsupported_reason(observation.uv, word)}"
    if not _observed(symptom, observation):
        return f"`{symptom.step}` did not run" if symptom.step else "no observe step ran"
    return ""


def _despite_rejected_ca(symptom: Symptom, observation: Observation) -> Outcome | None:
    """Return the outcome of a symptom that is met in full although a client rejected the gateway's CA; else None.

    Other texts of the network prove nothing then, as they come from the rejected CA.
    """
    if not observation.unanswered:
        return None
    texts = " ".join(symptom.texts)
    if not texts or (NETWORK.search(texts) and not CERTIFICATE.search(texts)):
        return None
    if any(request.answered_by != "rejected-ca" for request in observation.unanswered):
        return None
    kept = tuple(request for request in observation.requests if request.answered_by != "rejected-ca")
    outcome = match(symptom, replace(observation, requests=kept))
    if outcome.word != "shows":
        return None
    why = "the client rejected the gateway's CA: declare that as a [[fault]] with `untrusted-issuer = true`"
    return Outcome("shows", f"{outcome.reason}; {why}")


def _no_response(requests: tuple[Request, ...]) -> str:
    hosts = dict.fromkeys(request.host for request in requests)
    reasons = dict.fromkeys(request.reason for request in requests)
    return f"no response from {', '.join(hosts)}: {next(iter(reasons))}"


def unsupported_feature(symptom: Symptom, steps: Iterable[StepResult], *, settings: bool = False) -> str:
    """Return the command, option or setting that a release does not support, unless that is the symptom."""
    for step in steps:
        for stream in (step.stderr, step.stdout):
            word = find_unsupported(stream, settings=settings, hidden=not step.exit)
            if word and not any(_is_about(text, word, stream) for text in symptom.texts):
                return word
    return ""


def _is_about(text: str, word: str, output: str) -> bool:
    """Tell whether a reported text is the error about an unsupported feature, in full or in part."""
    # Of "invalid value" a report may quote the first line alone; the second one tells it from a wrong path.
    if find_unsupported(f"{text}\n  [possible values", settings=True) == word:
        return True
    return bool(WORDING.search(text)) and find_pattern(text, normalize(output)) is not None


def is_conclusive(outcome: Outcome) -> bool:
    """Tell whether an outcome is an answer: also a different failure, or an unsupported feature."""
    return outcome.word != "broken" or is_lack(outcome.reason)


def is_lack(reason: str) -> bool:
    """Tell whether a reason is that a release lacks a feature, and does not only quote a program that says so."""
    return bool(lacked_feature(reason))


def lacked_feature(reason: str) -> str:
    """Return what a release lacks, from the reason of its outcome; empty if that is another one."""
    found = re.search(rf"\buv \d\S* {DOES_NOT_SUPPORT} `([^`]+)`", reason)
    return found[1] if found else ""


def find_unsupported(text: str, *, settings: bool, hidden: bool = False) -> str:
    """Return the command, option or setting that an error of uv names; empty if none does.

    In a step that succeeds, where the error is `hidden`, another program may print the same words inside a line.
    """
    output = readable(text)
    errors = "\n".join(ERROR_LINES.findall(output)) if hidden else output
    match = UNSUPPORTED.search(errors) or (UNSUPPORTED_SETTING.search(output) if settings else None)
    return next(word for word in match.groups() if word) if match else ""


def unsupported_outcome(observation: Observation, word: str) -> Outcome:
    """Return the outcome of a release without a feature."""
    return Outcome("broken", unsupported_reason(observation.uv, word))


def unsupported_reason(uv: str, word: str) -> str:
    """Return the reason of an outcome on a release without a feature."""
    return f"uv {uv} {DOES_NOT_SUPPORT} `{word}`"


def last_line(step: StepResult) -> str:
    """Return the last line that a step printed."""
    output = readable(step.stderr).strip() or readable(step.stdout).strip()
    return output.splitlines()[-1].strip() if output else "no output"
