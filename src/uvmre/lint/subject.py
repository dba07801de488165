"""The input of the rules: the MRE, and the issue it comes from."""

import dataclasses
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import PurePosixPath
from typing import Any

from uvmre.core.dockerfile.parser import DOCKERFILE
from uvmre.core.mre.model import MANIFEST, Mre, Step
from uvmre.core.shell.uv_calls import Call, parse_calls
from uvmre.core.text.normalize import find_pattern, normalize
from uvmre.core.text.parse_toml import parse_toml
from uvmre.core.triage.parsed_issue import ParsedIssue

PROJECT = "pyproject.toml"
MAX_POST = 200_000
"""Characters of a post that the rules look at."""


@dataclass(frozen=True)
class Subject:
    """An MRE, and the issue it comes from."""

    mre: Mre
    parsed: ParsedIssue | None = None
    text: str = ""
    """The issue's text."""

    @cached_property
    def steps(self) -> tuple[tuple[Step, tuple[Call, ...]], ...]:
        """Return each step with its commands."""
        return tuple((step, parse_calls(step.run)) for step in self.mre.steps)

    @cached_property
    def all_calls(self) -> tuple[Call, ...]:
        """Return every command of the steps and of the post."""
        commands = self.parsed.commands if self.parsed else ()
        return tuple(call for _, found in self.steps for call in found) + tuple(
            call for command in commands for call in parse_calls(command.run)
        )

    @cached_property
    def texts(self) -> Mapping[str, str]:
        """Return the files that are text, by path."""
        found = {}
        for file in self.mre.files:
            try:
                found[file.path] = file.content.decode()
            except UnicodeDecodeError:
                continue
        return found

    @cached_property
    def projects(self) -> Mapping[str, dict[str, Any]]:
        """Return every pyproject.toml that is TOML, by path."""
        found = {}
        for path, text in self.texts.items():
            if PurePosixPath(path).name == PROJECT:
                try:
                    found[path] = parse_toml(text)
                except ValueError:
                    continue
        return found

    @cached_property
    def inferred_files(self) -> frozenset[str]:
        """Return the paths of inferred files: a mistake in them is not the reporter's."""
        return frozenset(named.path for named in self.parsed.files if named.inferred) if self.parsed else frozenset()

    @cached_property
    def symptom(self) -> str:
        """Return the text of the symptom, normalized."""
        symptom = self.mre.symptom
        return normalize("\n".join([*symptom.output, *(file.contains for file in symptom.files)]))

    def symptom_contains(self, *patterns: str) -> bool:
        """Return whether the symptom contains one of these texts, compared as output is."""
        return any(find_pattern(pattern, self.symptom) is not None for pattern in patterns)

    @cached_property
    def post(self) -> str:
        """Return the post, up to a length; without it, the strings of the parsed issue."""
        return (self.text or "\n".join(_strings(self.parsed)))[:MAX_POST]

    def at_line(self, pattern: str) -> str:
        """Return the place of the first match in the post."""
        match = re.search(pattern, self.text)
        return f"the post, line {self.text.count(chr(10), 0, match.start()) + 1}" if match else "the post"

    def at_step(self, step: Step) -> str:
        """Return the place of a step, preferably in the post."""
        for command in self.parsed.commands if self.parsed else ():
            if command.run.strip() == step.run.strip() and command.line:
                return f"the post, line {command.line}"
        number = self.mre.steps.index(step) + 1
        return f"{DOCKERFILE}, RUN {number}" if step.layer else f"{MANIFEST}, step {number}"

    def with_step(self, step: Step, run: str) -> tuple[Step, ...]:
        """Return the steps with another command in one of them."""
        return tuple(dataclasses.replace(each, run=run) if each is step else each for each in self.mre.steps)

    def at_file(self, path: str, *keys: str | int) -> str:
        """Return the place of a key in a TOML file, or of the nearest table around it."""
        from uvmre.core.text.toml_positions import key_lines

        known = key_lines(self.texts[path])
        while keys and keys not in known:
            keys = keys[:-1]
        return f"{path}:{known.get(keys, 1)}"


def _strings(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, tuple):
        for item in value:
            yield from _strings(item)
    elif dataclasses.is_dataclass(value):
        for field in dataclasses.fields(value):
            yield from _strings(getattr(value, field.name))


def package_name(requirement: str) -> str:
    """Return the normalised name in a requirement (PEP 503); empty where it is invalid."""
    from packaging.requirements import InvalidRequirement, Requirement
    from packaging.utils import canonicalize_name

    try:
        return canonicalize_name(Requirement(requirement).name)
    except InvalidRequirement:
        return ""


REFUSED = (
    "401 Unauthorized",
    "403 Forbidden",
    "lack of valid authentication credentials",
    "Missing credentials",
    "was not found in the package registry",
)
"""uv's errors for missing credentials, from 0.2 on."""
