"""Where issues come from: a file, standard input, a folder, or GitHub."""

import codecs
import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from uvmre import files
from uvmre.errors import CannotTell, UsageError, cause, naming_path

if TYPE_CHECKING:
    import httpx

STDIN = "-"
SUFFIXES = (".md", ".markdown", ".txt")
MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),  # before UTF-16's, with which it begins
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
"""Byte order marks, and what each says."""
ASCII = bytes(range(1, 128))
CONTROL = re.compile(r"[^\x09-\x0d\x1b\x08\x20-\U0010ffff]")
API = "https://api.github.com"
ISSUE = re.compile(r"\A(?P<owner>[\w.-]+)/(?P<repo>[\w.-]+)#(?P<number>\d+)\Z")
URL = re.compile(
    r"(?P<host>https?://[^/\s]+)/(?P<owner>[\w.-]+)/(?P<repo>[\w.-]+)/(?:issues|pull)/(?P<number>\d+)(?:[/?#].*)?\Z"
)
HINT = "Give a file, a folder, `-`, https://github.com/OWNER/REPO/issues/N or OWNER/REPO#N."
PAGES = 20


@dataclass(frozen=True)
class FetchedPost:
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
    offline: bool = False
    """Whether GitHub is not to be asked."""

    def names(self, words: tuple[str, ...]) -> Iterator[str]:
        """Yield what each of the words stands for: itself, or every text in a folder.

        Raises:
            UsageError: when a folder has none.
        """
        for word in words:
            if word != STDIN and Path(word).is_dir():
                with naming_path(Path(word)):
                    found = sorted(path for path in Path(word).rglob("*") if _is_post(path, Path(word)))
                if not found:
                    raise UsageError(f"There is no issue in {word}.", f"Its files end with {', '.join(SUFFIXES)}.")
                yield from map(str, found)
            else:
                yield word

    def post(self, name: str) -> FetchedPost:
        """Return the text of one.

        Raises:
            UsageError: when there is no such file or issue.
            CannotTell: when GitHub does not answer.
        """
        if name == STDIN:
            return FetchedPost(name, decode(self.stdin(), "Standard input"))
        if Path(name).exists():
            return FetchedPost(name, decode(files.read_bytes(name), name))
        match = URL.match(name) or ISSUE.match(name)
        if match is None:
            raise UsageError(f"There is no file {name}, and it names no issue.", HINT)
        if self.offline:
            raise CannotTell(
                f"{name} is on GitHub, and `--replay` asks no network.", "Save it as a file, or leave out `--replay`."
            )
        return FetchedPost(name, self._fetched(match))

    def _fetched(self, match: re.Match[str]) -> str:
        import httpx

        from uvmre.client import http_client

        where = f"{match['owner']}/{match['repo']}#{match['number']}"
        address = f"{_api(match)}/repos/{match['owner']}/{match['repo']}/issues/{match['number']}"
        headers = {"accept": "application/vnd.github+json"}
        if token := self.token():
            headers["authorization"] = f"Bearer {token}"
        try:
            with http_client() as asking:
                issue = _read_json(asking.get(address, headers=headers), where)
                comments = list(_comments(asking, address, headers, where)) if self.comments else []
                return _to_markdown(where, issue, comments)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            hint = "Save it as a file, or go online."
            raise CannotTell(f"GitHub could not be asked for {where}: {cause(error)}.", hint) from None
        except (ValueError, KeyError, TypeError, AttributeError):
            raise CannotTell(f"What was answered for {where} is no issue.", "Look at GITHUB_API_URL.") from None


def _is_post(path: Path, folder: Path) -> bool:
    hidden = any(part.startswith(".") for part in path.relative_to(folder).parts)
    return path.suffix.lower() in SUFFIXES and not hidden and path.is_file()


def decode(content: bytes, name: str) -> str:
    """Return the text in some bytes, whatever encoding they are in.

    Raises:
        UsageError: when there is none, or it is no text.
    """
    if len(content) > files.LIMIT:
        raise UsageError(f"{name} is larger than {files.LIMIT // 1_000_000} MB.", "An issue is not.")
    text = _text(content)
    if not text.strip():
        raise UsageError(f"{name} is empty.", "Give the text of an issue.")
    if len(CONTROL.findall(text)) > len(text) // 20:
        raise UsageError(f"{name} is not text.", "Give the text of an issue, in UTF-8 or UTF-16.")
    return text


def _text(content: bytes) -> str:
    for mark, encoding in MARKS:
        if content.startswith(mark):
            return content[len(mark) :].decode(encoding, errors="replace")
    # Of UTF-16 without a mark, every other byte of ASCII is a NUL; of other text none is.
    for encoding, first in (("utf-16-le", 1), ("utf-16-be", 0)):
        zeros, others = content[first::2], content[1 - first :: 2]
        if (
            zeros.count(0) > len(content) / 4
            and b"\0" not in others
            and len(others.translate(None, ASCII)) < len(zeros) / 4
        ):
            return content.decode(encoding, errors="replace")
    text = content.decode(errors="replace")
    broken = text.count("\ufffd")
    # A text with other characters of UTF-8 was cut or mixed; one without is in the encoding of old Windows.
    if broken and not any(char > "\x7f" and char != "\ufffd" for char in text):
        return content.decode("cp1252", errors="replace")
    return text


def _api(match: re.Match[str]) -> str:
    """Return where the API is: as GITHUB_API_URL says, else of the host that was named."""
    if given := os.environ.get("GITHUB_API_URL"):
        return given.rstrip("/")
    host = match.groupdict().get("host", "")
    return f"{host}/api/v3" if host and not re.match(r"https?://(?:www\.)?github\.com\Z", host) else API


def _read_json(response: "httpx.Response", where: str) -> Any:
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
        found = _read_json(asking.get(f"{address}/comments", headers=headers, params=params), where)
        yield from found
        if len(found) < int(params["per_page"]):
            return


def _to_markdown(where: str, issue: Any, comments: list[Any]) -> str:
    """Return an issue as one Markdown text."""
    lines = [f"# {issue['title']}", f"<!-- {where} created {issue['created_at']} -->", f"_@{_author(issue)}_", ""]
    lines.append(issue.get("body") or "")
    for comment in comments:
        when = comment["created_at"]
        lines += ["", "---", "", f"_Comment by @{_author(comment)} on {when}_", "", comment.get("body") or ""]
    return "\n".join(lines)


def _author(told: Any) -> str:
    return (told.get("user") or {}).get("login") or "ghost"
