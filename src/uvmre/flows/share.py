"""Post an MRE on GitHub, after showing what will be public."""

import json
import os
import re
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from uvmre import credentials, temp_folders
from uvmre.errors import CannotTell, UsageError, naming_path
from uvmre.flows.check import private_parts
from uvmre.flows.issues import parsed_answer
from uvmre.flows.report import Report, report
from uvmre.folder.evidence import OWN
from uvmre.inbox.publish import PublishTarget
from uvmre.report.formats import FORMATS
from uvmre.run import process

SECONDS = 120.0
MARKDOWN = ".md"
MOST = 20
"""Lines of the text that are shown, and parts that are named."""
REPORTED = re.compile(r"\Ahttps://github\.com/(?P<repo>[\w.-]+/[\w.-]+)/issues/(?P<number>\d+)\Z")
REPOSITORY = re.compile(r"\A[\w.-]+/[\w.-]+\Z")


@dataclass(frozen=True)
class Post:
    """What will be public, and where."""

    target: PublishTarget
    title: str
    report: Report
    file: Path
    """Where the text is kept."""
    warnings: tuple[str, ...]

    @property
    def preview(self) -> str:
        """Return all that is decided on: the target, the title, and the text or its beginning."""
        lines = self.report.text.rstrip("\n").split("\n")
        more = [f"… and {len(lines) - MOST} more lines: all of it is in `{self.file}`"] * (len(lines) > MOST)
        size = f"text: {len(self.report.content)} bytes, format {self.report.format}"
        title = [] if self.target.kind == "comment" else [f"title: {self.title}"]
        return "\n".join([f"public: {self.target.label}", *title, size, "", *lines[:MOST], *more, ""])


def prepare(folder: Path, kind: str, name: str, *, repo: str = "", issue: str = "") -> Post:
    """Return what will be public of the MRE in `folder`, and keep its text in a file.

    `kind` is issue, comment or gist; the repository and the issue are by default those of the report.

    Raises:
        UsageError: if the repository or the issue is unknown, the format is not one to post, or it cannot be written.
    """
    own = FORMATS[name]
    if own.binary or own.folder or (kind != "gist" and not own.file_name.endswith(MARKDOWN)):
        what = "text" if kind == "gist" else "Markdown"
        raise UsageError(f"`{name}` is not {what}", "use `--format github`, or write a file with `uvmre report`")
    made = report(folder, name)
    target = _complete(PublishTarget(kind, repo, issue), made.bundle.mre.issue)
    warnings = [f"{part.where}: {part.kind} {part.text}".rstrip() for part in private_parts(folder, made.text)[:MOST]]
    if made.masked:
        warnings.append("secrets are masked in it: it may not behave as the MRE does")
    file = folder / OWN / f"share-{own.file_name}"
    with naming_path(file):
        temp_folders.write_file(file, made.text)
    return Post(target, made.bundle.mre.title, made, file, tuple(warnings))


def post(prepared: Post) -> str:
    """Post it in a process of its own, the only one that has the token, and return the URL.

    Raises:
        UsageError: without a token, or if GitHub refuses.
        CannotTell: if there is no response.
    """
    token = credentials.take_pipe()
    try:
        pipe = [] if token is None else [token]
        own = (prepared.target.kind, prepared.target.repo, prepared.target.issue, prepared.title)
        name = FORMATS[prepared.report.format].file_name
        finished = process.run(
            [sys.executable, "-P", "-m", __name__, "".join(map(str, pipe)), *own, name, str(prepared.file)],
            cwd=Path.cwd(),
            environment=os.environ,
            timeout=SECONDS,
            stop=threading.Event(),
            descriptors=pipe,
        )
    finally:
        if token is not None:
            os.close(token)
    kept = f"; the text is in `{prepared.file}`"
    try:
        answer = parsed_answer(json.loads(finished.stdout))
    except ValueError:
        hint = f"it may be there nevertheless: look before you try again{kept}"
        raise CannotTell("posting it failed", hint, cause=process.failure(finished)) from None
    if isinstance(answer, UsageError | CannotTell):
        raise type(answer)(answer.message, answer.hint + kept, cause=answer.cause)
    return str(answer)


def _complete(target: PublishTarget, reported: str) -> PublishTarget:
    """Return a target with the repository and the issue of the MRE, where none is named."""
    known = REPORTED.match(reported)
    repo = target.repo or (known["repo"] if known else "")
    issue = target.issue or (known["number"] if known and not target.repo else "")
    if target.kind == "gist":
        return PublishTarget(target.kind)
    if not REPOSITORY.match(repo):
        what = f"`{repo}` is not a repository" if repo else "no repository is named"
        raise UsageError(what, "use `--repo OWNER/REPO`")
    if target.kind == "comment" and not issue:
        raise UsageError("no issue is named", "use `--issue N`")
    return PublishTarget(target.kind, repo, issue if target.kind == "comment" else "")


def main(*arguments: str) -> None:
    """Post the text of a file, and write its URL, or the error, as a line of JSON."""
    pipe, kind, repo, issue, title, name, file = arguments
    from uvmre.flows.issues import answer_of, github_token
    from uvmre.inbox.publish import publish

    text = Path(file).read_text(encoding="utf-8")
    token: Callable[[], str] = lambda: github_token(pipe)  # noqa: E731
    answer = answer_of(lambda: publish(PublishTarget(kind, repo, issue), title, name, text, token))
    sys.stdout.buffer.write(json.dumps(answer).encode() + b"\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
