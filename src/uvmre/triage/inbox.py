"""Where issues come from: a file, standard input, a folder, or GitHub."""

import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from uvmre.errors import CannotTell, UsageError, at, cause

if TYPE_CHECKING:
    import httpx

STDIN = "-"
SUFFIXES = (".md", ".markdown", ".txt")
LIMIT = 32_000_000
"""Bytes of one text; GitHub takes 65,536 characters."""
API = "https://api.github.com"
ISSUE = re.compile(r"(?P<owner>[\w.-]+)/(?P<repo>[\w.-]+)#(?P<number>\d+)\Z")
URL = re.compile(
    r"(?P<host>https?://[^/\s]+)/(?P<owner>[\w.-]+)/(?P<repo>[\w.-]+)/(?:issues|pull)/(?P<number>\d+)(?:[/?#].*)?\Z"
)
HINT = "Give a file, a folder, `-`, https://github.com/OWNER/REPO/issues/N or OWNER/REPO#N."
PAGES = 20


@dataclass(frozen=True)
class Post:
    """One issue's text."""

    name: str
    """How it was asked for, or its file."""
    text: str
    """Markdown: the title as a heading, a comment with where and when, the post, and the comments where asked for."""


@dataclass(frozen=True)
class Inbox:
    """How issues are fetched."""

    stdin: Callable[[], bytes]
    token: Callable[[], str]
    """Gives what GitHub is asked with; empty for nothing. Called only where GitHub is asked."""
    comments: bool = False

    def names(self, words: tuple[str, ...]) -> Iterator[str]:
        """Yield what each of the words stands for: itself, or every text in a folder.

        Raises:
            UsageError: when a folder has none.
        """
        for word in words:
            if word != STDIN and Path(word).is_dir():
                with at(Path(word)):
                    found = sorted(path for path in Path(word).rglob("*") if _is_post(path, Path(word)))
                if not found:
                    raise UsageError(f"There is no issue in {word}.", f"Its files end with {', '.join(SUFFIXES)}.")
                yield from map(str, found)
            else:
                yield word

    def post(self, name: str) -> Post:
        """Return the text of one.

        Raises:
            UsageError: when there is no such file or issue.
            CannotTell: when GitHub does not answer.
        """
        if name == STDIN:
            return Post(name, _decoded(self.stdin()))
        if Path(name).is_file():
            return Post(name, _decoded(_bytes(Path(name))))
        match = URL.match(name) or ISSUE.match(name)
        if match is None:
            raise UsageError(f"There is no file {name}, and it names no issue.", HINT)
        return Post(name, self._fetched(match))

    def _fetched(self, match: re.Match[str]) -> str:
        import httpx

        from uvmre.client import client

        where = f"{match['owner']}/{match['repo']}#{match['number']}"
        address = f"{_api(match)}/repos/{match['owner']}/{match['repo']}/issues/{match['number']}"
        headers = {"accept": "application/vnd.github+json"}
        if token := self.token():
            headers["authorization"] = f"Bearer {token}"
        try:
            with client() as asking:
                issue = _json(asking.get(address, headers=headers), where)
                comments = list(_comments(asking, address, headers, where)) if self.comments else []
                return _composed(where, issue, comments)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            hint = "Save it as a file, or go online."
            raise CannotTell(f"GitHub could not be asked for {where}: {cause(error)}.", hint) from None
        except (ValueError, KeyError, TypeError, AttributeError):
            raise CannotTell(f"What was answered for {where} is no issue.", "Look at GITHUB_API_URL.") from None


def _is_post(path: Path, folder: Path) -> bool:
    hidden = any(part.startswith(".") for part in path.relative_to(folder).parts)
    return path.suffix.lower() in SUFFIXES and not hidden and path.is_file()


def _bytes(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(LIMIT + 1)
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}.", "Name a file that can.") from None


def _decoded(content: bytes) -> str:
    if len(content) > LIMIT:
        raise UsageError(f"The text is longer than {LIMIT // 1_000_000} MB.", "An issue is not.")
    return content.decode("utf-8-sig", errors="replace")


def _api(match: re.Match[str]) -> str:
    """Return where the API is: as GITHUB_API_URL says, else of the host that was named."""
    if given := os.environ.get("GITHUB_API_URL"):
        return given.rstrip("/")
    host = match.groupdict().get("host", "")
    return f"{host}/api/v3" if host and not re.match(r"https?://(?:www\.)?github\.com\Z", host) else API


def _json(response: "httpx.Response", where: str) -> Any:
    if response.status_code in (404, 410):
        raise UsageError(
            f"There is no issue {where}, or it is not yours to see ({response.status_code}).",
            "Set GITHUB_TOKEN, or log in with `gh auth login`.",
        )
    if response.status_code in (401, 403, 429):
        raise CannotTell(
            f"GitHub does not tell {where} ({response.status_code}): a limit was reached, or the token is not enough.",
            "Set GITHUB_TOKEN to one that does, or wait.",
        )
    response.raise_for_status()
    return response.json()


def _comments(asking: "httpx.Client", address: str, headers: dict[str, str], where: str) -> Iterator[Any]:
    for page in range(1, PAGES + 1):
        params = {"per_page": "100", "page": str(page)}
        found = _json(asking.get(f"{address}/comments", headers=headers, params=params), where)
        yield from found
        if len(found) < int(params["per_page"]):
            return


def _composed(where: str, issue: Any, comments: list[Any]) -> str:
    """Return an issue as one Markdown text."""
    lines = [f"# {issue['title']}", f"<!-- {where} created {issue['created_at']} -->", f"_@{_author(issue)}_", ""]
    lines.append(issue.get("body") or "")
    for comment in comments:
        when = comment["created_at"]
        lines += ["", "---", "", f"_Comment by @{_author(comment)} on {when}_", "", comment.get("body") or ""]
    return "\n".join(lines)


def _author(told: Any) -> str:
    return (told.get("user") or {}).get("login") or "ghost"
