"""A word of a Dockerfile as the builder expands it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from uvmre.core.dockerfile.expansion import expand

VARIABLES = {"A": "1", "EMPTY": "", "B_2": "x y"}


@pytest.mark.parametrize(
    ("word", "value"),
    [
        ("a", "a"),
        ("$A-$B_2", "1-x y"),
        ("${A}b", "1b"),
        ("$Ab$UNSET", ""),
        ("${A:-d}${EMPTY:-d}${UNSET:-d}", "1dd"),
        ("${A-d}${EMPTY-d}${UNSET-d}", "1d"),
        ("${A:+d}${EMPTY:+d}${UNSET:+d}", "d"),
        ("${A+d}${EMPTY+d}${UNSET+d}", "dd"),
        ("${UNSET:-${A}$A}", "11"),
        ("${UNSET:-'a b'}", "a b"),
        ("${A:?must}", "1"),
        ("\\$A", "$A"),
        ("'$A'", "$A"),
        ("\"$A '$A'\"", "1 '1'"),
        ('"a\\"b\\n"', 'a"b\\n'),
        ("a\\ b", "a b"),
        ("a\\", "a"),
        ("$", "$"),
        ("a$/b", "a$/b"),
    ],
)
def test_a_word_is_expanded(word: str, value: str) -> None:
    assert expand(word, VARIABLES) == value


def test_in_a_heredoc_quotes_are_characters_and_a_backslash_is_none() -> None:
    assert expand("'$A' \"${A}\" \\$A a\\nb", VARIABLES, quotes=False) == "'1' \"1\" $A anb"


@pytest.mark.parametrize(
    ("word", "why"),
    [
        ("'a", "a single quote is not closed"),
        ('"a', "a double quote is not closed"),
        ("${A", "a `${` is not closed"),
        ("${A:-b", "a `${` is not closed"),
        ("${}", "a `${` names no variable"),
        ("${A#x}", "`${A#…}` is not supported"),
        ("${UNSET:?say it}", "UNSET must be set: say it"),
        ("${UNSET?}", "UNSET must be set"),
    ],
)
def test_what_cannot_be_expanded_is_reported(word: str, why: str) -> None:
    with pytest.raises(ValueError) as raised:
        expand(word, VARIABLES)
    assert str(raised.value) == why


@given(st.text())
def test_a_text_in_single_quotes_is_itself(text: str) -> None:
    quoted = "\\'".join(f"'{part}'" for part in text.split("'"))
    assert expand(quoted, VARIABLES) == text
