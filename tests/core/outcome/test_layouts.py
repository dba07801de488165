"""What real releases of uv said of one situation: the layout does not count, the wording does.

The texts in `layouts/` were printed by the releases named, piped or in a terminal; their folder is called `/tmp/DIR`.
`wording` numbers the wordings of one situation, and was set by a person who read them.
"""

import textwrap
import tomllib
from itertools import chain, pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from uvmre.core.text.normalize import WILDCARD_LIMIT, find_pattern, normalize

FILES = [tomllib.loads(path.read_text(encoding="utf-8")) for path in (Path(__file__).parent / "layouts").glob("*.toml")]
SITUATIONS: dict[str, dict[str, Any]] = {
    situation["name"]: situation for content in FILES for situation in content.get("situation", ())
}
PATTERNS: list[dict[str, Any]] = [pattern for content in FILES for pattern in content.get("pattern", ())]
COUNTERS = [
    (counter["situation"], text)
    for content in FILES
    for counter in content.get("counter", ())
    for text in counter["texts"]
]
SITUATION = pytest.mark.parametrize("name", sorted(SITUATIONS))


def wordings(name: str) -> dict[int, list[str]]:
    """Return the texts of each wording, in the order of the releases."""
    found: dict[int, list[str]] = {}
    for said in SITUATIONS[name]["said"]:
        found.setdefault(said["wording"], []).append(said["text"])
    return found


ALL = {name: wordings(name) for name in SITUATIONS}


def test_the_table_is_large_enough_to_tell() -> None:
    said = [said for situation in SITUATIONS.values() for said in situation["said"]]
    assert len(set(chain.from_iterable(one["uv"] for one in said))) >= 12
    assert len(SITUATIONS) >= 15
    assert {one["how"] for one in said} == {"piped", "colour", "44 columns", "160 columns"}
    pairs = sum(len(texts) - 1 for found in ALL.values() for texts in found.values())
    assert len(COUNTERS) + sum(len(found) - 1 for found in ALL.values()) >= pairs


@SITUATION
def test_every_layout_of_one_wording_comes_to_one_text(name: str) -> None:
    for number, texts in ALL[name].items():
        assert len(set(map(normalize, texts))) == 1, f"wording {number}"


@SITUATION
def test_another_wording_is_another_text(name: str) -> None:
    said = [normalize(texts[0]) for texts in ALL[name].values()]
    assert len(set(said)) == len(said)
    for old, new in pairwise(texts[-1] for texts in ALL[name].values()):
        assert find_pattern(old, normalize(new)) is None or find_pattern(new, normalize(old)) is None


@SITUATION
def test_what_one_layout_reported_is_found_in_every_other(name: str) -> None:
    for texts in ALL[name].values():
        for said in texts:
            for other in texts:
                assert find_pattern(said, normalize(f"Resolved 2 packages in 12ms\n{other}")) is not None


@SITUATION
def test_what_was_reported_of_one_situation_is_not_found_in_another(name: str) -> None:
    others = {
        normalize(texts[-1]): other
        for other, found in ALL.items()
        if other != name and other not in SITUATIONS[name].get("also", ())
        for texts in found.values()
    }
    for texts in ALL[name].values():
        assert [other for text, other in others.items() if find_pattern(texts[0], text) is not None] == []


@pytest.mark.parametrize("pattern", [pytest.param(pattern, id=pattern["text"][:50]) for pattern in PATTERNS])
def test_a_pattern_of_one_release_is_found_where_others_reported_the_same(pattern: dict[str, Any]) -> None:
    for number, texts in ALL[pattern["situation"]].items():
        for said in texts:
            assert (find_pattern(pattern["text"], normalize(said)) is not None) == (number in pattern["wordings"]), said


@pytest.mark.parametrize(("name", "text"), COUNTERS)
def test_a_text_that_is_only_similar_is_not_found(name: str, text: str) -> None:
    for said in chain.from_iterable(ALL[name].values()):
        assert find_pattern(text, normalize(said)) is None, said


WORDS = st.lists(
    st.one_of(
        st.sampled_from(
            ["`foo-bar`", "flask==3.0.0", "(401", "dependencies:", "cannot", "'x'", "and", "2", "7", "e.g.,"]
        ),
        st.from_regex(r"[a-zA-Z][a-zA-Z0-9]{0,12}[.:,]?", fullmatch=True),
    ),
    min_size=1,
    max_size=40,
)
ANYTHING = st.text(
    st.sampled_from("abx019 .:…-_+^~`'\"│├─▶╰×|>\\/\n\r\t\x1b[m") | st.characters(codec="utf-8"), max_size=80
)
BOXED = st.sampled_from(
    [("  × ", "  │ "), ("  ╰─▶ ", "      "), ("  x ", "  | "), ("  |-> ", "  |   "), ("  `-> ", "      ")]
)
LINED = st.sampled_from([("error: ", "       "), ("  cause: ", "         "), ("  Caused by: ", ""), ("hint: ", "")])


@given(ANYTHING | st.sampled_from([text for found in ALL.values() for texts in found.values() for text in texts]))
@example("error: × no")
def test_what_is_plain_stays_as_it_is(text: str) -> None:
    assert normalize(normalize(text)) == normalize(text)


@given(WORDS, st.integers(20, 200), BOXED | LINED, st.booleans())
def test_no_width_box_or_colour_changes_what_is_reported(
    words: list[str], width: int, prefixes: tuple[str, str], coloured: bool
) -> None:
    text = " ".join(words)
    first, rest = (f"\x1b[31m{prefix}\x1b[0m" if coloured else prefix for prefix in prefixes)
    wrapped = textwrap.wrap(text, width, break_long_words=False)
    assert normalize(first + f"\n{rest}".join(wrapped)) == normalize(text)


@given(WORDS, st.sampled_from(["`{}`", "'{}'", '"{}"', "“{}”", "\x1b[32m{}\x1b[39m", "{}"]), st.booleans())
def test_no_quote_colour_or_case_changes_what_is_reported(words: list[str], quote: str, upper: bool) -> None:
    text = " ".join(quote.format(word.upper() if upper else word) for word in words)
    assert normalize(text) == normalize(" ".join(words))


@given(st.integers(0, 2 * WILDCARD_LIMIT), st.sampled_from(["…", "...", " … "]))
def test_a_wildcard_holds_the_order_and_the_limit(far: int, wildcard: str) -> None:
    pattern, between = f"No solution{wildcard}401 Unauthorized", "x" * far
    assert (find_pattern(pattern, normalize(f"No solution {between} (401 Unauthorized)")) is not None) == (
        far + 1 <= WILDCARD_LIMIT
    )
    assert find_pattern(pattern, normalize(f"(401 Unauthorized) {between} No solution")) is None


@pytest.mark.parametrize(
    ("pattern", "text", "found"),
    [
        pytest.param("flask==1", "flask==1.5", False, id="a version is not the beginning of another"),
        pytest.param("flask==1…", "flask==1.5", True, id="with a wildcard it is"),
        pytest.param("flask==1 … here", "flask==1.5 is here", False, id="a wildcard after white space is not the rest"),
        pytest.param("flask==1", "flask==1rc2", False, id="a release is not its candidate"),
        pytest.param("flask==1", "flask==1.post1", False, id="nor its repair"),
        pytest.param("flask==1", "flask==1.*", False, id="nor all of its kind"),
        pytest.param("4.2 is out", "flask 1.4.2 is out", False, id="nor is it the end of a longer one"),
        pytest.param("code 1\n  ╰─▶ 2 left", "code 1\n  cause: 2 left", True, id="numbers stay apart across links"),
        pytest.param("torch==2.0", "torch==2.0+cu118", False, id="nor its local build"),
        pytest.param("exit code 1", "exit code 101", False, id="a code is not the beginning of another"),
        pytest.param("exit code 1", "exit code 1\n2 warnings", True, id="two numbers do not grow together"),
        pytest.param("01 Unauthorized", "401 Unauthorized", False, id="nor is it the end of another"),
        pytest.param("build `foo`", "build `foo-bar`", False, id="a name is not the beginning of another"),
        pytest.param("bar @ x", "foo-bar @ x", False, id="nor the end of another"),
        pytest.param(
            "Installed 1 package", "Installed 1 package\n - foo==1\n", True, id="a list's item is another word"
        ),
        pytest.param(" + flask==1", " + flask==1\n + click==2\n", True, id="so is an addition"),
        pytest.param("timed out in 3s", "timed out in 30s", False, id="a limit is no timing"),
        pytest.param("in 3 packages in 12ms", "in 3 packages in 1m 02s", True, id="a timing does not count"),
        pytest.param("Checked in 0.01ms", "Checked in 3.1µs", True, id="however short"),
        pytest.param(
            "/tmp/tmpsi5fx4xm/w/a", "/tmp/uvmre_4711_k2h_7xh0/w/a", True, id="a folder made up anew does not count"
        ),
        pytest.param("/tmp/tmpsi5fx4xm/w/a", "/tmp/tmpsi5fx4xm/w/b", False, id="what is in it does"),
        pytest.param("/x/.tmpAb1234/lib", "/x/.tmpZZ99zz/lib", True, id="nor does one that uv made"),
        pytest.param("in packages\\foo\\a", "in packages/foo/a", True, id="Windows' separators are separators"),
        pytest.param("packages/foo/", "packages/foo-bar/", False, id="another folder is another"),
        pytest.param("error: no\n  |   ^^^^^", "error: no\n  |   ^", True, id="how much is underlined does not count"),
        pytest.param("foo^1", "foo1", False, id="a caret that is said does"),
    ],
)
def test_what_counts_whole_and_what_does_not_count(pattern: str, text: str, found: bool) -> None:
    assert (find_pattern(pattern, normalize(text)) is not None) == found
