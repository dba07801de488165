"""No text that a stranger may send takes reading longer than in proportion to its length."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.timing import TooLong, grows, seconds
from uvmre.core.dockerfile import build_log
from uvmre.core.mre.files import File
from uvmre.core.mre.model import Environment, Mre, Step
from uvmre.core.mre.symptom import Symptom
from uvmre.core.outcome import error_chain, matching
from uvmre.core.outcome.observation import Observation, StepResult
from uvmre.core.secrets import redact
from uvmre.core.text import normalize
from uvmre.core.triage import evidence as proofs
from uvmre.core.triage import other_release
from uvmre.core.triage.parsed_issue import Claim
from uvmre.inbox.github import ISSUE, URL
from uvmre.issue.commands import rewrite
from uvmre.issue.files import content_type, trees
from uvmre.issue.read import read_issue
from uvmre.lint.find import find_mistakes as lint

PUMPS = (
    "\n", " ", "\t", "a", "a ", "a\n", "0", "0.1 ", "│", "│\n", "│ ", "├── a\n", "`", "```\n", "```sh\n$ uv sync\n```\n",
    "error: ", "error: a\n", "Caused by: a\n", "  ╰─▶ a\n", "hint: ", "hint: a\n", "Traceback (most recent call last):\n",
    "$ uv sync\n", "❯ uv add a\n", "> ", "- ", "* a/\n", "/", "../", "~/", "[", "]", "(", "{", "<", "\"", "'", "\\", ";", "&& ", "|",
    "a.", ". ", ": ", "uv ", "uv 0.5.1 ", "uv sync ", "`uv sync` fails. ", "A b. ", "a=b\n", "--a ", "-", "=", "#", "# ",
    "<details>", "</details>", "<!-- ", "#1 0.1 a\n", "#1 [", "Step 1/2 : a\n", "The command '", "COMMIT ", "https://a:b@c ",
    "FROM a\n", "RUN uv sync \\\n", "cat <<EOF\n", "$(", "${", "**", "| a ", "…", "… ", "\r", "\x1b[", "\x1b]", "^", "~", "~^ ", ".: ",
    "er'error: '", "no such file or directory\n", "docker run a uv ", "sh -c '", "password: a\n", "TOKEN=a", "[project]\n", "\"\"\"\n",
)  # fmt: skip


def observed(text: str) -> Observation:
    step = StepResult("uv sync", "uv sync", "observe", 2, "", text, 0.1)
    return Observation("as reported", "0.4.6", "3.11.7", "local", "Linux", (step,))


def made(output: str, text: str = "") -> Mre:
    # Not as TOML: Python's own tomllib is slower than linear on a key of thousands of parts.
    files = tuple(File(path, text.encode(errors="replace")) for path in ("requirements.txt", "a.sh", "Dockerfile"))
    return Mre("t", Environment("0.4.6"), (Step("uv sync", "observe"),), Symptom("failure", (output,)), files=files)


def built(text: str) -> None:
    lines = [build_log.LogLine(line, 0.0) for line in text.split("\n")]
    for reader in build_log.READERS.values():
        list(reader(lines))


FAILS = Claim("failure", 0, 1)
AGAIN = "the frobnicator is upside down\n"
READERS: dict[str, Callable[[str], Any]] = {
    "an issue": read_issue,
    "plain": normalize.normalize,
    "a symptom": lambda text: matching.match(made("a").symptom, observed(text)),
    "a symptom of many": lambda text: normalize.find_pattern("a … a … a", text),
    "a proof": lambda text: proofs.evidence_of(made("the frobnicator is upside down"), FAILS, observed(text + AGAIN)),
    "another release": lambda text: other_release.judge_release(
        made("error: a b c d").symptom, None, observed(text), "0.4.6"
    ),
    "an error": error_chain.innermost_cause,
    "what is masked": error_chain.mask_local_details,
    "contents": content_type.detect,
    "a drawing": trees.tree_paths,
    "a command": rewrite.rewrite,
    "secrets": lambda text: redact.secrets(made("a", text)),
    "a build": built,
    "findings": lambda text: lint(made("a", text), None, text),
    "an address": lambda text: (URL.match(text), ISSUE.match(text)),
}
LENGTHS = 4_000, 16_000, 64_000
"""GitHub takes posts of up to 65,536 characters."""
QUICK = 0.01


def slow(reader: Callable[[str], Any], pump: str) -> str:
    """Say how long reading takes where it grows faster than the text."""

    def work(length: int) -> Callable[[], object]:
        text = pump * (length // len(pump))
        return lambda: reader(text)

    try:
        if seconds(work(LENGTHS[1])) < QUICK:
            return ""
    except TooLong:
        pass
    said = grows(work, LENGTHS)
    return f"{pump!r}: {said}" if said else ""


@pytest.mark.parametrize(
    "reader",
    [pytest.param(each, id=n, marks=pytest.mark.slow if i % 2 else ()) for i, (n, each) in enumerate(READERS.items())],
)
def test_reading_takes_time_in_proportion_to_the_text(reader: Callable[[str], Any]) -> None:
    assert not [said for pump in PUMPS if (said := slow(reader, pump))]


def test_a_symptom_that_stands_everywhere_is_proved_in_proportion_too() -> None:
    def work(length: int) -> Callable[[], object]:
        ran = observed(AGAIN * (length // len(AGAIN)) + "Caused by: b")
        return lambda: proofs.evidence_of(made(AGAIN), FAILS, ran)

    assert not grows(work, LENGTHS)
