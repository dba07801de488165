"""An issue's text → what was understood of it, each thing with its line. Nothing is run, opened or asked."""

import datetime
import re
from collections.abc import Sequence
from dataclasses import replace

from uvmre.core.triage.parsed_issue import Claim, Command, Gap, ParsedIssue, PostedFile
from uvmre.issue import private_index
from uvmre.issue.claims import outage, rules, second_run
from uvmre.issue.claims.facts import Facts
from uvmre.issue.environment import versions
from uvmre.issue.files import content_type, inferred, missing, pyproject
from uvmre.issue.gaps import incomplete, unavailable
from uvmre.issue.markdown import blocks
from uvmre.issue.markdown.header import opening_post
from uvmre.issue.timeline.classify import classify
from uvmre.issue.timeline.events import Timeline, build_timeline, sentences_of
from uvmre.issue.timeline.order import OrderedEvents, order_events

NEEDS_VENV = re.compile(r"\buv\s+(?:--\S+\s+){0,12}pip\s+(?:install|sync|list|uninstall|freeze|check|show|tree)\b")
OTHER_TARGET = re.compile(
    r"--system\b|--target\b|--prefix\b|--python[ =]|(?:^|\s)-p\s|--dry-run|--help|--break-system-packages"
)
CREATES_VENV = re.compile(r"\buv\s+(?:venv|sync|add|run)\b|-m\s+(?:venv|virtualenv)\b|\bvirtualenv\b|VIRTUAL_ENV=")
PIP_INSTALL = re.compile(r"^uv\s+pip\s+install\s+(?P<rest>[A-Za-z].*)$")


def read_issue(text: str, releases: Sequence[tuple[str, datetime.date]] = (), *, comments: bool = False) -> ParsedIssue:
    """Read an issue's text.

    Args:
        text: the post in Markdown, with the title and the day above it as `gh` or an archive has them.
        releases: every release of uv with its day: what was not there yet is not believed.
        comments: whether to read the comments too.
    """
    post = opening_post(text, comments=comments)
    found = blocks.parse_blocks(post.lines)
    told = versions.parse_environment(post.title, found, releases, post.created)
    parts = classify(found)
    acts = build_timeline(parts, told)
    gathered = order_events(acts)
    said = sentences_of(parts)
    commands, renumbered = _complete_commands(gathered)
    seen = Facts(
        post.title, commands, {renumbered(i): text for i, text in gathered.context.items()}, said, gathered.files,
        [replace(file, before=renumbered(file.before)) for file in gathered.results], gathered.expected,
    )  # fmt: skip
    claims = rules.claims(seen)
    chosen = claims[0] if claims else Claim("none", -1, 0)
    files = _files(gathered, acts, commands, told.python.text if told.python else "", renumbered, chosen.test)
    given = (*acts.variables, *gathered.variables.items())
    refused = bool(re.search(r"\b40[13]\b|credentials", " ".join(chosen.output)))
    stood = private_index.stand_in(commands, files, given, refused=refused)
    commands, chosen, claims = _repeat_command(list(stood.commands), chosen, claims, seen)
    if not any(event.source == "docker" for event in acts.events) and (
        locking := missing.implied_lock(commands, {file.path for file in files})
    ):
        at, command = locking
        commands.insert(at, command)
        claims = [replace(each, command=each.command + (each.command >= at)) for each in claims]
        chosen = claims[0] if claims else chosen
    prose = " ".join([post.title, *(sentence for sentence, _ in said)])
    failing = outage.required_outages(commands, chosen, prose)
    stood = stood.without({fault.host for fault in failing})
    parsed = ParsedIssue(
        title=post.title,
        created=post.created,
        issue=post.issue,
        uv=told.uv,
        good=told.good,
        python=told.python,
        platform=told.platform,
        files=stood.files,
        commands=tuple(commands),
        claim=chosen,
        variables=_with_usernames(given, stood),
        indexes=stood.indexes,
        outages=failing,
        stand_ins=(*stood.descriptions, *map(outage.describe, failing), *_file_stand_ins(stood.files)),
    )
    lifted = any(event.source == "docker" for event in acts.events)
    first = [gap for gap in gathered.gaps if not (lifted and "needs `docker" in gap.description)]
    first += incomplete.shortened_files(parsed.files, said)
    every = (*first, *_gaps(parsed, told, prose, stood.hosts, acts))
    if post.cut:
        every = (*every, Gap(post.cut, "the text is longer than what is read", False))
    return replace(parsed, gaps=tuple(_relevant_gaps(every, parsed)))


def _complete_commands(gathered: OrderedEvents) -> "tuple[list[Command], _Renumbering]":
    """Add what the post leaves to the reader: a virtual environment; and what its output says was run instead."""
    commands: list[Command] = []
    numbers: list[int] = []
    has_venv = False
    commands += missing.implied_tools(gathered.commands)
    for each in gathered.commands:
        command = _as_printed(each, commands)
        has_venv = has_venv or bool(CREATES_VENV.search(command.run))
        if NEEDS_VENV.search(command.run) and not has_venv and not OTHER_TARGET.search(command.run):
            if "No virtual environment found" not in command.output:
                commands.append(
                    Command(
                        "uv venv",
                        each.line,
                        added_because="`uv pip` wants a virtual environment, and the post makes none",
                    )
                )
            has_venv = True
        numbers.append(len(commands))
        commands.append(command)
    numbers.append(len(commands))
    return commands, _Renumbering(numbers)


def _with_usernames(
    variables: tuple[tuple[str, str], ...], stood: private_index.PrivateIndexes
) -> tuple[tuple[str, str], ...]:
    """Give a password that stands alone the user that the registry wants with it."""
    user = next((index.username for index in stood.indexes if index.username), "user")
    names = {name for name, _ in variables}
    alone = [
        name for name in names if re.fullmatch(r"UV_INDEX_\w+_PASSWORD", name) and name[:-8] + "USERNAME" not in names
    ]
    return (*variables, *((name[:-8] + "USERNAME", user) for name in alone))


class _Renumbering:
    """Where each command of the post is after others were added."""

    def __init__(self, numbers: list[int]) -> None:
        self._numbers = numbers

    def __call__(self, number: int) -> int:
        return self._numbers[min(number, len(self._numbers) - 1)] if number else 0


def _as_printed(command: Command, before: Sequence[Command]) -> Command:
    """Take `uv add` where the output can only be of it: `uv pip install` makes no environment."""
    found = PIP_INSTALL.match(command.run)
    makes = re.search(r"^Creating virtual ?env", command.output, re.MULTILINE)
    if found and makes and any(re.match(r"uv\s+init\b", each.run) for each in before):
        why = f"the post has `{command.run}`, but only `uv add` prints that it makes a virtual environment"
        return replace(command, run=f"uv add {found['rest']}", added_because=why)
    return command


def _files(
    gathered: OrderedEvents,
    acts: Timeline,
    commands: Sequence[Command],
    python: str,
    renumbered: "_Renumbering",
    claim_test: str,
) -> tuple[PostedFile, ...]:
    """Return the files made whole, with those that they imply."""
    files: list[PostedFile] = []
    wants = any(incomplete.NEEDS_PROJECT.match(each.run) for each in commands)
    for file in [*gathered.files, *(replace(each, good=True) for each in gathered.good)]:
        text, why = file.text, file.why
        if file.path.endswith("pyproject.toml"):
            adds = (
                bool(file.before)
                and "[project]" not in text
                and any(re.search(r"\buv\s+init\b", each.run) for each in commands)
            )
            text, added = pyproject.complete(text, needs_project=wants and not adds, python=python)
            file = replace(file, append=adds)  # noqa: PLW2901
            why = f"{why}; added: {added}" if added else why
        elif file.path.endswith(".toml"):
            text, _ = content_type.without_ellipses(text)
        files.append(replace(file, text=text, why=why, before=renumbered(file.before)))
    trees = [tree.block.text for tree in acts.trees]
    copied = any(event.source == "docker" for event in acts.events)
    files = missing.with_files_of_errors(files, commands)
    outputs = [each.output for each in commands if each.output]
    files += inferred.infer_files(
        [file for file in files if not file.good], trees, outputs, python=python, copied=copied
    )
    have = {file.path for file in files}
    if claim_test:
        files += [replace(file, before=0) for file in missing.implied_requirements(commands, have)]
    if "pyproject.toml" not in have and (root := missing.implied_project(commands, python)):
        files.append(root)
    return tuple(files)


def _file_stand_ins(files: Sequence[PostedFile]) -> tuple[str, ...]:
    return tuple(
        f"{file.path}: not in the post, made up because of {file.why}" for file in files if file.inferred and file.text
    )


def _repeat_command(
    commands: list[Command], chosen: Claim, claims: list[Claim], seen: Facts
) -> tuple[list[Command], Claim, list[Claim]]:
    """Run the command once more where the post says that it shows only then."""
    why = second_run.fails_on_repeat(seen, chosen)
    if not why:
        return commands, chosen, claims
    command = commands[chosen.command]
    at = chosen.command + 1
    commands.insert(at, replace(command, added_because=f"the post says “{why}”"))
    commands[chosen.command] = replace(command, output="")
    moved = [replace(each, command=each.command + 1) if each.command >= chosen.command else each for each in claims]
    return commands, moved[0], moved


def _gaps(
    parsed: ParsedIssue, told: versions.PostedEnvironment, prose: str, hosts: Sequence[str], acts: Timeline
) -> list[Gap]:
    have = {file.path for file in parsed.files}
    copied = any(event.source == "docker" for event in acts.events)
    found = [Gap(each.line, each.text, False, "Which release of uv is it (`uv --version`)?") for each in told.doubts]
    found += incomplete.unclear_claim(parsed.commands, parsed.claim)
    found += unavailable.unavailable_platform(
        parsed.commands, parsed.claim, told, parsed.title, prose, failing=bool(parsed.outages)
    )
    found += incomplete.missing_files(parsed.commands, parsed.claim, parsed.files, have, copied=copied)
    found += unavailable.private_resources(
        parsed.commands, parsed.claim, parsed.files, [*hosts, *(f.host for f in parsed.outages)]
    )
    found += incomplete.undefined_variables(parsed.commands, parsed.claim, parsed.variables)
    if parsed.indexes and re.search(
        r"not found in the package registry|40[13] |no solution|credentials",
        " ".join(parsed.claim.output),
        re.IGNORECASE,
    ):
        what = "what a private index has, and whom it lets in, decides, and only the reporter knows"
        question = "Does it show with the public test index, https://pypi-proxy.fly.dev/basic-auth/simple?"
        found.append(Gap(parsed.claim.line, what, True, question))
    if parsed.claim.kind == "none" and acts.unmatched:
        line = acts.unmatched[0].block.line
        found.append(Gap(line, "no command is known that printed this", True, "Which command printed this?"))
    return found


def _relevant_gaps(found: Sequence[Gap], parsed: ParsedIssue) -> list[Gap]:
    """Leave out what stands behind the command that decides, and what is told twice."""
    if 0 <= parsed.claim.command < len(parsed.commands):
        last = max(parsed.commands[parsed.claim.command].line, parsed.claim.line)
        found = [
            gap if gap.line <= last or not gap.description.startswith("`") else replace(gap, blocking=False)
            for gap in found
        ]
    kept: dict[str, Gap] = {}
    for gap in found:
        kept.setdefault(gap.description, gap)
    return sorted(kept.values(), key=lambda gap: (not gap.blocking, gap.line))
