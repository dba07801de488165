"""A file as lines of a text: whatever it has comes back."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from uvmre.core.text.file_lines import delimiter, embed, extract
from uvmre.core.text.visible import visible


@pytest.mark.parametrize(
    ("content", "kind", "lines"),
    [
        (b"", "text", []),
        (b"\n", "text", [""]),
        (b"a", "cut", ["a"]),
        (b"a\n\n", "text", ["a", ""]),
        (b"\na", "cut", ["", "a"]),
        (b"a\r\n", "base64", ["YQ0K"]),
        (b"\xff", "base64", ["/w=="]),
        ("\u202e".encode(), "base64", ["4oCu"]),
        (b"\0" * 60, "base64", ["A" * 76, "AAAA"]),
    ],
)
def test_a_file_is_lines(content: bytes, kind: str, lines: list[str]) -> None:
    assert embed(content) == (kind, lines)
    assert extract(kind, lines) == content


@given(
    st.one_of(st.binary(), st.text().map(lambda text: text.encode(errors="replace"))),
    st.sampled_from(["utf-8", "ascii"]),
)
def test_any_file_comes_back(content: bytes, encoding: str) -> None:
    kind, lines = embed(content, encoding=encoding, forbidden="'@")
    assert extract(kind, lines) == content
    text = "\n".join(lines)
    assert visible(text) == text
    assert encoding == "utf-8" or text.isascii()
    assert not any(line.lstrip().startswith("'@") for line in lines)


def test_what_is_not_base64_is_an_error() -> None:
    with pytest.raises(ValueError):
        extract("base64", ["YQ0K", "*"])


def test_a_delimiter_is_none_of_the_lines() -> None:
    assert delimiter(["a"]) == "EOF"
    assert delimiter(["EOF", "EOFFF", "EOFF"]) == "EOFFFF"
