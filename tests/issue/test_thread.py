"""Comments below a post: the examples that they bring, and what they say of the outcome."""

import pytest

from uvmre.issue.thread import read_thread

POST = """\
# uv lock says that a member stands twice
<!-- somebody/something#1 created 2024-10-10T10:00:00Z -->

It says `error: the member ext stands twice in the table`.

### Version

uv 0.4.9
{comments}"""
COMMENT = "\n---\n\n_Comment by @other on 2024-10-11T09:00:00Z_\n\n{}\n"
EXAMPLE = "Try this:\n\n```console\n$ uv init -q a && cd a\n$ uv lock\nerror: {}\n```"
SAME = "the member ext stands twice in the table"


def read(*comments: str) -> list[tuple[str, int, str]]:
    """Return the observed command, its line, and the release of each reading that has a command."""
    found = read_thread(POST.format(comments="".join(map(COMMENT.format, comments))))
    return [
        (each.commands[each.claim.command].run, each.commands[each.claim.command].line, each.uv.text if each.uv else "")
        for each in found
        if each.commands and each.claim.kind != "none"
    ]


@pytest.mark.parametrize(
    ("comments", "is_read"),
    [
        pytest.param((EXAMPLE.format(SAME),), True, id="the same error with commands"),
        pytest.param((EXAMPLE.format("something else is wrong with this file"),), False, id="another error"),
        pytest.param((f"I see `{SAME}` as well.",), False, id="no command of its own"),
    ],
)
def test_a_comment_with_the_error_of_the_post_is_a_reading(comments: tuple[str, ...], is_read: bool) -> None:
    found = [line for run, line, uv in read(*comments) if line > 10]
    assert bool(found) == is_read


def test_a_comment_has_its_own_lines_and_the_release_of_the_post() -> None:
    text = POST.format(comments=COMMENT.format(EXAMPLE.format(SAME)))
    ((run, line, uv),) = [each for each in read(EXAMPLE.format(SAME)) if each[1] > 10][:1]
    assert (run, uv) == ("uv lock", "0.4.9")
    assert text.split("\n")[line - 1] == "$ uv lock"


@pytest.mark.parametrize(
    ("comment", "remark"),
    [
        ("Thanks! Fixed in 0.5.3, please upgrade.", "Fixed in 0.5.3, please upgrade."),
        ("I cannot reproduce this on Linux.", "I cannot reproduce this on Linux."),
        ("I use 0.5.3 and reproduce it.", ""),
    ],
)
def test_what_a_comment_says_of_the_outcome_is_a_remark(comment: str, remark: str) -> None:
    (first, *_) = read_thread(POST.format(comments=COMMENT.format(comment)))
    assert [each.text for each in first.remarks] == ([remark] if remark else [])
