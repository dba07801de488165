"""No text makes a regular expression slower than its length."""

import re
from collections.abc import Callable

import pytest

from tests.patterns import Use, hostile, uses
from tests.timing import TooLong, grows, seconds

LENGTHS = 2_000, 8_000, 32_000
SHORT = LENGTHS[0]
QUICK = 0.3e-6 * SHORT
"""Nothing that takes less for a short text is looked at any further."""
PARTS = 12
OWN = ("capture.", "project.", "flows.capturing.")
"""What reads the user's own project, of which no file is larger than 5 MB: nobody attacks himself."""
SHORT_TEXTS = ("core.shrink.commands.RUN", "core.shrink.requirements.REQUIREMENT", "core.shrink.requirements.LINE")
"""Those that are only matched at the start of an instruction, or with at most 1,000 characters."""


def too_slow(use: Use) -> str:
    """Say with which text a pattern is slow."""
    compiled = re.compile(use.pattern, use.flags)

    def work(text: str) -> Callable[[], object]:
        given = text if isinstance(use.pattern, str) else text.encode("latin-1", "replace")
        if use.method == "finditer":
            return lambda: sum(1 for _ in compiled.finditer(given))
        return lambda: getattr(compiled, use.method)(given)

    for each in hostile(use.pattern, use.flags):
        try:
            quick = not each.again and seconds(work(each.text(SHORT))) < QUICK
        except TooLong:
            quick = False
        if not quick and (said := grows(lambda length, each=each: work(each.text(length)), LENGTHS)):  # type: ignore[misc]
            return f"{use.where} is not linear on {each}: {said}\n{use.pattern!r}"
    return ""


@pytest.mark.parametrize("part", range(PARTS))
def test_every_pattern_takes_time_in_proportion_to_the_text(part: int) -> None:
    strangers = [use for use in uses() if not use.where.startswith((*OWN, *SHORT_TEXTS))]
    slow = [said for use in strangers[part::PARTS] if (said := too_slow(use))]
    assert not slow, "\n".join(slow)


def test_all_patterns_are_found() -> None:
    found = {use.where.partition(":")[0]: use for use in uses()}
    assert {
        "core.triage.evidence.LINK",
        "core.dockerfile.single_file.RELEASES",
        "inbox.github.ISSUE",
    } <= found.keys()
    # Those that are written where they are used.
    assert {"issue.files.names", "core.shell.uv_calls"} <= found.keys()
    assert len(uses()) > 400


@pytest.mark.parametrize(
    ("pattern", "method"),
    [
        pytest.param(r"(?m)^\s*(?:[│|]\s*)*(?:├─▶|caused by:)", "finditer", id="a line's beginning that spans lines"),
        pytest.param(r"[.:]+(?= |$)", "finditer", id="a run that is begun at each place", marks=pytest.mark.slow),
        pytest.param(
            r"docker compose\b.*\bbuild\b", "finditer", id="words far apart on a line", marks=pytest.mark.slow
        ),
        pytest.param(r"\{[^}]*token", "finditer", id="what is open again and again", marks=pytest.mark.slow),
        pytest.param(r"\s*[│|]?\s*hint", "match", id="two runs beside each other"),
        pytest.param(
            r"uv\s+(?:--?[\w-]+\s+)*sync",
            "match",
            id="a loop that can take the same in two ways",
            marks=pytest.mark.slow,
        ),
        pytest.param(r"(?:(?:\.{0,2}|[\w.-]+)/)*x", "match", id="branches that take the same", marks=pytest.mark.slow),
    ],
)
def test_a_slow_pattern_is_observed(pattern: str, method: str) -> None:
    assert too_slow(Use("here", pattern, re.compile(pattern).flags, method))
