"""Parse an issue's text. Nothing is run, opened or requested."""

import datetime
import re
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace

from uvmre.core.triage.parsed_issue import Claim, Command, Gap, ParsedIssue, PostedFile
from uvmre.issue import private_index
from uvmre.issue.claims import outage, rules, second_run
from uvmre.issue.claims.expected import expected_blocks
from uvmre.issue.claims.facts import Facts
from uvmre.issue.environment import sentiment, versions
from uvmre.issue.files import content_type, inferred, missing, pyproject
from uvmre.issue.gaps import incomplete, unavailable
from uvmre.issue.markdown import blocks
from uvmre.issue.markdown.header import OpeningPost, opening_post
from uvmre.issue.timeline.classify import ClassifiedBlock, classify, unplaced_files
from uvmre.issue.timeline.described import described_project
from uvmre.issue.timeline.events import Timeline, build_timeline, sentences_of
from uvmre.issue.timeline.image_files import as_copied, copies_lock, shifted
from uvmre.issue.timeline.inferred_commands import inferred_commands
from uvmre.issue.timeline.order import OrderedEvents, order_events
from uvmre.issue.timeline.prose import numbered_lines, with_prose

NEEDS_VENV = re.compile(r"\buv\s+(?:--\S+\s+){0,12}pip\s+(?:install|sync|list|uninstall|freeze|check|show|tree)\b")
OTHER_TARGET = re.compile(
    r"--system\b|--target\b|--prefix\b|--python[ =]|(?:^|\s)-p\s|--dry-run|--help|--break-system-packages"
)
CREATES_VENV = re.compile(r"\buv\s+(?:venv|sync|add|run)\b|-m\s+(?:venv|virtualenv)\b|\bvirtualenv\b|VIRTUAL_ENV=")
PIP_INSTALL = re.compile(r"^uv\s+pip\s+install\s+(?P<rest>[A-Za-z].*)$")


Releases = Sequence[tuple[str, datetime.date]]
CALLS_UV = re.compile(r"\buvx?\b")
MOST_HYPOTHESES = 8


@dataclass(frozen=True)
class _Reading:
    """What all hypotheses of a post share."""

    post: OpeningPost
    environment: versions.PostedEnvironment
    parts: Sequence[ClassifiedBlock]
    timeline: Timeline
    ordered: OrderedEvents
    sentences: list[tuple[str, int]]
    facts: Facts
    renumbered: Callable[[int], int]

    @property
    def from_dockerfile(self) -> bool:
        """Tell whether commands come from a Dockerfile."""
        return any(event.source == "dockerfile" for event in self.timeline.events)

    @property
    def prose(self) -> str:
        """Return the title and the sentences."""
        return " ".join([self.post.title, *(sentence for sentence, _ in self.sentences)])


def read_issue(text: str, releases: Releases = ()) -> ParsedIssue:
    """Parse an issue's text with its likeliest claim; the arguments are those of `read_hypotheses`."""
    return read_hypotheses(text, releases)[0]


def read_hypotheses(text: str, releases: Releases = (), no_rules: Collection[str] = ()) -> tuple[ParsedIssue, ...]:
    """Parse an issue's text once for each claim that it may make, the likeliest first; at least once.

    Args:
        text: the post in Markdown, below its title and date as `gh` or an archive writes them.
        releases: the releases of uv with their dates: later ones than the post are not its release.
        no_rules: the ids of the claim rules that are left out.
    """
    return readings_of(opening_post(text), releases, no_rules)


def readings_of(post: OpeningPost, releases: Releases = (), no_rules: Collection[str] = ()) -> tuple[ParsedIssue, ...]:
    """Return the readings of a post, or of a comment."""
    found = blocks.parse_blocks(post.lines)
    environment = versions.parse_environment(post.title, found, releases, post.created)
    parts = classify(found)
    sentences = sentences_of(parts)
    timeline = with_prose(build_timeline(parts, environment), parts, post.title, sentences)
    ordered = order_events(timeline)
    commands, renumbered = _complete_commands(ordered)
    more = inferred_commands(post.title, parts, ordered.files, commands)
    if more and not any(CALLS_UV.search(each.run) for each in commands):
        commands, more = [*commands, more[0]], more[1:]
    facts = Facts(
        post.title, commands, {renumbered(i): text for i, text in ordered.context.items()}, sentences, ordered.files,
        [replace(file, before=renumbered(file.before)) for file in ordered.results], ordered.expected,
        [(each.block.text, each.block.line) for each in timeline.unmatched], numbered_lines(post.lines), more,
        expected_blocks(found),
    )  # fmt: skip
    reading = _Reading(post, environment, parts, timeline, ordered, sentences, facts, renumbered)
    claims = rules.claims(facts, no_rules) or [Claim("none", -1, 0)]
    if sentiment.is_question(post.title, found):
        claims = [replace(each, unconfirmed=True) for each in claims]
    first = _with_first_versions(ordered)
    others = [] if first is ordered else [_with_claim(replace(reading, ordered=first), claims[0])]
    readings = [_with_claim(reading, claim) for claim in claims[: MOST_HYPOTHESES - len(others)]]
    return (*readings[:1], *others, *readings[1:])


def _with_first_versions(ordered: OrderedEvents) -> OrderedEvents:
    """Return the events with only the first of several versions of a file between which no command stands."""
    kept: dict[tuple[str, int], PostedFile] = {}
    for file in ordered.files:
        kept.setdefault((file.path, file.before), file)
    return ordered if len(kept) == len(ordered.files) else replace(ordered, files=list(kept.values()))


def _with_claim(reading: _Reading, claim: Claim) -> ParsedIssue:
    """Return the post as it is with one of its claims."""
    post, environment, ordered = reading.post, reading.environment, reading.ordered
    commands = list(reading.facts.commands)
    if claim.command >= len(commands):
        commands.append(reading.facts.all_commands[claim.command])
        claim = replace(claim, command=len(commands) - 1)
    files = _files(
        ordered,
        reading.timeline,
        commands,
        environment.python.text if environment.python else "",
        renumbered=reading.renumbered,
        claim_test=claim.test,
        sentences=reading.sentences,
    )
    variables = (*reading.timeline.variables, *ordered.variables.items())
    denied = bool(re.search(r"\b40[13]\b|credentials", " ".join(claim.output)))
    private = private_index.stand_in(commands, files, variables, denied=denied)
    commands, claim = _repeat_command(list(private.commands), claim, replace(reading.facts, commands=commands))
    lock = missing.required_lock(commands, {file.path for file in files})
    if lock and (not reading.from_dockerfile or copies_lock(reading.timeline, files)):
        at, command = lock
        commands.insert(at, command)
        private = replace(private, files=shifted(private.files, at))
        claim = replace(claim, command=claim.command + (claim.command >= at))
    outages = outage.required_outages(commands, claim, reading.prose)
    private = private.without({fault.host for fault in outages})
    parsed = ParsedIssue(
        title=post.title,
        created=post.created,
        issue=post.issue,
        uv=environment.uv,
        good=environment.good,
        python=environment.python,
        platform=environment.platform,
        files=private.files,
        commands=tuple(commands),
        claim=claim,
        unplaced=unplaced_files(
            reading.parts, [*private.files, *ordered.good, *ordered.results, *ordered.expected], commands
        ),
        requirements=missing.quoted_requirements([sentence for sentence, _ in reading.sentences]),
        variables=_with_usernames(variables, private),
        indexes=private.indexes,
        outages=outages,
        stand_ins=(*private.descriptions, *map(outage.describe, outages), *_file_stand_ins(private.files)),
    )
    known_gaps = [gap for gap in ordered.gaps if not (reading.from_dockerfile and "needs `docker" in gap.description)]
    known_gaps += incomplete.shortened_files(parsed.files, reading.sentences)
    gaps = (*known_gaps, *_gaps(parsed, reading, private.hosts))
    if post.cut:
        gaps = (*gaps, Gap(post.cut, "the text exceeds the size limit, and the rest is ignored", False))
    return replace(parsed, gaps=tuple(_relevant_gaps(gaps, parsed)))


def _complete_commands(ordered: OrderedEvents) -> tuple[list[Command], Callable[[int], int]]:
    """Return the commands with those that the post omits, and a function from old to new indices."""
    commands: list[Command] = []
    numbers: list[int] = []
    has_venv = False
    commands += missing.required_tools(ordered.commands)
    for item in ordered.commands:
        command = _as_printed(item, commands)
        has_venv = has_venv or bool(CREATES_VENV.search(command.run))
        if NEEDS_VENV.search(command.run) and not has_venv and not OTHER_TARGET.search(command.run):
            if "No virtual environment found" not in command.output:
                why = "`uv pip` requires a virtual environment, and the post creates none"
                commands.append(Command("uv venv", item.line, added_because=why))
            has_venv = True
        numbers.append(len(commands))
        commands.append(command)
    numbers.append(len(commands))
    return commands, lambda number: numbers[min(number, len(numbers) - 1)] if number else 0


def _with_usernames(
    variables: tuple[tuple[str, str], ...], private: private_index.PrivateIndexes
) -> tuple[tuple[str, str], ...]:
    """Add the user name of the registry to a password without one."""
    username = next((index.username for index in private.indexes if index.username), "user")
    names = {name for name, _ in variables}
    passwords = [
        name for name in names if re.fullmatch(r"UV_INDEX_\w+_PASSWORD", name) and name[:-8] + "USERNAME" not in names
    ]
    return (*variables, *((name[:-8] + "USERNAME", username) for name in passwords))


def _as_printed(command: Command, before: Sequence[Command]) -> Command:
    """Return `uv add` if the output can only be its own: `uv pip install` creates no environment."""
    found = PIP_INSTALL.match(command.run)
    creates = re.search(r"^Creating virtual ?env", command.output, re.MULTILINE)
    if found and creates and any(re.match(r"uv\s+init\b", item.run) for item in before):
        why = f"the post has `{command.run}`, but only `uv add` prints that it creates a virtual environment"
        return replace(command, run=f"uv add {found['rest']}", added_because=why)
    return command


def _files(
    ordered: OrderedEvents,
    timeline: Timeline,
    commands: Sequence[Command],
    python: str,
    *,
    renumbered: Callable[[int], int],
    claim_test: str,
    sentences: Sequence[tuple[str, int]],
) -> tuple[PostedFile, ...]:
    """Return the completed files, and those that must exist."""
    files: list[PostedFile] = []
    needs_project = any(incomplete.NEEDS_PROJECT.match(item.run) for item in commands)
    for file in [*ordered.files, *(replace(item, good=True) for item in ordered.good)]:
        text, why = file.text, file.why
        if file.path.endswith("pyproject.toml"):
            after_init = any(re.search(r"\buv\s+init\b", item.run) for item in commands)
            appends = bool(file.before) and "[project]" not in text and after_init
            text, added = pyproject.complete(text, needs_project=needs_project and not appends, python=python)
            file = replace(file, append=appends)  # noqa: PLW2901
            why = f"{why}; added: {added}" if added else why
        elif file.path.endswith(".toml"):
            text, _ = content_type.without_ellipses(text)
        files.append(replace(file, text=text, why=why, before=renumbered(file.before)))
    is_made = any(re.search(r"\buv\s+(?:init|add)\b", item.run) for item in commands)
    if needs_project and not is_made and not any(file.path.endswith("pyproject.toml") for file in files):
        files += filter(None, [described_project(sentences, python)])
    trees = [tree.block.text for tree in timeline.trees]
    from_dockerfile = any(event.source == "dockerfile" for event in timeline.events)
    files = missing.with_files_of_errors(files, commands)
    outputs = [item.output for item in commands if item.output]
    shown = [file for file in files if not file.good]
    inferred_files = inferred.infer_files(shown, trees, outputs, python=python, from_dockerfile=from_dockerfile)
    files += [as_copied(file, timeline, commands) for file in inferred_files]
    paths = {file.path for file in files}
    if claim_test:
        files += [replace(file, before=0) for file in missing.required_requirements(commands, paths)]
    if "pyproject.toml" not in paths and (root := missing.required_project(commands, python)):
        files.append(root)
    return tuple(files)


def _file_stand_ins(files: Sequence[PostedFile]) -> tuple[str, ...]:
    inferred_files = [file for file in files if file.inferred and file.text]
    return tuple(f"{file.path}: synthesized, not in the post ({file.why})" for file in inferred_files)


def _repeat_command(commands: list[Command], claim: Claim, facts: Facts) -> tuple[list[Command], Claim]:
    """Repeat the command if the post says that only the second run fails."""
    why = second_run.fails_on_repeat(facts, claim)
    if not why:
        return commands, claim
    command = commands[claim.command]
    at = claim.command + 1
    commands.insert(at, replace(command, added_because=f"the post says “{why}”"))
    commands[claim.command] = replace(command, output="")
    return commands, replace(claim, command=at)


def _gaps(parsed: ParsedIssue, reading: _Reading, hosts: Sequence[str]) -> list[Gap]:
    paths = {file.path for file in parsed.files}
    environment = reading.environment
    found = [
        Gap(item.line, item.text, False, "Which version of uv is it (`uv --version`)?") for item in environment.doubts
    ]
    found += incomplete.unclear_claim(parsed.commands, parsed.claim)
    found += unavailable.unavailable_platform(
        parsed.commands, parsed.claim, environment, parsed.title, reading.prose, has_outages=bool(parsed.outages)
    )
    found += incomplete.missing_files(
        parsed.commands, parsed.claim, parsed.files, paths, from_dockerfile=reading.from_dockerfile
    )
    found += unavailable.private_resources(
        parsed.commands, parsed.claim, parsed.files, [*hosts, *(f.host for f in parsed.outages)]
    )
    found += incomplete.undefined_variables(parsed.commands, parsed.claim, parsed.variables)
    if parsed.indexes and re.search(
        r"not found in the package registry|40[13] |no solution|credentials",
        " ".join(parsed.claim.output),
        re.IGNORECASE,
    ):
        description = "it depends on the packages and the permissions of a private index"
        question = "Does it also fail with the public test index, https://pypi-proxy.fly.dev/basic-auth/simple?"
        found.append(Gap(parsed.claim.line, description, True, question))
    if parsed.claim.kind == "none" and reading.timeline.unmatched:
        line = reading.timeline.unmatched[0].block.line
        found.append(Gap(line, "the command that printed this output is unknown", True, "Which command printed this?"))
    return found


def _relevant_gaps(found: Sequence[Gap], parsed: ParsedIssue) -> list[Gap]:
    """Remove duplicates; a gap of a command after the failing one is not blocking."""
    if 0 <= parsed.claim.command < len(parsed.commands):
        last = max(parsed.commands[parsed.claim.command].line, parsed.claim.line)
        found = [
            gap if gap.line <= last or not gap.description.startswith("`") else replace(gap, blocking=False)
            for gap in found
        ]
    unique: dict[str, Gap] = {}
    for gap in found:
        unique.setdefault(gap.description, gap)
    return sorted(unique.values(), key=lambda gap: (not gap.blocking, gap.line))
