"""What a repair rule is: a text of an output, and the change of the MRE that it calls for."""

import posixpath
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from uvmre.core.mre.files import File
from uvmre.core.mre.model import Mre, Step
from uvmre.core.outcome.observation import StepResult
from uvmre.core.text.normalize import find_pattern, normalize
from uvmre.core.triage.hypothesis import Hypothesis, RepairKind
from uvmre.issue.build_mre import STATE_COMMANDS, working_directory
from uvmre.issue.files import content_type, names

ROOT = "/mre"
"""The folder of the MRE, as outputs name it."""
LEAST = 12
"""Characters of a text that is the report's own, not any error's."""
BASH = re.compile(r"bash -c '((?:[^']|'\"'\"')*)'")
BUILT = re.compile(
    r"[Ff]ailed to (?:download and )?build:? `(?:[\w.-]{1,80} @ )?(?P<path>(?:file://)?/mre[\w./-]{0,200})`"
)
PINNED = r"(?i)(?<![\w.-])%s(?:\[[^\]\n]{0,80}\])?\s?(?:===?|>=|~=)\s?(?P<version>\d[\w.+!]{0,40})"


@dataclass(frozen=True)
class Failure:
    """A step of an MRE that failed."""

    hypothesis: Hypothesis
    step: StepResult
    at: int
    """The index of the step in the MRE."""
    output: str
    """Both streams without boxes, each run of white space as one space."""

    @property
    def mre(self) -> Mre:
        """Return the MRE that failed."""
        return self.hypothesis.mre

    @property
    def is_setup(self) -> bool:
        """Tell whether the step is one of the set-up."""
        return self.mre.steps[self.at].role == "setup"

    @property
    def shows_claim(self) -> bool:
        """Tell whether the step failed with the error that the report is about."""
        claim, text = self.hypothesis.parsed.claim, normalize(self.output)
        is_specific = claim.kind == "failure" and bool(claim.output) and len(claim.output[-1]) >= LEAST
        return is_specific and all(find_pattern(each, text) is not None for each in claim.output)

    @cached_property
    def commands(self) -> tuple[str, str]:
        """Return the lines of the step that enter folders, and those of its command."""
        wrapped = BASH.fullmatch(self.step.run)
        lines = (wrapped[1].replace("'\"'\"'", "'") if wrapped else self.step.run).split("\n")
        first = next((i for i, each in enumerate(lines) if each.split(" ")[0] not in STATE_COMMANDS), len(lines))
        return "".join(f"{each}\n" for each in lines[:first] if each.startswith("cd ")), "\n".join(lines[first:])

    @property
    def text(self) -> str:
        """Return all files and commands of the MRE as one text."""
        files = (file.content.decode(errors="replace") for file in self.mre.files)
        return "\n".join([*files, *(step.run for step in self.mre.steps)])

    def path(self, text: str) -> str:
        """Return a path of the output, relative to the MRE; empty if it is outside, or the MRE itself."""
        inside = posixpath.join(ROOT, working_directory([self.commands[0]]), text.removeprefix("file://"))
        whole = posixpath.normpath(inside)
        return names.clean_path(whole.removeprefix(f"{ROOT}/")) if whole.startswith(f"{ROOT}/") else ""

    def path_in_project(self, text: str) -> str:
        """Return a path of the output, relative to the MRE, where the output means the project that uv cannot build."""
        found = BUILT.search(self.output)
        return self.path(posixpath.join(found["path"].removeprefix("file://"), text) if found else text)

    def sources(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """Yield the entries of `tool.uv.sources` of all projects, with the names of their packages."""
        for file in self.mre.files:
            is_toml = file.path.endswith(".toml")
            data = content_type.parse_toml(file.content.decode(errors="replace")) if is_toml else None
            for name, entry in content_type.table(data or {}, "tool", "uv", "sources").items():
                for each in entry if isinstance(entry, list) else [entry]:
                    if isinstance(each, dict):
                        yield name, each

    def version_of(self, name: str) -> str:
        """Return a version of a package that meets what the MRE requires, where that is simple."""
        found = re.search(PINNED % re.escape(name), self.text)
        return found["version"] if found else "0.1.0"

    def with_file(self, path: str, text: str, done: str) -> "Change":
        """Return the MRE with one more file, if it lacks that."""
        return None if not path or self.mre.file(path) else (self.with_files({path: text}), done)

    def with_files(self, files: dict[str, str]) -> Mre:
        """Return the MRE with more files, or with another text in those that it has."""
        kept = (each for each in self.mre.files if each.path not in files)
        return replace(self.mre, files=(*kept, *(File(path, text.encode()) for path, text in files.items())))

    def with_step_before(self, run: str, *, name: str = "", at_root: bool = False) -> Mre:
        """Return the MRE with a set-up step before the one that failed, in the same folder or at the root."""
        return self._spliced(0, Step(run if at_root else f"{self.commands[0]}{run}", name=name or run))

    def with_run(self, run: str) -> Mre:
        """Return the MRE with another command in place of the one that failed."""
        return self._spliced(1, replace(self.mre.steps[self.at], run=run))

    def without_step(self) -> Mre:
        """Return the MRE without the step that failed."""
        return self._spliced(1)

    def _spliced(self, count: int, *new: Step) -> Mre:
        """Return the MRE with steps in place of those at the failure, also in controls that begin in the same way."""
        begun, end = self.mre.steps[: self.at + count], self.at + count
        controls = tuple(
            replace(each, steps=(*begun[: self.at], *new, *each.steps[end:])) if each.steps[:end] == begun else each
            for each in self.mre.controls
        )
        return replace(self.mre, steps=(*begun[: self.at], *new, *self.mre.steps[end:]), controls=controls)


Change = tuple[Mre | Hypothesis, str] | None
"""The changed MRE, or the hypothesis with it, and what was done; None where the rule does not apply."""
Apply = Callable[[Failure, re.Match[str]], Change]


@dataclass(frozen=True)
class RepairRule:
    """A repair."""

    id: str
    kind: RepairKind
    trigger: re.Pattern[str]
    """What the output of the failed step must contain; white space in it is single spaces."""
    apply: Apply

    @property
    def summary(self) -> str:
        """Return what it does and when."""
        return " ".join((self.apply.__doc__ or "").split())


def rule(kind: RepairKind, trigger: str) -> Callable[[Apply], RepairRule]:
    """Make a rule of a function, whose name is its id and whose docstring says what it does."""
    return lambda apply: RepairRule(apply.__name__.replace("_", "-"), kind, re.compile(trigger), apply)
