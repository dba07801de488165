"""Read issues from files, standard input, folders or GitHub."""

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
"""Byte order marks and their encodings."""
ASCII = bytes(range(1, 128))
CONTROL = re.compile(r"[^\x09-\x0d\x1b\x08\x20-\U0010ffff]")
API = "https://api.github.com"
ISSUE = re.compile(r"\A(?P<owner>[\w.-]+)/(?P<repo>[\w.-]+)#(?P<number>\d+)\Z")
URL = re.compile(
    r"(?P<host>https?://[^/\s]+)/(?P<owner>[\w.-]+)/(?P<repo>[\w.-]+)/(?:issues|pull)/(?P<number>\d+)(?:[/?#].*)?\Z"
)
HINT = "pass a file, a folder, `-`, https://github.com/OWNER/REPO/issues/N or OWNER/REPO#N"
PAGES = 20


@dataclass(frozen=True)
class FetchedPost:
    """One issue's text."""

    name: str
    """The argument, or the file."""
    text: str
    """Markdown: the title as a heading, a comment with source and date, the post, and its comments if requested."""


@dataclass(frozen=True)
class Inbox:
    """Reads issues."""

    stdin: Callable[[], bytes]
    fetched: Callable[[str], str]
    """Return the text of an issue on GitHub."""
    offline: bool = False
    """Make no requests to GitHub."""

    def names(self, arguments: tuple[str, ...]) -> Iterator[str]:
        """Yield the issues of the arguments: each itself, or every text in a folder.

        Raises:
            UsageError: when a folder has none.
        """
        for argument in arguments:
            if argument != STDIN and Path(argument).is_dir():
                with naming_path(Path(argument)):
                    found = sorted(_posts(Path(argument)))
                if not found:
                    raise UsageError(
                        f"no issue found in `{argument}`", f"issues are files ending with {', '.join(SUFFIXES)}"
                    )
                yield from map(str, found)
            else:
                yield argument

    def post(self, name: str) -> FetchedPost:
        """Return the text of an issue.

        Raises:
            UsageError: when there is no such file or issue.
            CannotTell: when there is no response from GitHub.
        """
        if name == STDIN:
            return FetchedPost(name, decode(self.stdin(), "standard input"))
        if Path(name).exists():
            return FetchedPost(name, decode(files.read_bytes(name), name))
        if not _match(name):
            raise UsageError(f"`{name}` is neither a file nor an issue", HINT)
        if self.offline:
            raise CannotTell(
                f"`{name}` is on GitHub, but `--replay` makes no requests", "save it as a file, or omit `--replay`"
            )
        return FetchedPost(name, self.fetched(name))

    def is_fetched(self, name: str) -> bool:
        """Return whether an issue is read from GitHub."""
        return not self.offline and is_on_github(name)


def is_on_github(name: str) -> bool:
    """Return whether a name is that of an issue on GitHub."""
    return name != STDIN and _match(name) is not None and not Path(name).exists()


def _match(name: str) -> re.Match[str] | None:
    return URL.match(name) or ISSUE.match(name)


def fetch_issue(name: str, token: Callable[[], str], *, comments: bool = False) -> str:
    """Return the text of an issue on GitHub.

    Raises:
        UsageError: when there is no such issue.
        CannotTell: when there is no response from GitHub.
    """
    import httpx

    from uvmre.client import http_client

    match = _match(name)
    assert match, name
    where = f"{match['owner']}/{match['repo']}#{match['number']}"
    address = f"{api_url(match)}/repos/{match['owner']}/{match['repo']}/issues/{match['number']}"
    headers = {"accept": "application/vnd.github+json"}
    if value := token():
        headers["authorization"] = f"Bearer {value}"
    try:
        with http_client() as http:
            issue = _read_json(http.get(address, headers=headers), where)
            has_some = comments and issue.get("comments") != 0
            found = list(_comments(http, address, headers, where)) if has_some else []
            return _to_markdown(where, issue, found)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        hint = "check the network, or save it as a file"
        raise CannotTell(f"failed to fetch `{where}` from GitHub", hint, cause=cause(error)) from None
    except (ValueError, KeyError, TypeError, AttributeError):
        raise CannotTell(f"the response for `{where}` is not an issue", "check GITHUB_API_URL") from None


def _posts(folder: Path) -> Iterator[Path]:
    """Yield the texts in a folder; not through links, which lead anywhere, and not in hidden folders."""
    pending = [folder]
    while pending:
        with os.scandir(pending.pop()) as found:
            shown = [entry for entry in found if not entry.name.startswith(".")]
        pending += [Path(entry.path) for entry in shown if entry.is_dir(follow_symlinks=False)]
        files_only = (Path(entry.path) for entry in shown if entry.is_file(follow_symlinks=False))
        yield from (path for path in files_only if path.suffix.lower() in SUFFIXES)


def decode(content: bytes, name: str) -> str:
    """Decode a text of unknown encoding.

    Raises:
        UsageError: when it is empty or not text.
    """
    if len(content) > files.LIMIT:
        raise UsageError(f"{name} is larger than {files.LIMIT // 1_000_000} MB", "pass the text of an issue")
    text = _text(content)
    if not text.strip():
        raise UsageError(f"{name} is empty", "pass the text of an issue")
    if len(CONTROL.findall(text)) > len(text) // 20:
        raise UsageError(f"{name} is not text", "pass the text of an issue, in UTF-8 or UTF-16")
    return text


def _text(content: bytes) -> str:
    for mark, encoding in MARKS:
        if content.startswith(mark):
            return content[len(mark) :].decode(encoding, errors="replace")
    # In UTF-16 without a mark, every other byte of ASCII is a NUL.
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
    # Without any valid UTF-8 sequence it is in the old encoding of Windows.
    if broken and not any(char > "\x7f" and char != "\ufffd" for char in text):
        return content.decode("cp1252", errors="replace")
    return text


def api_url(match: re.Match[str]) -> str:
    """Return the URL of the API: GITHUB_API_URL, or that of the host."""
    if url := os.environ.get("GITHUB_API_URL"):
        return url.rstrip("/")
    host = match.groupdict().get("host", "")
    return f"{host}/api/v3" if host and not re.match(r"https?://(?:www\.)?github\.com\Z", host) else API


def _read_json(response: "httpx.Response", where: str) -> Any:
    if response.status_code in (404, 410):
        raise UsageError(
            f"issue `{where}` not found, or no access to it ({response.status_code})",
            "set GITHUB_TOKEN, or log in with `gh auth login`",
        )
    if response.status_code in (401, 403, 429):
        raise CannotTell(
            f"GitHub denied access to `{where}` ({response.status_code})",
            "set GITHUB_TOKEN to one with access, or wait until the rate limit is reset",
        )
    response.raise_for_status()
    return response.json()


def _comments(http: "httpx.Client", address: str, headers: dict[str, str], where: str) -> Iterator[Any]:
    for page in range(1, PAGES + 1):
        params = {"per_page": "100", "page": str(page)}
        found = _read_json(http.get(f"{address}/comments", headers=headers, params=params), where)
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


def _author(post: Any) -> str:
    return (post.get("user") or {}).get("login") or "ghost"
