"""What makes a candidate interesting, on a release that is a shell script. Needs no network."""

import threading
import tomllib
from pathlib import Path

import pytest

from tests.releases.caches import VERSIONS, stock
from uvmre.errors import CannotTell, UsageError
from uvmre.flows.options import RunOptions
from uvmre.flows.shrink import is_minimal, shrink

UV = """\
#!/bin/sh
case "$1" in --version) echo "uv 0.4.{number}"; exit 0 ;; esac
if grep -qs one first.txt; then cause='the member stands twice'; else cause='something else'; fi
if grep -qs fixed third.txt && [ {number} -ge 12 ]; then exit 0; fi
if grep -qs calm second.txt; then exit 0; fi
if [ -e flaky.txt ] && [ $(($(date +%N | sed 's/^0*//') % 2)) = 0 ]; then exit 0; fi
echo 'error: the member stands twice, or not' >&2
echo "  Caused by: $cause" >&2
exit 2
"""
MANIFEST = """\
title = "A member stands twice"
[environment]
uv = "0.4.9"
[[step]]
run = "uv sync --frozen"
[symptom]
exit = "failure"
output = ["the member stands twice"]
[[control]]
name = "calm"
files = { "second.txt" = "calm" }
"""


@pytest.fixture
def options(tmp_path: Path) -> RunOptions:
    cache = stock(tmp_path / "home")
    for version in VERSIONS:
        (cache / "uv" / version / "uv").write_text(UV.replace("{number}", version.rpartition(".")[2]))
    return RunOptions(cache=cache, jobs=2)


def write(folder: Path, manifest: str = MANIFEST, **files: str) -> Path:
    folder.mkdir()
    (folder / "mre.toml").write_text(manifest)
    for name, text in files.items():
        (folder / f"{name}.txt").write_text(text)
    return folder


def files(folder: Path) -> set[str]:
    found = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    return {path for path in found if not path.startswith(".uvmre") and path not in ("run.sh", "Dockerfile")}


def test_the_innermost_error_stays(tmp_path: Path, options: RunOptions) -> None:
    folder = write(tmp_path / "mre", first="one\ntwo\n", other="x")
    found = shrink(folder, options)
    # Without the file the same text shows, but as the outer error.
    assert files(found.folder) == {"mre.toml", "first.txt"}
    assert (found.folder / "first.txt").read_text() == "one\n"
    data = tomllib.loads((found.folder / "mre.toml").read_text())
    assert [step["run"] for step in data["step"]] == ["uv sync"]
    assert data["control"] == [{"name": "calm", "files": {"second.txt": "calm"}}]
    assert files(folder) == {"mre.toml", "first.txt", "other.txt"}
    assert (found.after.files, found.finished) == (2, True)


def test_the_boundaries_stay(tmp_path: Path, options: RunOptions) -> None:
    # Without the third file, the symptom shows on the reported release too, but no release fixes it.
    found = shrink(write(tmp_path / "mre", first="one", third="fixed\n", other="x"), options)
    assert files(found.folder) == {"mre.toml", "first.txt", "third.txt"}


def test_what_can_still_go_is_named(tmp_path: Path, options: RunOptions) -> None:
    folder = write(tmp_path / "mre", first="one\n", other="x")
    assert is_minimal(folder, options) == (["other.txt", "other.txt: line 1", "mre.toml: --frozen"], True)
    small = shrink(folder, options).folder
    assert is_minimal(small, options) == ([], True)
    assert is_minimal(folder, options, seconds=-1) == ([], False)


@pytest.mark.parametrize(
    ("manifest", "others", "error", "message"),
    [
        (MANIFEST.replace("stands twice", "was lost"), {}, UsageError, "the symptom does not show"),
        (MANIFEST.replace('"calm"', '"mad"'), {"first": "one"}, UsageError, "the MRE is not sound"),
    ],
)
def test_an_mre_that_does_not_show_its_bug_is_an_error(
    tmp_path: Path,
    options: RunOptions,
    manifest: str,
    others: dict[str, str],
    error: type[UsageError | CannotTell],
    message: str,
) -> None:
    with pytest.raises(error, match=message) as raised:
        shrink(write(tmp_path / "mre", manifest, **others), options)
    assert raised.value.hint


def test_the_answers_of_an_earlier_search_are_used(tmp_path: Path, options: RunOptions) -> None:
    folder = write(tmp_path / "mre", first="one\n", other="x")
    first, second = shrink(folder, options), shrink(folder, options)
    assert (first.ran > 0, second.ran) == (True, 0)
    assert (first.sizes, first.after) == (second.sizes, second.after)
    assert threading.active_count() < 20
