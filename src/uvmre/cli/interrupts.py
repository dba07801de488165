"""Handling of SIGTERM and ^C: the command ends once, when nothing is half done, and after a time-out by force.

The first signal raises KeyboardInterrupt in the main thread. While the thread holds a lock of the standard library,
imports a module or cleans up, the exception is deferred: it would leave the lock taken, or a process running.
`timeout` sends SIGTERM twice, so more signals are ignored while the command ends; a second ^C ends it at once.
"""

import _thread
import os
import signal
import time
from types import FrameType

INTERRUPTED = 130
HOLDING = (
    *("threading", "concurrent.futures", "queue", "weakref", "_weakrefset", "logging", "subprocess", "tempfile"),
    *("importlib", "_frozen_importlib", "_frozen_importlib_external", "uvmre.temp_folders", "uvmre.gateway.session"),
)
"""Modules in which an exception may leave a lock taken, or a resource without an owner."""
CLEANING = frozenset({"__enter__", "__exit__", "__del__", "end_group", "end_strays"})
RETRY = 0.01
MAX_DEFERRED = 3.0
"""Seconds."""
FORCED_AFTER = 20.0
"""Seconds; engines get ten to remove their containers."""
REPEATED_AFTER = 1.0
"""Seconds after which another ^C is a second one, not a duplicate of the first."""

_received = _raised = 0.0
_over = False


def install() -> None:
    """Handle SIGTERM and ^C from now on."""
    # A shell ignores SIGINT in background processes; an explicit one is handled all the same.
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGALRM):
        signal.signal(number, _handle)


def over() -> None:
    """Ignore signals from now on: the command is done."""
    global _over  # noqa: PLW0603 - a process has one set of signals
    _over = True
    signal.setitimer(signal.ITIMER_REAL, 0)


def end_what_is_left() -> None:
    """End the processes of an interrupted command, and remove its folders."""
    from uvmre.flows.scratch import end_everything

    over()
    end_everything()


def _handle(number: int, frame: FrameType | None) -> None:
    global _received, _raised  # noqa: PLW0603
    now = time.monotonic()
    if _over:
        return
    if _raised:
        if number == signal.SIGINT and now - _raised > REPEATED_AFTER:
            _force()
        return
    _received = _received or now
    if now - _received < MAX_DEFERRED and _is_critical(frame):
        signal.setitimer(signal.ITIMER_REAL, RETRY)
        return
    _raised = now
    _thread.start_new_thread(_watch, ())
    raise KeyboardInterrupt


def _is_critical(frame: FrameType | None) -> bool:
    """Return whether an exception would do harm where the main thread is."""
    while frame:
        name = frame.f_globals.get("__name__", "")
        if frame.f_code.co_name in CLEANING or any(name == each or name.startswith(f"{each}.") for each in HOLDING):
            return True
        frame = frame.f_back
    return False


def _watch() -> None:
    time.sleep(FORCED_AFTER)
    if not _over:
        _force()


def _force() -> None:
    """End all processes, this one included; the next command removes the folders."""
    try:
        from uvmre.flows.scratch import end_everything

        end_everything()
    finally:
        os._exit(INTERRUPTED)
