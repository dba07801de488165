"""The company's network is real enough: real uv locks, and each scenario fails as it is meant to."""

import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.capture.company_server import PLANTED, TOKEN, URLS, Company, Credentials, serve, write_company
from tests.capture.scenarios import (
    RESTARTED,
    SCENARIOS,
    Scenario,
    Terminal,
    docker_build,
    hash_mismatch,
    lock_conflict,
    missing_file,
    wrong_token,
)
from uvmre.core.network.registries import PROFILES
from uvmre.releases import binaries

RELEASES = ("0.5.21", "0.8.17", "0.13.9")
CREDENTIALS: tuple[Credentials, ...] = ("uv.toml", "url", ".netrc", "variables")
Prepare = Callable[[Terminal], Scenario]


def uv_binary(release: str, cache: Path) -> Path:
    return binaries.get(release, cache / "uvmre", lambda *_: None)[1]


def fail(prepare: Prepare, company: Company, uv: Path, cache: Path) -> None:
    """Prepare a scenario, and check that its command fails as it is meant to."""
    with serve(company, cache) as network:
        terminal = Terminal(company, uv, network)
        scenario = prepare(terminal)
        if prepare not in RESTARTED:
            run(scenario, terminal)
            return
    shutil.rmtree(company.home / ".cache")  # it has the files
    with serve(company, cache) as network:
        run(scenario, Terminal(company, uv, network))


def run(scenario: Scenario, terminal: Terminal) -> None:
    if scenario.slow:
        with pytest.raises(subprocess.TimeoutExpired):
            terminal.run(*scenario.command, timeout=3)
        return
    command = scenario.command
    if command[0] == "docker":  # its RUNs
        terminal.prepare("uv", "venv")
        command = ("uv", "pip", "install", "-r", "requirements.txt", "--default-index", terminal.company.url)
    done = terminal.run(*command)
    text = " ".join(re.sub("[│╰├─▶]", " ", done.stderr + done.stdout).split())
    assert (done.returncode != 0) == scenario.fails, text
    assert re.search(scenario.innermost, text), text


@pytest.mark.network
@pytest.mark.few(5)
@pytest.mark.parametrize("release", RELEASES)
@pytest.mark.parametrize("prepare", SCENARIOS)
def test_a_scenario_fails_for_its_own_reason(prepare: Prepare, release: str, tmp_path: Path, cache: Path) -> None:
    fail(prepare, write_company(tmp_path / "company", "gitlab", ".netrc"), uv_binary(release, cache), cache)


@pytest.mark.network
@pytest.mark.few(4)
@pytest.mark.parametrize("prepare", [lock_conflict, wrong_token, missing_file, hash_mismatch])
@pytest.mark.parametrize(("number", "registry"), list(enumerate(PROFILES)))
def test_every_registry_asks_for_the_credentials_and_serves_its_packages(
    prepare: Prepare, number: int, registry: str, tmp_path: Path, cache: Path
) -> None:
    if prepare is hash_mismatch and not PROFILES[registry].hashes:
        pytest.skip("its pages have no hashes")
    if prepare is missing_file and PROFILES[registry].links == "{filename}":
        pytest.skip("restarted, it knows no file before the page of its project is requested")
    company = write_company(tmp_path / "company", registry, CREDENTIALS[number % len(CREDENTIALS)])
    fail(prepare, company, uv_binary(RELEASES[1], cache), cache)


@pytest.mark.network
@pytest.mark.parametrize("credentials", CREDENTIALS)
def test_without_the_credentials_nothing_is_served(credentials: Credentials, tmp_path: Path, cache: Path) -> None:
    company = write_company(tmp_path / "company", "gitlab", credentials)
    with serve(company, cache) as network:
        with_them = Terminal(company, uv_binary(RELEASES[1], cache), network).run("uv", "lock")
        assert with_them.returncode == 0, with_them.stderr
        assert "UVMRE" not in " ".join(network)
        (company.project / "uv.lock").unlink()
        other = write_company(tmp_path / "other", "gitlab", credentials)
        for path in (other.home / ".config/uv/uv.toml", other.project / "uv.toml", other.home / ".netrc"):
            if path.exists():
                path.write_text(path.read_text().replace(TOKEN, "wrong"))
        other = Company(other.root, "gitlab", credentials, other.url, other.username)
        without = Terminal(other, uv_binary(RELEASES[1], cache), network).run("uv", "lock")
        assert without.returncode != 0


def test_what_is_planted_is_there(tmp_path: Path) -> None:
    """A string that no file has would prove nothing where it is absent."""
    texts = []
    for registry in URLS:
        for credentials in CREDENTIALS:
            company = write_company(tmp_path / f"{registry}-{credentials}", registry, credentials)
            for path in company.root.rglob("*"):
                texts.append(str(path.relative_to(company.root)))
                texts += [path.read_text(encoding="utf-8")] if path.is_file() else []
            texts += [f"{name}={value}" for name, value in company.environment(Path("/uv"), {}).items()]
    whole = "\n".join(texts).lower()
    assert not [each for each in PLANTED if each.lower() not in whole]
    assert len(PLANTED) >= 30
    assert set(URLS) == set(PROFILES)


def test_the_dockerfile_is_the_one_of_the_scenario(tmp_path: Path) -> None:
    company = write_company(tmp_path / "company")
    scenario = docker_build(Terminal(company, Path("/uv"), {}))
    assert scenario.command[:2] == ("docker", "build")
    assert "RUN --mount=type=secret" in (company.project / "Dockerfile").read_text()
