"""Issue texts whose commands attack, read and run by `uvmre triage`, which uses the sandbox by itself."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.cli.test_triage import post as issue_text
from tests.hostile.conftest import CANARY, Host, call_uvmre
from uvmre.run.sandbox import bubblewrap

ERROR = "error: it broke in two"
"""What `uv fail` of the releases in the cache prints; every post reports something else."""

COMMANDS = {
    "the user's private key": ("cat {secret}", "No such file or directory"),
    "the shadow file": ("python -c 'print(open(\"/etc/shadow\").read())'", "No such file or directory"),
    "the first process": ("cat /proc/1/environ", "Permission denied" if bubblewrap.is_root() else ""),
    "the caller's variables": ("sh -c 'env | grep TOKEN'", ""),
    "a service of the host": (
        "python -c 'import socket; socket.create_connection((\"127.0.0.1\", {port}))'",
        "Connection refused",
    ),
    "the internet": (
        "python -c 'import socket; socket.create_connection((\"1.1.1.1\", 443))'",
        "Network is unreachable",
    ),
    "uv": ("sh -c 'echo x > $(command -v uv)'", "annot create"),
    "a daemon": ("sh -c 'setsid sleep 300 >/dev/null 2>&1 &'", ""),
    "a mount": ("mount -t tmpfs none /tmp", "mount"),
    "a namespace": ("unshare -Ur true", "unshare failed"),
}


def triage(host: Host, tmp_path: Path, body: str, *options: str, **variables: str) -> dict[str, Any]:
    post = tmp_path / "post.md"
    post.write_text(issue_text(body, uv="0.4.0"))
    done = call_uvmre(host, "triage", post, "--json", *options, variables=variables)
    assert done.stdout, done.stderr
    answer: dict[str, Any] = json.loads(done.stdout)
    assert answer["exit"] == done.returncode
    assert list(host.temp.iterdir()) == []
    assert host.secret.read_text() == CANARY
    assert host.services.visitors == []
    assert CANARY not in json.dumps(answer["steps"])
    assert CANARY not in done.stderr
    return {**answer, "messages": done.stderr}


@pytest.mark.parametrize(("command", "stopped"), COMMANDS.values(), ids=COMMANDS.keys())
@pytest.mark.few(3)
def test_a_command_of_a_post_stays_in_the_sandbox(host: Host, tmp_path: Path, command: str, stopped: str) -> None:
    command = command.format(secret=host.secret, port=host.services.ports["4"])
    answer = triage(
        host, tmp_path, f"I run\n\n```console\n$ {command}\n$ uv fail\nerror: {CANARY} was not expected\n```\n"
    )
    runs = [step for step in answer["steps"] if step["run"].startswith(command.split()[0])]
    assert runs, answer["reason"]
    assert stopped in runs[0]["stdout"] + runs[0]["stderr"]
    assert answer["verdict"] not in ("reproducible", "explained")


REFUSED = ("rm -rf /usr/bin/env /etc/passwd", "sh -c 'kill -9 -1'", "cp pyproject.toml /etc/passwd", "sudo rm -rf /")


@pytest.mark.parametrize("command", REFUSED)
def test_a_command_that_changes_the_machine_is_not_even_run(host: Host, tmp_path: Path, command: str) -> None:
    answer = triage(
        host, tmp_path, f"I run\n\n```console\n$ {command}\n$ uv fail\nerror: {CANARY} was not expected\n```\n"
    )
    assert answer["verdict"] == "needs_more_information"
    assert [step for step in answer["steps"] if command in step["run"]] == []


LIMITS = {
    "endless output": ("yes", "100 MB of output"),
    "a file of 10 GB": ("truncate -s 10G huge", "4 GB per file"),
}


@pytest.mark.parametrize(("command", "limit"), LIMITS.values(), ids=LIMITS.keys())
def test_a_limit_that_a_post_exceeds_is_named(host: Host, tmp_path: Path, command: str, limit: str) -> None:
    answer = triage(host, tmp_path, f"I run\n\n```console\n$ {command}\n$ uv fail\nerror: something else\n```\n")
    assert any(limit in run["reason"] for run in answer["runs"]), answer["runs"]
    assert answer["verdict"] not in ("reproducible", "explained")


def broken_bubblewrap(tmp_path: Path, host: Host) -> str:
    """Return a PATH on which bubblewrap fails, as where the kernel has no user namespaces."""
    folder = tmp_path / "bin"
    folder.mkdir()
    (folder / "bwrap").write_text("#!/bin/sh\necho 'bwrap: No permissions to create new namespace' >&2\nexit 1\n")
    (folder / "bwrap").chmod(0o755)
    return f"{folder}:{host.variables['PATH']}"


HARMLESS = "I run\n\n```console\n$ uv fail\nerror: it broke in two\n```\n"


def test_without_a_sandbox_nothing_of_a_post_is_run(host: Host, tmp_path: Path) -> None:
    body = f"I run\n\n```console\n$ touch {host.home}/touched\n$ uv fail\nerror: it broke in two\n```\n"
    answer = triage(host, tmp_path, body, PATH=broken_bubblewrap(tmp_path, host))
    assert answer["exit"] == 125
    assert answer["verdict"] == "inconclusive"
    assert not (host.home / "touched").exists()
    assert "there is no sandbox" in answer["messages"]
    assert "No permissions to create new namespace" in answer["messages"]
    (hint,) = (line for line in answer["messages"].splitlines() if line.startswith("hint:"))
    assert "`uvmre doctor`" in hint
    assert "`--trust`" in hint


def test_an_mre_of_a_post_is_not_run_without_a_sandbox_either(host: Host, tmp_path: Path) -> None:
    post = tmp_path / "post.md"
    post.write_text(issue_text(HARMLESS, uv="0.4.0"))
    made = call_uvmre(host, "new", tmp_path / "mre", "--from-issue", post)
    assert made.returncode == 0, made.stderr
    done = call_uvmre(host, "run", tmp_path / "mre", "--json", variables={"PATH": broken_bubblewrap(tmp_path, host)})
    assert done.returncode == 125
    assert "there is no sandbox" in done.stdout
    local = call_uvmre(host, "run", tmp_path / "mre", "--json", "--backend", "local")
    assert local.returncode == 2
    assert "is no sandbox" in local.stdout
    assert json.loads(call_uvmre(host, "run", tmp_path / "mre", "--json").stdout)["backend"] == "sandbox"


def test_trust_runs_a_post_without_a_sandbox(host: Host, tmp_path: Path) -> None:
    answer = triage(host, tmp_path, HARMLESS, "--trust", PATH=broken_bubblewrap(tmp_path, host))
    assert "uv 0.4.0 shows it" in answer["reason"]
