"""An issue's text → what was understood of it, each thing with its line. Nothing is run, opened or asked."""

import datetime
import re
from collections.abc import Sequence
from dataclasses import replace

from uvmre.core.draft import Claim, Command, Draft, Gap, Named
from uvmre.issue import blocks, claim, contents, environment, gaps, implied, lacking, outage, project, reach, standin
from uvmre.issue.pieces import pieces
from uvmre.issue.plan import Plan, plan
from uvmre.issue.post import opening
from uvmre.issue.seen import Seen
from uvmre.issue.story import Story, sentences_of, story

IN_VENV = re.compile(r"\buv\s+(?:--\S+\s+){0,12}pip\s+(?:install|sync|list|uninstall|freeze|check|show|tree)\b")
ELSEWHERE = re.compile(
    r"--system\b|--target\b|--prefix\b|--python[ =]|(?:^|\s)-p\s|--dry-run|--help|--break-system-packages"
)
MAKES_VENV = re.compile(r"\buv\s+(?:venv|sync|add|run)\b|-m\s+(?:venv|virtualenv)\b|\bvirtualenv\b|VIRTUAL_ENV=")
ADDS = re.compile(r"^uv\s+pip\s+install\s+(?P<rest>[A-Za-z].*)$")


def read(text: str, releases: Sequence[tuple[str, datetime.date]] = (), *, comments: bool = False) -> Draft:
    """Read an issue's text.

    Args:
        text: the post in Markdown, with the title and the day above it as `gh` or an archive has them.
        releases: every release of uv with its day: what was not there yet is not believed.
        comments: whether to read the comments too.
    """
    post = opening(text, comments=comments)
    found = blocks.blocks(post.lines)
    told = environment.environment(post.title, found, releases, post.created)
    parts = pieces(found)
    acts = story(parts, told)
    gathered = plan(acts)
    said = sentences_of(parts)
    commands, renumbered = _mended(gathered)
    seen = Seen(
        post.title, commands, {renumbered(i): text for i, text in gathered.about.items()}, said, gathered.files,
        [replace(file, before=renumbered(file.before)) for file in gathered.results], gathered.wanted,
    )  # fmt: skip
    claims = claim.claims(seen)
    chosen = claims[0] if claims else Claim("none", -1, 0)
    files = _files(gathered, acts, commands, told.python.text if told.python else "", renumbered, chosen.test)
    given = (*acts.variables, *gathered.variables.items())
    refused = bool(re.search(r"\b40[13]\b|credentials", " ".join(chosen.output)))
    stood = standin.stand_in(commands, files, given, refused=refused)
    commands, chosen, claims = _again(list(stood.commands), chosen, claims, seen)
    if not any(act.source == "docker" for act in acts.acts) and (
        locking := lacking.lock(commands, {file.path for file in files})
    ):
        at, command = locking
        commands.insert(at, command)
        claims = [replace(each, command=each.command + (each.command >= at)) for each in claims]
        chosen = claims[0] if claims else chosen
    prose = " ".join([post.title, *(sentence for sentence, _ in said)])
    failing = outage.outages(commands, chosen, prose)
    stood = stood.without({fault.host for fault in failing})
    draft = Draft(
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
        stood_in=(*stood.said, *map(outage.told, failing), *_added(stood.files)),
    )
    lifted = any(act.source == "docker" for act in acts.acts)
    first = [gap for gap in gathered.gaps if not (lifted and "needs `docker" in gap.what)]
    first += gaps.shortened(draft.files, said)
    every = (*first, *_gaps(draft, told, prose, stood.hosts, acts))
    if post.cut:
        every = (*every, Gap(post.cut, "the text is longer than what is read", False))
    return replace(draft, gaps=tuple(_relevant(every, draft)))


def _mended(gathered: Plan) -> "tuple[list[Command], _Numbers]":
    """Add what the post leaves to the reader: a virtual environment; and what its output says was run instead."""
    commands: list[Command] = []
    numbers: list[int] = []
    has_venv = False
    commands += lacking.tools(gathered.commands)
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


def _with_users(variables: tuple[tuple[str, str], ...], stood: standin.StoodIn) -> tuple[tuple[str, str], ...]:
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
    gathered: Plan, acts: Story, commands: Sequence[Command], python: str, renumbered: "_Numbers", claim_test: str
) -> tuple[Named, ...]:
    """Return the files made whole, with those that they imply."""
    files: list[Named] = []
    wants = any(gaps.NEEDS_PROJECT.match(each.run) for each in commands)
    for file in [*gathered.files, *(replace(each, good=True) for each in gathered.good)]:
        text, why = file.text, file.why
        if file.path.endswith("pyproject.toml"):
            adds = (
                bool(file.before)
                and "[project]" not in text
                and any(re.search(r"\buv\s+init\b", each.run) for each in commands)
            )
            text, added = project.whole(text, needs_project=wants and not adds, python=python)
            file = replace(file, adds=adds)  # noqa: PLW2901
            why = f"{why}; added: {added}" if added else why
        elif file.path.endswith(".toml"):
            text, _ = contents.without_ellipses(text)
        files.append(replace(file, text=text, why=why, before=renumbered(file.before)))
    trees = [tree.block.text for tree in acts.trees]
    copied = any(act.source == "docker" for act in acts.acts)
    files = lacking.named_in_errors(files, commands)
    outputs = [each.output for each in commands if each.output]
    files += implied.implied([file for file in files if not file.good], trees, outputs, python=python, copied=copied)
    have = {file.path for file in files}
    if claim_test:
        files += [replace(file, before=0) for file in lacking.requirements(commands, have)]
    if "pyproject.toml" not in have and (root := lacking.root(commands, python)):
        files.append(root)
    return tuple(files)


def _added(files: Sequence[Named]) -> tuple[str, ...]:
    return tuple(
        f"{file.path}: not in the post, made up because of {file.why}" for file in files if file.implied and file.text
    )


def _again(
    commands: list[Command], chosen: Claim, claims: list[Claim], seen: Seen
) -> tuple[list[Command], Claim, list[Claim]]:
    """Run the command once more where the post says that it shows only then."""
    why = claim.shows_again(seen, chosen)
    if not why:
        return commands, chosen, claims
    command = commands[chosen.command]
    at = chosen.command + 1
    commands.insert(at, replace(command, added=f"the post says “{why}”"))
    commands[chosen.command] = replace(command, output="")
    moved = [replace(each, command=each.command + 1) if each.command >= chosen.command else each for each in claims]
    return commands, moved[0], moved


def _gaps(draft: Draft, told: environment.Environment, prose: str, hosts: Sequence[str], acts: Story) -> list[Gap]:
    have = {file.path for file in draft.files}
    copied = any(act.source == "docker" for act in acts.acts)
    found = [Gap(each.line, each.text, False, "Which release of uv is it (`uv --version`)?") for each in told.doubts]
    found += gaps.unasked(draft.commands, draft.claim)
    found += reach.unreachable(draft.commands, draft.claim, told, draft.title, prose, failing=bool(draft.outages))
    found += gaps.missing(draft.commands, draft.claim, draft.files, have, copied=copied)
    found += reach.private(draft.commands, draft.claim, draft.files, [*hosts, *(f.host for f in draft.outages)])
    found += gaps.variables(draft.commands, draft.claim, draft.variables)
    if draft.indexes and re.search(
        r"not found in the package registry|40[13] |no solution|credentials",
        " ".join(draft.claim.output),
        re.IGNORECASE,
    ):
        what = "what a private index has, and whom it lets in, decides, and only the reporter knows"
        question = "Does it show with the public test index, https://pypi-proxy.fly.dev/basic-auth/simple?"
        found.append(Gap(draft.claim.line, what, True, question))
    if draft.claim.kind == "none" and acts.loose:
        line = acts.loose[0].block.line
        found.append(Gap(line, "no command is known that printed this", True, "Which command printed this?"))
    return found


def _relevant(found: Sequence[Gap], draft: Draft) -> list[Gap]:
    """Leave out what stands behind the command that decides, and what is told twice."""
    if 0 <= draft.claim.command < len(draft.commands):
        last = max(draft.commands[draft.claim.command].line, draft.claim.line)
        found = [
            gap if gap.line <= last or not gap.what.startswith("`") else replace(gap, decides=False) for gap in found
        ]
    kept: dict[str, Gap] = {}
    for gap in found:
        kept.setdefault(gap.what, gap)
    return sorted(kept.values(), key=lambda gap: (not gap.decides, gap.line))
