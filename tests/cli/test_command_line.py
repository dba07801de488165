"""The outer skin, by the real command line: exit codes, streams, and nothing left behind. Needs no network."""

import contextlib
import json
import os
import shutil
import signal
import ssl
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx
import jsonschema
import psutil
import pytest

from tests.conftest import CommandLine, Ended

ROOT = Path(__file__).parents[2]
SCHEMAS = ROOT / "docs" / "schemas"
RELEASE = "0.0.1"
FAKE_UV = '#!/bin/sh\ncase "$1" in\n  fail) echo "error: it broke in two" >&2; exit 2;;\n  *) echo "did $*";;\nesac\n'

MRE = """\
schema = 1
title = "It breaks"

[environment]
uv = "0.0.1"

[[step]]
run = "uv prepare"

[[step]]
role = "observe"
run = "{observe}"

[symptom]
exit = "failure"
output = ["it broke in …two"]

[[control]]
name = "fixed"
expect = "absent"
[[control.step]]
role = "observe"
run = "{control}"
"""


def valid(data: Mapping[str, Any], schema: str) -> None:
    jsonschema.validate(data, json.loads((SCHEMAS / f"{schema}.json").read_text()))


@pytest.fixture
def mre(cache: Path, tmp_path: Path) -> Path:
    """Return an MRE whose release is a shell script in the cache: everything else is real."""
    tools = cache / "uvmre" / "uv" / RELEASE
    tools.mkdir(parents=True, exist_ok=True)
    aside = tools / f"uv.{os.getpid()}"
    aside.write_text(FAKE_UV)
    aside.chmod(0o755)
    aside.rename(tools / "uv")
    return written(tmp_path)


def written(tmp_path: Path, observe: str = "uv fail", control: str = "uv fine") -> Path:
    folder = tmp_path / "mre"
    folder.mkdir(exist_ok=True)
    (folder / "mre.toml").write_text(MRE.format(observe=observe, control=control))
    return folder


def snapshot(ended: Ended) -> tuple[int, list[str]]:
    return ended.exit, ended.stdout.splitlines()


def test_help_names_every_verb(uvmre: CommandLine) -> None:
    ended = uvmre("--help")
    assert ended.exit == 0
    for verb in ("new", "run", "report", "gateway", "demo"):
        assert f"\n  {verb} " in ended.stdout
    assert ended.stderr == ""


@pytest.mark.parametrize(
    ("observe", "control", "code", "verdict"),
    [
        pytest.param("uv fail", "uv fine", 0, "reproducible", id="it shows and the control behaves"),
        pytest.param("uv fine", "uv fine", 1, "not_reproducible", id="it is absent"),
        pytest.param("uv fail", "uv fail", 125, "inconclusive", id="the control shows it too"),
        pytest.param("uv fail", "exit 1", 125, "inconclusive", id="the control fails otherwise"),
        pytest.param("exit 7", "uv fine", 125, "inconclusive", id="it fails otherwise"),
    ],
)
def test_run_exits_as_the_verdict_says(
    uvmre: CommandLine, mre: Path, observe: str, control: str, code: int, verdict: str
) -> None:
    written(mre.parent, observe, control)
    ended = uvmre("run", mre, "--json")
    data = json.loads(ended.stdout)
    assert (ended.exit, data["verdict"]) == (code, verdict), data["reason"]
    valid(data, "run")


def test_run_tells_a_person_what_it_saw(uvmre: CommandLine, mre: Path) -> None:
    ended = uvmre("run", mre)
    assert ended.exit == 0
    lines = ended.stdout.splitlines()
    assert lines[0].startswith("uv 0.0.1, Python 3.")
    assert lines[1].split()[:6] == ["as", "reported", "shows", "uv", "prepare", "(0,"]
    assert lines[2].split()[:2] == ["fixed", "absent"]
    assert lines[3].startswith("reproducible: The symptom shows: `uv fail` exits with code 2")
    assert "\x1b" not in ended.stdout + ended.stderr
    evidence = Path(ended.stderr.split("evidence: ")[1].splitlines()[0])
    assert (evidence / "as-reported" / "2-uv-fail.stderr").read_text() == "error: it broke in two\n"


def test_a_run_on_another_release_says_so(uvmre: CommandLine, cache: Path, mre: Path) -> None:
    tools = cache / "uvmre" / "uv"
    shutil.copytree(tools / RELEASE, tools / "0.0.2", dirs_exist_ok=True)
    data = json.loads(uvmre("run", mre, "--uv", "0.0.2", "--json").stdout)
    assert data["reason"].startswith("On uv 0.0.2, not the reported 0.0.1: The symptom shows")


def test_report_tells_the_last_run(uvmre: CommandLine, mre: Path) -> None:
    before = uvmre("report", mre)
    assert before.exit == 2
    assert "has no finished run" in before.stderr
    uvmre("run", mre)
    data = uvmre("report", mre)
    assert data.exit == 0
    assert "$ uv fail\nerror: it broke in two\n```\nexit code 2" in data.stdout
    valid(json.loads(uvmre("report", mre, "--json").stdout), "run")
    written(mre.parent, observe="uv other")
    assert "changed since its last run" in uvmre("report", mre).stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        pytest.param(["run", "nowhere"], "folder not found: `nowhere`", id="no such folder"),
        pytest.param(["run", "--uv", "banana", "mre"], "'banana' is not a valid release selector", id="not a release"),
        pytest.param(["run", "--backend", "x", "mre"], "invalid value for '--backend'", id="not a backend"),
        pytest.param(["run", "--nonsense"], "no such option", id="not an option"),
        pytest.param(["frobnicate"], "no such command 'frobnicate'", id="not a verb"),
        pytest.param(["new", "x", "-t", "none", "--defaults"], "no template named `none`", id="not a template"),
        pytest.param(
            ["new", "x", "-t", "workspace-index", "--defaults", "-d", "uv"], "'uv' has no `=`", id="half an answer"
        ),
        pytest.param(["new", "x", "-t", "project"], "no terminal to ask", id="nobody to ask"),
        pytest.param(
            ["new", "mre", "-t", "workspace-index", "--defaults"], "already contains an MRE", id="a folder in use"
        ),
        pytest.param(
            ["new", "mre/mre.toml", "-t", "workspace-index", "--defaults"],
            "is a file, not a folder",
            id="a file as folder",
        ),
        pytest.param(
            ["new", "x", "-t", "workspace-index", "--defaults", "--data-file", "none.yml"],
            "file not found: `none.yml`",
            id="no data file",
        ),
        pytest.param(["report", "nowhere"], "folder not found: `nowhere`", id="nothing to report"),
    ],
)
@pytest.mark.few(5)
def test_wrong_usage_ends_with_2_and_a_sentence(
    uvmre: CommandLine, mre: Path, arguments: list[str], message: str
) -> None:
    ended = uvmre(*arguments)
    assert ended.exit == 2
    assert message in ended.stderr
    assert "Traceback" not in ended.stderr
    assert ended.stdout == ""
    if "--nonsense" not in arguments and "frobnicate" not in arguments:
        in_json = uvmre(*arguments, "--json")
        valid(json.loads(in_json.stdout), "error")
        assert in_json.exit == 2


def test_all_faults_of_a_manifest_are_reported_at_once(uvmre: CommandLine, mre: Path) -> None:
    (mre / "mre.toml").write_text('schema = 2\ntitle = ""\n[environment]\nuv = 5\ncolour = "red"\n')
    ended = uvmre("run", mre)
    assert ended.exit == 2
    data = [line.strip().split(":")[0] for line in ended.stderr.splitlines() if line.startswith("  line")]
    assert data == ["line 1", "line 1", "line 1", "line 2", "line 4", "line 5"]


def test_all_bad_answers_are_reported_at_once_with_what_is_allowed(uvmre: CommandLine, tmp_path: Path) -> None:
    answers = ["-d", "uv=x", "-d", "members=many", "-d", "build_backend=make", "-d", "colour=red"]
    ended = uvmre("new", "x", "-t", "workspace-index", "--defaults", *answers)
    assert ended.exit == 2
    assert "uv cannot be 'x': give one release, as 0.5.21" in ended.stderr
    assert "members cannot be 'many': give a whole number" in ended.stderr
    assert "build_backend cannot be 'make': give one of hatchling, setuptools, flit-core" in ended.stderr
    assert "colour is not a question of workspace-index" in ended.stderr
    assert list(tmp_path.iterdir()) == []


def test_new_makes_a_picture_of_the_template(uvmre: CommandLine, tmp_path: Path) -> None:
    ended = uvmre("new", "bug", "-t", "workspace-index", "--defaults", "-d", "member=spam", "--json")
    assert ended.exit == 0, ended.stderr
    data = json.loads(ended.stdout)
    valid(data, "new")
    created = [path.relative_to(tmp_path / "bug") for path in (tmp_path / "bug").rglob("*") if path.is_file()]
    assert data["files"] == sorted(path.as_posix() for path in created if path.parts[0] != ".uvmre")
    assert data["files"] == [
        ".copier-answers.yml",
        ".dockerignore",
        "Dockerfile",
        "README.md",
        "mre.env",
        "mre.toml",
        "packages/spam/pyproject.toml",
        "packages/spam/src/spam/__init__.py",
        "pyproject.toml",
        "run.sh",
    ]


def test_new_lists_the_templates_a_line_each(uvmre: CommandLine) -> None:
    ended = uvmre("new", "--list")
    assert [line.split("  ")[0] for line in ended.stdout.splitlines()] == sorted(
        folder.name for folder in (ROOT / "templates").iterdir() if (folder / "copier.yml").is_file()
    )
    assert all(len(line) < 120 for line in ended.stdout.splitlines())
    valid(json.loads(uvmre("new", "--list", "--json").stdout), "new")


def test_answers_come_from_a_file_and_words_win(uvmre: CommandLine, tmp_path: Path) -> None:
    (tmp_path / "answers.yml").write_text("uv: 0.6.0\npython: '3.12'\n")
    uvmre("new", "bug", "-t", "workspace-index", "--defaults", "--data-file", "answers.yml", "-d", "uv=0.7.0")
    manifest = (tmp_path / "bug" / "mre.toml").read_text()
    assert 'uv = "0.7.0"' in manifest
    assert 'python = "3.12"' in manifest


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_ends_every_step_and_keeps_the_evidence(cache: Path, mre: Path, number: signal.Signals) -> None:
    unique = f"61.{os.getpid()}{number.value}"
    written(mre.parent, observe=f"echo begun; (setsid sleep {unique} &) ; sleep {unique}")
    started = subprocess.Popen(
        [sys.executable, "-m", "uvmre", "run", str(mre)],
        env={**os.environ, "XDG_CACHE_HOME": str(cache)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    deadline = time.monotonic() + 30
    while not sleepers(unique) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert len(sleepers(unique)) == 2
    started.send_signal(number)
    _, talk = started.communicate(timeout=30)
    assert started.returncode == 130
    assert "interrupted" in talk.lower()
    assert sleepers(unique) == []
    (run,) = (mre / ".uvmre" / "runs").iterdir()
    assert (run / "as-reported" / "1-uv-prepare.stdout").read_text() == "did prepare\n"
    assert next(run.glob("as-reported/2-*.stdout")).read_text() == "begun\n"


def sleepers(unique: str) -> list[psutil.Process]:
    found = []
    for process in psutil.process_iter(["cmdline"]):
        if process.info["cmdline"] == ["sleep", unique]:
            found.append(process)
    return found


def test_keep_leaves_the_folder_of_the_steps(uvmre: CommandLine, mre: Path) -> None:
    ended = uvmre("run", mre, "--keep", "--json")
    kept = Path(json.loads(ended.stdout)["kept"])
    assert (kept / "as_reported" / "w" / "mre" / "mre.toml").exists() is False
    assert (kept / "as_reported" / "w" / "home").is_dir()


def test_a_reader_that_has_enough_is_no_fault(cache: Path, mre: Path) -> None:
    command = f"({sys.executable} -m uvmre run {mre} --json; echo $? >code) | head -c 1"
    environment = {**os.environ, "XDG_CACHE_HOME": str(cache)}
    done = subprocess.run(["sh", "-c", command], cwd=mre, env=environment, capture_output=True, text=True)
    assert (done.stdout, "Traceback" in done.stderr) == ("{", False)
    assert (mre / "code").read_text() == "0\n"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_cannot_be_written_is_named(uvmre: CommandLine, tmp_path: Path) -> None:
    (tmp_path / "locked").mkdir(mode=0o500)
    ended = uvmre("new", "locked/bug", "-t", "workspace-index", "--defaults")
    assert ended.exit == 2
    assert "locked" in ended.stderr


def full(folder: Path) -> bool:
    """Put a full file system on `folder`, where this user may."""
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", folder], capture_output=True)
    return mounted.returncode == 0 and fill(folder)


def fill(folder: Path) -> bool:
    with contextlib.suppress(OSError), (folder / "filler").open("wb", buffering=0) as file:
        while True:
            file.write(b"x" * 512)
    return True


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount a small disk")
def test_a_full_disk_is_named_and_leaves_no_half(uvmre: CommandLine, mre: Path, tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    if not full(disk):
        pytest.skip("no small disk can be mounted here")
    try:
        created = uvmre("new", disk / "bug", "-t", "workspace-index", "--defaults")
        assert (created.exit, created.stdout) == (125, "")
        assert f"failed to write `{disk / 'bug'}`" in created.stderr
        assert "cause: the disk is full" in created.stderr
        assert [path.name for path in disk.iterdir()] == ["filler"]
        (disk / "filler").unlink()
        shutil.copytree(mre, disk / "mre")
        fill(disk)
        ran = uvmre("run", disk / "mre")
        assert (ran.exit, ran.stdout) == (125, "")
        assert f"{disk / 'mre'}" in ran.stderr
        assert "the disk is full" in ran.stderr
    finally:
        subprocess.run(["umount", disk], check=True)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount read-only")
def test_a_read_only_folder_is_named(uvmre: CommandLine, tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "ro,size=64k", "tmpfs", disk], capture_output=True).returncode:
        pytest.skip("nothing can be mounted here")
    try:
        ended = uvmre("new", disk / "bug", "-t", "workspace-index", "--defaults")
        assert ended.exit == 2
        assert "read-only" in ended.stderr
        assert "hint:" in ended.stderr
    finally:
        subprocess.run(["umount", disk], check=True)


@pytest.mark.skipif(sys.platform != "linux", reason="network namespaces are Linux's")
def test_no_network_is_reported_and_never_accepted_for_an_answer(cache: Path, mre: Path) -> None:
    arguments = [sys.executable, "-m", "uvmre", "run", str(mre), "--uv", "0.5.20"]
    if subprocess.run(["unshare", "-n", "true"], capture_output=True).returncode:
        pytest.skip("no network namespace can be made here")
    environment = {**os.environ, "XDG_CACHE_HOME": str(mre.parent / "empty")}
    done = subprocess.run(["unshare", "-n", *arguments], env=environment, capture_output=True, text=True, timeout=60)
    assert done.returncode == 125
    assert "uv 0.5.20 is not in the cache" in done.stderr
    assert "hint:" in done.stderr
    left = [path for path in (mre.parent / "empty" / "uvmre").rglob("*") if path.is_file()]
    # `users` has the lock of every command, until the next one finds it unlocked.
    assert {path.suffix for path in left if path.parent.name != "users"} == {".pem"}, "nothing but certificates"


def test_the_gateway_serves_any_client_until_it_is_interrupted(cache: Path, request: pytest.FixtureRequest) -> None:
    command = [sys.executable, "-m", "uvmre", "gateway", "--json"]
    environment = {**os.environ, "XDG_CACHE_HOME": str(cache)}
    serving = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    request.addfinalizer(serving.kill)
    assert serving.stdout
    data = json.loads(serving.stdout.readline())
    valid(data, "gateway")
    trust = ssl.create_default_context(cafile=data["variables"]["SSL_CERT_FILE"])
    with httpx.Client(proxy=data["variables"]["HTTPS_PROXY"], verify=trust, trust_env=False, timeout=30) as client:
        assert client.get("https://pypi-proxy.fly.dev/basic-auth/simple/six/").status_code == 401
        with pytest.raises(httpx.ProxyError):
            client.get("https://example.com/")
    port = data["url"].rpartition(":")[2]
    taken = subprocess.run([*command, "--port", port], env=environment, capture_output=True, text=True, timeout=30)
    assert taken.returncode == 2
    assert f"failed to listen on port {port}" in taken.stderr
    time.sleep(1)
    serving.send_signal(signal.SIGINT)
    _, talk = serving.communicate(timeout=30)
    assert serving.returncode == 0
    assert "GET pypi-proxy.fly.dev/basic-auth/simple/six/ 401 no credentials stand-in" in talk
    assert "CONNECT example.com 403 no credentials refused" in talk
    assert "stopped after 2 requests" in talk
    assert not Path(data["variables"]["SSL_CERT_FILE"]).exists()


@pytest.mark.parametrize(
    ("arguments", "manifest", "answered_by"),
    [
        pytest.param([], "", "refused", id="not named"),
        pytest.param(["--allow-host", "*.invalid"], "", "unreachable", id="named on the command line"),
        pytest.param([], 'allow-hosts = ["nowhere.invalid"]', "unreachable", id="named in the manifest"),
    ],
)
def test_only_a_host_that_is_named_is_let_through(
    uvmre: CommandLine, mre: Path, arguments: list[str], manifest: str, answered_by: str
) -> None:
    asking = "python -c 'import urllib.request as u; u.urlopen(\\\"http://nowhere.invalid/a\\\")' || uv fail"
    written(mre.parent, observe=asking)
    text = (mre / "mre.toml").read_text()
    (mre / "mre.toml").write_text(text.replace("[environment]\n", f"[environment]\n{manifest}\n", 1))
    ended = uvmre("run", "mre", *arguments, "--json")
    [request] = json.loads(ended.stdout)["variants"][0]["requests"]
    assert (request["host"], request["answered_by"]) == ("nowhere.invalid", answered_by)


def test_a_binary_that_was_built_locally_is_run(uvmre: CommandLine, mre: Path, tmp_path: Path) -> None:
    built = tmp_path / "uv-built"
    built.write_text('#!/bin/sh\n[ "$1" = --version ] && echo "uv 9.8.7+1 (abc 2026-01-01)" && exit\nexit 1\n')
    built.chmod(0o755)
    result = json.loads(uvmre("run", "mre", "--uv", "./uv-built", "--json").stdout)
    assert result["uv"] == "9.8.7+1"
    assert result["reason"].startswith("On uv 9.8.7+1, not the reported")


@pytest.mark.parametrize(
    ("uv", "message"),
    [
        pytest.param("./nowhere", "failed to run `nowhere`", id="no file"),
        pytest.param("/bin/true", "not a uv binary", id="another program"),
    ],
)
def test_a_binary_that_is_none_is_reported(uvmre: CommandLine, mre: Path, uv: str, message: str) -> None:
    ended = uvmre("run", "mre", "--uv", uv)
    assert ended.exit == 2
    assert message in ended.stderr


@pytest.mark.network
@pytest.mark.parametrize(("uv", "release"), [("0.4", "0.4.30"), ("@2025-01-22", "0.5.22")])
def test_of_a_selector_the_newest_is_run(uvmre: CommandLine, mre: Path, uv: str, release: str) -> None:
    assert json.loads(uvmre("run", "mre", "--uv", uv, "--json").stdout)["uv"] == release
