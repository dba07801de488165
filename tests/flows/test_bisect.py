"""Which releases are searched, from what was named: by the real catalogue's rules, without any network."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.releases.caches import stock
from uvmre.core.mre.model import BASE
from uvmre.core.search.release import Release
from uvmre.errors import UsageError
from uvmre.flows.bisect import BisectRequest, bisect, release_row
from uvmre.flows.options import RunOptions
from uvmre.flows.probe.target import ProbeTarget, of_script
from uvmre.releases import catalogue
from uvmre.releases.catalogue import Catalogue

VERSIONS = ("0.0.5", "0.1.0", "0.1.1", "0.2.0", "0.3.0", "0.4.0")


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    """Return a cache that knows some releases; 0.2.0 was yanked."""
    releases = tuple(Release(version, datetime(2024, 1, 1, tzinfo=UTC), version == "0.2.0") for version in VERSIONS)
    catalogue.save(tmp_path, Catalogue(releases, {}, datetime.now(UTC), catalogue.platform()))
    return tmp_path


@pytest.fixture
def question(tmp_path: Path) -> ProbeTarget:
    return of_script(["sh", "-c", "exit 1"], tmp_path)


def searched(question: ProbeTarget, cache: Path, **wanted: str) -> tuple[list[str], str, str, str]:
    row = release_row(question, BisectRequest(**wanted), RunOptions(cache=cache))
    versions = [release.version for release in row.releases]
    return versions, versions[row.lowest], versions[row.reported], versions[row.highest]


ALL = ["0.1.0", "0.1.1", "0.3.0", "0.4.0"]


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        pytest.param({"reported": "0.3.0"}, (ALL, "0.1.0", "0.3.0", "0.4.0"), id="all from the announced one on"),
        pytest.param({"reported": "latest"}, (ALL, "0.1.0", "0.4.0", "0.4.0"), id="by a selector"),
        pytest.param({"reported": "0.3.0", "good": "0.1.1"}, (ALL, "0.1.1", "0.3.0", "0.4.0"), id="from a good one"),
        pytest.param(
            {"reported": "0.3.0", "among": "0.1.1..0.3.0"}, (ALL, "0.1.1", "0.3.0", "0.3.0"), id="within a range"
        ),
        pytest.param(
            {"reported": "0.3.0", "among": "0.1.0,0.3.0,0.4.0"},
            (["0.1.0", "0.3.0", "0.4.0"], "0.1.0", "0.3.0", "0.4.0"),
            id="within a range with gaps",
        ),
        pytest.param(
            {"reported": "0.2.0"},
            (["0.1.0", "0.1.1", "0.2.0", "0.3.0", "0.4.0"], "0.1.0", "0.2.0", "0.4.0"),
            id="a yanked one that was reported",
        ),
        pytest.param(
            {"reported": "0.1.1", "among": "0.0.5..0.1.1"},
            (["0.0.5", *ALL], "0.0.5", "0.1.1", "0.1.1"),
            id="one before the announced one where it is named",
        ),
    ],
)
def test_the_releases_that_are_searched(
    question: ProbeTarget, cache: Path, wanted: dict[str, str], found: tuple[list[str], str, str, str]
) -> None:
    assert searched(question, cache, **wanted) == found


@pytest.mark.parametrize(
    ("wanted", "why"),
    [
        pytest.param({}, "needs a release on which the bug shows", id="nothing is said"),
        pytest.param({"reported": "0.3.0", "good": "0.4.0"}, "0.4.0` is not older than uv 0.3.0", id="good is newer"),
        pytest.param(
            {"reported": "0.3.0", "good": "0.3.0"}, "0.3.0` is not older than uv 0.3.0", id="good is the same"
        ),
        pytest.param({"reported": "0.3.0", "among": "0.4.0"}, "is not in the range 0.4.0", id="outside of the range"),
        pytest.param({"reported": "0.3.0", "among": "0.4.0..0.3.0"}, "range 0.4.0..0.3.0 is empty", id="empty range"),
        pytest.param({"reported": "0.3.0", "good": "x"}, "is not a valid release selector", id="good is no release"),
    ],
)
def test_what_makes_no_search_is_reported(
    question: ProbeTarget, cache: Path, monkeypatch: pytest.MonkeyPatch, wanted: dict[str, str], why: str
) -> None:
    # Before anybody is told that there is no such release, PyPI is asked; here it has nothing new.
    monkeypatch.setattr(catalogue, "fetch_catalogue", lambda cache, known: known)
    with pytest.raises(UsageError, match=why):
        release_row(question, BisectRequest(**wanted), RunOptions(cache=cache))


def test_a_script_is_known_by_its_content_and_its_arguments(tmp_path: Path) -> None:
    def digest(*words: str) -> str:
        return of_script([str(script), *words], tmp_path).digests[BASE]

    script, given = tmp_path / "a.sh", tmp_path / "given"
    script.write_text("#!/bin/sh\nexit 1\n")
    given.write_text("1")
    first = digest(str(given))
    assert digest(str(given)) == first
    assert digest(str(given), "more") != first
    given.write_text("2")
    second = digest(str(given))
    assert second != first
    script.write_text("#!/bin/sh\nexit 0\n")
    assert digest(str(given)) not in (first, second)


@pytest.mark.parametrize(
    ("content", "why"),
    [
        pytest.param(None, "does not exist", id="not there"),
        pytest.param("exit 1\n", "is not executable", id="neither executable nor with a first line that says how"),
    ],
)
def test_what_is_no_script_is_reported(tmp_path: Path, content: str | None, why: str) -> None:
    if content is not None:
        (tmp_path / "a").write_text(content)
    with pytest.raises(UsageError, match=why):
        of_script([str(tmp_path / "a")], tmp_path)


def test_a_script_that_is_not_executable_is_run_by_what_its_first_line_names(tmp_path: Path) -> None:
    script = tmp_path / "a"
    script.write_text("#!/usr/bin/env bash\nexit 1\n")
    assert of_script([str(script)], tmp_path).script == ("/usr/bin/env", "bash", str(script))


def test_releases_soon_after_the_reported_one_come_first_where_most_fixes_are(
    tmp_path: Path,
) -> None:
    stock(tmp_path / "uvmre")
    log, script = tmp_path / "log", tmp_path / "script.sh"
    script.write_text(f'#!/bin/sh\necho "$UVMRE_UV" >> {log}\n[ "${{UVMRE_UV##*.}}" -lt 7 ]\n')
    script.chmod(0o755)
    target = of_script([str(script)], tmp_path / "script")
    report = bisect(target, BisectRequest(reported="0.4.4"), RunOptions(cache=tmp_path / "uvmre", jobs=1))
    edge = report.history.boundaries.first_good
    assert edge is not None
    assert edge.good is not None
    assert report.history.releases[edge.good].version == "0.4.7"
    assert log.read_text().split()[:4] == ["0.4.4", "0.4.5", "0.4.6", "0.4.7"]
