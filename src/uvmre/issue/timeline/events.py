"""The files and commands of a post as a timeline of events, each command with its output."""

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
"""Commands that are only mentioned: their arguments are missing."""
LINK = re.compile(r"^[^\S\n]*([\w.-]+)[^\S\n]+->[^\S\n]+([\w.-]+)[^\S\n]*$", re.MULTILINE)
LISTED = re.compile(r"^[^\S\n]*(?:[-\w]{10}\s|total \d)", re.MULTILINE)


@dataclass(frozen=True)
class Event:
    """A command of the post, or a file that it shows."""

    line: int
    run: str = ""
    output: str = ""
    works: bool | None = None
    context: str = ""
    """The sentence or comment that introduces it."""
    path: str = ""
    """The path of a file; empty for a command."""
    text: str = ""
    why: str = ""
    source: str = "code"
    """Where it comes from: `code`, a `line` or a `sentence` of prose, a list's `step`, a `dockerfile`, a `listing`."""
    kind: content_type.Kind = ""


@dataclass(frozen=True)
class Timeline:
    """All events in order, and the output without a command."""

    events: tuple[Event, ...]
    unmatched: tuple[ClassifiedBlock, ...] = ()
    """Blocks of output without a command."""
    trees: tuple[ClassifiedBlock, ...] = ()
    variables: tuple[tuple[str, str], ...] = ()


def build_timeline(found: Sequence[ClassifiedBlock], environment: PostedEnvironment) -> Timeline:
    """Return the events of a post, each output attached to its command."""
    events: list[Event] = []
    loose: list[ClassifiedBlock] = []
    variables: dict[str, str] = {}
    for number, block in enumerate(found):
        works = sentiment.block_works(block.block, environment)
        if block.role == "commands":
            if not _is_script_output(events, block):
                events += [_event(entry, block, works, environment) for entry in block.entries]
        elif block.role == "script":
            events += _script(block, works)
        elif block.role == "prose":
            events += [_event(entry, block, None, environment, "line") for entry in block.entries]
            events += _steps(block)
        elif block.role == "dockerfile":
            commands, exported = dockerfile.commands_of(block.block.text, block.block.line)
            variables |= exported if works is not True else {}
            events += [
                Event(line, run, works=works, context=block.block.before, source="dockerfile") for run, line in commands
            ]
        elif (
            block.role == "other"
            and (links := LINK.findall(block.block.text))
            and len(links) == len(block.block.text.split("\n")) - 1
        ):
            events += [
                Event(
                    block.block.line,
                    f"touch {target} && ln -s {target} {path}",
                    context=f"{path} is a link to {target}",
                    source="listing",
                )
                for path, target in links
            ]
        elif block.role in ("output", "other") or (block.role == "file" and _is_file_output(events)):
            if not _attach_output(events, block, found[max(number - 2, 0) : number], works) and block.role == "output":
                loose.append(block)
        elif block.role == "file":
            events.append(_file(block, works))
    runs = {event.run for event in events if event.run and event.source != "step"}
    events = [event for event in events if event.source != "step" or event.run not in runs]
    if not any(event.run and not _is_irrelevant(event.run) and event.source != "step" for event in events):
        events = _from_sentences(found, events, environment)
    return Timeline(
        tuple(events), tuple(loose), tuple(block for block in found if block.role == "tree"), tuple(variables.items())
    )


def _steps(block: ClassifiedBlock) -> list[Event]:
    """Return the commands in the sentences of a list item that gives instructions."""
    if block.block.kind != "item" or block.entries:
        return []
    return [
        Event(mention.line, mention.run, context=mention.comment, source="step")
        for mention in block.mentions
        if IMPERATIVE.match(mention.comment)
        and not INCOMPLETE.search(mention.run)
        and not sentiment.is_proposal(mention.comment)
    ]


def _event(
    entry: TranscriptEntry,
    block: ClassifiedBlock,
    works: bool | None,
    environment: PostedEnvironment,
    source: str = "code",
) -> Event:
    about = entry.comment or block.block.before
    if entry.comment and (sentences := sentiment.says_works(entry.comment)) is not None:
        works = sentences
    if environment.uv and (printed := sentiment.printed_release(entry.output)) and printed != environment.uv.text:
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
    why = block.why or "a script"
    yield Event(block.block.line, path=path, text=text, why=why, works=works, context=block.block.before)
    yield Event(block.block.line, run=f"bash {path}", works=works, context=block.block.before)


def _is_script_output(events: list[Event], block: ClassifiedBlock) -> bool:
    """Attach the output of a transcript that only calls the script above to that script."""
    if len(block.entries) != 1 or not events or not events[-1].run.startswith("bash ") or events[-1].output:
        return False
    script = block.entries[0].run
    if not re.fullmatch(r"(?:(?:ba|z)?sh\s+)?[\w./~-]+\.sh|\./[\w.-]+", script.strip()):
        return False
    events[-1] = replace(events[-1], output=block.entries[0].output)
    return True


def _is_file_output(events: list[Event]) -> bool:
    """Tell whether a file's text is the output of the command above."""
    last = next((event for event in reversed(events) if event.run), None)
    if not last or not events[-1].run or last.output:
        return False
    parts = statements.statements(last.run)
    return bool(parts) and parts[-1].program in PRINTS_FILE


def _attach_output(
    events: list[Event], block: ClassifiedBlock, before: Sequence[ClassifiedBlock], works: bool | None
) -> bool:
    """Attach output to the command that printed it: the one mentioned before it, or the last one without output."""
    if found := RUN_IN_DOCKER.search(block.block.text):
        run = " ".join(found["run"].split())
        for i in range(len(events) - 1, -1, -1):
            if events[i].run and " ".join(events[i].run.split()) == run and not events[i].output:
                events[i] = replace(events[i], output=block.block.text)
                return True
        events.append(Event(block.block.line, run, block.block.text, context=block.block.before, source="dockerfile"))
        return True
    prose = [each for each in before if each.role == "prose"][-1:]
    fails = sentiment.says_fails((blocks.sentences(block.block.before) or [""])[-1])
    mentions = [
        mention
        for each in prose
        for mention in each.mentions
        if not INCOMPLETE.search(mention.run)
        and not (fails and sentiment.says_works(sentiment.clause_with(mention.comment, mention.run)) is True)
    ]
    if not mentions and fails and EXTERNAL_LINK.search((blocks.sentences(block.block.before) or [""])[-1]):
        return False
    if mentions and (block.role == "output" or SHOWS.search(block.block.before) or _is_listing(block)):
        works = sentiment.says_works(block.block.before) if works is None else works
        mention_ = mentions[-1]
        same = next((i for i, event in enumerate(events) if event.run == mention_.run and not event.output), None)
        if same is not None:
            events[same] = replace(events[same], output=block.block.text, works=works)
        else:
            events.append(
                Event(mention_.line, mention_.run, block.block.text, works, mention_.comment, source="sentence")
            )
        return True
    last = next((i for i in range(len(events) - 1, -1, -1) if events[i].run), None)
    if last is None:
        return False
    if events[last].output:
        # The same command again, on another release or after a change.
        other = OTHER_RELEASE.search(block.block.before)
        if block.role == "output" and other and events[last].source == "code":
            events.append(
                replace(
                    events[last],
                    line=block.block.line,
                    output=block.block.text,
                    works=works,
                    context=block.block.before,
                )
            )
        return bool(block.role == "output" and other)
    if block.role == "output" or SHOWS.search(block.block.before) or block.role == "file":
        events[last] = replace(
            events[last], output=block.block.text, works=works if works is not None else events[last].works
        )
        return True
    return False


def _is_listing(block: ClassifiedBlock) -> bool:
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


def _from_sentences(
    found: Sequence[ClassifiedBlock], events: list[Event], environment: PostedEnvironment
) -> list[Event]:
    """Return the commands in sentences, for a post without any other."""
    found_events: list[Event] = [event for event in events if event.path]
    for block in found:
        for mention in block.mentions:
            about = sentiment.clause_with(mention.comment, mention.run)
            if (
                sentiment.is_proposal(about)
                or INCOMPLETE.search(mention.run)
                or (environment.good and environment.good.text in about and not sentiment.says_fails(about))
            ):
                continue
            event = Event(mention.line, mention.run, "", sentiment.says_works(about), about, source="sentence")
            edited = max((each.line for each in found_events if each.path and each.line < event.line), default=0)
            if not any(each.run == event.run and each.line > edited for each in found_events):
                found_events.append(event)
            elif event.works is False:
                # The last sentence that says it fails counts.
                at = next(i for i in range(len(found_events) - 1, -1, -1) if found_events[i].run == event.run)
                found_events[at] = (
                    replace(found_events[at], works=False, context=about)
                    if found_events[at].works is not False
                    else found_events[at]
                )
    return sorted(found_events, key=lambda event: event.line)


def sentences_of(found: Sequence[ClassifiedBlock]) -> list[tuple[str, int]]:
    """Return the sentences of the post, each with its line."""
    sentences = []
    for block in found:
        if block.block.kind == "code":
            continue
        for sentence in blocks.sentences(block.block.text):
            at = block.block.text.find(sentence[:40])
            sentences.append((sentence, block.block.line + block.block.text.count("\n", 0, max(at, 0))))
    return sentences
