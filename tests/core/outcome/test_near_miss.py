"""The line that comes closest to a text of the symptom, in what real releases of uv printed."""

import random
import re
from collections.abc import Callable
from itertools import chain, pairwise

import pytest

from tests.core.outcome.test_layouts import ALL, SITUATIONS
from tests.timing import grows
from uvmre.core.mre.model import Role
from uvmre.core.mre.symptom import FileSymptom, Symptom
from uvmre.core.outcome.near_miss import closest, near_misses
from uvmre.core.outcome.observation import FileState, Observation, StepResult
from uvmre.core.text.normalize import BOXES, normalize, readable

WORDS = re.compile(r"[a-z]{5,}(?!:)")
"""Words that do not label a link."""
PAIRS = [
    (name, one, other)
    for name, found in ALL.items()
    for texts in found.values()
    for one in texts
    for other in texts
    if one is not other or len(texts) == 1
]
OTHERS = [
    (name, one, other)
    for name, found in ALL.items()
    for old, new in pairwise(chain.from_iterable(texts[:1] for texts in found.values()))
    for one, other in ((old, new), (new, old))
]


def amid(name: str, text: str) -> str:
    """Return a text amid what uv printed in other situations."""
    chance = random.Random(text)
    apart = sorted(ALL.keys() - {name, *SITUATIONS[name].get("also", ())})
    before, after, last = (next(iter(ALL[other].values()))[0] for other in chance.sample(apart, 3))
    return "\n".join([before, "Resolved 2 packages in 12ms", text, after, last])


def with_wrong_word(text: str) -> str:
    """Return a text with one wrong word in it."""
    shown = readable(text)
    word = random.Random(text).choice(list(WORDS.finditer(shown)))
    return f"{shown[: word.start()]}zebra{shown[word.end() :]}"


def test_there_are_as_many_pairs_as_releases_have_layouts() -> None:
    assert len(PAIRS) >= 184
    assert len(OTHERS) >= 100


@pytest.mark.parametrize("name", sorted(ALL))
@pytest.mark.few(20)
def test_one_wrong_word_leads_to_the_line_in_every_layout(name: str) -> None:
    for situation, one, other in PAIRS:
        if situation == name:
            similarity, line = closest(with_wrong_word(one), amid(name, other))
            assert normalize(line) in normalize(other), (one, other)
            assert similarity >= 0.55, (one, line)


@pytest.mark.parametrize("name", sorted(ALL))
@pytest.mark.few(20)
def test_another_wording_leads_to_the_error(name: str) -> None:
    for situation, one, other in OTHERS:
        if situation == name:
            line = normalize(closest(one, f"Using CPython 3.12.1\n{other}\n + six==1.16.0")[1])
            parts = [part for part in map(normalize, readable(other).split("\n")) if len(part) > 8]
            assert any(part in line or line in part for part in parts), (one, other, line)
            assert line, one


STEPS = (
    ("lock", "setup", "", "hint: run `uv lock`"),
    ("sync", "observe", "out of the way", "error: Failed to build `a`"),
)


def observed(files: tuple[FileState, ...] = ()) -> Observation:
    roles: dict[str, Role] = {"setup": "setup", "observe": "observe"}
    steps = tuple(StepResult(name, name, roles[role], 1, out, err, 0.1) for name, role, out, err in STEPS)
    return Observation("as reported", "0.5.21", "3.11.7", "local", "Linux", steps, files=files)


@pytest.mark.parametrize(
    ("symptom", "expected"),
    [
        (Symptom(output=("failed to build a",)), ("output", True, 1.0, "", "sync", "stderr")),
        (
            Symptom(output=("Failed to make a",)),
            ("output", False, 0.62, "error: Failed to build `a`", "sync", "stderr"),
        ),
        (Symptom(output=("off the way",)), ("output", False, 0.89, "out of the way", "sync", "stdout")),
        (Symptom(output=("run `uv lock`",)), ("output", False, 1.0, "", "lock", "stderr")),
        (Symptom(output=("zebra",)), ("output", False, 0.0, "", "", "")),
        (Symptom(output=("failed …",), step="other"), ("output", False, 1.0, "", "sync", "stderr")),
        (Symptom(raw=("error: Failed",)), ("raw", True, 1.0, "", "sync", "stderr")),
        (Symptom(raw=("error: failed",)), ("raw", False, 1.0, "error: Failed to build `a`", "sync", "stderr")),
        (Symptom(files=(FileSymptom("uv.lock", "version = 1"),)), ("file", True, 1.0, "", "", "uv.lock")),
        (Symptom(files=(FileSymptom("uv.lock", "version = 2"),)), ("file", False, 0.89, "version = 1", "", "uv.lock")),
        (Symptom(files=(FileSymptom("gone", "version = 2"),)), ("file", False, 0.0, "", "", "")),
    ],
)
def test_a_text_is_met_or_has_a_closest_line(symptom: Symptom, expected: tuple[object, ...]) -> None:
    (found,) = near_misses(
        symptom, observed((FileState("uv.lock", True, "a\nversion = 1\n"), FileState("gone", exists=False)))
    )
    keys = ("kind", "met", "similarity", "line", "step", "stream")
    assert tuple(found[key] for key in keys) == expected


def test_alternatives_are_missed_only_if_all_of_them_are() -> None:
    one = near_misses(Symptom(any=("zebra", "failed to build")), observed())
    assert [(each["text"], each["met"]) for each in one] == [("failed to build", True)]
    assert [each["met"] for each in near_misses(Symptom(any=("zebra", "giraffe")), observed())] == [False, False]
    assert list(near_misses(Symptom(files=(FileSymptom("a", exists=True),)), observed())) == []


@pytest.mark.parametrize(
    ("text", "output", "line"),
    [
        ("no wheel … six==1", "a\n  × there is no whole of the package six==1\nb", "there is no whole of the package six==1"),
        ("the requirements are unsatisfiable", "you\n  │ require it, so\n  │ your requirements\n  │ are unsatisfiable", "your requirements are unsatisfiable"),
        ("zebra", "nothing of this kind", ""),
        ("zebra", "", ""),
        ("…", "a", ""),
    ],
)  # fmt: skip
def test_boxes_and_wrapping_are_not_in_the_line(text: str, output: str, line: str) -> None:
    assert closest(text, output)[1] == line
    assert not BOXES.match(line)


PUMPS = (
    "DEBUG Searching for package six in the registry\n",
    "a b ",
    "a",
    "a\n",
    "six\n",
    "\n",
    "│ six ",
    "…",
    "\x1b[1m six",
)


@pytest.mark.parametrize("pump", PUMPS)
@pytest.mark.parametrize("text", ["Because six was not found in the registry", "a " * 200, "a" * 400])
@pytest.mark.few(6)
def test_it_takes_time_in_proportion_to_the_output(pump: str, text: str) -> None:
    def work(length: int) -> Callable[[], object]:
        output = pump * (length // len(pump))
        return lambda: closest(text, output)

    assert not grows(work, (60_000, 240_000, 960_000))
