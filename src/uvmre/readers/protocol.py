"""The protocol with a program that reads an issue: JSON to its standard input, JSON from its standard output."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from uvmre.core.mre.manifest import dump
from uvmre.core.mre.model import MANIFEST, Mre
from uvmre.core.mre.portable_names import is_reserved, name_faults
from uvmre.core.text.toml_checks import inner_path
from uvmre.core.triage.state import TriageState

SCHEMA = 1
PRESETS = {"claude": "claude -p", "codex": "codex exec --skip-git-repo-check -", "llm": "llm"}
"""Command-line agents. Each gets the prompt in front of the JSON."""
PROMPT = Path(__file__).with_name("prompt.md")
HERE = Path(__file__).resolve().parent
MRE_SCHEMA = next(
    (file for file in (HERE / "mre.json", HERE.parents[2] / "docs" / "schemas" / "mre.json") if file.is_file()), None
)
"""The JSON Schema of `mre.toml`: in the wheel beside this module, in the repository in docs/schemas."""
MOST_OUTPUT = 8_000
"""Characters of a stream of a step that the program gets."""
MOST_FILES, MOST_CHARACTERS = 200, 1_000_000
FENCE = re.compile(r"^```[^\n`]{0,40}\n(.*?)^```", re.DOTALL | re.MULTILINE)
MOST_STARTS = 1_000
"""Places of an answer where JSON may start that are tried."""


class UnreadableAnswerError(Exception):
    """What a program printed is no answer."""


@dataclass(frozen=True)
class ReaderAnswer:
    """What a program proposes."""

    manifest: str = ""
    files: Mapping[str, str] | None = None
    give_up: str = ""
    """Why it proposes nothing; empty if it does."""

    def faults(self) -> list[str]:
        """Return why its files cannot be those of an MRE."""
        files = self.files or {}
        found = [f"{path!r} {mistake}" for path in files if (mistake := inner_path(path))]
        found += [f"{path!r} is reserved: `manifest` is the {MANIFEST}" for path in files if is_reserved(path)]
        if len(files) > MOST_FILES or sum(map(len, files.values())) > MOST_CHARACTERS:
            found.append(f"it has more than {MOST_FILES} files or {MOST_CHARACTERS:,} characters")
        return found or list(name_faults(files))


def request(facts: Mapping[str, Any], attempts: Sequence[Mapping[str, Any]], *, prompt: bool) -> str:
    """Return what a program gets on its standard input; with the prompt in front, if it is an agent."""
    schema = json.loads(MRE_SCHEMA.read_text(encoding="utf-8")) if MRE_SCHEMA else {}
    data = json.dumps({"schema": SCHEMA, **facts, "mre_schema": schema, "attempts": list(attempts)}, ensure_ascii=False)
    return f"{PROMPT.read_text(encoding='utf-8')}\n{data}\n" if prompt else f"{data}\n"


def command_line(command: str) -> tuple[str, bool]:
    """Return the command of a reader, and whether it is a preset."""
    return PRESETS.get(command.strip(), command), command.strip() in PRESETS


def attempt(state: TriageState, verdict: str, rejected: str) -> dict[str, Any]:
    """Return an attempt that was run, as the program gets it."""
    run = state.reproducing_run or next(iter(state.runs), None)
    steps = run.result.base.observation.steps if run else ()
    return {
        "source": state.source,
        "mre": _mre_data(run.planned.mre if run else state.mre),
        "steps": [
            {"run": step.run, "exit": step.exit, "stdout": _shorten(step.stdout), "stderr": _shorten(step.stderr)}
            for step in steps
        ],
        "outcome": run.outcome.word if run else None,
        "verdict": verdict,
        "rejected": rejected,
    }


def refused(source: str, answer: ReaderAnswer, rejected: str) -> dict[str, Any]:
    """Return an answer that was not run, as the program gets it back."""
    mre = {"files": dict(answer.files or {}), "manifest": answer.manifest}
    return {"source": source, "mre": mre, "steps": [], "outcome": None, "verdict": None, "rejected": rejected}


def _mre_data(mre: Mre | None) -> dict[str, Any] | None:
    if mre is None:
        return None
    return {"files": {file.path: file.content.decode(errors="replace") for file in mre.files}, "manifest": dump(mre)}


def _shorten(text: str) -> str:
    half = MOST_OUTPUT // 2
    return text if len(text) <= MOST_OUTPUT else f"{text[:half]}\n[… {len(text) - 2 * half} characters]\n{text[-half:]}"


def parse_answer(output: str) -> ReaderAnswer:
    """Return the answer in what a program printed: the last JSON object in it, or in a fenced block.

    Raises:
        UnreadableAnswerError: if there is none.
    """
    found = next(filter(None, map(_last_object, (*reversed(FENCE.findall(output)), output))), None)
    if found is None:
        raise UnreadableAnswerError("it printed no JSON object with `mre` or `give_up`")
    if isinstance(reason := found.get("give_up"), str):
        return ReaderAnswer(give_up=" ".join(reason.split()) or "no reason given")
    mre = found.get("mre")
    files = mre.get("files", {}) if isinstance(mre, dict) else None
    if not isinstance(mre, dict) or not isinstance(files, dict) or not isinstance(mre.get("manifest"), str):
        raise UnreadableAnswerError("its `mre` has no `manifest` with TOML, or no `files` with texts")
    answer = ReaderAnswer(mre["manifest"], files)
    if not all(isinstance(text, str) for text in files.values()):
        raise UnreadableAnswerError("the `files` of its `mre` are not all texts")
    try:
        "".join([answer.manifest, *files, *files.values()]).encode()
    except UnicodeEncodeError:
        raise UnreadableAnswerError("its `mre` has characters that UTF-8 does not have") from None
    return answer


def _last_object(text: str) -> dict[str, Any] | None:
    """Return the last JSON object in a text that is an answer."""
    decoder, at, last = json.JSONDecoder(), -1, None
    for _ in range(MOST_STARTS):
        at = text.find("{", at + 1)
        if at < 0:
            break
        try:
            value, end = decoder.raw_decode(text, at)
        except (ValueError, RecursionError):
            continue
        if value.keys() & {"mre", "give_up"}:
            last = value
        at = end - 1
    return last
