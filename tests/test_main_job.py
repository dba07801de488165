"""The story of astral-sh/uv#10903 on real releases of uv, from PyPI, by the real command line."""

import json
import os
import subprocess
from pathlib import Path

import pytest

from tests.conftest import CommandLine
from uvmre.core.text.normalize import find_pattern, normalize

pytestmark = pytest.mark.network

FOUR_LINES = (
    "× Failed to build `foo-workspace-member @ …`",
    "├─▶ Failed to resolve requirements from `build-system.requires`",
    "├─▶ No solution found when resolving: `hatchling`",
    "╰─▶ Because hatchling was not found in the package registry … (401 Unauthorized).",
)
OUTCOMES = {
    "as reported": "shows",
    "no credentials": "shows",
    "environment": "absent",
    ".netrc": "absent",
    "without --all-packages": "absent",
}


@pytest.mark.parametrize("release", ["0.5.21", "0.13.9"])
def test_the_demo_runs_the_whole_report(uvmre: CommandLine, tmp_path: Path, release: str) -> None:
    ended = uvmre("demo", "demo", "--uv", release, "--json")
    assert ended.exit == 0, ended.stderr
    data = json.loads(ended.stdout)
    variants = {variant["name"]: variant for variant in data["variants"]}
    assert {name: variant["outcome"] for name, variant in variants.items()} == OUTCOMES
    assert data["verdict"] == "explained"
    assert data["uv"] == release

    output, at = normalize(variants["no credentials"]["steps"][-1]["stderr"]), 0
    for line in FOUR_LINES:
        found = find_pattern(line.rstrip("."), output, at)
        assert found is not None, line
        at = found

    # The requests are the evidence: none carried credentials where the symptom shows, some did where it is gone.
    assert [r["status"] for r in variants["no credentials"]["requests"]] == [401]
    assert not any(r["credentials"] for r in variants["as reported"]["requests"])
    for gone in ("environment", ".netrc"):
        assert any(r["credentials"] and r["status"] == 200 for r in variants[gone]["requests"])
        assert {r["host"] for r in variants[gone]["requests"]} == {"pypi-proxy.fly.dev"}
    assert variants["without --all-packages"]["requests"] == []

    report = (tmp_path / data["report"]).read_text()
    assert "### Version\n\nuv " + release in report
    assert "401 Unauthorized" in report.replace("\n", " ")


def test_a_release_without_the_commands_is_broken(uvmre: CommandLine) -> None:
    ended = uvmre("demo", "demo", "--uv", "0.1.20", "--json")
    data = json.loads(ended.stdout)
    assert ended.exit == 125
    assert data["verdict"] == "inconclusive"
    assert {variant["outcome"] for variant in data["variants"]} == {"broken"}
    assert "uv 0.1.20 does not support `lock`" in data["reason"]


def test_a_wrong_password_shows_the_symptom_and_is_explained(uvmre: CommandLine) -> None:
    created = uvmre(
        "new", "wrong", "-t", "workspace-index", "--defaults", "-d", "credentials=wrong", "-d", "dockerfile=env"
    )
    assert created.exit == 0, created.stderr
    ended = uvmre("run", "wrong", "--json")
    data = json.loads(ended.stdout)
    assert (ended.exit, data["verdict"]) == (0, "explained")
    assert "the password is not the index's" in data["reason"]
    reported = data["variants"][0]["requests"]
    assert {(r["status"], r["credentials"]) for r in reported} >= {(401, True)}


def test_credentials_that_arrive_are_no_bug(uvmre: CommandLine) -> None:
    uvmre("new", "fine", "-t", "workspace-index", "--defaults", "-d", "dockerfile=env")
    ended = uvmre("run", "fine", "--json")
    assert (ended.exit, json.loads(ended.stdout)["verdict"]) == (1, "not_reproducible")


def test_another_interpreter_is_used_and_reported(uvmre: CommandLine) -> None:
    uvmre("new", "mre", "-t", "workspace-index", "--defaults", "-d", "all_packages=false")
    ended = uvmre("run", "mre", "--python", "3.12", "--json")
    data = json.loads(ended.stdout)
    if "error" in data:
        pytest.skip(data["error"])
    assert data["python"].startswith("3.12.")
    assert "CPython 3.12" in data["variants"][0]["steps"][0]["stderr"]


def test_a_release_that_does_not_exist_is_named(uvmre: CommandLine) -> None:
    uvmre("new", "mre", "-t", "workspace-index", "--defaults")
    ended = uvmre("run", "mre", "--uv", "9.9.9")
    assert ended.exit == 2
    assert "there is no uv 9.9.9 on PyPI: the nearest is " in ended.stderr
    assert "the newest is" in ended.stderr


def test_run_sh_agrees_with_uvmre(uvmre: CommandLine, cache: Path, tmp_path: Path) -> None:
    """`run.sh` is for machines without uvmre; here the public index is answered by a gateway of ours."""
    from uvmre.gateway.session import Gateway

    uvmre("new", "shows", "-t", "workspace-index", "--defaults", "-d", "credentials=none")
    uvmre("new", "absent", "-t", "workspace-index", "--defaults", "-d", "credentials=netrc")
    authority = tmp_path / "authority.pem"
    with Gateway(cache, tmp_path / "recording") as gateway, gateway.listener() as listener:
        authority.write_bytes(gateway.certificate)
        proxies = dict.fromkeys(("HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY"), listener.url)
        trusted = dict.fromkeys(("SSL_CERT_FILE", "PIP_CERT", "REQUESTS_CA_BUNDLE"), str(authority))
        for name, expected in (("shows", 0), ("absent", 1)):
            environment = {**os.environ, **proxies, **trusted}
            done = subprocess.run(
                [tmp_path / name / "run.sh"], env=environment, capture_output=True, text=True, timeout=120
            )
            assert done.returncode == expected, done.stdout + done.stderr


def test_what_was_recorded_is_replayed_without_a_network(
    offline_uvmre: CommandLine, uvmre: CommandLine, cache: Path, tmp_path: Path
) -> None:
    recorded = json.loads(uvmre("demo", "demo", "--json").stdout)
    for arguments in (["run", "demo"], ["run", "demo", "--replay"], ["run", "demo", "--replay"]):
        data = offline_uvmre(*arguments, "--json").json("run")
        assert data["verdict"] == recorded["verdict"]
        for before, after in zip(recorded["variants"], data["variants"], strict=True):
            assert before["outcome"] == after["outcome"] == OUTCOMES[after["name"]]
            assert [step["exit"] for step in before["steps"]] == [step["exit"] for step in after["steps"]]
            assert all(r["replayed"] for r in after["requests"] if r["status"] not in (401,))


def test_a_recording_that_lacks_something_is_broken_and_names_it(uvmre: CommandLine, tmp_path: Path) -> None:
    uvmre("new", "mre", "-t", "workspace-index", "--defaults", "-d", "dockerfile=env")
    ended = uvmre("run", "mre", "--replay", "--json")
    data = json.loads(ended.stdout)
    assert (ended.exit, data["verdict"], data["variants"][0]["outcome"]) == (125, "inconclusive", "broken")
    assert "https://pypi.org/simple/hatchling/ is not in the recording" in data["reason"]
    assert 504 in {request["status"] for request in data["variants"][0]["requests"]}


DATED = """\
schema = 1
title = "PyPI as it was"
[environment]
uv = "0.5.21"
exclude-newer = 2024-03-01
[[step]]
role = "observe"
run = "uv venv -q && uv pip install six click && uv pip install {file}"
[symptom]
output = ["click==8.1.7"]
"""
TOO_NEW = (
    "https://files.pythonhosted.org/packages/b7/ce/149a00dd41f10bc29e5921b496af8b574d8413afcd5e30dfa0ed46c2cc5e/"
    "six-1.17.0-py2.py3-none-any.whl"
)


@pytest.mark.parametrize("release", ["0.1.20", "0.5.21", "0.13.9"])
def test_the_cutoff_date_holds_for_every_release(uvmre: CommandLine, tmp_path: Path, release: str) -> None:
    (tmp_path / "mre").mkdir()
    (tmp_path / "mre" / "mre.toml").write_text(DATED.format(file=f"'six @ {TOO_NEW}'"))
    data = json.loads(uvmre("run", "mre", "--uv", release, "--json").stdout)
    (step,) = data["variants"][0]["steps"]
    assert "+ six==1.16.0" in step["stderr"]
    assert "+ click==8.1.7" in step["stderr"]  # 8.1.8 came in December 2024
    refused = [
        request
        for request in data["variants"][0]["requests"]
        if request["path"].endswith("six-1.17.0-py2.py3-none-any.whl")
    ]
    if release != "0.1.20":  # which is content with the six that it has
        assert {request["status"] for request in refused} == {404}
        assert {request["reason"] for request in refused} == {"it was uploaded on 2024-12-04, after 2024-03-01"}
