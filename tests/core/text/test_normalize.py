"""One error in the layouts of many releases comes to the same text."""

import textwrap
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from uvmre.core.text.normalize import WILDCARD_LIMIT, find_pattern, normalize, readable

UV_0_5_21 = """\
Using CPython 3.11.7 interpreter at: /usr/bin/python3
Creating virtual environment at: .venv
  × Failed to build `foo-workspace-member @
  │ file:///tmp/tmpsi5fx4xm/w/packages/foo`
  ├─▶ Failed to resolve requirements from `build-system.requires`
  ├─▶ No solution found when resolving: `hatchling`
  ╰─▶ Because hatchling was not found in the package registry and you require
      hatchling, we can conclude that your requirements are unsatisfiable.

      hint: An index URL (https://pypi-proxy.fly.dev/basic-auth/simple) could
      not be queried due to a lack of valid authentication credentials (401
      Unauthorized).
"""
UV_0_13_9 = """\
Using CPython 3.11.7 interpreter at: /usr/bin/python3
Creating virtual environment at: .venv
   Building foo-workspace-member @ file:///tmp/tmptnh2k7xh/w/packages/foo
error: Failed to build `foo-workspace-member @ file:///tmp/tmptnh2k7xh/w/packages/foo`
  cause: Failed to resolve requirements from `build-system.requires`
  cause: No solution found when resolving: `hatchling`
  cause: Because hatchling was not found in the package registry and you require hatchling, we can conclude that \
your requirements are unsatisfiable.

hint: An index URL (https://pypi-proxy.fly.dev/basic-auth/simple) could not be queried due to a lack of valid \
authentication credentials (401 Unauthorized)
"""
PATTERNS = (
    "Failed to build `foo-workspace-member…@ …",
    "Failed to resolve requirements from `build-system.requires`",
    "No solution found when resolving: `hatchling`",
    "Because hatchling was not found in the package registry … (401 Unauthorized)",
)
BOTH = pytest.mark.parametrize(
    "output", [pytest.param(UV_0_5_21, id="uv 0.5.21 in boxes"), pytest.param(UV_0_13_9, id="uv 0.13.9 in lines")]
)


@BOTH
def test_the_reported_texts_are_found_in_their_order(output: str) -> None:
    text, ends = normalize(output), [0]
    for pattern in PATTERNS:
        end = find_pattern(pattern, text, ends[-1])
        assert end is not None, pattern
        ends.append(end)
    assert text[: ends[-1]].endswith("(401unauthorized)")


@BOTH
def test_they_are_not_found_in_another_order(output: str) -> None:
    text = normalize(output)
    end = find_pattern(PATTERNS[2], text)
    assert end is not None
    assert find_pattern(PATTERNS[1], text, end) is None


def test_the_template_gives_these_texts() -> None:
    template = (Path(__file__).parents[3] / "templates/workspace-index/mre.toml.jinja").read_text(encoding="utf-8")
    for pattern in PATTERNS:
        given_names = pattern.replace("foo-workspace-member", "{{ member }}")
        assert given_names.replace("hatchling", "{{ build_backend | replace('_', '-') }}") in template


def test_one_error_of_two_releases_comes_to_one_text() -> None:
    old = normalize(UV_0_5_21.replace("tmpsi5fx4xm", "x"))
    new = normalize(UV_0_13_9.replace("tmptnh2k7xh", "x"))
    chain = "failedtobuildfoo-workspace-member"
    assert old[old.index(chain) :] == new[new.index(chain) :]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("\x1b[1m\x1b[31merror\x1b[39m\x1b[0m: no", "error: no", id="colours go"),
        pytest.param("a\x1b]8;;https://x.y\x1b\\link\x1b]8;;\x1b\\b", "alinkb", id="the address of a link goes"),
        pytest.param("a\x1b]0;title\x07b", "ab", id="a window's title goes"),
        pytest.param("10 %\r50 %\r100 %\ndone", "100 %\ndone", id="of an overwritten line the last state stays"),
        pytest.param("one\r\ntwo\r\n", "one\ntwo\n", id="line breaks of Windows are line breaks"),
        pytest.param("50 %\r", "50 %", id="a line that ends in a return stays"),
        pytest.param("  × no\n", "  × no\n", id="boxes stay for a reader"),
        pytest.param("", "", id="nothing is nothing"),
    ],
)
def test_readable_is_what_a_terminal_leaves(text: str, expected: str) -> None:
    assert readable(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("error: No solution", "nosolution", id="the word error goes"),
        pytest.param("  Caused by: No Solution", "nosolution", id="caused by goes"),
        pytest.param("  ╰─▶ No solution", "nosolution", id="a box goes"),
        pytest.param("\x1b[31m  × \x1b[0mno", "no", id="a box in colour goes"),
        pytest.param("the terror: none", "theterrornone", id="a word that ends in a link word stays"),
        pytest.param("say `a` 'b' “c” ‘d’ \"e\"", "sayabcde", id="quotes of every kind go"),
        pytest.param("build-\nsystem", "build-system", id="a wrap within a word goes"),
        pytest.param("a │ b", "a│b", id="a bar inside a line stays"),
        pytest.param("STRASSE Straße", "strassestrasse", id="case goes"),
        pytest.param(
            "no: Temporary failure in name resolution", "nonameorservicenotknown", id="a resolver that cannot ask"
        ),
        pytest.param("no: nodename nor servname provided, or not known", "nonameorservicenotknown", id="that of macOS"),
        pytest.param(
            "No such host is known. (os error 11001)", "nameorservicenotknown(oserror11001)", id="that of Windows"
        ),
        pytest.param("No such host is known to me", "nosuchhostisknowntome", id="what no resolver says stays"),
        pytest.param("temporary failure", "temporaryfailure", id="another failure stays"),
    ],
)
def test_plain_is_what_is_reported(text: str, expected: str) -> None:
    assert normalize(text) == expected


@pytest.mark.parametrize(
    ("pattern", "text", "end"),
    [
        pytest.param("b c", "abcd", 3, id="white space in the pattern does not count"),
        pytest.param("A", "bab", 2, id="the first match counts"),
        pytest.param("a…d", "abcdd", 4, id="a wildcard takes as little as it can"),
        pytest.param("a...d", "abcd", 4, id="three dots are a wildcard"),
        pytest.param("a…d", "ad", 2, id="a wildcard may stand for nothing"),
        pytest.param("a.c", "abc", None, id="one dot is a dot"),
        pytest.param("(a)*", "x(a)*", 5, id="what a regular expression would mean is text"),
        pytest.param("error: `no`", "xno", 3, id="the pattern is brought to the plain form too"),
        pytest.param("z", "abc", None, id="what is not there is not found"),
        pytest.param(
            "a…b", "a" + "x" * WILDCARD_LIMIT + "b", WILDCARD_LIMIT + 2, id="a wildcard reaches as far as REACH"
        ),
        pytest.param(
            "a…b", "a" + "x" * (WILDCARD_LIMIT + 1) + "b", None, id="a wildcard reaches no further than REACH"
        ),
    ],
)
def test_find_tells_where_the_match_ends(pattern: str, text: str, end: int | None) -> None:
    assert find_pattern(pattern, text) == end


def test_find_begins_where_it_is_reported() -> None:
    assert find_pattern("a", "abca", 1) == 4
    assert find_pattern("b", "abca", 2) is None


# Python's textwrap takes `--` in a word for a dash and wraps before it, as no terminal of uv does; so no stop before it.
WORDS = st.lists(
    st.one_of(
        st.sampled_from(["error:", "hint:", "(401", "`hatchling`,", "build-system.requires", "foo-bar-baz"]),
        st.from_regex(r"[a-zA-Z0-9(][a-zA-Z0-9.,()/-]{0,20}", fullmatch=True).filter(lambda word: ".--" not in word),
    ),
    min_size=1,
    max_size=40,
)


@given(WORDS, st.integers(1, 120), st.sampled_from(["  │ ", "      ", "", "  ├─▶ "]))
def test_no_width_and_no_box_changes_what_is_reported(words: list[str], width: int, prefix: str) -> None:
    text = " ".join(words)
    wrapped = textwrap.wrap(text, width, break_long_words=False)
    assert normalize("\n".join(f"{prefix}{line}" for line in wrapped)) == normalize(text)


def test_many_wildcards_are_found_or_missed_in_no_time() -> None:
    assert find_pattern("a…a…a…b", "a" * 100_000) is None
    assert find_pattern("aa…aa…aa…b", "a" * 5_000 + "b") == 5_001
