"""An unreachable host: real releases of uv print the same as without a proxy."""

import json
from pathlib import Path

import jsonschema
import pytest

from tests.conftest import CommandLine

pytestmark = pytest.mark.network

MANIFEST = """\
schema = 1
title = "A host that cannot be reached"
[environment]
uv = "0.5.21"
[[step]]
role = "observe"
timeout = 90
run = "echo six > in.txt; UV_HTTP_TIMEOUT=1 UV_HTTP_RETRIES=0 uv pip compile in.txt --index-url URL/simple"
[symptom]
exit = "failure"
output = OUTPUT
[[index]]
url = "https://pypi.org/simple"
synthetic = "replace"
packages.six.versions."1.0" = {}
[[fault]]
url = "URL/*"
KIND = true
"""
CONTROL = """\
[[control]]
name = "with the host"
expect = "absent"
faults = false
"""
UNRESOLVED = ["URL/simple/six/", "failed to lookup address information: Name or service not known"]
REFUSED = ["error sending request for url (URL/simple/six/)", "Connection refused (os error 111)"]
LATE = ["error sending request for url (URL/simple/six/)", "operation timed out"]
SCHEMA = json.loads((Path(__file__).parents[2] / "docs" / "schemas" / "triage.json").read_text())
RELEASES = ["0.1.5", "0.2.30", "0.4.18", "0.5.21", "0.9.5", "0.13.9"]


def outcome(
    uvmre: CommandLine, folder: Path, kind: str, output: list[str], release: str, url: str, more: str = ""
) -> str:
    folder.mkdir(exist_ok=True)
    text = MANIFEST.replace("KIND", kind).replace("OUTPUT", json.dumps(output)).replace("URL", url)
    (folder / "mre.toml").write_text(text + more)
    answer = json.loads(uvmre("run", folder, "--uv", release, "--json").stdout)
    word: str = answer["variants"][0]["outcome"]
    requests = [request for variant in answer["variants"] for request in variant["requests"]]
    assert not [request for request in requests if request["answered_by"] in ("refused", "unreachable")]
    return f"{answer['verdict']}: {word}"


@pytest.mark.parametrize("release", [RELEASES[1], "0.13.9", *(pytest.param(each, marks=pytest.mark.slow) for each in ("0.1.5", RELEASES[3], "0.4.18", "0.9.5"))])  # fmt: skip
@pytest.mark.parametrize(
    ("kind", "output"),
    [
        pytest.param("unresolvable", UNRESOLVED, id="unresolvable"),
        pytest.param("refused", REFUSED, id="refused"),
        pytest.param("timeout", LATE, id="timeout"),
    ],
)
@pytest.mark.few(2)
def test_uv_prints_the_same_as_without_a_proxy(
    uvmre: CommandLine, tmp_path: Path, kind: str, output: list[str], release: str
) -> None:
    if (kind, release) == ("timeout", "0.1.5"):
        pytest.skip("uv 0.1.5 has no connection timeout")
    assert outcome(uvmre, tmp_path / "mre", kind, output, release, "https://pypi.org", CONTROL) == "reproducible: shows"


def test_uv_reports_that_it_is_offline_if_the_name_does_not_resolve(uvmre: CommandLine, tmp_path: Path) -> None:
    output = ["Could not connect, are you offline?", *UNRESOLVED[1:]]
    assert (
        outcome(uvmre, tmp_path / "mre", "unresolvable", output, "0.5.21", "https://pypi.org") == "reproducible: shows"
    )


@pytest.mark.parametrize(
    ("kind", "output"),
    [("unresolvable", REFUSED), ("refused", UNRESOLVED), ("refused", LATE), ("timeout", REFUSED)],
)
def test_each_outage_has_its_own_error(uvmre: CommandLine, tmp_path: Path, kind: str, output: list[str]) -> None:
    found = outcome(uvmre, tmp_path / "mre", kind, output, "0.13.9", "https://private.example.com")
    assert found == "inconclusive: different"


POST = """\
# {title}
<!-- somebody/something#1 created 2025-05-10T10:00:00Z -->

{prose}

`pyproject.toml`:

```toml
[project]
name = "foo"
version = "0.1.0"
requires-python = ">=3.9"

[build-system]
requires = ["uv_build>=0.7.2,<0.14"]
build-backend = "uv_build"
```

`src/foo/__init__.py`:

```python
x = 1
```

```console
$ uv build
Building source distribution...
  × Failed to build `/home/user/foo`
  ├─▶ Failed to resolve requirements from `build-system.requires`
  ├─▶ No solution found when resolving: `uv-build>=0.7.2, <0.14`
  ├─▶ Failed to fetch: `https://pypi.org/simple/uv-build/`
  ├─▶ Request failed after 3 retries
  ├─▶ error sending request for url (https://pypi.org/simple/uv-build/)
  ├─▶ client error (Connect)
  ├─▶ dns error: failed to lookup address information: Name or service not known
  ╰─▶ failed to lookup address information: Name or service not known
```

### Platform

Linux x86_64

### Version

uv 0.7.2
"""
OFFLINE = "`uv build` still tries to fetch `uv_build`, although it is built into uv itself."


@pytest.mark.parametrize(
    ("title", "prose", "command", "verdict", "reason"),
    [
        pytest.param(
            "`uv build` should not need PyPI", OFFLINE, "uv build", "reproducible", "behaves differently", id="a bug"
        ),
        pytest.param(
            "`uv build` fails", "Our proxy blocks PyPI.", "uv build", "needs_more_information", "network", id="a proxy",
            marks=pytest.mark.slow,
        ),
        pytest.param(
            "`uv lock` should not need PyPI", OFFLINE, "uv pip compile --no-deps in.txt", "needs_more_information",
            "on uv ", id="every release needs the host", marks=pytest.mark.slow,
        ),
    ],
)  # fmt: skip
def test_triage_tells_a_bug_from_a_network_problem(
    uvmre: CommandLine, tmp_path: Path, title: str, prose: str, command: str, verdict: str, reason: str
) -> None:
    post = POST.format(title=title, prose=prose).replace("$ uv build\n", f"$ echo uv-build > in.txt\n$ {command}\n")
    (tmp_path / "post.md").write_text(post)
    parsed = json.loads(uvmre("triage", "post.md", "--dry-run", "--json").stdout)
    jsonschema.validate(parsed, SCHEMA)
    outage = {"url": "https://pypi.org/*", "kind": "unresolvable"}
    assert parsed["outages"] == ([] if "proxy" in prose else [outage])
    answer = json.loads(uvmre("triage", "post.md", "--json").stdout)
    assert answer["verdict"] == verdict, answer["reason"]
    assert reason in answer["reason"]
