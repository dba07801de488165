"""What the gateway answers for an MRE: static responses, git repositories, an untrusted certificate. With real releases of uv."""

from pathlib import Path
from typing import Any

import pytest

from tests.conftest import CommandLine, WriteMre, no_sandbox

pytestmark = pytest.mark.network
HEAD = """\
title = "t"
[environment]
uv = "{uv}"
[[step]]
run = '''
{step}
'''
[symptom]
exit = {exit}
output = ["{text}"]
"""


@pytest.fixture(params=["local", "sandbox"])
def backend(request: pytest.FixtureRequest) -> str:
    if request.param == "sandbox" and (why := no_sandbox()):
        pytest.skip(why)
    return str(request.param)


def manifest(step: str, text: str, tables: str, *, uv: str = "0.5.21", exit: str = "0") -> str:
    return HEAD.format(uv=uv, step=step, text=text, exit=exit) + tables


def run(uvmre: CommandLine, folder: Path, backend: str = "local") -> dict[str, Any]:
    data: dict[str, Any] = uvmre("run", folder, "--json", "--backend", backend).json("run")
    return data


REQUIREMENTS = """\
[[answer]]
url = "https://files.example.com/requirements.txt"
credentials = "none"
status = 401
headers = { "www-authenticate" = "Basic" }
[[answer]]
url = "https://files.example.com/old.txt"
redirect = "https://files.example.com/requirements.txt"
[[answer]]
url = "https://files.example.com/requirements.txt"
method = "GET"
credentials = "me:secret"
times = 1
body = "six==1.16.0"
"""


@pytest.mark.parametrize(
    ("url", "text", "exit_code"),
    [
        pytest.param("https://me:secret@files.example.com/requirements.txt", "six==1.16.0", "0", id="with credentials"),
        pytest.param("https://files.example.com/requirements.txt", "Error while accessing remote requirements file", '"failure"', id="without"),
        pytest.param("https://me:wrong@files.example.com/requirements.txt", "is not a host of this MRE", '"failure"', id="nothing matches"),
        pytest.param("https://files.example.com/old.txt", "Error while accessing remote requirements file", '"failure"', id="a redirect"),
    ],
)  # fmt: skip
def test_an_answer_is_sent_to_the_requests_that_match(
    uvmre: CommandLine, write_mre: WriteMre, backend: str, url: str, text: str, exit_code: str
) -> None:
    data = run(uvmre, write_mre(manifest(f"uv pip compile {url}", text, REQUIREMENTS, exit=exit_code)), backend)
    refused = "nothing matches" if "wrong" in url else ""
    assert data["verdict"] == ("inconclusive" if refused else "reproducible"), data
    requests = [(request["path"], request["status"]) for request in data["variants"][0]["requests"]]
    assert requests[0] == (f"/{url.rpartition('/')[2]}", 302 if "old" in url else requests[0][1])
    assert text != "Error while accessing remote requirements file" or requests[-1] == ("/requirements.txt", 401)


REPOSITORY = """\
[[git]]
url = "https://github.com/org/lib"
[[git.commit]]
folder = "module"
branch = "main"
[[git]]
url = "https://github.com/org/repo"
{access}
[[git.commit]]
folder = "one"
tag = "v1"
[[git.commit]]
folder = "two"
branch = "next"
submodules = {{ "vendored" = "https://github.com/org/lib" }}
"""
PROJECT = '[project]\nname = "acme"\nversion = "{}"\n[build-system]\nrequires = ["hatchling"]\nbuild-backend = "hatchling.build"\n'


def write_repository(folder: Path) -> None:
    for name, version in (("one", "1.0"), ("two", "2.0"), ("two/packages/inner", "3.0")):
        (folder / name / "acme").mkdir(parents=True)
        (folder / name / "acme" / "__init__.py").touch()
        (folder / name / "pyproject.toml").write_text(PROJECT.format(version))
    (folder / "module").mkdir()
    (folder / "module" / "README.md").write_text("of a submodule")


@pytest.mark.parametrize("uv", ["0.2.30", "0.5.21", "0.13.9"])
@pytest.mark.parametrize(
    ("requirement", "version"),
    [
        ("git+https://github.com/org/repo@v1", "1.0"),
        ("git+https://github.com/org/repo.git@next", "2.0"),
        ("git+https://github.com/org/repo@next#subdirectory=packages/inner", "3.0"),
        ("git+ssh://git@github.com/org/repo@v1", "1.0"),
    ],
)
def test_uv_installs_from_a_repository_at_its_real_address(
    uvmre: CommandLine, write_mre: WriteMre, uv: str, requirement: str, version: str
) -> None:
    step = f"uv venv -q && uv pip install 'acme @ {requirement}' && uv pip freeze"
    folder = write_mre(
        manifest(step, f"acme @ {requirement.partition('@')[0][:8]}…", REPOSITORY.format(access=""), uv=uv)
    )
    write_repository(folder)
    data = run(uvmre, folder, "local" if uv != "0.5.21" or no_sandbox() else "sandbox")
    assert data["verdict"] == "reproducible", data["variants"][0]["steps"]
    assert f"+ acme=={version}" in data["variants"][0]["steps"][0]["stderr"]
    assert {request["host"] for request in data["variants"][0]["requests"]} <= {
        "github.com", "api.github.com", "raw.githubusercontent.com", "pypi.org", "files.pythonhosted.org",
    }  # fmt: skip


@pytest.mark.parametrize(("user", "exit_code"), [("me:secret@", "0"), ("me:wrong@", '"failure"'), ("", '"failure"')])
def test_a_private_repository_asks_for_its_credentials(
    uvmre: CommandLine, write_mre: WriteMre, user: str, exit_code: str
) -> None:
    access = 'username = "me"\npassword = "secret"'
    step = f"git clone -q --recurse-submodules -b next https://{user}github.com/org/repo && cat repo/vendored/README.md"
    text = "of a submodule" if exit_code == "0" else "uthentication failed" if user else "could not read Username"
    folder = write_mre(manifest(step, text, REPOSITORY.format(access=access), exit=exit_code))
    write_repository(folder)
    assert run(uvmre, folder)["verdict"] == "reproducible"


@pytest.mark.parametrize(("fault", "word"), [("untrusted-issuer = true", "reproducible"), ("", "not_reproducible")])
def test_a_certificate_of_an_unknown_issuer(
    uvmre: CommandLine, write_mre: WriteMre, backend: str, fault: str, word: str
) -> None:
    tables = f'[[fault]]\nurl = "https://pypi.org/*"\n{fault or "delay = 0.1"}\n'
    folder = write_mre(
        manifest(
            "echo six | uv pip compile -",
            "invalid peer certificate: UnknownIssuer",
            tables,
            exit='"failure"',
        )
    )
    assert run(uvmre, folder, backend)["verdict"] == word


def test_a_symptom_of_a_rejected_certificate_is_met_and_the_fault_is_suggested(
    uvmre: CommandLine, write_mre: WriteMre
) -> None:
    """Where a step trusts another authority only, that is what the report is about."""
    step = "SSL_CERT_FILE=/etc/hosts uv pip compile --index-url https://pypi.org/simple requirements.in"
    folder = write_mre(manifest(step, "invalid peer certificate: UnknownIssuer", "", exit='"failure"'))
    (folder / "requirements.in").write_text("six\n")
    data = run(uvmre, folder)
    assert data["verdict"] == "reproducible", data["reason"]
    assert "untrusted-issuer" in data["reason"]


@pytest.mark.parametrize(
    ("headers", "pages"), [("", 1), ('headers = { "cache-control" = "no-store", "etag" = "" }', 2)]
)
def test_an_index_sends_headers_of_its_own(
    uvmre: CommandLine, write_mre: WriteMre, backend: str, headers: str, pages: int
) -> None:
    """uv keeps a page as long as the index says."""
    tables = f'[[index]]\nurl = "https://acme.example.com/simple"\nregistry = "devpi"\n{headers}\n[index.packages.acme.versions."1.0"]\n'
    compile = "echo acme | uv pip compile -q -i https://acme.example.com/simple -"
    data = run(uvmre, write_mre(manifest(f"{compile} && {compile}", "acme==1.0", tables)), backend)
    assert data["verdict"] == "reproducible", data["reason"]
    paths = [request["path"] for request in data["variants"][0]["requests"]]
    assert paths.count("/simple/acme/") == pages
