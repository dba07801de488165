"""What container engines say while they build, as events: an instruction began, said something, ended.

BuildKit's plain progress, the classic builder's text, and that of podman and buildah. All of them mix the streams of a
RUN, and all but BuildKit let its output run into their own where it ends without a line break.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class LogLine:
    """A line of an engine, with its line break where it has one: a very long one comes in pieces."""

    text: str
    at: float
    """When it came, in seconds on any clock."""


@dataclass(frozen=True)
class StepBegan:
    """An instruction began."""

    key: str
    """What its later events carry."""
    text: str
    """As the engine says it, which is on one line."""
    at: float


@dataclass(frozen=True)
class StepOutput:
    """A RUN wrote something, to either stream."""

    key: str
    text: str


@dataclass(frozen=True)
class StepEnded:
    """An instruction ended."""

    key: str
    exit: int
    at: float


@dataclass(frozen=True)
class StepDropped:
    """What began was none: the engine has its result from a build beside this one, or shows it a second time."""

    key: str


@dataclass(frozen=True)
class BuilderNote:
    """The engine said something of its own."""

    text: str


@dataclass(frozen=True)
class ImageBuilt:
    """The engine made an image, which is still there."""

    image: str


Event = StepBegan | StepOutput | StepEnded | StepDropped | BuilderNote | ImageBuilt
Reader = Callable[[Iterable[LogLine]], Iterator[Event]]

NUMBERED = re.compile(r"#(\d+) (.*)\Z", re.DOTALL)
HEADING = re.compile(r"\A\[[^\]]*\] (.*)")
OUTPUT = re.compile(r"\A\d+\.\d+ ?(.*)\Z", re.DOTALL)
FAILED = re.compile(r"\AERROR: process .* did not complete successfully: exit code: (\d+)")

COLORS = re.compile(r"\x1b\[(?:91|0)m")
"""Around what came from standard error."""
STEP = re.compile(r"Step (?P<number>\d+)/(?P<total>\d+) : (?P<text>.*)")
CONTAINER = re.compile(r"(?:Removing intermediate container|(?P<begins> ---> Running in)) [0-9a-f]{12}\s*\Z")
IMAGE = re.compile(r" ---> ([0-9a-f]{12})\s*\Z")
RETURNED = re.compile(r"The command '"), re.compile(r"' returned a non-zero code: (\d+)\s*\Z")

STAGED = re.compile(
    r"(?:\[(?P<stage>\d+)/\d+\] )?(?:STEP (?P<number>\d+)/(?P<total>\d+): (?P<text>.*)|COMMIT(?: \S+)?\s*\Z)"
)
LAYER = re.compile(r"--> (?:Using cache )?[0-9a-f]{11,64}\s*\Z")
STATUS = re.compile(r"[Ee]rror(?:: | )building at STEP \"RUN "), re.compile(r": exit status (\d+)\s*\Z")
"""How a failure begins and ends; between them stands the command, which may be of any length."""
WITHIN = re.compile(r"subprocess exited with status \d+\s*\Z")
"""What buildah itself says of a RUN in a chroot, before its error."""


def buildkit(lines: Iterable[LogLine]) -> Iterator[Event]:
    """Read `--progress=plain`: every line of a RUN is marked with its number and the seconds since it began."""
    known: dict[str, bool] = {}
    for line in lines:
        numbered = NUMBERED.match(line.text)
        if not numbered:
            yield BuilderNote(line.text)
            continue
        key, text = numbered.groups()
        if key not in known:
            heading = HEADING.match(text)
            known[key] = heading is not None
            if heading:
                yield StepBegan(key, heading[1].strip(), line.at)
        elif output := OUTPUT.match(text):
            yield StepOutput(key, output[1])
        elif text.startswith("DONE "):
            yield StepEnded(key, 0, line.at)
        elif text.startswith("CACHED"):
            yield StepDropped(key)
        elif failed := FAILED.match(text):
            yield StepEnded(key, int(failed[1]), line.at)
        elif text.startswith("ERROR: "):
            yield BuilderNote(text)


def classic(lines: Iterable[LogLine]) -> Iterator[Event]:
    """Read the classic builder: its steps are numbered throughout, and each leaves an image."""
    number, total = 0, ""
    in_run = base = False
    for line in lines:
        text = COLORS.sub("", line.text)
        key = str(number)
        if (step := STEP.search(text)) and int(step["number"]) == number + 1 and (not total or step["total"] == total):
            if before := text[: step.start()]:
                yield StepOutput(key, before)
            number, total = number + 1, step["total"]
            base = step["text"].upper().startswith("FROM ")
            yield StepBegan(str(number), step["text"].strip(), line.at)
        elif returned := _failure(RETURNED, text):
            if before := text[: returned[0]]:
                yield StepOutput(key, before)
            yield StepEnded(key, returned[1], line.at)
        elif container := CONTAINER.search(text):
            if before := text[: container.start()]:
                yield StepOutput(key, before)
            in_run = bool(container["begins"])
        elif in_run:
            yield StepOutput(key, text)
        elif image := IMAGE.match(text):
            yield StepEnded(key, 0, line.at)
            if not base:
                yield ImageBuilt(image[1])
        else:
            yield BuilderNote(text)


def buildah(lines: Iterable[LogLine]) -> Iterator[Event]:
    """Read buildah and podman: a step ends where the next one begins, or the image is written."""
    at, key = (1, 0), ""
    in_run = False
    for line in lines:
        if (step := STAGED.search(line.text)) and (not step["number"] or _is_next(at, _position(step))):
            if in_run and (before := line.text[: step.start()]):
                yield StepOutput(key, before)
            if key:
                yield StepEnded(key, 0, line.at)
            key, in_run = "", False
            if step["number"]:
                at = _position(step)
                key, in_run = f"{at[0]}.{at[1]}", step["text"].upper().startswith("RUN ")
                yield StepBegan(key, step["text"].strip(), line.at)
        elif status := _failure(STATUS, line.text):
            if in_run and (before := line.text[: status[0]]):
                yield StepOutput(key, before)
            yield StepEnded(key, status[1], line.at)
            key, in_run = "", False
        elif in_run and LAYER.match(line.text):
            yield StepEnded(key, 0, line.at)
            key, in_run = "", False
        elif in_run:
            if output := WITHIN.sub("", line.text):
                yield StepOutput(key, output)
        else:
            yield BuilderNote(line.text)


def _failure(marks: tuple[re.Pattern[str], re.Pattern[str]], text: str) -> tuple[int, int] | None:
    """Return where a line says that its command failed, and with which exit code; None where it does not."""
    begins = marks[0].search(text)
    ends = marks[1].search(text, begins.end()) if begins else None
    return (begins.start(), int(ends[1])) if begins and ends else None


def _position(step: "re.Match[str]") -> tuple[int, int]:
    return int(step["stage"] or 1), int(step["number"])


def _is_next(at: tuple[int, int], place: tuple[int, int]) -> bool:
    """Tell whether a step may come next: what only looks like one, in the output of a RUN, hardly ever does."""
    return place == (at[0], at[1] + 1) or (place[0] > at[0] and place[1] == 1)


MARKS = {
    "classic": re.compile(rb"Step |---> |intermediate container|The command "),
    "buildah": re.compile(rb"STEP |COMMIT|--> |rror|subprocess exited"),
}
"""Lines without any of these are the output of a RUN; BuildKit marks every line, and leaves most of very many out."""
READERS: Mapping[str, Reader] = {"buildkit": buildkit, "classic": classic, "buildah": buildah}
