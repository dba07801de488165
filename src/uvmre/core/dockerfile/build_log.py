"""Parse the build logs of container engines into events: an instruction starts, prints, ends.

BuildKit's plain progress, the classic builder, podman and buildah. All of them mix the streams of a RUN, and all but
BuildKit mix its last line with their own output if it has no line break.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class LogLine:
    """A line of a log with its line break; a very long one may be split."""

    text: str
    at: float
    """Its time, in seconds on any clock."""


@dataclass(frozen=True)
class StepBegan:
    """An instruction started."""

    key: str
    """The key of its later events."""
    text: str
    """The instruction as the engine prints it, on one line."""
    at: float


@dataclass(frozen=True)
class StepOutput:
    """A RUN printed something, to either stream."""

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
    """The instruction does not count: it is cached, or shown a second time."""

    key: str


@dataclass(frozen=True)
class BuilderNote:
    """A message of the engine itself."""

    text: str


@dataclass(frozen=True)
class ImageBuilt:
    """The engine created an image."""

    image: str


Event = StepBegan | StepOutput | StepEnded | StepDropped | BuilderNote | ImageBuilt
Reader = Callable[[Iterable[LogLine]], Iterator[Event]]

NUMBERED = re.compile(r"#(\d+) (.*)\Z", re.DOTALL)
HEADING = re.compile(r"\A\[[^\]]*\] (.*)")
OUTPUT = re.compile(r"\A\d+\.\d+ ?(.*)\Z", re.DOTALL)
FAILED = re.compile(r"\AERROR: process .* did not complete successfully: exit code: (\d+)")

COLORS = re.compile(r"\x1b\[(?:91|0)m")
"""Around standard error."""
STEP = re.compile(r"Step (?P<number>\d+)/(?P<total>\d+) : (?P<text>.*)")
CONTAINER = re.compile(r"(?:Removing intermediate container|(?P<begins> ---> Running in)) [0-9a-f]{12}\s*\Z")
IMAGE = re.compile(r" ---> ([0-9a-f]{12})\s*\Z")
RETURNED = re.compile(r"The command '"), re.compile(r"' returned a non-zero code: (\d+)\s*\Z")

STAGED = re.compile(
    r"(?:\[(?P<stage>\d+)/\d+\] )?(?:STEP (?P<number>\d+)/(?P<total>\d+): (?P<text>.*)|COMMIT(?: \S+)?\s*\Z)"
)
LAYER = re.compile(r"--> (?:Using cache )?[0-9a-f]{11,64}\s*\Z")
STATUS = re.compile(r"[Ee]rror(?:: | )building at STEP \"RUN "), re.compile(r": exit status (\d+)\s*\Z")
"""The start and end of a failure, around a command of any length."""
WITHIN = re.compile(r"subprocess exited with status \d+\s*\Z")
"""A message of buildah about a RUN in a chroot, before its error."""


def buildkit(lines: Iterable[LogLine]) -> Iterator[Event]:
    """Parse `--progress=plain`, in which every line of a RUN has its number and time."""
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
    """Parse the classic builder's log, in which each step leaves an image."""
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
    """Parse the log of buildah and podman: a step ends where the next one starts or the image is written."""
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
    """Return the position and exit code of a failure in a line; None if there is none."""
    begins = marks[0].search(text)
    ends = marks[1].search(text, begins.end()) if begins else None
    return (begins.start(), int(ends[1])) if begins and ends else None


def _position(step: "re.Match[str]") -> tuple[int, int]:
    return int(step["stage"] or 1), int(step["number"])


def _is_next(at: tuple[int, int], place: tuple[int, int]) -> bool:
    """Tell whether a step may follow, to ignore output of a RUN that looks like a step."""
    return place == (at[0], at[1] + 1) or (place[0] > at[0] and place[1] == 1)


MARKS = {
    "classic": re.compile(rb"Step |---> |intermediate container|The command "),
    "buildah": re.compile(rb"STEP |COMMIT|--> |rror|subprocess exited"),
}
"""Lines without any of these are output of a RUN; BuildKit marks every line."""
READERS: Mapping[str, Reader] = {"buildkit": buildkit, "classic": classic, "buildah": buildah}
