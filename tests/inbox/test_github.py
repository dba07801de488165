"""Where issues come from: files, folders, standard input, and a GitHub that a test made up."""

from pathlib import Path
from typing import Any

import pytest

from tests.hub import ISSUE, Hub
from uvmre.errors import CannotTell, UsageError
from uvmre.files import LIMIT
from uvmre.inbox.github import FetchedPost, Inbox, fetch_issue


def inbox(*, stdin: bytes = b"", token: str = "", comments: bool = False) -> Inbox:
    return Inbox(lambda: stdin, lambda name: fetch_issue(name, lambda: token, comments=comments))


@pytest.mark.parametrize(
    "name",
    ["owner/re.po#12", "https://github.com/owner/re.po/issues/12", "https://github.com/owner/re.po/issues/12#top"],
)
def test_an_issue_is_fetched_by_its_name_or_its_address(hub: Hub, name: str) -> None:
    hub.answers["/repos/owner/re.po/issues/12"] = (200, ISSUE)
    text = inbox().post(name).text
    assert text.splitlines()[:3] == [
        "# it breaks",
        "<!-- owner/re.po#12 created 2024-09-06T22:56:03Z -->",
        "_@somebody_",
    ]
    assert text.endswith("It breaks.")
    assert hub.requested == [("/repos/owner/re.po/issues/12", "")]


def test_the_token_goes_to_the_api_and_nowhere_else(hub: Hub) -> None:
    hub.answers["/repos/o/r/issues/1"] = (301, {"url": "/repositories/7/issues/1"})
    hub.answers["/repositories/7/issues/1"] = (200, ISSUE)
    inbox(token="made-up").post("o/r#1")
    assert {token for _, token in hub.requested} == {"Bearer made-up"}
    assert len(hub.requested) == 2


def test_comments_come_along_where_they_are_requested(hub: Hub) -> None:
    hub.answers["/repos/o/r/issues/1"] = (200, ISSUE)
    message = {"user": None, "created_at": "2024-09-07T00:00:00Z", "body": "me too"}
    hub.answers["/repos/o/r/issues/1/comments?per_page=100&page=1"] = (200, [message] * 100)
    hub.answers["/repos/o/r/issues/1/comments?per_page=100&page=2"] = (200, [{**message, "body": None}])
    text = inbox(comments=True).post("o/r#1").text
    assert text.count("_Comment by @ghost on 2024-09-07T00:00:00Z_") == 101
    assert text.count("me too") == 100


def test_no_comments_are_requested_where_there_are_none(hub: Hub) -> None:
    hub.answers["/repos/o/r/issues/1"] = (200, {**ISSUE, "comments": 0})
    assert "_Comment by" not in inbox(comments=True).post("o/r#1").text
    assert [path for path, _ in hub.requested] == ["/repos/o/r/issues/1"]


@pytest.mark.parametrize(
    ("answer", "error", "message"),
    [
        ((404, {}), UsageError, "issue `o/r#1` not found"),
        ((410, {}), UsageError, "issue `o/r#1` not found"),
        ((401, {}), CannotTell, "(401)"),
        ((403, {}), CannotTell, "(403)"),
        ((429, {}), CannotTell, "(429)"),
        ((500, {}), CannotTell, "failed to fetch `o/r#1`"),
        ((200, b"<html>"), CannotTell, "is not an issue"),
        ((200, []), CannotTell, "is not an issue"),
        ((200, {"title": "t"}), CannotTell, "is not an issue"),
    ],
)
def test_what_github_does_not_send(hub: Hub, answer: tuple[int, Any], error: type[Exception], message: str) -> None:
    hub.answers["/repos/o/r/issues/1"] = answer
    with pytest.raises(error) as caught:
        inbox().post("o/r#1")
    assert message in str(caught.value)


def test_a_github_that_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_API_URL", "http://127.0.0.1:1")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with pytest.raises(CannotTell, match="failed to fetch `o/r#1`"):
        inbox().post("o/r#1")


def test_standard_input_and_files_are_accepted_as_they_are(tmp_path: Path) -> None:
    assert inbox(stdin=b"\xef\xbb\xbf# t\n\xff").post("-") == FetchedPost("-", "# t\n\ufffd")
    (tmp_path / "1").write_bytes(b"# t\n")
    assert inbox().post(str(tmp_path / "1")).text == "# t\n"


def test_a_folder_stands_for_the_texts_in_it(tmp_path: Path) -> None:
    for name in ("b/issue.md", "a.txt", "c.MD", "run.sh", ".git/x.md"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("")
    found = list(inbox().names((str(tmp_path), "-", "o/r#1")))
    assert found == [str(tmp_path / "a.txt"), str(tmp_path / "b/issue.md"), str(tmp_path / "c.MD"), "-", "o/r#1"]
    (tmp_path / "none").mkdir()
    with pytest.raises(UsageError, match="no issue found in"):
        list(inbox().names((str(tmp_path / "none"),)))


@pytest.mark.parametrize("name", ["nothing.md", "o/r", "#1", "https://github.com/o/r", "https://example.org/issues/1"])
def test_what_names_no_issue(name: str) -> None:
    with pytest.raises(UsageError, match="is neither a file nor an issue"):
        inbox().post(name)


def test_a_text_that_is_no_issue_by_its_size() -> None:
    with pytest.raises(UsageError, match="larger than 32 MB"):
        inbox(stdin=b"x" * (LIMIT + 1)).post("-")


WORDS = "# uv lock fails\n\nErreur: le dépôt n’est pas là\n"


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(WORDS.encode(), id="UTF-8"),
        pytest.param(WORDS.encode("utf-8-sig"), id="UTF-8 with a mark"),
        pytest.param(WORDS.encode("utf-16"), id="UTF-16 with a mark"),
        pytest.param(b"\xfe\xff" + WORDS.encode("utf-16-be"), id="UTF-16, big end first"),
        pytest.param(b"\xff\xfe\x00\x00" + WORDS.encode("utf-32-le"), id="UTF-32"),
        pytest.param(WORDS.encode("cp1252"), id="Windows"),
    ],
)
def test_an_issue_is_read_in_any_encoding(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "issue.md").write_bytes(content)
    assert inbox().post(str(tmp_path / "issue.md")).text == WORDS
    assert inbox(stdin=content).post("-").text == WORDS


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "latin-1"])
def test_an_encoding_without_a_mark_is_observed(encoding: str) -> None:
    assert inbox(stdin="uv lock: dépôt\n".encode(encoding)).post("-").text == "uv lock: dépôt\n"


def test_utf_8_that_was_cut_stays_utf_8() -> None:
    assert inbox(stdin="dépôt – ça".encode()[:-1]).post("-").text == "dépôt – ça"[:-1]
    assert inbox(stdin="le dépôt é".encode()[:-1]).post("-").text == "le dépôt \ufffd"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "standard input is empty"),
        (b" \n\t\n", "standard input is empty"),
        ("\ufeff".encode("utf-16-le"), "standard input is empty"),
        (b"\x7fELF\x02\x01\x01" + bytes(64), "standard input is not text"),
        (bytes(range(256)) * 8, "standard input is not text"),
    ],
)
def test_what_is_no_text_is_refused(content: bytes, message: str) -> None:
    with pytest.raises(UsageError) as raised:
        inbox(stdin=content).post("-")
    assert raised.value.message == message
