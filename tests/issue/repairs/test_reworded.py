"""The same error in other words: what two texts share, and when that is too little."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from uvmre.core.text.normalize import find_pattern, normalize
from uvmre.issue.repairs.reworded import common_text

POSTED = "Because the requested Python version (>=3.11.dev0) does not satisfy Python>=3.12, it is unsatisfiable"


@pytest.mark.parametrize(
    ("posted", "printed", "common"),
    [
        pytest.param(
            POSTED,
            POSTED.replace("(>=3.11.dev0)", "(==3.11.*)"),
            "Because the requested Python version … does not satisfy Python>=3.12, it is unsatisfiable",
            id="another value inside",
        ),
        pytest.param(
            "invalid type: string, expected a borrowed string at line 1 column 50181",
            "invalid type: string, expected a borrowed string at line 1 column 43589",
            "invalid type: string, expected a borrowed string at line 1 column …",
            id="another value at the end",
        ),
        pytest.param(
            "the member `a` stands twice in the table of members",
            "the member `b` stands twice in the table of members",
            "",
            id="another name in quotes",
        ),
        pytest.param("Failed to fetch the page", "Failed to parse the file", "", id="another error"),
        pytest.param(POSTED, f"So: {POSTED}", "", id="it starts otherwise"),
        pytest.param("error: a b c", "error: a b d", "", id="too little to identify it"),
    ],
)
def test_what_two_errors_share(posted: str, printed: str, common: str) -> None:
    assert common_text(posted, printed) == common


WORDS = st.lists(
    st.sampled_from(["requested", "version", "satisfy", "python", "`a`", "`b`", "3.12", "cannot"]), max_size=9
)


@given(WORDS, WORDS)
def test_the_common_text_is_in_both(one: list[str], other: list[str]) -> None:
    posted, printed = (" ".join(["Because", *words]) for words in (one, other))
    if common := common_text(posted, printed):
        assert find_pattern(common, normalize(posted)) is not None
        assert find_pattern(common, normalize(printed)) is not None
