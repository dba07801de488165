"""A search as sentences and JSON, also where it was cut at any point."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from uvmre.core.outcome.matching import Word
from uvmre.core.search.bisect import Answer, Search
from uvmre.core.search.bisect_data import to_data
from uvmre.core.search.bisect_result import History, Probe
from uvmre.core.search.release import Release

ANSWERS: dict[str, Answer] = {"x": "bad", ".": "good", "?": "skip"}
WORDS: dict[Answer, Word] = {"bad": "shows", "good": "absent", "skip": "different"}
SCHEMA = json.loads((Path(__file__).parents[3] / "docs" / "schemas" / "bisect.json").read_text())
EDGE = {"$defs": SCHEMA.get("$defs", {}), **SCHEMA["properties"]["first_bad"]}


def cut(letters: str, reported: int, most: int, jobs: int = 1, good: str = "") -> History:
    """Search, and end after so many answers."""
    answers = [ANSWERS[letter] for letter in letters]
    search, probes = Search(len(answers), reported), dict[int, Probe]()
    while len(probes) < most and (asked := search.next_indexes(jobs)):
        for index in asked[: most - len(probes)]:
            search.record(index, answers[index])
            bad, told = answers[index] == "bad", answers[index] != "skip"
            probes[index] = Probe(WORDS[answers[index]], "so it is", int(bad), int(told), 0.1, False)
    releases = [Release(f"0.4.{number}", datetime(2024, 8, 1, tzinfo=UTC)) for number in range(len(answers))]
    last = len(answers) - 1
    return History(releases, reported, 0, last, good, search.result(), probes, search.explain())


@pytest.mark.parametrize(
    ("letters", "reported", "most", "sentences"),
    [
        pytest.param("..xx..", 3, 0, ["uv 0.4.3 was not run."], id="before the first answer"),
        pytest.param(
            "..xx..",
            3,
            1,
            [
                "first bad: unknown, because the search is incomplete: it shows on uv 0.4.3 (2024-08-01)",
                "first good: unknown, because the search is incomplete: it shows on uv 0.4.3 (2024-08-01)",
            ],
            id="after the reported release",
        ),
        pytest.param(
            "..xx..",
            3,
            3,
            [
                "first bad: unknown, because the search is incomplete: it shows on uv 0.4.3 (2024-08-01) "
                "and is absent on uv 0.4.0 (2024-08-01)",
                "first good: unknown, because the search is incomplete: it shows on uv 0.4.3 (2024-08-01) "
                "and is absent on uv 0.4.5 (2024-08-01)",
            ],
            id="after the three ends",
        ),
        pytest.param(
            "????xx..",
            5,
            3,
            [
                "first bad: unknown, because the search is incomplete: it shows on uv 0.4.5 (2024-08-01)",
                "first good: unknown, because the search is incomplete: it shows on uv 0.4.5 (2024-08-01) "
                "and is absent on uv 0.4.7 (2024-08-01)",
            ],
            id="at an end that cannot tell",
        ),
        pytest.param(
            ".xxxxxxx",
            1,
            2,
            [
                "first bad: uv 0.4.1 (2024-08-01)",
                "first good: unknown, because the search is incomplete: it shows on uv 0.4.1 (2024-08-01)",
            ],
            id="one side is found",
        ),
    ],
)
def test_a_search_that_was_cut_says_what_it_knows(letters: str, reported: int, most: int, sentences: list[str]) -> None:
    assert cut(letters, reported, most).sentences() == sentences


@settings(deadline=None, max_examples=200)
@given(st.text("x.?", min_size=1, max_size=40), st.data(), st.integers(1, 6))
def test_wherever_a_search_is_cut_it_states_no_boundary_that_it_did_not_see(
    letters: str, data: st.DataObject, jobs: int
) -> None:
    reported = data.draw(st.integers(0, len(letters) - 1))
    found = cut(
        letters, reported, data.draw(st.integers(0, len(letters) + 1)), jobs, data.draw(st.sampled_from(["", "0.4.0"]))
    )
    assert all(found.sentences())
    assert len(found.explain()) == len(found.probes)
    assert all("0.4." in link for link in found.links())
    told = json.loads(json.dumps(to_data(found)))
    for name, edge in (("first_bad", found.boundaries.first_bad), ("first_good", found.boundaries.first_good)):
        jsonschema.validate(told[name], EDGE)
        if edge and edge.word in ("exact", "between"):
            assert edge.good is not None
            assert (letters[edge.bad], letters[edge.good]) == ("x", ".")
            assert {edge.bad, edge.good} <= found.probes.keys()
        if edge and edge.word == "open" and not found.unsound:
            assert any("the search is incomplete" in sentence for sentence in found.sentences())


@pytest.mark.parametrize(
    ("letters", "word", "reason", "first_bad"),
    [
        pytest.param("..xxx", "absent", "it succeeds", "0.4.2", id="beside one where it is absent"),
        pytest.param("xxxxx", "shows", "it shows", "0.4.0", id="on the oldest"),
        pytest.param("??xxx", "different", "it fails differently", "0.4.2", id="beside one that fails differently"),
        pytest.param(
            "??xxx", "broken", "uv 0.4.1 does not support `lock`", "0.4.2", id="beside one without the command"
        ),
        pytest.param("??xxx", "broken", "The MRE is not sound", "", id="beside one on which a control fails"),
        pytest.param(".?xxx", "broken", "no response from pypi.org", "", id="beside one that had no network"),
    ],
)
@pytest.mark.few(3)
def test_a_first_bad_release_is_stated_where_the_one_before_it_speaks(
    letters: str, word: Word, reason: str, first_bad: str
) -> None:
    found = cut(letters, 3, 99)
    probes = {
        index: replace(each, word=word, reason=reason) if index < 2 else each for index, each in found.probes.items()
    }
    assert replace(found, probes=probes).first_bad == first_bad
