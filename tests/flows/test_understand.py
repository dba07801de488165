"""Understanding an issue: the release that it is about."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from uvmre.core.search.release import Release
from uvmre.flows.options import RunOptions
from uvmre.flows.triage import TriageOptions, understand_with
from uvmre.flows.understand import understand
from uvmre.releases import catalogue
from uvmre.releases.catalogue import Catalogue

VERSIONS = ("0.0.5", "0.1.0", "0.4.0", "0.4.1", "0.4.2", "0.5.0")
BORN = datetime(2024, 9, 1, 12, tzinfo=UTC)
POST = """\
# uv sync fails
<!-- a/b#1 created {day}T10:00:00Z -->

```console
$ uv sync
error: the member `ext` stands twice in the table of members
```

{more}
"""


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    """Return a cache that knows some releases, one a day from the first of September on."""
    releases = tuple(Release(version, BORN + timedelta(days=n)) for n, version in enumerate(VERSIONS))
    catalogue.save(tmp_path, Catalogue(releases, {}, datetime.now(UTC), catalogue.platform()))
    return tmp_path


@pytest.mark.parametrize(
    ("day", "more", "uv", "stated"),
    [
        pytest.param("2024-09-05", "uv 0.4.0", "0.4.0", True, id="named"),
        pytest.param("2024-09-05", "", "0.4.1", False, id="not named: the newest before the day"),
        pytest.param("2024-09-01", "", "0.1.0", False, id="before all: the first"),
        pytest.param("2024-09-05", "uv 0.4.2", "0.4.2", True, id="of the same day"),
        pytest.param("2024-09-03", "uv 0.5.0", "0.1.0", False, id="not there yet, and so not believed"),
    ],
)
def test_the_release_of_the_report(cache: Path, day: str, more: str, uv: str, stated: bool) -> None:
    found = understand(POST.format(day=day, more=more), cache)
    assert (found.uv, found.uv_stated) == (uv, stated)
    assert found.mre is not None
    assert found.mre.environment.uv == uv


def test_the_cutoff_date_is_the_date_of_the_post_unless_today(cache: Path) -> None:
    text = POST.format(day="2024-09-05", more="")
    dated, undated = understand(text, cache).mre, understand(text, cache, today=True).mre
    assert dated is not None
    assert undated is not None
    assert (str(dated.environment.exclude_newer), undated.environment.exclude_newer) == (
        "2024-09-05 10:00:00+00:00",
        None,
    )


def test_the_nearest_interpreter_replaces_a_missing_one(cache: Path) -> None:
    found = understand(POST.format(day="2024-09-05", more="### Python version\n\nPython 3.99"), cache)
    assert found.mre is not None
    assert found.mre.environment.python != "3.99"
    assert found.mre.environment.python == "" or any("Python 3.99" in each for each in found.missing)


THREAD = (
    "# uv lock says that a member stands twice\n<!-- o/r#1 created 2024-09-05T10:00:00Z -->\n\n"
    "It says `error: the member ext stands twice in the table`.\n\n### Version\n\nuv 0.4.0\n"
    "\n---\n\n_Comment by @other on 2024-09-05T11:00:00Z_\n\n```console\n$ uv lock\n"
    "error: the member ext stands twice in the table\n```\n"
)


@pytest.mark.parametrize(
    ("issue", "comments", "are_read"),
    [
        ("o/r#1", None, True),
        ("https://github.com/o/r/issues/1", None, True),
        ("https://github.com/o/r/issues/1", False, False),
        ("issue.md", None, False),
        ("issue.md", True, True),
    ],
)
def test_comments_are_read_by_default_of_an_issue_on_github(
    cache: Path, issue: str, comments: bool | None, are_read: bool
) -> None:
    options = TriageOptions(run=RunOptions(cache=cache, network="replay"), comments=comments)
    found = understand_with(options, issue, THREAD)
    lines = [command.line for each in found.hypotheses for command in each.parsed.commands]
    assert any(line > THREAD[: THREAD.index("_Comment by")].count("\n") for line in lines) is are_read
