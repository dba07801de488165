"""Secret variables are in no environment; the token for GitHub reaches GitHub, and no step.

By the real command line: what is tested is which process has what.
"""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.conftest import CommandLine
from tests.hub import ISSUE, Hub
from uvmre.credentials import secret_variables

TOKEN = "ghp_0123456789abcdefghijABCDEFGHIJ012345"
"""Made up."""
PLANTED = {
    "GITHUB_TOKEN": TOKEN,
    "GH_TOKEN": "planted-gh",
    "UV_PUBLISH_TOKEN": "planted-publish",
    "UV_PUBLISH_USERNAME": "planted-publisher",
    "UV_INDEX_PRIVATE_PASSWORD": "planted-index",
    "UV_INDEX_PRIVATE_USERNAME": "planted-user",
    "AWS_ACCESS_KEY_ID": "planted-aws-id",
    "AWS_SECRET_ACCESS_KEY": "planted-aws-key",
    "AWS_SESSION_TOKEN": "planted-aws",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI": "/v2/planted",
    "AZURE_CLIENT_SECRET": "planted-azure",
    "DB_PASS": "planted-db",
    "GITLAB_PAT": "planted-pat",
    "PAT": "planted-bare-pat",
    "SSH_PWD": "planted-pwd",
    "npm_config__auth": "planted-npm-auth",
    "UV_INDEX_URL": "https://me:planted-in-url@host.example/simple",
    "SOMETHING": f"prefix {TOKEN}",
}
ORDINARY = {
    "HTTPS_PROXY": "http://me:planted-proxy@proxy.example:3128",
    "https_proxy": "http://me:planted-proxy@proxy.example:3128",
    "PATH": "/usr/bin",
    "PWD": "/home/me",
    "PYTHON_PATH": "/home/me",
    "SSH_AUTH_SOCK": "/tmp/agent",
    "KEYBOARD": "us",
    "UV_INDEX": "https://host.example/simple",
    "DOCKER_HOST": "ssh://me@host.example",
    "GITHUB_API_URL": "https://me:pass@host.example/api",
    "TOKENIZERS_PARALLELISM": "false",
    "EMPTY_TOKEN": "",
    "AWS_CA_BUNDLE": "/etc/ssl/ca.pem",
    "AWS_REGION": "eu-west-1",
}
SEARCH = """\
import glob, os, time
for path in [*glob.glob('/proc/[0-9]*/environ'), *glob.glob('/proc/[0-9]*/cmdline')]:
    try:
        text = open(path, 'rb').read()
    except OSError:
        continue
    if b'planted' in text or b'ghp_0123' in text:
        print('found in', path, text[:60])
parents, pid = [], os.getpid()
while pid > 1:
    pid = int(open(f'/proc/{pid}/stat').read().rpartition(')')[2].split()[1])
    parents.append(pid)
for pid in parents:
    try:
        if b'uvmre' not in open(f'/proc/{pid}/cmdline', 'rb').read():
            continue
        pipes = [f'/proc/{pid}/fd/{n}' for n in os.listdir(f'/proc/{pid}/fd')]
    except OSError:
        continue
    print('searched', pid)
    for path in pipes:
        if os.path.exists(path) and os.readlink(path).startswith('pipe:'):
            try:
                pipe = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
                if b'ghp_0123' in os.read(pipe, 9999):
                    print('found in', path)
            except OSError:
                continue
"""
BODY = f"""\
uv 0.5.21

search.py:

```python
{SEARCH}```

pyproject.toml:

```toml
[project]
name = "a"
version = "1"
dependencies = ["b >> 1"]
```

```console
$ python search.py
$ uv lock
error: Failed to parse: `pyproject.toml`
```
"""


@pytest.mark.parametrize("name", PLANTED)
def test_a_secret_variable_is_recognized(name: str) -> None:
    assert secret_variables({name: PLANTED[name], "HOME": "/root"}) == {name}


@pytest.mark.parametrize("name", ORDINARY)
def test_an_ordinary_variable_is_kept(name: str) -> None:
    assert secret_variables({name: ORDINARY[name]}) == set()


@pytest.mark.network
def test_no_step_finds_a_token_that_github_got(uvmre: CommandLine, hub: Hub) -> None:
    hub.answers["/repos/o/r/issues/1"] = (200, {**ISSUE, "body": BODY, "comments": 0})
    other = BODY.replace("print('searched", "print('looked at")
    hub.answers["/repos/o/r/issues/3"] = (200, {**ISSUE, "body": other, "comments": 0})
    ended = uvmre("triage", "o/r#1", "o/r#2", "o/r#3", "--json", "--trust", **PLANTED)
    assert ended.exit == 125, ended.stderr
    assert hub.requested == [(f"/repos/o/r/issues/{n}", f"Bearer {TOKEN}") for n in (1, 2, 3)]
    answers = [json.loads(line) for line in ended.stdout.splitlines()]
    assert "issue `o/r#2` not found" in ended.stderr
    for answer, word in ((answers[0], "searched "), (answers[2], "looked at ")):
        outputs = json.dumps(answer["steps"])
        assert word in outputs, answer
        assert "found in /proc" not in outputs
    printed = ended.stdout + ended.stderr
    assert [value for value in PLANTED.values() if value in printed] == []


def search(folder: Path) -> Path:
    mre = folder / "mre"
    mre.mkdir()
    (mre / "search.py").write_text(SEARCH)
    (mre / "mre.toml").write_text(
        'schema = 1\ntitle = "t"\n[environment]\nuv = "0.5.21"\n[[step]]\nrole = "observe"\n'
        'run = "python search.py; env"\n[symptom]\noutput = ["found in"]\n'
    )
    return mre


@pytest.mark.network
def test_a_step_on_local_finds_no_secret_variable_of_any_process(uvmre: CommandLine, tmp_path: Path) -> None:
    search(tmp_path)
    ended = uvmre("run", "mre", **PLANTED)
    output = "".join(path.read_text() for path in (tmp_path / "mre/.uvmre/runs").rglob("*.stdout*"))
    assert "searched" in output, ended.stderr
    assert ended.exit == 1, output
    assert "planted" not in output


@pytest.mark.network
def test_the_search_finds_what_is_there(uvmre: CommandLine, tmp_path: Path) -> None:
    search(tmp_path)
    variables = {"HOME_PAGE": "planted"}
    assert uvmre("run", "mre", **variables).exit == 0


@pytest.mark.network
def test_a_script_of_bisect_finds_no_secret_variable(uvmre: CommandLine, tmp_path: Path) -> None:
    search(tmp_path)
    script = tmp_path / "script.sh"
    script.write_text(
        f"#!/bin/sh\nenv | grep planted && exit 0\n{sys.executable} {tmp_path}/mre/search.py | grep found\n"
    )
    script.chmod(0o755)
    ended = uvmre("bisect", "--good", "0.5.21", "--bad", "0.5.22", "--command", "./script.sh", **PLANTED)
    assert "planted" not in ended.stdout + ended.stderr
    assert ended.exit == 125, ended.stdout + ended.stderr


def test_a_closed_stdout_is_still_an_error(tmp_path: Path) -> None:
    command = f'exec "{sys.executable}" -m uvmre cache ls >&- <&-'
    done = subprocess.run(["sh", "-c", command], env={**os.environ, **PLANTED}, capture_output=True, text=True)
    assert done.returncode == 2
    assert "failed to write to stdout" in done.stderr


def test_the_token_of_gh_is_used_without_a_variable(
    uvmre: CommandLine, hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "gh").write_text('#!/bin/sh\n[ "$1 $2" = "auth token" ] && echo of-gh\n')
    (tmp_path / "gh").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    hub.answers["/repos/o/r/issues/1"] = (200, {**ISSUE, "body": ""})
    for name in ("GITHUB_TOKEN", "GH_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    uvmre("new", "--from-issue", "o/r#1")
    uvmre("new", "--from-issue", "o/r#1", GH_TOKEN="of-variable")
    (tmp_path / "gh").write_text("#!/bin/sh\nexit 1\n")
    uvmre("new", "--from-issue", "o/r#1")
    assert [header for _, header in hub.requested] == ["Bearer of-gh", "Bearer of-variable", ""]


def test_modules_in_the_current_folder_are_not_imported(uvmre: CommandLine, hub: Hub, tmp_path: Path) -> None:
    for name in ("httpx", "json", "uvmre"):
        (tmp_path / f"{name}.py").write_text("open('imported', 'w').close()\n")
    environment = {**os.environ, "GITHUB_TOKEN": TOKEN}
    command = [str(Path(sys.executable).with_name("uvmre")), "new", "--from-issue", "o/r#1"]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert "issue `o/r#1` not found" in done.stderr
    assert not (tmp_path / "imported").exists()


def test_ctrl_c_ends_the_process_that_reads(hub: Hub, tmp_path: Path) -> None:
    hub.seconds = 30.0
    process = subprocess.Popen(
        [sys.executable, "-m", "uvmre", "triage", "o/r#1"],
        env={**os.environ, "GITHUB_TOKEN": TOKEN, "XDG_CACHE_HOME": str(tmp_path)},
        stderr=subprocess.PIPE,
        text=True,
    )
    while not hub.requested:
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    assert process.communicate(timeout=20)[1].endswith("interrupted\n")
    assert process.returncode == 130
    commands = [path.read_bytes() for path in Path("/proc").glob("[0-9]*/cmdline") if path.exists()]
    assert not any(b"uvmre.flows.issues" in command and b"o/r#1" in command for command in commands)
