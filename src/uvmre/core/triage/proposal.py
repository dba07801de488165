"""Whether the MRE of another reader, a person or a program, shows what the report claims, and what it adds to it."""

import datetime
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import chain

from uvmre.core.mre.files import File
from uvmre.core.mre.model import Mre
from uvmre.core.mre.symptom import Symptom
from uvmre.core.shell.uv_calls import parse_calls
from uvmre.core.text.normalize import WILDCARD, find_pattern, find_pattern_spans, normalize
from uvmre.core.triage.evidence import FEWEST_CHARACTERS, is_distinctive
from uvmre.core.triage.hypothesis import Hypothesis
from uvmre.core.triage.parsed_issue import Claim, ParsedIssue

ORDINARY = re.compile(
    r"^[^\S\n]*(?:(?:DEBUG|TRACE|INFO)\b.*|\[?uv \d+\.\d+\.\d+.*|Python \d\.\d+.*|Using (?:CPython|Python|PyPy)\b.*"
    r"|Creating virtual ?env.*|Activate with.*|Usage: .*"
    r"|(?:Resolved|Prepared|Installed|Uninstalled|Audited|Checked) \d.*"
    r"|(?:Building|Built|Downloading|Downloaded|Updating|Updated|Fetching|Cloning|Initialized|Adding|Added|Removed"
    r"|Pinned|Successfully built)\b.*|[+~-] \S+==.*|warning: .{0,80}\b(?:experimental|preview) and may change.*)$",
    re.IGNORECASE | re.MULTILINE,
)
"""What uv prints when all is well: its wording changes between releases."""
FAILURE = re.compile(r"error|failed|failure|warning|exception|traceback|panicked|[×✗]", re.IGNORECASE)
HANGS = re.compile(
    r"(?i)\b(?:hangs?|hanging|hung|stuck|never (?:finish|end|return|complete)\w*|infinite(?:ly)?"
    r"|(?<!pip )freez(?:es?|ing)|froze|deadlock\w*|forever)\b"
)
LEAST_TIMEOUT = 20
"""Seconds from which a time limit tells a hang from a slow run."""
HARMLESS = frozenset(["cd", "mkdir", "touch", "export", "set", "true", ":", "[", "test", "cat", "ls", "exit"])
"""Programs that change nothing of what is reported."""
NEUTRAL = ("uv venv",)
SKELETON = re.compile(
    r"\[(?:project|build-system)\]|(?:name|version|description|requires-python|readme)\b.*|[\[\](){},]*"
)
"""Lines that any `pyproject.toml` has."""
MOST_PLACES = 20
"""Where in a post a text is looked at."""
OVERRIDDEN = re.compile(r"\b(?:alias uvx?=|function uvx?\b|uvx? ?\( ?\))")
"""What makes a shell run something else for `uv`."""


@dataclass(frozen=True)
class PostText:
    """A post's own text, and how the rules read it."""

    prose: tuple[str, ...]
    """The title, and the paragraphs."""
    code: tuple[str, ...]
    readings: tuple[ParsedIssue, ...]

    @cached_property
    def whole(self) -> str:
        """Return all of it, normalized."""
        return normalize("\n".join((*self.prose, *self.code)))

    @cached_property
    def posted(self) -> str:
        """Return the posted files and commands, normalized."""
        files = (file.text for parsed in self.readings for file in parsed.files)
        return normalize("\n".join((*files, *(each.run for parsed in self.readings for each in parsed.commands))))

    def has(self, text: str) -> bool:
        """Tell whether it has a text, in which `…` matches anything."""
        return bool(normalize(WILDCARD.sub(" ", text))) and find_pattern(text, self.whole) is not None

    def complains_about(self, text: str) -> bool:
        """Tell whether a text stands in prose, beside an error, or overlaps with a claim that the rules read."""
        failing = [code for code in self.code if FAILURE.search(code)]
        if any(find_pattern(text, normalize(each)) is not None for each in (*self.prose, *failing)):
            return True
        claims = [each.claim for each in self.readings]
        read = [self._spans(each) for claim in claims for each in (*claim.output, *claim.contains)]
        return any(
            min(end, last) - max(start, first) >= FEWEST_CHARACTERS
            for start, end in self._spans(text)
            for first, last in chain(*read)
        )

    def _spans(self, text: str) -> list[tuple[int, int]]:
        return find_pattern_spans(text, self.whole)[:MOST_PLACES] if self.has(text) else []


def rejection(post: PostText, mre: Mre, uv: str) -> str:
    """Return why an MRE is not about the reported release, or its symptom not the report's; empty if both are."""
    if uv and mre.environment.uv != uv:
        return f"the MRE is for uv {mre.environment.uv}, and the report is about uv {uv}: set that in `[environment]`"
    symptom, expected = mre.symptom, mre.expected or Symptom()
    texts = _texts(symptom)
    others = (*symptom.absent, *_texts(expected), *(file.absent for file in (*symptom.files, *expected.files)))
    if missing := next((text for text in (*texts, *filter(None, others)) if not post.has(text)), None):
        return f"the symptom is not in the report: “{_shorten(missing)}”"
    if symptom.guess:
        return "the symptom is a guess, and not in the report's words"
    if any(each.rpartition("/")[2] in ("uv", "uvx") for each in _paths(mre)) or any(
        OVERRIDDEN.search(text) for text in _own_texts(mre)
    ):
        return "the MRE replaces `uv` with something else"
    if symptom.exit == "timeout":
        return _timeout_rejection(post, mre)
    states = [file.path for file in symptom.files if not (file.contains or file.raw)]
    if unnamed := next(
        (path for path in states if path.rpartition("/")[2] not in "\n".join((*post.prose, *post.code))), ""
    ):
        return f"the symptom is not in the report: it does not name `{unnamed}`"
    specific = [text for text in texts if any(map(is_distinctive, WILDCARD.split(text)))]
    if not specific and not states:
        return "the symptom is not specific: it needs a text of at least 12 characters that the report has"
    if printed := next((text for text in specific if _prints_itself(post, mre, text)), ""):
        return f"the MRE prints the symptom by itself, with no need of uv: “{_shorten(printed)}”"
    telling = [text for text in specific if is_distinctive(ORDINARY.sub("", text)) and post.complains_about(text)]
    if not (telling or states or _texts(expected)):
        return (
            f"uv prints “{_shorten(specific[0])}” when all is well, too: "
            "take the text that the report complains about, or add what it expects as `[expected]`"
        )
    return ""


def build_hypothesis(
    post: PostText, mre: Mre, *, uv: str, created: datetime.date | None, today: bool, source: str
) -> Hypothesis:
    """Return the hypothesis of an MRE, on the reported release and as of the day of the post.

    What the MRE adds to the report counts as a stand-in, so that releases must differ to prove anything.
    """
    symptom, parsed = mre.symptom, post.readings[0]
    texts = _texts(symptom)
    failing = symptom.exit not in (None, 0, "success")
    claim = Claim(
        "file" if symptom.files and not symptom.texts else "failure" if failing else "output",
        -1,
        0,
        output=texts or tuple(file.path for file in symptom.files),
        expected=_texts(mre.expected) if mre.expected else (),
        why=f"the symptom of {source}",
        unconfirmed=not symptom.texts,
    )
    on = None if today else mre.environment.exclude_newer or created
    added = list(dict.fromkeys(_additions(post, mre)))
    more = f" and {len(added) - 3} more" if len(added) > 3 else ""
    stand_ins = (f"not in the report: {', '.join(added[:3])}{more}",) if added else ()
    read = ParsedIssue(
        parsed.title, parsed.created, parsed.issue, parsed.uv, parsed.good, parsed.python, parsed.platform,
        claim=claim, stand_ins=stand_ins,
    )  # fmt: skip
    environment = replace(mre.environment, uv=uv, exclude_newer=on)
    return Hypothesis(read, replace(mre, environment=environment), source=source)


def _texts(symptom: Symptom) -> tuple[str, ...]:
    files = (text for file in symptom.files for text in (file.contains, file.raw))
    return (*symptom.texts, *filter(None, (*files, *(count.lines for count in symptom.counts))))


def _timeout_rejection(post: PostText, mre: Mre) -> str:
    observed = [step for step in mre.steps if step.role == "observe"]
    if not any(map(HANGS.search, post.prose)):
        return "the symptom is not in the report: it does not say that anything hangs"
    if any(step.timeout < LEAST_TIMEOUT or 0 < step.idle_timeout < LEAST_TIMEOUT for step in observed):
        return f"the time limit is too short to tell a hang from a slow run: use at least {LEAST_TIMEOUT} s"
    return ""


def _paths(mre: Mre) -> Iterator[str]:
    yield from (file.path for file in mre.files)
    yield from (path for control in mre.controls for path in control.files)


def _own_texts(mre: Mre) -> Iterator[str]:
    """Yield what the MRE's steps and servers may print by themselves."""
    yield from (step.run for step in mre.steps)
    yield from (service.run for service in mre.services)
    yield from (answer.body for answer in mre.answers)
    yield from mre.environment.variables.values()


def _prints_itself(post: PostText, mre: Mre, text: str) -> bool:
    """Tell whether the MRE has a text of the symptom that does not come from a posted command or file."""
    parts = [normalize(part) for part in WILDCARD.split(text) if is_distinctive(part)]
    if not all(_lines_posted(post, own, parts) for own in _own_texts(mre)):
        return True
    # A command may change a file of the report that the rules did not recognize as one.
    changed = text not in mre.symptom.texts
    return not all(
        (changed and _is_posted(post, file)) or _lines_posted(post, _text(file), parts) for file in mre.files
    )


def _lines_posted(post: PostText, own: str, parts: Sequence[str]) -> bool:
    """Tell whether the lines of a text that have one of some parts are those of a posted command or file."""
    if not any(part in normalize(own) for part in parts):
        return True
    lines = [line for line in map(normalize, own.splitlines()) if any(part in line for part in parts)]
    return all(line in post.posted for line in lines or map(normalize, own.splitlines()))


def _is_posted(post: PostText, file: File) -> bool:
    """Tell whether every line of a file is in the post, but those that any such file has."""
    lines = map(str.strip, _text(file).splitlines())
    return all(SKELETON.fullmatch(line) or normalize(line) in post.whole for line in lines)


def _text(file: File) -> str:
    return file.content.decode(errors="replace")


def _additions(post: PostText, mre: Mre) -> Iterator[str]:
    """Yield what the MRE has, and the report has not."""
    for step in mre.steps:
        calls = parse_calls(step.run)
        if not calls and normalize(step.run) not in post.whole:
            yield f"`{_shorten(step.title)}`"
        for call in calls:
            command = " ".join(call.argv)
            if call.argv and command not in NEUTRAL and call.argv[0] not in HARMLESS:
                yield from (f"`{_shorten(text)}`" for text in (command, *call.variables) if not post.has(text))
    yield from (file.path for file in mre.files if not _is_posted(post, file))
    yield from (name for name in mre.environment.variables if not post.has(name))
    urls = [index.url for index in mre.indexes] + [answer.url for answer in mre.answers]
    yield from (*urls, *(each.url for each in mre.repositories), *(fault.url for fault in mre.faults))
    yield from (f"the service {service.name}" for service in mre.services)


def _shorten(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= 100 else f"{line[:99]}…"
