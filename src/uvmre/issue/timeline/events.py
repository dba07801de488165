"""The files and commands of a post as a timeline of events, each command with its output."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from uvmre.core.shell import statements
from uvmre.issue.commands import dockerfile, image_log
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
AGAIN = re.compile(r"(?i),? (?:once |yet )?(?:again|more|a (?:second|third) time|twice)\b.{0,60}")
EXTERNAL_LINK = re.compile(r"\]\(https?://|https?://\S+")
SHOWS = re.compile(
    r"(?i)\b(?:output|outputs|prints?|results?|shows?|see|get|gets|gives?|error|fails?|log|produces?"
    r"|returns?|says?|yields?|leads? to"
    r"|happens?|below|following|traceback|look(?:s)? like|message|stdout|stderr|actual|observed"
    r"|instead|claims?|complains?|throws?|raises?)\b"
)
DESIRED = re.compile(
    r"(?i)\b(?:should|expect(?:ed|ing|ation)?|would (?:like|want|love|expect)|(?:I|we) want|ought|desired|ideally)\b"
)
HAPPENS = re.compile(
    r"(?i)\b(?:but|instead|actual(?:ly)?|gets?|got|sees?|saw|no|not|however|yet|while|fails?|because|what|why)\b|n't\b"
)
_PRINTS_FILE = "cat tail head less more type bat batcat Get-Content"
PRINTS_FILE = frozenset(_PRINTS_FILE.split())
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
    """Where it comes from: `code`, a `line` or a `sentence` of prose, a list's `step`, a `dockerfile`, a `workflow`, a
    `listing`."""
    kind: content_type.Kind = ""
    image: dockerfile.ImageCommand | None = None
    """The RUN of a Dockerfile that it is."""


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
    unmatched: list[ClassifiedBlock] = []
    variables: dict[str, str] = {}
    for number, block in enumerate(found):
        text, works = block.block.text, sentiment.block_works(block.block, environment)
        if block.role in ("commands", "workflow"):
            if not _is_script_output(events, block):
                source = "workflow" if block.role == "workflow" else "code"
                events += [_event(entry, block, works, environment, source) for entry in block.entries]
        elif block.role == "script":
            events += _script(block, works)
        elif block.role == "prose":
            events += [_event(entry, block, None, environment, "line") for entry in block.entries]
            events += _steps(block)
        elif block.role == "dockerfile":
            commands, exported = dockerfile.commands_of(text, block.block.line)
            variables |= exported if works is not True else {}
            events += [_of_image(command, block, works) for command in commands]
        elif block.role == "other" and (links := LINK.findall(text)) and len(links) == text.count("\n"):
            for path, target in links:
                run, context = f"touch {target} && ln -s {target} {path}", f"{path} is a link to {target}"
                events.append(Event(block.block.line, run, context=context, source="listing"))
        elif block.role in ("output", "other") or (block.role == "file" and _is_file_output(events)):
            attached = _is_desired(block) or _attach_output(events, block, found[max(number - 2, 0) : number], works)
            if not attached and block.role == "output":
                unmatched.append(block)
        elif block.role == "file":
            why, context = block.why, block.block.before
            event = Event(block.block.line, works=works, context=context, path=block.path, text=text, why=why)
            events.append(replace(event, kind=block.kind))
    runs = {event.run for event in events if event.run and event.source != "step"}
    events = [event for event in events if event.source != "step" or event.run not in runs]
    if not any(event.run and not _is_irrelevant(event.run) and event.source != "step" for event in events):
        events = _from_sentences(found, events, environment)
    trees = tuple(block for block in found if block.role == "tree")
    return Timeline(tuple(events), tuple(unmatched), trees, tuple(variables.items()))


def _steps(block: ClassifiedBlock) -> list[Event]:
    """Return the commands in the sentences of a list item that gives instructions."""
    if block.block.kind != "item" or block.entries:
        return []
    mentions = [
        each
        for each in block.mentions
        if (IMPERATIVE.match(each.comment) or _is_step(each)) and not INCOMPLETE.search(each.run)
    ]
    return [
        Event(mention.line, mention.run, context=mention.comment, source="line" if _is_step(mention) else "step")
        for mention in mentions
        if not sentiment.is_proposal(mention.comment)
    ]


def _is_step(mention: TranscriptEntry) -> bool:
    """Tell whether a list item is a command and says that it is a repetition."""
    return bool(AGAIN.fullmatch(mention.comment.removeprefix(f"`{mention.run}`")))


def _event(
    entry: TranscriptEntry,
    block: ClassifiedBlock,
    works: bool | None,
    environment: PostedEnvironment,
    source: str = "code",
) -> Event:
    if entry.comment and (stated := sentiment.says_works(entry.comment)) is not None:
        works = stated
    if environment.uv and (printed := sentiment.printed_release(entry.output)) and printed != environment.uv.text:
        works = True
    return Event(entry.line, entry.run, entry.output, works, entry.comment or block.block.before, source=source)


def _of_image(command: dockerfile.ImageCommand, block: ClassifiedBlock, works: bool | None) -> Event:
    context = block.block.before
    return Event(command.line, command.run, works=works, context=context, source="dockerfile", image=command)


def _is_irrelevant(run: str) -> bool:
    version = re.match(r"(?:uvx?|python\S*|pip)\s+(?:--version|-V|version|self version)\s*$", run)
    return bool(version) or run.startswith(("uname", "docker build", "docker-compose", "docker compose"))


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


def _is_desired(block: ClassifiedBlock) -> bool:
    """Tell whether an output is what the post asks for, not what happens."""
    lead = (blocks.sentences(block.block.before) or [block.block.heading])[-1]
    return block.role == "output" and bool(DESIRED.search(lead)) and not HAPPENS.search(lead)


def _attach_output(
    events: list[Event], block: ClassifiedBlock, before: Sequence[ClassifiedBlock], works: bool | None
) -> bool:
    """Attach output to the command that printed it: the one mentioned before it, or the last one without output."""
    line, output, context = block.block.line, block.block.text, block.block.before
    is_output = block.role == "output"
    commands = [i for i, event in enumerate(events) if event.run]
    if is_output and _attach_runs(events, block):
        return True
    lead = (blocks.sentences(context) or [""])[-1]
    fails = sentiment.says_fails(lead)
    mentions = [
        mention
        for each in [each for each in before if each.role == "prose"][-1:]
        for mention in each.mentions
        if not INCOMPLETE.search(mention.run)
        and not _is_aside(mention)
        and not (fails and sentiment.says_works(sentiment.clause_with(mention.comment, mention.run)) is True)
    ]
    if not mentions and fails and EXTERNAL_LINK.search(lead):
        return False
    if mentions and (is_output or SHOWS.search(context) or _is_listing(output)):
        works = sentiment.says_works(context) if works is None else works
        run = mentions[-1].run
        same = next((i for i in commands if events[i].run == run and not events[i].output), None)
        if same is not None:
            events[same] = replace(events[same], output=output, works=works)
        else:
            events.append(Event(mentions[-1].line, run, output, works, mentions[-1].comment, source="sentence"))
        return True
    if not commands:
        return False
    last = commands[-1]
    if events[last].source == "workflow":
        last = next((i for i in reversed(commands) if dockerfile.CALLS_UV.search(events[i].run)), last)
    if events[last].output:
        # The same command again, on another release or after a change.
        is_repeated = is_output and bool(OTHER_RELEASE.search(context))
        if is_repeated and events[last].source == "code":
            events.append(replace(events[last], line=line, output=output, works=works, context=context))
        return is_repeated
    if is_output or SHOWS.search(context) or block.role == "file":
        events[last] = replace(events[last], output=output, works=events[last].works if works is None else works)
        return True
    return False


def _attach_runs(events: list[Event], block: ClassifiedBlock) -> bool:
    """Attach the output of an image's build to the RUNs of the Dockerfile, or to new ones; tell whether it is such."""
    runs = [(run, text) for run, text in image_log.runs_of(block.block.text) if dockerfile.CALLS_UV.search(run)]
    for run, printed in runs:
        is_open = [i for i, event in enumerate(events) if event.run and not event.output]
        same = [i for i in is_open if " ".join(events[i].run.split())[:80] == run[:80]]
        if same:
            events[same[-1]] = replace(events[same[-1]], output=printed)
        elif statements.statements(run):
            events.append(Event(block.block.line, run, printed, context=block.block.before, source="dockerfile"))
    return bool(runs)


def _is_aside(mention: TranscriptEntry) -> bool:
    """Tell whether a sentence names a command only in parentheses."""
    before = mention.comment.partition(f"`{mention.run}`")[0]
    return before.count("(") > before.count(")")


def _is_listing(text: str) -> bool:
    return bool(content_type.VERSIONED.search(text) or LISTED.search(text))


def _from_sentences(
    found: Sequence[ClassifiedBlock], events: list[Event], environment: PostedEnvironment
) -> list[Event]:
    """Return the commands in sentences, for a post without any other."""
    found_events = [event for event in events if event.path]
    for block in found:
        for mention in block.mentions:
            context = sentiment.clause_with(mention.comment, mention.run)
            if (
                sentiment.is_proposal(context)
                or INCOMPLETE.search(mention.run)
                or (environment.good and environment.good.text in context and not sentiment.says_fails(context))
            ):
                continue
            event = Event(mention.line, mention.run, "", sentiment.says_works(context), context, source="sentence")
            edited = max((each.line for each in found_events if each.path and each.line < event.line), default=0)
            if not any(each.run == event.run and each.line > edited for each in found_events):
                found_events.append(event)
            elif event.works is False:
                # The last sentence that says it fails counts.
                at = next(i for i in range(len(found_events) - 1, -1, -1) if found_events[i].run == event.run)
                if found_events[at].works is not False:
                    found_events[at] = replace(found_events[at], works=False, context=context)
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
