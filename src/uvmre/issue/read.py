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
from uvmre.issue.markdown.header import opening
from uvmre.issue.timeline.classify import classify
from uvmre.issue.timeline.events import Timeline, sentences_of, timeline
from uvmre.issue.timeline.order import OrderedEvents, order

IN_VENV = re.compile(r"\buv\s+(?:--\S+\s+){0,12}pip\s+(?:install|sync|list|uninstall|freeze|check|show|tree)\b")
ELSEWHERE = re.compile(
    r"--system\b|--target\b|--prefix\b|--python[ =]|(?:^|\s)-p\s|--dry-run|--help|--break-system-packages"
)
MAKES_VENV = re.compile(r"\buv\s+(?:venv|sync|add|run)\b|-m\s+(?:venv|virtualenv)\b|\bvirtualenv\b|VIRTUAL_ENV=")
ADDS = re.compile(r"^uv\s+pip\s+install\s+(?P<rest>[A-Za-z].*)$")


def read(text: str, releases: Sequence[tuple[str, datetime.date]] = (), *, comments: bool = False) -> ParsedIssue:
    """Read an issue's text.

    Args:
        text: the post in Markdown, with the title and the day above it as `gh` or an archive has them.
        releases: every release of uv with its day: what was not there yet is not believed.
        comments: whether to read the comments too.
    """
    post = opening(text, comments=comments)
    found = blocks.blocks(post.lines)
    told = versions.environment(post.title, found, releases, post.created)
    parts = classify(found)
    acts = timeline(parts, told)
    gathered = order(acts)
    said = sentences_of(parts)
    commands, renumbered = _renumbered_commands(gathered)
    seen = Facts(
        post.title, commands, {renumbered(i): text for i, text in gathered.about.items()}, said, gathered.files,
        [replace(file, before=renumbered(file.before)) for file in gathered.results], gathered.wanted,
    )  # fmt: skip
    claims = rules.claims(seen)
    chosen = claims[0] if claims else Claim("none", -1, 0)
    files = _files(gathered, acts, commands, told.python.text if told.python else "", renumbered, chosen.test)
    given = (*acts.variables, *gathered.variables.items())
    refused = bool(re.search(r"\b40[13]\b|credentials", " ".join(chosen.output)))
    stood = private_index.stand_in(commands, files, given, refused=refused)
    commands, chosen, claims = _again(list(stood.commands), chosen, claims, seen)
    if not any(event.source == "docker" for event in acts.events) and (
        locking := missing.lock(commands, {file.path for file in files})
    ):
        at, command = locking
        commands.insert(at, command)
        claims = [replace(each, command=each.command + (each.command >= at)) for each in claims]
        chosen = claims[0] if claims else chosen
    prose = " ".join([post.title, *(sentence for sentence, _ in said)])
    failing = outage.outages(commands, chosen, prose)
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
        variables=_with_users(given, stood),
        indexes=stood.indexes,
        outages=failing,
        stand_ins=(*stood.said, *map(outage.told, failing), *_added(stood.files)),
    )
    lifted = any(event.source == "docker" for event in acts.events)
    first = [gap for gap in gathered.gaps if not (lifted and "needs `docker" in gap.what)]
    first += incomplete.shortened(parsed.files, said)
    every = (*first, *_gaps(parsed, told, prose, stood.hosts, acts))
    if post.cut:
        every = (*every, Gap(post.cut, "the text is longer than what is read", False))
    return replace(parsed, gaps=tuple(_relevant(every, parsed)))


def _renumbered_commands(gathered: OrderedEvents) -> "tuple[list[Command], _Numbers]":
    """Add what the post leaves to the reader: a virtual environment; and what its output says was run instead."""
    commands: list[Command] = []
    numbers: list[int] = []
    has_venv = False
    commands += missing.tools(gathered.commands)
    for each in gathered.commands:
        command = _as_printed(each, commands)
        has_venv = has_venv or bool(MAKES_VENV.search(command.run))
        if IN_VENV.search(command.run) and not has_venv and not ELSEWHERE.search(command.run):
            if "No virtual environment found" not in command.output:
                commands.append(
                    Command("uv venv", each.line, added="`uv pip` wants a virtual environment, and the post makes none")
                )
            has_venv = True
        numbers.append(len(commands))
        commands.append(command)
    numbers.append(len(commands))
    return commands, _Numbers(numbers)


def _with_users(
    variables: tuple[tuple[str, str], ...], stood: private_index.PrivateIndexes
) -> tuple[tuple[str, str], ...]:
    """Give a password that stands alone the user that the registry wants with it."""
    user = next((index.username for index in stood.indexes if index.username), "user")
    names = {name for name, _ in variables}
    alone = [
        name for name in names if re.fullmatch(r"UV_INDEX_\w+_PASSWORD", name) and name[:-8] + "USERNAME" not in names
    ]
    return (*variables, *((name[:-8] + "USERNAME", user) for name in alone))


class _Numbers:
    """Where each command of the post is after others were added."""

    def __init__(self, numbers: list[int]) -> None:
        self._numbers = numbers

    def __call__(self, number: int) -> int:
        return self._numbers[min(number, len(self._numbers) - 1)] if number else 0


def _as_printed(command: Command, before: Sequence[Command]) -> Command:
    """Take `uv add` where the output can only be of it: `uv pip install` makes no environment."""
    found = ADDS.match(command.run)
    makes = re.search(r"^Creating virtual ?env", command.output, re.MULTILINE)
    if found and makes and any(re.match(r"uv\s+init\b", each.run) for each in before):
        why = f"the post has `{command.run}`, but only `uv add` prints that it makes a virtual environment"
        return replace(command, run=f"uv add {found['rest']}", added=why)
    return command


def _files(
    gathered: OrderedEvents,
    acts: Timeline,
    commands: Sequence[Command],
    python: str,
    renumbered: "_Numbers",
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
            text, added = pyproject.whole(text, needs_project=wants and not adds, python=python)
            file = replace(file, adds=adds)  # noqa: PLW2901
            why = f"{why}; added: {added}" if added else why
        elif file.path.endswith(".toml"):
            text, _ = content_type.without_ellipses(text)
        files.append(replace(file, text=text, why=why, before=renumbered(file.before)))
    trees = [tree.block.text for tree in acts.trees]
    copied = any(event.source == "docker" for event in acts.events)
    files = missing.named_in_errors(files, commands)
    outputs = [each.output for each in commands if each.output]
    files += inferred.inferred([file for file in files if not file.good], trees, outputs, python=python, copied=copied)
    have = {file.path for file in files}
    if claim_test:
        files += [replace(file, before=0) for file in missing.requirements(commands, have)]
    if "pyproject.toml" not in have and (root := missing.root(commands, python)):
        files.append(root)
    return tuple(files)


def _added(files: Sequence[PostedFile]) -> tuple[str, ...]:
    return tuple(
        f"{file.path}: not in the post, made up because of {file.why}" for file in files if file.inferred and file.text
    )


def _again(
    commands: list[Command], chosen: Claim, claims: list[Claim], seen: Facts
) -> tuple[list[Command], Claim, list[Claim]]:
    """Run the command once more where the post says that it shows only then."""
    why = second_run.shows_again(seen, chosen)
    if not why:
        return commands, chosen, claims
    command = commands[chosen.command]
    at = chosen.command + 1
    commands.insert(at, replace(command, added=f"the post says “{why}”"))
    commands[chosen.command] = replace(command, output="")
    moved = [replace(each, command=each.command + 1) if each.command >= chosen.command else each for each in claims]
    return commands, moved[0], moved


def _gaps(
    parsed: ParsedIssue, told: versions.PostedEnvironment, prose: str, hosts: Sequence[str], acts: Timeline
) -> list[Gap]:
    have = {file.path for file in parsed.files}
    copied = any(event.source == "docker" for event in acts.events)
    found = [Gap(each.line, each.text, False, "Which release of uv is it (`uv --version`)?") for each in told.doubts]
    found += incomplete.unasked(parsed.commands, parsed.claim)
    found += unavailable.unreachable(
        parsed.commands, parsed.claim, told, parsed.title, prose, failing=bool(parsed.outages)
    )
    found += incomplete.missing(parsed.commands, parsed.claim, parsed.files, have, copied=copied)
    found += unavailable.private(
        parsed.commands, parsed.claim, parsed.files, [*hosts, *(f.host for f in parsed.outages)]
    )
    found += incomplete.variables(parsed.commands, parsed.claim, parsed.variables)
    if parsed.indexes and re.search(
        r"not found in the package registry|40[13] |no solution|credentials",
        " ".join(parsed.claim.output),
        re.IGNORECASE,
    ):
        what = "what a private index has, and whom it lets in, decides, and only the reporter knows"
        question = "Does it show with the public test index, https://pypi-proxy.fly.dev/basic-auth/simple?"
        found.append(Gap(parsed.claim.line, what, True, question))
    if parsed.claim.kind == "none" and acts.loose:
        line = acts.loose[0].block.line
        found.append(Gap(line, "no command is known that printed this", True, "Which command printed this?"))
    return found


def _relevant(found: Sequence[Gap], parsed: ParsedIssue) -> list[Gap]:
    """Leave out what stands behind the command that decides, and what is told twice."""
    if 0 <= parsed.claim.command < len(parsed.commands):
        last = max(parsed.commands[parsed.claim.command].line, parsed.claim.line)
        found = [
            gap if gap.line <= last or not gap.what.startswith("`") else replace(gap, decides=False) for gap in found
        ]
    kept: dict[str, Gap] = {}
    for gap in found:
        kept.setdefault(gap.what, gap)
    return sorted(kept.values(), key=lambda gap: (not gap.decides, gap.line))
