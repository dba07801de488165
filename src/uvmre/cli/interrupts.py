"""How TERM and ^C end a command: once, at a moment when nothing is half done, and in the end by force.

The first signal raises KeyboardInterrupt in the main thread. While that holds a lock of the standard library, imports
a module or cleans up, it is put off for a moment: an exception there would leave the lock taken, or a process running.
`timeout` sends TERM twice, so another signal changes nothing while the command ends; a second ^C ends it at once.
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
"""Modules in which an exception may leave something locked, or made and not yet known."""
CLEANING = frozenset({"__enter__", "__exit__", "__del__", "end_group", "end_strays"})
RETRY = 0.01
PATIENCE = 3.0
"""Seconds for which it is put off at most."""
BY_FORCE = 20.0
"""Seconds after which a command that was interrupted is ended by force; engines get ten to remove their containers."""
AGAIN = 1.0
"""Seconds after which another ^C is meant as one, and is not the same sent twice."""

_came = _raised = 0.0
_over = False


def install() -> None:
    """Take TERM and ^C from now on."""
    # A shell's script starts what runs beside it deaf to SIGINT; who sends one all the same means it.
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGALRM):
        signal.signal(number, _handle)


def over() -> None:
    """Ignore what comes from now on: the command is done."""
    global _over  # noqa: PLW0603 - a process has one set of signals
    _over = True
    signal.setitimer(signal.ITIMER_REAL, 0)


def end_what_is_left() -> None:
    """End what an interrupted command may still have running, and remove its folders."""
    from uvmre.flows.scratch import end_everything

    over()
    end_everything()


def _handle(number: int, frame: FrameType | None) -> None:
    global _came, _raised  # noqa: PLW0603
    now = time.monotonic()
    if _over:
        return
    if _raised:
        if number == signal.SIGINT and now - _raised > AGAIN:
            _force()
        return
    _came = _came or now
    if now - _came < PATIENCE and _holds(frame):
        signal.setitimer(signal.ITIMER_REAL, RETRY)
        return
    _raised = now
    _thread.start_new_thread(_watch, ())
    raise KeyboardInterrupt


def _holds(frame: FrameType | None) -> bool:
    """Tell whether the main thread is where an exception does harm."""
    while frame:
        name = frame.f_globals.get("__name__", "")
        if frame.f_code.co_name in CLEANING or any(name == each or name.startswith(f"{each}.") for each in HOLDING):
            return True
        frame = frame.f_back
    return False


def _watch() -> None:
    time.sleep(BY_FORCE)
    if not _over:
        _force()


def _force() -> None:
    """End what was started, and this process; the next command removes the folders."""
    try:
        from uvmre.flows.scratch import end_everything

        end_everything()
    finally:
        os._exit(INTERRUPTED)
