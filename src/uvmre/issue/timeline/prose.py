"""What sentences add to the commands of a post: the project that `uv init` makes, variables that are set."""

import re
from collections.abc import Sequence
from dataclasses import replace

from uvmre.core.shell.uv_calls import parse_calls
from uvmre.issue.environment import sentiment
from uvmre.issue.timeline.classify import ClassifiedBlock
from uvmre.issue.timeline.events import INCOMPLETE, Event, Timeline

INIT = re.compile(r"\buv\s+init\b")
VARIABLE = re.compile(
    r"(?i:\b(?:set(?:s|ting)?|exports?|exporting|with|define[sd]?|defining)\s+(?:the\s+)?(?:environment\s+)?(?:variable\s+)?)"
    r"`?(?P<name>UV_[A-Z0-9_]{2,60})`?(?:=|\s+(?:to|as|is|=)\s+)[`\"']?(?P<value>[\w./:+-]{1,100})"
)
ASSIGNMENT = re.compile(r"`(?P<name>UV_[A-Z0-9_]{2,60})=(?P<value>[\w./:+-]{1,100})`")
NUMBERED = re.compile(r" {0,3}(\d{1,2})[.)] ")
UNSET = re.compile(r"(?i)\b(?:without|unset\w*|un-?setting|remov\w+|also|tried|workaround|instead)\b")


def with_prose(
    timeline: Timeline, found: Sequence[ClassifiedBlock], title: str, sentences: Sequence[tuple[str, int]]
) -> Timeline:
    """Return the timeline with what the sentences add."""
    events = _with_project_of_init(timeline.events, found, title)
    runs = [event.run for event in events]
    is_shown = any(event.run and event.source in ("code", "workflow") for event in events)
    stated = _variables_of([title, *(sentence for sentence, _ in sentences)], runs)
    stated = {name: value for name, value in stated.items() if name in title or not is_shown}
    return replace(timeline, events=tuple(events), variables=tuple({**stated, **dict(timeline.variables)}.items()))


def numbered_lines(lines: Sequence[str]) -> dict[int, int]:
    """Return the line of each numbered step."""
    return {int(found[1]): i for i, line in enumerate(lines, 1) if (found := NUMBERED.match(line))}


def _with_project_of_init(events: Sequence[Event], found: Sequence[ClassifiedBlock], title: str) -> list[Event]:
    """Return the events with the `uv init` that a sentence says has made the project, and the way into it."""
    events = list(events)
    runs = [event for event in events if event.run]
    if runs and not INIT.search(title) and not any(INIT.search(event.run) for event in runs):
        if any(event.path.endswith("pyproject.toml") for event in events):
            return events
        mentions = [each for block in found for each in block.mentions if INIT.search(each.run)]
        for each in mentions:
            fails = sentiment.says_fails(each.comment) or sentiment.is_proposal(each.comment)
            if not fails and not INCOMPLETE.search(each.run):
                events.insert(0, Event(each.line, each.run, context=each.comment, source="sentence"))
                break
    at = next((i for i, event in enumerate(events) if INIT.search(event.run)), -1)
    is_elsewhere = any(re.match(r"cd\s", event.run) or event.path.endswith("pyproject.toml") for event in events)
    if at < 0 or is_elsewhere:
        return events
    calls = [call for call in parse_calls(events[at].run) if call.verb == "init"]
    name = next(iter(calls[0].arguments), "") if calls else ""
    if name and not any(name in event.run for event in events[at + 1 :]):
        events.insert(at + 1, replace(events[at], run=f"cd {name}", output=""))
    return events


def _variables_of(sentences: Sequence[str], runs: Sequence[str]) -> dict[str, str]:
    """Return the variables that sentences say are set, unless a command sets them or a sentence says that it helps."""
    values: dict[str, str] = {}
    for sentence in sentences:
        if UNSET.search(sentence) or sentiment.is_proposal(sentence) or sentiment.says_works(sentence) is True:
            continue
        for match in (*VARIABLE.finditer(sentence), *ASSIGNMENT.finditer(sentence)):
            if not any(match["name"] in run for run in runs):
                values.setdefault(match["name"], match["value"].rstrip(".:"))
    return values
