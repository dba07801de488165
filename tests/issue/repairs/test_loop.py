"""The whole loop: a post whose MRE needs two repairs before its bug shows. Releases are shell scripts."""

from pathlib import Path

import pytest

from tests.conftest import CommandLine
from tests.releases.caches import VERSIONS, stock

UV = """\
#!/bin/sh
case "$1" in
venv) mkdir -p .venv ;;
lock) touch uv.lock ;;
sync)
    [ -d .venv ] || { echo 'error: No virtual environment found; run `uv venv`' >&2; exit 2; }
    [ -f uv.lock ] || { echo 'error: Unable to find lockfile at `uv.lock`.' >&2; exit 2; }
    echo 'error: the member `ext` of the workspace stands twice' >&2; exit 2 ;;
*) echo "uv 0.4.9" ;;
esac
"""
POST = """\
# uv sync fails
<!-- somebody/something#1 created 2024-10-10T10:00:00Z -->
_@somebody_

With this `pyproject.toml`:

```toml
[project]
name = "root"
version = "0.1.0"
requires-python = ">=3.8"
```

This fails:

```console
$ uv sync
error: the member `ext` of the workspace stands twice
```

### Platform

Ubuntu 22.04 x86_64

### Version

uv 0.4.9
"""


def test_two_repairs_and_the_bug_shows(uvmre: CommandLine, tmp_path: Path) -> None:
    cache = stock(tmp_path)
    for version in VERSIONS:
        (cache / "uv" / version / "uv").write_text(UV)
    (tmp_path / "post.md").write_text(POST)
    answer = uvmre("triage", "post.md", "--json", XDG_CACHE_HOME=str(tmp_path)).json()
    assert answer["verdict"] == "reproducible", answer
    rules = [repair["rule"] for each in answer["hypotheses"] for repair in each["repairs"]]
    assert rules[-2:] == ["no-venv", "no-lockfile"]


def test_an_error_of_the_report_is_not_repaired(uvmre: CommandLine, tmp_path: Path) -> None:
    cache = stock(tmp_path)
    for version in VERSIONS:
        (cache / "uv" / version / "uv").write_text(UV)
    quoted = POST.replace(
        "error: the member `ext` of the workspace stands twice", "error: No virtual environment found"
    )
    (tmp_path / "post.md").write_text(quoted)
    answer = uvmre("triage", "post.md", "--json", XDG_CACHE_HOME=str(tmp_path)).json()
    assert answer["verdict"] != "reproducible"
    assert not [repair for each in answer["hypotheses"] for repair in each["repairs"]]


@pytest.mark.slow
def test_a_failure_of_which_the_report_says_nothing_is_not_any_obstacle(uvmre: CommandLine, tmp_path: Path) -> None:
    cache = stock(tmp_path)
    for version in VERSIONS:
        (cache / "uv" / version / "uv").write_text(UV)
    silent = POST.replace("error: the member `ext` of the workspace stands twice\n", "")
    (tmp_path / "post.md").write_text(silent)
    answer = uvmre("triage", "post.md", "--json", XDG_CACHE_HOME=str(tmp_path)).json()
    assert answer["verdict"] != "reproducible"
    assert max(len(each["repairs"]) for each in answer["hypotheses"]) == 2
    # A repair is of the same reading, and a rule can be left out.
    assert {each["number"] for each in answer["hypotheses"] if each["repairs"]} == {1}
    assert "\nhypothesis 1, repaired: " in uvmre("triage", "post.md", "--explain", XDG_CACHE_HOME=str(tmp_path)).stdout
    answer = uvmre("triage", "post.md", "--json", "--no-rule", "no-lockfile", XDG_CACHE_HOME=str(tmp_path)).json()
    assert answer["verdict"] != "reproducible", answer
    assert {repair["rule"] for each in answer["hypotheses"] for repair in each["repairs"]} == {"no-venv"}
