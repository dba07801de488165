"""Every client of an index goes through every route of the public test index, with the right credentials only."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from uvmre.gateway.session import Gateway, Listener
from uvmre.releases import binaries
from uvmre.run.environment import gateway_variables

pytestmark = [pytest.mark.network, pytest.mark.slow]

INDEX = "pypi-proxy.fly.dev"
PACKAGE = "iniconfig"
# Path of the index -> the password that opens it, if any.
ROUTES = {
    "/simple": "",
    "/relative/simple": "",
    "/no-upload-time/simple": "",
    "/status/archived/simple": "",
    "/basic-auth/simple": "heron",
    "/basic-auth/relative/simple": "heron",
    "/basic-auth-heron/simple": "heron",
    "/basic-auth-eagle/simple": "eagle",
}
# pdm 2.29 takes any hishel, and works with few: what it was released with is an extra.
TOOLS = {"poetry": "poetry", "pdm": "pdm[locked]"}
# Releases that give a page's credentials to the page only, and so never get a file of a closed index.
FORGETFUL = ("uv 0.1.5",)
OTHER = {"heron": "eagle", "eagle": "heron"}
TIMEOUT = 180


@dataclass(frozen=True)
class Client:
    """A client that can install from an index with credentials, or without where there are none."""

    name: str
    install: Callable[[Path, Mapping[str, str], str, str], "subprocess.CompletedProcess[str]"]
    """Given a fresh folder, variables, the path of the index and a password."""


def address(path: str, password: str) -> str:
    return f"https://public:{password}@{INDEX}{path}/" if password else f"https://{INDEX}{path}/"


def ran(argv: Sequence[str | Path], folder: Path, variables: Mapping[str, str]) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        argv,
        cwd=folder,
        env=dict(variables),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=TIMEOUT,
    )


def venv(folder: Path) -> Path:
    """Make an environment without pip, and return where packages go."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder / ".venv"], check=True, timeout=TIMEOUT)
    (packages,) = (folder / ".venv" / "lib").glob("python*/site-packages")
    return packages


def uv(release: str, cache: Path) -> Client:
    _, binary = binaries.get(release, cache / "uvmre", lambda *_: None)

    def install(
        folder: Path, variables: Mapping[str, str], path: str, password: str
    ) -> "subprocess.CompletedProcess[str]":
        argv: list[str | Path] = [binary, "pip", "install", "--index-url", address(path, password), PACKAGE]
        return ran(argv, folder, {**variables, "VIRTUAL_ENV": str(folder / ".venv")})

    return Client(f"uv {release}", install)


def pip() -> Client:
    def install(
        folder: Path, variables: Mapping[str, str], path: str, password: str
    ) -> "subprocess.CompletedProcess[str]":
        (target,) = (folder / ".venv" / "lib").glob("python*/site-packages")
        options = ["--isolated", "--no-input", "--disable-pip-version-check", "--no-cache-dir", "--retries", "0"]
        argv: list[str | Path] = [sys.executable, "-m", "pip", *options, "install", "--target", target, "--index-url"]
        return ran([*argv, address(path, password), PACKAGE], folder, variables)

    return Client("pip", install)


def poetry(tool: Path) -> Client:
    def install(
        folder: Path, variables: Mapping[str, str], path: str, password: str
    ) -> "subprocess.CompletedProcess[str]":
        (folder / "pyproject.toml").write_text(
            '[tool.poetry]\nname = "spam"\nversion = "1"\ndescription = ""\nauthors = []\npackage-mode = false\n'
            f'[tool.poetry.dependencies]\npython = ">=3.11"\n{PACKAGE} = "*"\n'
            f'[[tool.poetry.source]]\nname = "bird"\nurl = "https://{INDEX}{path}/"\npriority = "primary"\n'
        )
        given = {"POETRY_HTTP_BASIC_BIRD_USERNAME": "public", "POETRY_HTTP_BASIC_BIRD_PASSWORD": password}
        own = {
            "POETRY_CACHE_DIR": str(folder / "cache"),
            "POETRY_CONFIG_DIR": str(folder / "config"),
            "POETRY_VIRTUALENVS_IN_PROJECT": "true",
            "PYTHON_KEYRING_BACKEND": "keyring.backends.null.Keyring",
            **(given if password else {}),
        }
        return ran([tool / "bin" / "poetry", "install", "--no-interaction"], folder, {**variables, **own})

    return Client("poetry", install)


def pdm(tool: Path) -> Client:
    def install(
        folder: Path, variables: Mapping[str, str], path: str, password: str
    ) -> "subprocess.CompletedProcess[str]":
        (folder / "pyproject.toml").write_text(
            f'[project]\nname = "spam"\nversion = "1"\nrequires-python = ">=3.11"\ndependencies = ["{PACKAGE}"]\n'
            "[tool.pdm]\ndistribution = false\n"
            f'[[tool.pdm.source]]\nname = "pypi"\nurl = "{address(path, password)}"\n'
        )
        own = {
            "PDM_CACHE_DIR": str(folder / "cache"),
            "PDM_CHECK_UPDATE": "0",
            "PDM_IGNORE_ACTIVE_VENV": "0",
            "VIRTUAL_ENV": str(folder / ".venv"),
        }
        return ran([tool / "bin" / "pdm", "install", "--no-self"], folder, {**variables, **own})

    return Client("pdm", install)


@pytest.fixture(scope="module")
def tools(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Return a function that installs a client from PyPI into an environment of its own, once."""
    folder, created = tmp_path_factory.mktemp("tools"), dict[str, Path]()

    def tool(name: str) -> Path:
        if name not in created:
            subprocess.run([sys.executable, "-m", "venv", folder / name], check=True, timeout=TIMEOUT)
            pip: list[str | Path] = [folder / name / "bin" / "python", "-m", "pip", "-q", "--disable-pip-version-check"]
            done = subprocess.run([*pip, "install", TOOLS[name]], capture_output=True, text=True, timeout=300)
            if done.returncode:
                pytest.skip(f"{name} cannot be had: nothing of it was tested ({done.stderr[-300:]})")
            created[name] = folder / name
        return created[name]

    return tool


CLIENTS = ["uv 0.1.5", "uv 0.1.20", "uv 0.5.21", "uv 0.8.0", "uv 0.13.9", "pip", "poetry", "pdm"]


@pytest.fixture(scope="module", params=CLIENTS)
def client(request: pytest.FixtureRequest, cache: Path, tools: Callable[[str], Path]) -> Client:
    name, _, release = request.param.partition(" ")
    if name == "uv":
        return uv(release, cache)
    if name == "pip":
        return pip()
    return poetry(tools(name)) if name == "poetry" else pdm(tools(name))


@pytest.fixture(scope="module")
def gateway(cache: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    with Gateway(cache / "uvmre", tmp_path_factory.mktemp("recording")) as gateway:
        yield gateway


@pytest.fixture
def listener(gateway: Gateway) -> Iterator[Listener]:
    with gateway.listener() as listener:
        yield listener


@pytest.fixture
def variables(gateway: Gateway, listener: Listener, tmp_path: Path) -> dict[str, str]:
    """Return all that a client sees, as a step does: nothing is inherited."""
    authority = tmp_path / "authority.pem"
    authority.write_bytes(gateway.certificate)
    (tmp_path / "home").mkdir()
    return {
        "PATH": os.pathsep.join((str(Path(sys.executable).parent), "/usr/local/bin", "/usr/bin", "/bin")),
        "HOME": str(tmp_path / "home"),
        "TMPDIR": str(tmp_path),
        "LANG": "C.UTF-8",
        **gateway_variables(listener.url, authority),
    }


def project(tmp_path: Path) -> tuple[Path, Path]:
    folder = tmp_path / "project"
    folder.mkdir()
    return folder, venv(folder)


@pytest.mark.parametrize("path", ROUTES)
def test_a_client_installs_through_a_route_with_the_right_credentials(
    client: Client, listener: Listener, variables: dict[str, str], tmp_path: Path, path: str
) -> None:
    folder, packages = project(tmp_path)
    done = client.install(folder, variables, path, ROUTES[path])
    requests = [actual for actual in listener.requests if actual.method != "TLS"]
    pages = [actual for actual in requests if actual.path.rstrip("/") == f"{path}/{PACKAGE}"]
    assert 200 in {actual.status for actual in pages}, done.stderr
    if ROUTES[path] and client.name in FORGETFUL:
        files = [actual for actual in requests if "/files/" in actual.path]
        assert (401, False) in {(actual.status, actual.credentials) for actual in files}
        assert done.returncode != 0
        return
    assert done.returncode == 0, done.stdout + done.stderr
    assert (packages / PACKAGE / "__init__.py").is_file()
    assert {actual.answered_by for actual in requests} <= {"stand-in", "upstream"}
    if ROUTES[path]:
        # A closed route's files are its own, and nothing of it is open.
        assert {actual.host for actual in requests} == {INDEX}
        assert all(actual.credentials for actual in requests if actual.status < 400)


@pytest.mark.parametrize("path", [path for path, password in ROUTES.items() if password])
@pytest.mark.parametrize("which", ["none", "wrong"])
def test_a_client_without_the_right_credentials_gets_401(
    client: Client, listener: Listener, variables: dict[str, str], tmp_path: Path, path: str, which: str
) -> None:
    folder, packages = project(tmp_path)
    done = client.install(folder, variables, path, OTHER[ROUTES[path]] if which == "wrong" else "")
    assert done.returncode != 0
    assert not (packages / PACKAGE).exists()
    pages = [actual for actual in listener.requests if actual.host == INDEX and actual.path.startswith(path)]
    assert {actual.status for actual in pages} == {401}
    assert any(actual.credentials for actual in pages) is (which == "wrong")


def test_no_client_left_anything_but_its_project(client: Client, variables: dict[str, str], tmp_path: Path) -> None:
    """Of these tests' own ways: what a client keeps of credentials must not reach the next test."""
    folder, _ = project(tmp_path)
    client.install(folder, variables, "/basic-auth/simple", "heron")
    shutil.rmtree(folder)
    output = [path for path in tmp_path.rglob("*") if path.is_file() and b"heron" in path.read_bytes()]
    assert not [path for path in output if "cache" not in path.parts and ".cache" not in path.parts]
