"""Which inferred files a RUN of a Dockerfile sees: those that are copied before it."""

from collections.abc import Sequence
from dataclasses import replace

from uvmre.core.triage.parsed_issue import Command, PostedFile
from uvmre.issue.timeline.events import Timeline


def as_copied(file: PostedFile, timeline: Timeline, commands: Sequence[Command]) -> PostedFile:
    """Return an inferred file with the command before which it is copied; the last one's successor if none is."""
    images = {event.line: event.image for event in timeline.events if event.image}
    layers = [(i, image) for i, each in enumerate(commands) if (image := images.get(each.line))]
    if not file.inferred or not any(image.copied for _, image in layers):
        return file
    at = next((i for i, image in layers if image.has(file.path)), len(commands))
    return replace(file, before=0 if at == layers[0][0] else at)


def copies_lock(timeline: Timeline, files: Sequence[PostedFile]) -> bool:
    """Tell whether a Dockerfile copies a lockfile by its name, of a project without members."""
    if any("workspace" in file.text for file in files):
        return False
    return any("uv.lock" in path for event in timeline.events if event.image for path in event.image.copied)


def shifted(files: Sequence[PostedFile], after: int) -> tuple[PostedFile, ...]:
    """Return the files for a command that is inserted: those written later have a larger index."""
    return tuple(replace(each, before=each.before + (each.before > after)) for each in files)
