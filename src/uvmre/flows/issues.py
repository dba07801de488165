"""Read issues: those on GitHub in a process of its own, the only one that has the token, which ends before any step."""

import json
import os
import shutil
import signal
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from functools import cache, partial
from pathlib import Path

from uvmre import credentials, errors
from uvmre.errors import CannotTell, UsageError, UvmreError
from uvmre.inbox.github import Inbox, fetch_issue
from uvmre.run import process

GH_SECONDS = 20.0
FETCH_SECONDS = 300.0
"""For one issue and its comments."""
MAX_TEXT = 1_000_000_000
COMMENTS = "comments"


def read_issues(
    arguments: tuple[str, ...],
    stdin: Callable[[], bytes],
    *,
    comments: bool = False,
    offline: bool = False,
) -> tuple[list[str], Callable[[str], str]]:
    """Fetch the issues that are on GitHub, and return all names and a function for the text of each.

    That function raises `UsageError` if there is no such file or issue, and `CannotTell` if GitHub does not answer.

    Raises:
        UsageError: when a folder has no issue.
    """
    token = credentials.take_pipe()
    try:
        fetched: dict[str, str | Exception] = {}
        inbox = Inbox(stdin, lambda name: _text(fetched, name), offline)
        names = list(inbox.names(arguments))
        if remote := list(dict.fromkeys(filter(inbox.is_fetched, names))):
            fetched |= _fetch(remote, token, comments=comments)
        return names, lambda name: inbox.post(name).text
    finally:
        if token is not None:
            os.close(token)


def _fetch(names: Sequence[str], token: int | None, *, comments: bool) -> Mapping[str, str | Exception]:
    """Return the text of each issue, or why it cannot be fetched."""
    # -P: modules are not imported from the current folder, which may be a stranger's project.
    pipe = [] if token is None else [token]
    command = [sys.executable, "-P", "-m", __name__, "".join(map(str, pipe)), COMMENTS if comments else "", *names]
    finished = process.run(
        command,
        cwd=Path.cwd(),
        environment=os.environ,
        timeout=FETCH_SECONDS * len(names),
        stop=threading.Event(),
        output_limit=MAX_TEXT,
        descriptors=pipe,
    )
    answers = [json.loads(line) for line in finished.stdout.splitlines() if line.endswith(b"}")]
    missing: Exception = RuntimeError(f"reading issues failed:\n{finished.stderr.decode(errors='replace')}")
    if finished.timed_out:
        why = process.failure(finished)
        missing = CannotTell("failed to fetch it from GitHub", "check the network, or save it as a file", cause=why)
    return dict.fromkeys(names, missing) | dict(zip(names, map(parsed_answer, answers), strict=False))


def parsed_answer(answer: Mapping[str, str]) -> str | Exception:
    """Return the text of an answer, or its error."""
    if "error" not in answer:
        return answer["text"]
    kind = UsageError if answer["error"] == errors.UsageError.__name__ else CannotTell
    return kind(answer["message"], answer["hint"], cause=answer["cause"])


def _text(fetched: Mapping[str, str | Exception], name: str) -> str:
    found = fetched[name]
    if isinstance(found, Exception):
        raise found
    return found


@cache
def github_token(pipe: str) -> str:
    """Return the token from the pipe, or else that of `gh`."""
    if pipe:
        with open(int(pipe), encoding="utf-8", errors="replace") as file:  # noqa: PTH123 - a descriptor
            return file.read()
    gh = shutil.which("gh")
    if gh is None:
        return ""
    finished = process.run(
        [gh, "auth", "token"], cwd=Path.cwd(), environment=os.environ, timeout=GH_SECONDS, stop=threading.Event()
    )
    return "" if finished.exit else finished.stdout.decode(errors="replace").strip()


def answer_of(work: Callable[[], str]) -> dict[str, str]:
    """Return what this process answers: a text, or an error."""
    try:
        return {"text": work()}
    except UvmreError as error:
        return {"error": type(error).__name__, "message": error.message, "hint": error.hint, "cause": error.cause}


def main(pipe: str, comments: str, *names: str) -> None:
    """Write the text of each issue, or its error, as a line of JSON."""
    # `gh` is a process of its own, and ended with this one.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(errors.Interrupted.exit_code))
    for name in names:
        answer = answer_of(partial(fetch_issue, name, partial(github_token, pipe), comments=comments == COMMENTS))
        sys.stdout.buffer.write(json.dumps(answer).encode() + b"\n")
        sys.stdout.buffer.flush()


if __name__ == "__main__":
    main(*sys.argv[1:])
