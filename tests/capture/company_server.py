"""A private project of an invented company, with a private index that real releases of uv reach as users do.

`write_company` writes what the company has on its disk: a workspace, a home with credentials, and an MRE whose gateway
serves its index and repository. `serve` starts that gateway and gives the variables that lead a client there.
"""

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from uvmre.core.network.registries import PROFILES

Credentials = Literal["uv.toml", "url", ".netrc", "variables"]

NAME = "quintavel"
TOKEN = "qvt-8fK2mZ91xLw0Rb7uYd"
"""The password or token of the index; no rule knows its shape."""
USER = "svc-heliodor"
INDEX = "forge-qv"
"""The name of the index in the project."""
GIT = f"https://git.{NAME}.fr/forge/ferrotype-journal"
URLS = {
    "pypi-proxy": f"https://pypi.{NAME}.fr/interne-qv/simple",
    "artifactory": f"https://{NAME}.jfrog.io/artifactory/api/pypi/qv-pypi-prod/simple",
    "gitlab": f"https://gitlab.{NAME}.fr/api/v4/projects/48151/packages/pypi/simple",
    "azure-artifacts": f"https://pkgs.dev.azure.com/{NAME}/heliodor/_packaging/qv-wheels/pypi/simple/",
    "nexus": f"https://nexus.{NAME}.fr/repository/qv-pypi/simple",
    "codeartifact": f"https://{NAME}-481516234299.d.codeartifact.eu-west-3.amazonaws.com/pypi/qv-wheels/simple/",
    "google-artifact-registry": f"https://europe-west9-python.pkg.dev/{NAME}-prod/qv-wheels/simple/",
    "devpi": f"https://devpi.{NAME}.fr/heliodor/stable/+simple/",
    "pytorch": f"https://wheels.{NAME}.fr/whl/qv121",
    "simple-no-range": f"https://wheels.{NAME}.fr/qv-depot/simple",
    "github-pages": f"https://{NAME}.github.io/qv-wheels/simple",
}
"""The address of the company's index on each registry."""
PLANTED = (
    *(
        NAME,
        "qvt-8fk2mz91xlw0rb7uyd",
        USER,
        INDEX,
        "48151",
        "481516234299",
        "qv-pypi",
        "qv-wheels",
        "qv121",
        "qv-depot",
    ),
    *("heliodor", "ferrotype", "passerelle-qv", "gestalt-qv", "Maëlle", "Kerbrat", "m.kerbrat@", "Novotný", "novotny@"),
    *(
        "王晓明",
        "订单服务",
        "Moteur d'été",
        "relais-vapeur",
        "Système central",
        "QVL-4711",
        "QVL-0815",
        "lancer-heliodor",
    ),
    *("imprimante3000", "outillage-qv", "HELIODOR_MODE", "turbine-secrète", "registry.quintavel.fr", "python-durci"),
    *("Copyright Quintavel", "rapport-vapeur", "tableau-de-bord", "poste-kerbrat", "heliodor_moteur", "greffons"),
    *("feature/QVL-4711", "intranet.quintavel", "Private :: Ne pas publier", "chaudière", "commandes_qv"),
)
"""What no file of an MRE may have, whatever its case."""

VERSIONS = {
    "heliodor-noyau": {"1.0.0": [], "1.4.2": ["idna>=3"], "2.0.1": ["idna>=3.4", "six"]},
    "gestalt-qv": {"0.9.0": ["heliodor-noyau<2"], "0.9.1": ["heliodor-noyau>=1.4,<2"]},
    "passerelle-qv": {"3.1.0": []},
    "rapport-vapeur": {"1.0.0": ["six"], "1.1.0": ["six>=1.15", "heliodor-noyau>=2"]},
}
"""The packages of the index, their versions and requirements."""


@dataclass(frozen=True)
class Company:
    """What the company has on its disk."""

    root: Path
    registry: str
    credentials: Credentials
    url: str
    username: str
    planted: tuple[str, ...] = PLANTED
    variables: Mapping[str, str] = field(default_factory=dict)
    """Those of its user, in addition to the path."""

    @property
    def project(self) -> Path:
        """Return the folder of the workspace."""
        return self.root / "Système central"

    @property
    def home(self) -> Path:
        """Return the home of its user."""
        return self.root / "home" / "m.kerbrat"

    def environment(self, uv: Path, network: Mapping[str, str]) -> dict[str, str]:
        """Return the variables of a terminal of its user: with uv, credentials and the way to the index."""
        path = f"{uv.parent}:{Path(sys.executable).parent}:/usr/local/bin:/usr/bin:/bin"
        own = {
            "PATH": path,
            "HOME": str(self.home),
            "LANG": "C.UTF-8",
            "USER": "m.kerbrat",
            "HOSTNAME": "poste-kerbrat",
        }
        return {**own, "HELIODOR_MODE": "turbine-secrète", **self.variables, **network}

    def url_with_credentials(self, password: str = TOKEN) -> str:
        """Return the URL of the index with user and password in it."""
        return self.url.replace("://", f"://{self.username}:{password}@")


def write_company(root: Path, registry: str = "gitlab", credentials: Credentials = "uv.toml") -> Company:
    """Write the company's project, its user's home and its servers below `root`."""
    own = PROFILES[registry].username
    company = Company(root, registry, credentials, URLS[registry], own or USER)
    company.home.mkdir(parents=True)
    company = _give_credentials(company)
    _write_servers(company)
    for path, text in _files(company).items():
        _write(company.project / path, text)
    return company


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def _give_credentials(company: Company) -> Company:
    variables: dict[str, str] = {}
    user_settings = company.home / ".config" / "uv" / "uv.toml"
    if company.credentials == "uv.toml":
        _write(
            user_settings, f'[[index]]\nname = "{INDEX}"\nurl = "{company.url_with_credentials()}"\ndefault = true\n'
        )
    elif company.credentials == ".netrc":
        host = company.url.split("/")[2]
        _write(company.home / ".netrc", f"machine {host}\nlogin {company.username}\npassword {TOKEN}\n")
        (company.home / ".netrc").chmod(0o600)
    elif company.credentials == "variables":
        variables = {"UV_INDEX_FORGE_QV_USERNAME": company.username, "UV_INDEX_FORGE_QV_PASSWORD": TOKEN}
    return Company(
        company.root, company.registry, company.credentials, company.url, company.username, variables=variables
    )


def _files(company: Company) -> dict[str, str]:
    """Return the files of the workspace."""
    files = {
        "pyproject.toml": _root_project(company),
        "packages/Moteur d'été/pyproject.toml": ENGINE,
        "packages/Moteur d'été/LISEZMOI.md": "# Le moteur\n\nDemander à Maëlle Kerbrat (m.kerbrat@quintavel.fr).\n",
        "packages/Moteur d'été/src/heliodor_moteur/__init__.py": '"""QVL-0815: la chaudière."""\n\nCHALEUR = 3\n',
        "packages/订单服务/pyproject.toml": ORDERS,
        "packages/订单服务/src/commandes_qv/__init__.py": "# 王晓明\n",
        "packages/relais-vapeur/pyproject.toml": RELAY,
        "packages/relais-vapeur/src/relais_vapeur/__init__.py": '"""Le relais. Copyright Quintavel."""\n\n__version__ = "0.3"\n',
        "src/heliodor/__init__.py": "",
        "tableau-de-bord/rapport.py": SCRIPT.format(url=_index_url(company)),
        "requirements.txt": "# QVL-4711: ne pas changer\nheliodor-noyau==9.9  # Kerbrat\nsix\n",
        "Dockerfile": DOCKERFILE.format(url=_index_url(company)),
        ".dockerignore": ".venv\n*.md\n# intranet.quintavel.fr\n",
        ".python-version": "3.11\n",
        "README.md": "# Heliodor\n\nhttps://intranet.quintavel.fr/heliodor, branche feature/QVL-4711\n",
    }
    if company.credentials == "url":
        files["uv.toml"] = f'[[index]]\nname = "{INDEX}"\nurl = "{company.url_with_credentials()}"\ndefault = true\n'
    return files


def _index_url(company: Company) -> str:
    return company.url_with_credentials() if company.credentials == "url" else company.url


def _root_project(company: Company) -> str:
    # An index of uv's settings cannot be named by `sources`, and is the default one.
    named = company.credentials in (".netrc", "variables")
    sources = f'heliodor-noyau = {{ index = "{INDEX}" }}\npasserelle-qv = {{ index = "{INDEX}" }}' if named else ""
    sources += "\n" * named
    index = f'\n[[tool.uv.index]]\nname = "{INDEX}"\nurl = "{company.url}"\ndefault = true' if named else ""
    return ROOT.format(sources=sources, index=index, git=GIT)


ROOT = """\
# Heliodor: QVL-4711, QVL-0815
[project]
name = "heliodor"
version = "24.3.1"
description = "La passerelle de commande de la chaudière de Quintavel"
readme = "README.md"
requires-python = ">=3.11"
license = {{ text = "Copyright Quintavel SAS" }}
authors = [{{ name = "Maëlle Kerbrat", email = "m.kerbrat@quintavel.fr" }}, {{ name = "王晓明" }}]
maintainers = [{{ name = "Jiří Novotný", email = "j.novotny@quintavel.fr" }}]
keywords = ["heliodor", "vapeur"]
classifiers = ["Private :: Ne pas publier", "Programming Language :: Python :: 3"]
dependencies = [
    "heliodor-moteur",
    "ferrotype-journal",  # voir https://intranet.quintavel.fr/QVL-4711
    "heliodor-noyau>=1.4",
    "idna>=3",
]

[project.optional-dependencies]
imprimante3000 = ["passerelle-qv>=3"]

[project.urls]
Wiki = "https://intranet.quintavel.fr/heliodor"

[project.scripts]
lancer-heliodor = "heliodor:lancer"

[project.entry-points."heliodor.greffons"]
relais = "relais_vapeur:greffon"

[dependency-groups]
outillage-qv = ["six"]
dev = ["sniffio"]

[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"

[tool.hatch.build.targets.wheel]
packages = ["src/heliodor"]

[tool.uv.workspace]
members = ["packages/*"]

[tool.uv.sources]
heliodor-moteur = {{ workspace = true }}
ferrotype-journal = {{ git = "{git}", tag = "v1.2" }}
{sources}{index}

[tool.quintavel-ci]
canal = "chaudière"
"""
ENGINE = """\
[project]
name = "heliodor-moteur"
version = "1.0.0"
description = "Le moteur d'été"
requires-python = ">=3.11"
dependencies = ["heliodor-commandes", "six>=1.15"]  # 王晓明

[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"

[tool.hatch.build.targets.wheel]
packages = ["src/heliodor_moteur"]

[tool.uv.sources]
heliodor-commandes = { workspace = true }
"""
ORDERS = """\
[project]
name = "heliodor-commandes"
version = "0.7.0"
authors = [{ name = "王晓明", email = "xm.wang@quintavel.fr" }]
requires-python = ">=3.11"
dependencies = ["heliodor-noyau>=1.4"]

[build-system]
requires = ["setuptools>=64"]
build-backend = "setuptools.build_meta"

[tool.setuptools.packages.find]
where = ["src"]
"""
RELAY = """\
[project]
name = "relais-vapeur"
dynamic = ["version", "description"]
requires-python = ">=3.11"
dependencies = ["idna"]

[build-system]
requires = ["flit_core>=3.4"]
build-backend = "flit_core.buildapi"
"""
SCRIPT = """\
# /// script
# requires-python = ">=3.11"
# dependencies = ["rapport-vapeur>=3", "six"]
# [[tool.uv.index]]
# name = "forge-qv"
# url = "{url}"
# default = true
# ///
import six  # QVL-0815

print("chaudière", six)
"""
DOCKERFILE = """\
# syntax=docker/dockerfile:1
# Bâti par Maëlle Kerbrat, QVL-4711
FROM registry.quintavel.fr/bases/python-durci:2024.3
COPY --from=ghcr.io/astral-sh/uv:0.8.17 /uv /uvx /bin/
WORKDIR /srv/heliodor
ENV HELIODOR_MODE=turbine-secrète UV_DEFAULT_INDEX={url}
COPY requirements.txt .
RUN uv venv
RUN --mount=type=secret,id=qv-netrc,target=/root/.netrc uv pip install -r requirements.txt
"""
JOURNAL = """\
[project]
name = "ferrotype-journal"
version = "1.2.0"
authors = [{ name = "Jiří Novotný" }]
requires-python = ">=3.8"
dependencies = ["six"]

[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"

[tool.hatch.build.targets.wheel]
packages = ["ferrotype_journal"]
"""


def _write_servers(company: Company) -> None:
    """Write the MRE whose gateway is the company's network."""
    import tomli_w

    packages = {
        name: {"versions": {version: {"requires": requires} for version, requires in versions.items()}}
        for name, versions in VERSIONS.items()
    }
    index = {"url": company.url, "registry": company.registry, "username": company.username, "password": TOKEN}
    manifest = {
        "title": "The network of a company",
        "environment": {"uv": "0.8.17"},
        "step": [{"run": "uv --version"}],
        "symptom": {"exit": "failure", "output": ["nothing of this is run"]},
        "index": [{**index, "packages": packages}],
        "git": [{"url": GIT, "commit": [{"folder": "journal", "tag": "v1.2", "message": "QVL-4711"}]}],
    }
    _write(company.root / "network" / "mre.toml", tomli_w.dumps(manifest))
    _write(company.root / "network" / "journal" / "pyproject.toml", JOURNAL)
    _write(company.root / "network" / "journal" / "ferrotype_journal" / "__init__.py", "")


def remove_version(company: Company, name: str, version: str) -> None:
    """Delete a version of a package from the company's index; `serve` must be called again."""
    import tomllib

    import tomli_w

    path = company.root / "network" / "mre.toml"
    manifest = tomllib.loads(path.read_text(encoding="utf-8"))
    del manifest["index"][0]["packages"][name]["versions"][version]
    path.write_text(tomli_w.dumps(manifest), encoding="utf-8")


@contextlib.contextmanager
def serve(company: Company, cache: Path) -> Iterator[dict[str, str]]:
    """Serve the company's index and repository until the `with` ends, and yield the variables of a client."""
    command = [sys.executable, "-m", "uvmre", "gateway", str(company.root / "network"), "--json"]
    with subprocess.Popen(
        command,
        env={**os.environ, "XDG_CACHE_HOME": str(cache)},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        try:
            assert process.stdout
            variables = json.loads(process.stdout.readline())["variables"]
            # What runs behind it must not know that uvmre serves it.
            yield {name: value for name, value in variables.items() if name != "UVMRE_GATEWAY"}
        finally:
            process.terminate()
            process.wait(20)
