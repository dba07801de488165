"""`uvmre share`: what is posted, what is shown before, and where the token is."""

import contextlib
import os
import threading
from pathlib import Path

import pytest

from tests.conftest import CommandLine, Ended
from tests.hub import Hub
from uvmre.report.read_back import read_back

RELEASE = "0.4.9"
TOKEN = "ghp_" + "0123456789abcdef" * 2 + "0123"
MANIFEST = """\
# A comment.
schema = 1
title = "uv fails"
{more}
[environment]
uv = "{uv}"

[[step]]
run = "echo it fails; exit 3"

[symptom]
exit = 3
output = ["it fails"]
"""
REPORTED = 'issue = "https://github.com/astral-sh/uv/issues/12"'
CREATED = (201, {"html_url": "https://github.com/o/r/issues/7"})


@pytest.fixture
def mre(tmp_path: Path, home: Path, uvmre: CommandLine) -> Path:
    folder = tmp_path / "mre"
    folder.mkdir()
    (folder / "mre.toml").write_text(MANIFEST.format(uv=RELEASE, more=REPORTED))
    (folder / "a b.txt").write_bytes(b"no newline")
    assert uvmre("run", "mre", XDG_CACHE_HOME=str(home)).exit == 0
    return folder


def share(uvmre: CommandLine, home: Path, *arguments: str, token: str = TOKEN, **variables: str) -> Ended:
    ended = uvmre("share", "mre", *arguments, GITHUB_TOKEN=token, XDG_CACHE_HOME=str(home), **variables)
    assert TOKEN not in ended.stdout + ended.stderr
    assert "Traceback" not in ended.stderr
    return ended


@pytest.mark.few(2)
@pytest.mark.parametrize(
    ("arguments", "path", "target"),
    [
        pytest.param(["--to", "issue", "--repo", "o/r"], "/repos/o/r/issues", "a new issue in o/r", id="issue"),
        pytest.param(
            ["--to", "comment"],
            "/repos/astral-sh/uv/issues/12/comments",
            "a comment on astral-sh/uv#12",
            id="the reported issue",
        ),
        pytest.param(
            ["--to", "comment", "--repo", "o/r", "--issue", "9"],
            "/repos/o/r/issues/9/comments",
            "a comment on o/r#9",
            id="comment",
        ),
        pytest.param(["--to", "gist"], "/gists", "a gist that everybody", id="gist"),
        pytest.param(
            ["--to", "gist", "--format", "script"], "/gists", "a gist that everybody", id="a script as a gist"
        ),
    ],
)
def test_an_mre_is_posted_and_comes_back(
    uvmre: CommandLine, home: Path, mre: Path, secure_hub: Hub, arguments: list[str], path: str, target: str
) -> None:
    secure_hub.answers[path] = CREATED
    ended = share(uvmre, home, *arguments, "--yes", "--json")
    assert ended.exit == 0, ended
    assert ended.json("share")["url"] == "https://github.com/o/r/issues/7"
    assert f"public: {target}" in ended.stderr
    assert secure_hub.requested == [(path, f"Bearer {TOKEN}")]
    (data,) = secure_hub.posted
    text = data.get("body") or next(iter(data["files"].values()))["content"]
    assert [data.get("title"), data.get("public")] == [
        "uv fails" if arguments[1] == "issue" else None,
        False if "files" in data else None,
    ]
    assert {file.path: file.content for file in read_back(text.encode(), "x")} == {
        "mre.toml": (mre / "mre.toml").read_bytes(),
        "a b.txt": b"no newline",
    }


def test_nothing_is_posted_without_consent(uvmre: CommandLine, home: Path, mre: Path, hub: Hub) -> None:
    ended = share(uvmre, home, "--to", "issue", "--repo", "o/r")
    assert (ended.exit, hub.requested) == (2, [])
    assert "public: a new issue in o/r\ntitle: uv fails\n" in ended.stderr
    assert "### Summary" in ended.stderr
    assert "use `--yes`" in ended.stderr


@pytest.mark.slow
def test_what_looks_private_is_named_first(uvmre: CommandLine, home: Path, mre: Path, hub: Hub) -> None:
    hub.answers["/gists"] = CREATED
    (mre / "mre.toml").write_text(MANIFEST.format(uv=RELEASE, more="private = true"))
    (mre / "a b.txt").write_text(
        "token = 'ghp_abcdefabcdefabcdefabcdefabcdefabcdef'\nsee https://gitlab.acme-corp.io/x\n"
    )
    assert uvmre("run", "mre", XDG_CACHE_HOME=str(home)).exit == 0
    ended = share(uvmre, home, "--to", "gist", "--yes")
    assert ended.exit == 0, ended
    assert "warning: mre.toml: marker private = true" in ended.stderr
    assert "gitlab.acme-corp.io" in ended.stderr
    assert "warning: secrets are masked" in ended.stderr
    assert "ghp_abcdef" not in str(hub.posted) + ended.stderr


@pytest.mark.few(2)
@pytest.mark.parametrize(
    ("status", "code", "message"),
    [
        pytest.param(401, 2, "GitHub does not accept the token", id="a wrong token"),
        pytest.param(403, 2, "GitHub does not allow it", id="no permission"),
        pytest.param(404, 2, "there is no such repository or issue", id="no repository"),
        pytest.param(422, 2, "GitHub does not accept the text", id="invalid"),
        pytest.param(301, 2, "GitHub answers with the status 301", id="moved"),
        pytest.param(502, 125, "GitHub answers with the status 502", id="an outage"),
    ],
)
def test_a_refusal_loses_nothing(
    uvmre: CommandLine, home: Path, mre: Path, hub: Hub, status: int, code: int, message: str
) -> None:
    hub.answers["/repos/o/r/issues"] = (status, {"message": f"no\x1b[2J {TOKEN}", "url": "/moved"})
    ended = share(uvmre, home, "--to", "issue", "--repo", "o/r", "--yes")
    assert (ended.exit, ended.stdout) == (code, "")
    assert f"error: {message}" in ended.stderr
    assert "cause: no ****" in ended.stderr
    assert "the text is in `mre/.uvmre/share-issue.md`" in ended.stderr
    assert (mre / ".uvmre" / "share-issue.md").read_text().startswith("### Summary")
    assert len(hub.posted) == 1


def test_without_a_network_nothing_is_lost(uvmre: CommandLine, home: Path, mre: Path) -> None:
    ended = share(uvmre, home, "--to", "gist", "--yes", GITHUB_API_URL="http://127.0.0.1:9", NO_PROXY="127.0.0.1")
    assert ended.exit == 125
    assert "no response from GitHub" in ended.stderr
    assert "it may be there nevertheless: look before you try again; the text is in" in ended.stderr


def test_the_login_of_gh_is_used(uvmre: CommandLine, home: Path, mre: Path, hub: Hub, tmp_path: Path) -> None:
    hub.answers["/gists"] = CREATED
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "gh").write_text(f'#!/bin/sh\n[ "$*" = "auth token" ] && echo {TOKEN}\n')
    (tmp_path / "bin" / "gh").chmod(0o755)
    ended = share(uvmre, home, "--to", "gist", "--yes", token="", PATH=f"{tmp_path / 'bin'}:{os.environ['PATH']}")
    assert ended.exit == 0, ended
    assert hub.requested == [("/gists", f"Bearer {TOKEN}")]


@pytest.mark.slow
def test_no_process_has_the_token_where_others_see_it(
    uvmre: CommandLine, home: Path, mre: Path, hub: Hub, tmp_path: Path
) -> None:
    """All processes are looked at while GitHub takes its time."""
    hub.answers["/gists"], hub.seconds = CREATED, 1.5
    lines: list[bytes] = []
    variables: list[bytes] = []
    over = threading.Event()

    def watch() -> None:
        while not over.wait(0.05):
            for process in Path("/proc").glob("[0-9]*"):
                with contextlib.suppress(OSError):
                    lines.append(line := (process / "cmdline").read_bytes())
                    if b"uvmre.flows.share" in line:
                        variables.append((process / "environ").read_bytes())

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        assert share(uvmre, home, "--to", "gist", "--yes").exit == 0
    finally:
        over.set()
        watcher.join()
    assert variables
    assert not [each for each in (*lines, *variables) if TOKEN.encode() in each]


@pytest.mark.few(1)
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        pytest.param(["--to", "issue", "--repo", "x"], "`x` is not a repository", id="no owner"),
        pytest.param(["--to", "comment", "--repo", "o/r"], "no issue is named", id="no number"),
        pytest.param(["--to", "issue", "--format", "zip"], "`zip` is not Markdown", id="a binary format"),
        pytest.param(["--to", "gist", "--format", "git"], "`git` is not text", id="a folder"),
        pytest.param(["--to", "nowhere"], "invalid value for '--to'", id="an unknown target"),
    ],
)
def test_a_wrong_target_is_named(
    uvmre: CommandLine, home: Path, mre: Path, hub: Hub, arguments: list[str], message: str
) -> None:
    ended = share(uvmre, home, *arguments, "--yes")
    assert (ended.exit, hub.requested) == (2, [])
    assert message in ended.stderr


def test_without_a_token_nothing_is_requested(
    uvmre: CommandLine, home: Path, mre: Path, hub: Hub, tmp_path: Path
) -> None:
    (tmp_path / "bin").mkdir()
    for name in ("sh", "env"):
        (tmp_path / "bin" / name).symlink_to(f"/bin/{name}")
    ended = share(uvmre, home, "--to", "gist", "--yes", token="", PATH=str(tmp_path / "bin"))
    assert (ended.exit, hub.requested) == (2, [])
    assert "there is no token for GitHub" in ended.stderr
