"""What a post tells as one line of events: files that are there, commands that are run, and what each printed."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from uvmre.core.shell import statements
from uvmre.issue.commands import dockerfile
from uvmre.issue.commands.transcript import TranscriptEntry
from uvmre.issue.environment import sentiment
from uvmre.issue.environment.versions import PostedEnvironment
from uvmre.issue.files import content_type
from uvmre.issue.markdown import blocks
from uvmre.issue.timeline.classify import ClassifiedBlock

OTHER_RELEASE = re.compile(
    r"(?i)\b(?:in|with|on|using|under) (?:uv |version )?`?(?:uv )?v?\d+\.\d+\.\d+|\b(?:before|after|now|previously)\b"
)
IMPERATIVE = re.compile(
    r"(?i)\A(?:(?:then|now|next|first|finally|and|second|third|please),? )*"
    r"(?:run|execute|call|try|type|do|invoke|create|add|install|init\w*|sync|lock|use|start|make|build"
    r"|update|upgrade|remove|export)\b"
)
EXTERNAL_LINK = re.compile(r"\]\(https?://|https?://\S+")
SHOWS = re.compile(
    r"(?i)\b(?:output|outputs|prints?|results?|shows?|see|get|gets|gives?|error|fails?|log|produces?"
    r"|returns?|says?|yields?|leads? to"
    r"|happens?|below|following|traceback|look(?:s)? like|message|stdout|stderr|actual|observed"
    r"|instead|claims?|complains?|throws?|raises?)\b"
)
_PRINTS_FILE = "cat tail head less more type bat batcat Get-Content"
PRINTS_FILE = frozenset(_PRINTS_FILE.split())
RUN_IN_DOCKER = re.compile(
    r"(?:RUN|Running: \[/bin/(?:ba)?sh(?: -o pipefail)? -c)\s+(?P<run>uvx?\s[^\n\]]{0,1000}?)"
    r"(?::?\s*(?:\]\s*)?$|\s{2,})",
    re.MULTILINE,
)
INCOMPLETE = re.compile(
    r"^uv\s+(?:pip\s+(?:install|compile|sync|uninstall)|add|remove|python\s+(?:pin|install)"
    r"|tool\s+(?:install|run)|pip|tool|python|cache)$|\.\.\.|…| X\b|<[a-z]"
)
"""Commands that are only named: what they want is not said."""
LINK = re.compile(r"^[^\S\n]*([\w.-]+)[^\S\n]+->[^\S\n]+([\w.-]+)[^\S\n]*$", re.MULTILINE)
LISTED = re.compile(r"^[^\S\n]*(?:[-\w]{10}\s|total \d)", re.MULTILINE)


@dataclass(frozen=True)
class Event:
    """A command as the post has it, or a file that it shows."""

    line: int
    run: str = ""
    output: str = ""
    works: bool | None = None
    context: str = ""
    """What is said of it, in a sentence or a comment."""
    path: str = ""
    """Of a file; empty for a command."""
    text: str = ""
    why: str = ""
    source: str = "code"
    """Where it stands: in `code`, `alone` on a line of a paragraph, `said` within a sentence, in a `docker` file."""
    kind: content_type.Kind = ""


@dataclass(frozen=True)
class Timeline:
    """All acts in their order, and what nobody knows the place of."""

    events: tuple[Event, ...]
    unmatched: tuple[ClassifiedBlock, ...] = ()
    """Blocks of output that no command was found for."""
    trees: tuple[ClassifiedBlock, ...] = ()
    variables: tuple[tuple[str, str], ...] = ()


def build_timeline(found: Sequence[ClassifiedBlock], told: PostedEnvironment) -> Timeline:
    """Put the pieces of a post in their order, and each output to its command."""
    acts: list[Event] = []
    loose: list[ClassifiedBlock] = []
    variables: dict[str, str] = {}
    for number, block in enumerate(found):
        works = sentiment.block_works(block.block, told)
        if block.role == "commands":
            if not _is_script_output(acts, block):
                acts += [_event(entry, block, works, told) for entry in block.entries]
        elif block.role == "script":
            acts += _script(block, works)
        elif block.role == "talk":
            acts += [_event(entry, block, None, told, "alone") for entry in block.entries]
            acts += _steps(block)
        elif block.role == "dockerfile":
            lifted, given = dockerfile.commands_of(block.block.text, block.block.line)
            variables |= given if works is not True else {}
            acts += [Event(line, run, works=works, context=block.block.before, source="docker") for run, line in lifted]
        elif (
            block.role == "other"
            and (links := LINK.findall(block.block.text))
            and len(links) == len(block.block.text.split("\n")) - 1
        ):
            acts += [
                Event(
                    block.block.line,
                    f"touch {target} && ln -s {target} {path}",
                    context=f"{path} is drawn as a link to {target}",
                    source="drawn",
                )
                for path, target in links
            ]
        elif block.role in ("output", "other") or (block.role == "file" and _is_file_output(acts)):
            if not _attach_output(acts, block, found[max(number - 2, 0) : number], works) and block.role == "output":
                loose.append(block)
        elif block.role == "file":
            acts.append(_file(block, works))
    shown = {event.run for event in acts if event.run and event.source != "step"}
    acts = [event for event in acts if event.source != "step" or event.run not in shown]
    if not any(event.run and not _is_irrelevant(event.run) and event.source != "step" for event in acts):
        acts = _from_sentences(found, acts, told)
    return Timeline(
        tuple(acts), tuple(loose), tuple(block for block in found if block.role == "tree"), tuple(variables.items())
    )


def _steps(block: ClassifiedBlock) -> list[Event]:
    """Return the commands within a list's item that says what to do; those that a transcript shows too are its."""
    if block.block.kind != "item" or block.entries:
        return []
    return [
        Event(mention.line, mention.run, context=mention.comment, source="step")
        for mention in block.mentions
        if IMPERATIVE.match(mention.comment)
        and not INCOMPLETE.search(mention.run)
        and not sentiment.is_wish(mention.comment)
    ]


def _event(
    entry: TranscriptEntry, block: ClassifiedBlock, works: bool | None, told: PostedEnvironment, source: str = "code"
) -> Event:
    about = entry.comment or block.block.before
    if entry.comment and (said := sentiment.says_works(entry.comment)) is not None:
        works = said
    if told.uv and (printed := sentiment.printed_release(entry.output)) and printed != told.uv.text:
        works = True
    return Event(entry.line, entry.run, entry.output, works, about, source=source)


def _is_irrelevant(run: str) -> bool:
    return bool(
        re.match(
            r"(?:uvx?|python\S*|pip)\s+(?:--version|-V|version|self version)\s*$|uname|docker build"
            r"|docker-compose|docker compose",
            run,
        )
    )


def _script(block: ClassifiedBlock, works: bool | None) -> Iterator[Event]:
    path = block.path or "reproduce.sh"
    text = block.block.text
    why = block.why or "a script that is run as a whole"
    yield Event(block.block.line, path=path, text=text, why=why, works=works, context=block.block.before)
    yield Event(block.block.line, run=f"bash {path}", works=works, context=block.block.before)


def _is_script_output(acts: list[Event], block: ClassifiedBlock) -> bool:
    """Give a transcript that only calls the script above to that script, as its output."""
    if len(block.entries) != 1 or not acts or not acts[-1].run.startswith("bash ") or acts[-1].output:
        return False
    called = block.entries[0].run
    if not re.fullmatch(r"(?:(?:ba|z)?sh\s+)?[\w./~-]+\.sh|\./[\w.-]+", called.strip()):
        return False
    acts[-1] = replace(acts[-1], output=block.entries[0].output)
    return True


def _is_file_output(acts: list[Event]) -> bool:
    """Tell whether a file's text is only what the command above printed of it."""
    last = next((event for event in reversed(acts) if event.run), None)
    if not last or not acts[-1].run or last.output:
        return False
    parts = statements.statements(last.run)
    return bool(parts) and parts[-1].program in PRINTS_FILE


def _attach_output(
    acts: list[Event], block: ClassifiedBlock, before: Sequence[ClassifiedBlock], works: bool | None
) -> bool:
    """Give output to the command that printed it: the one named just before it, or the last one without any."""
    if found := RUN_IN_DOCKER.search(block.block.text):
        run = " ".join(found["run"].split())
        for i in range(len(acts) - 1, -1, -1):
            if acts[i].run and " ".join(acts[i].run.split()) == run and not acts[i].output:
                acts[i] = replace(acts[i], output=block.block.text)
                return True
        acts.append(Event(block.block.line, run, block.block.text, context=block.block.before, source="docker"))
        return True
    talk = [each for each in before if each.role == "talk"][-1:]
    failing = sentiment.says_fails((blocks.sentences(block.block.before) or [""])[-1])
    named = [
        mention
        for each in talk
        for mention in each.mentions
        if not INCOMPLETE.search(mention.run)
        and not (failing and sentiment.says_works(sentiment.clause_with(mention.comment, mention.run)) is True)
    ]
    if not named and failing and EXTERNAL_LINK.search((blocks.sentences(block.block.before) or [""])[-1]):
        return False
    if named and (block.role == "output" or SHOWS.search(block.block.before) or _looks_like_listing(block)):
        works = sentiment.says_works(block.block.before) if works is None else works
        chosen = named[-1]
        same = next((i for i, event in enumerate(acts) if event.run == chosen.run and not event.output), None)
        if same is not None:
            acts[same] = replace(acts[same], output=block.block.text, works=works)
        else:
            acts.append(Event(chosen.line, chosen.run, block.block.text, works, chosen.comment, source="said"))
        return True
    last = next((i for i in range(len(acts) - 1, -1, -1) if acts[i].run), None)
    if last is None:
        return False
    if acts[last].output:
        # The same command once more, under another release or after a change.
        other = OTHER_RELEASE.search(block.block.before)
        if block.role == "output" and other and acts[last].source == "code":
            acts.append(
                replace(
                    acts[last], line=block.block.line, output=block.block.text, works=works, context=block.block.before
                )
            )
        return bool(block.role == "output" and other)
    if block.role == "output" or SHOWS.search(block.block.before) or block.role == "file":
        acts[last] = replace(
            acts[last], output=block.block.text, works=works if works is not None else acts[last].works
        )
        return True
    return False


def _looks_like_listing(block: ClassifiedBlock) -> bool:
    return bool(content_type.VERSIONED.search(block.block.text) or LISTED.search(block.block.text))


def _file(block: ClassifiedBlock, works: bool | None) -> Event:
    return Event(
        block.block.line,
        works=works,
        context=block.block.before,
        path=block.path,
        text=block.block.text,
        why=block.why,
        kind=block.kind,
    )


def _from_sentences(found: Sequence[ClassifiedBlock], acts: list[Event], told: PostedEnvironment) -> list[Event]:
    """Take the commands that stand within sentences, where the post has no others."""
    taken: list[Event] = [event for event in acts if event.path]
    for block in found:
        for mention in block.mentions:
            about = sentiment.clause_with(mention.comment, mention.run)
            if (
                sentiment.is_wish(about)
                or INCOMPLETE.search(mention.run)
                or (told.good and told.good.text in about and not sentiment.says_fails(about))
            ):
                continue
            event = Event(mention.line, mention.run, "", sentiment.says_works(about), about, source="said")
            edited = max((each.line for each in taken if each.path and each.line < event.line), default=0)
            if not any(each.run == event.run and each.line > edited for each in taken):
                taken.append(event)
            elif event.works is False:
                # What is said of it last, and that it goes wrong, is what it is about.
                at = next(i for i in range(len(taken) - 1, -1, -1) if taken[i].run == event.run)
                taken[at] = (
                    replace(taken[at], works=False, context=about) if taken[at].works is not False else taken[at]
                )
    return sorted(taken, key=lambda event: event.line)


def sentences_of(found: Sequence[ClassifiedBlock]) -> list[tuple[str, int]]:
    """Return what the post says in words, each sentence with its line."""
    said = []
    for block in found:
        if block.block.kind == "code":
            continue
        for sentence in blocks.sentences(block.block.text):
            at = block.block.text.find(sentence[:40])
            said.append((sentence, block.block.line + block.block.text.count("\n", 0, max(at, 0))))
    return said
