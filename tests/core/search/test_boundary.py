"""What changed at a boundary, from what the releases on both sides printed."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from uvmre.core.mre.symptom import Symptom
from uvmre.core.outcome.matching import Word
from uvmre.core.outcome.observation import Observation, StepResult
from uvmre.core.outcome.result import pack, unpack
from uvmre.core.search.bisect import Boundaries
from uvmre.core.search.bisect_half import Edge
from uvmre.core.search.bisect_result import History, Probe
from uvmre.core.search.boundary import MOST_LINES, compare, describe, met
from uvmre.core.search.release import Release

FAILS = "error: Failed to lock\n  Caused by: the member `ext` stands twice\n"
SYMPTOM = Symptom(exit="failure", output=("Failed to lock", "the member `ext` stands twice"))


def observation(stderr: str, exit: int, uv: str) -> Observation:
    return Observation(
        "", uv, "3.12", "local", "linux", (StepResult("uv lock", "uv lock", "observe", exit, "", stderr, 0.1),)
    )


def history(before: str, after: str, word: Word = "absent", reason: str = "", symptom: Symptom = SYMPTOM) -> History:
    """Return the history of two releases: the first one shows the symptom."""
    releases = [Release(f"0.5.{number}", datetime(2025, 1, 1, tzinfo=UTC)) for number in range(2)]
    exits = (2, 0 if word == "absent" else 2)
    texts, words = (before, after), ("shows", word)
    probes = {
        i: Probe(
            words[i], reason if i else "", int(not i), 1, 0.1, False, pack(observation(texts[i], exits[i], f"0.5.{i}"))
        )
        for i in range(2)
    }
    edge = Edge("exact", 0, 1, (), 0, 1.0)
    return History(releases, 0, 0, 1, "", Boundaries("bad", None, edge, (), 2, True), probes, (), symptom)


def test_an_observation_is_the_same_after_it_was_stored() -> None:
    kept = observation(FAILS, 2, "0.5.0")
    assert unpack(pack(kept)) == kept
    assert unpack(b"") is None
    noise = "".join(chr(33 + (i * i * 7919 + i // 3) % 90) for i in range(3_000_000))
    assert pack(observation(noise, 2, "0.5.0")) == b"" or len(pack(observation(noise, 2, "0.5.0"))) < 200_000


def test_a_fix_is_shown_with_the_lines_that_only_one_side_prints() -> None:
    found = history(FAILS, "Resolved 3 packages in 2ms\n")
    compared = compare(found, found.boundaries.first_good, first_good=True)
    assert compared
    assert (compared.older, compared.newer, compared.kind) == ("0.5.0", "0.5.1", "behaviour")
    assert compared.exits == "`uv lock` exits with 2, then with 0"
    assert compared.difference == (
        "- error: Failed to lock",
        "- Caused by: the member `ext` stands twice",
        "+ Resolved 3 packages in 2ms",
    )


def test_another_wording_is_no_other_behaviour() -> None:
    found = history(
        FAILS,
        "error: Failed to lock\n  Caused by: `ext` is a member already\n",
        "different",
        "`uv lock` fails (2), but not as reported",
    )
    assert describe(found)[0] == ("", "uv 0.5.0 → 0.5.1: the error message changed")
    assert ("", "  uv 0.5.1 prints “Failed to lock”, but not “the member `ext` stands twice”") in describe(found)


def test_which_texts_of_the_symptom_a_release_prints() -> None:
    found = history(FAILS, "error: Failed to lock\n", "different")
    assert [met(found, found.probes[i]) for i in range(2)] == [list(SYMPTOM.output), ["Failed to lock"]]
    assert met(found, replace(found.probes[0], observed=b"")) is None
    one = history(FAILS, "", symptom=replace(SYMPTOM, output=SYMPTOM.output[:1]))
    assert not [line for _, line in describe(one) if "prints" in line]


@pytest.mark.parametrize(("lines", "shown"), [(MOST_LINES, MOST_LINES), (MOST_LINES + 3, MOST_LINES + 1)])
def test_a_long_difference_is_cut(lines: int, shown: int) -> None:
    found = history(FAILS, "".join(f"a line of {chr(97 + i) * 5}\n" for i in range(lines)))
    added = [line for sign, line in describe(found) if sign == "+"]
    assert len(added) == shown
    assert (added[-1] == "  + … 3 more lines") is (lines > MOST_LINES)


def test_what_both_print_with_another_version_is_no_difference() -> None:
    found = history(f"uv 0.5.0\n{FAILS}", f"uv 0.5.1\n{FAILS}", "different")
    compared = compare(found, found.boundaries.first_good, first_good=True)
    assert compared
    assert not compared.difference


def test_a_release_that_lacks_a_command_says_which_one_brought_it() -> None:
    found = history("", FAILS)
    probes = {
        0: replace(found.probes[0], word="different", reason="uv 0.5.0 does not support `lock`", bad=0),
        1: replace(found.probes[1], word="shows", bad=1),
    }
    edge = Edge("introduced", 1, 0, (), 0, 1.0)
    found = replace(
        found, reported=1, probes=probes, boundaries=replace(found.boundaries, first_bad=edge, first_good=None)
    )
    assert [line for _, line in describe(found)] == ["uv 0.5.0 → 0.5.1: `uv lock` came with uv 0.5.1"]
