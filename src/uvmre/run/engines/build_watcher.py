"""A running build: the engine's log becomes steps, each with its own exit code, output and time limit."""

import re
import time
from collections.abc import Iterable
from dataclasses import dataclass, field

from uvmre.core.dockerfile.build_log import BuilderNote, ImageBuilt, LogLine, Reader, StepBegan, StepDropped, StepOutput
from uvmre.core.dockerfile.build_plan import NO_FILE, VERSION_COMMAND, BuildPlan
from uvmre.core.dockerfile.edits import comparable
from uvmre.core.mre.model import Step
from uvmre.core.outcome.observation import StepResult
from uvmre.run import process
from uvmre.run.backend import StepRequest
from uvmre.run.limits import StepLimits
from uvmre.run.process import Capped

IDLE_SECONDS = 900.0
"""How long an engine may take between RUNs: an image may be large, and the network slow."""
KILLED = 137
"""The exit code of a killed process."""
CLIPPED_MARK = b"[output clipped"
"""BuildKit's mark for omitted output."""
FLAGS = re.compile(r"\A(?:--\S+\s+)*")
SUMMARY = re.compile(r" \([^)]{0,500}\)\Z")
"""What BuildKit appends to a heredoc's word: its first line."""
VERSION = re.compile(r"\buv (\d+\.\d+\.\d+\S*)")
ERROR = re.compile(r"(?:ERROR|Error|error)\b:? *(?:failed to solve: *)?(.*)")
NOT_PULLED = re.compile(
    r"pull access denied|failed to resolve source metadata|did not resolve to an alias|manifest unknown|no such host"
    r"|creating build container|registry|/v2/|initializing source|unable to copy from source"
)
KEPT_NOTES = 40
"""Engine messages kept to find the cause of a failure."""


@dataclass
class OpenStep:
    """A running RUN."""

    command: str
    step: Step
    started: float
    output: Capped = field(default_factory=lambda: Capped(process.OUTPUT_LIMIT))


class BuildWatch:
    """Collects the steps of a build from its log."""

    def __init__(self, plan: BuildPlan, request: StepRequest) -> None:
        self._plan = plan
        self._pending = list(zip(plan.headings, plan.steps, strict=True))
        self._request = request
        self._open_steps: dict[str, OpenStep] = {}
        self._notes: list[str] = []
        self._last_event = time.perf_counter()
        self.interrupted = False
        """Whether the engine was ended early."""
        self.failed: int | None = None
        """The exit code of the RUN that failed."""
        self.reported_uv = ""
        """The release that `uv --version` printed in the build."""
        self.files: dict[str, str | None] = {}
        """Content of the files in the symptom."""
        self.images: list[str] = []
        """Images that the engine may still have."""

    def consume(self, reader: Reader, lines: Iterable[LogLine]) -> None:
        """Read the log until the engine ends."""
        for event in reader(lines):
            self._last_event = time.perf_counter()
            if isinstance(event, StepBegan):
                self._on_began(event)
            elif isinstance(event, ImageBuilt):
                self.images.append(event.image)
            elif isinstance(event, BuilderNote):
                self._notes = [*self._notes, event.text.strip()][-KEPT_NOTES:]
            elif running := self._open_steps.get(event.key):
                if isinstance(event, StepOutput):
                    running.output.add(event.text.encode())
                elif isinstance(event, StepDropped):
                    del self._open_steps[event.key]
                    self._pending.insert(0, (running.command, running.step))
                else:
                    del self._open_steps[event.key]
                    self._on_ended(running, event.exit, event.at)

    def is_late(self) -> bool:
        """Return whether a RUN exceeds its time limit, or the engine reaches none in time."""
        now = time.perf_counter()
        if self._open_steps:
            return any(now - running.started > running.step.timeout for running in self._open_steps.values())
        return now - self._last_event > IDLE_SECONDS

    def finish(self, exit_code: int, timed_out: bool) -> str:
        """Close the open steps, and return why the steps could not be run; empty when they were."""
        unfinished, self._open_steps = list(self._open_steps.values()), {}
        now = time.perf_counter()
        if self._request.context.stop.is_set():
            return ""
        if timed_out:
            for running in unfinished:
                self._on_ended(running, KILLED, now, timed_out=True)
            return "" if unfinished else f"the engine reached no step within {IDLE_SECONDS:.0f} s"
        if exit_code == 0:
            for running in unfinished:
                self._on_ended(running, 0, now)
        elif self.failed is None:
            return self._failure(exit_code)
        elif self._plan.shown_files:
            path = next(iter(self._plan.shown_files.values()))
            return f"the symptom checks `{path}`, but a failed RUN leaves no image to read it from"
        if self.reported_uv and self.reported_uv != self._request.context.uv:
            return f"the Dockerfile brings uv {self.reported_uv}, not the {self._request.context.uv} that was requested"
        return ""

    def _on_began(self, event: StepBegan) -> None:
        name, _, rest = event.text.partition(" ")
        if name.upper() != "RUN":
            return
        head, step = self._match_step(FLAGS.sub("", rest))
        self._open_steps[event.key] = OpenStep(head, step, event.at)
        if step.run != VERSION_COMMAND and step.run not in self._plan.shown_files:
            self._request.on_step_start(step.title)

    def _match_step(self, text: str) -> tuple[str, Step]:
        """Return the step of a log heading, which shows a command in one line."""
        head = comparable(SUMMARY.sub("", text) if text.startswith("<<") else text)
        at = next((i for i, (known, _) in enumerate(self._pending) if known == head), 0)
        return self._pending.pop(at) if self._pending else (head, Step(text))

    def _on_ended(self, running: OpenStep, exit_code: int, at: float, *, timed_out: bool = False) -> None:
        output = running.output.value()
        if running.step.run == VERSION_COMMAND and exit_code == 0:
            match = VERSION.search(output.decode(errors="replace"))
            self.reported_uv = match[1] if match else "of unknown version"
            return
        if path := self._plan.shown_files.get(running.step.run):
            text = output.decode(errors="replace")
            self.files[path] = None if text.strip() == NO_FILE else text
            return
        if exit_code:
            self.failed = exit_code
        step = running.step
        self._request.on_step_end(
            StepResult(
                title=step.title,
                run=step.run,
                role=step.role,
                exit=exit_code,
                stdout="",
                stderr=output.decode(errors="replace"),
                seconds=max(0.0, at - running.started),
                timed_out=timed_out,
                limit=StepLimits().of_exit(exit_code, step.timeout),
                truncated=bool(running.output.omitted) or CLIPPED_MARK in output,
            )
        )

    def _failure(self, exit_code: int) -> str:
        """Return why the build failed: the last error in the log, or else its last message."""
        errors = [match[1] for note in self._notes if (match := ERROR.match(note)) and match[1]]
        messages = [note for note in self._notes if note and not note.startswith(("---", ">"))]
        why = (errors or messages or [f"exit code {exit_code}"])[-1].rstrip(".")
        if NOT_PULLED.search(why):
            return f"an image is missing and could not be pulled ({why}); `uvmre images prepare` builds a stand-in"
        return f"the Dockerfile failed to build: {why}"
