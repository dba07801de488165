"""A made-up company's project as an MRE with its true content, and what of it must not leave."""

import base64
from dataclasses import dataclass

from uvmre.capture.private.surroundings import Surroundings
from uvmre.core.mre.files import File
from uvmre.core.mre.model import Environment, Mre, Step
from uvmre.core.mre.symptom import Symptom
from uvmre.core.network.index import GitCommit, GitRepository, Index
from uvmre.core.network.synthetic import SyntheticPackage

INDEXES = {
    "gitlab": "https://gitlab.zorglub-energie.fr/api/v4/projects/48213/packages/pypi/simple",
    "artifactory": "https://zorglub.jfrog.io/artifactory/api/pypi/zorglub-local/simple",
    "azure-artifacts": "https://pkgs.dev.azure.com/zorglub/Fusée/_packaging/zorglub-flux/pypi/simple/",
    "nexus": "http://nexus.zorglub-energie.fr:8081/repository/zorglub-pypi/simple/",
    "codeartifact": "https://zorglub-482134821348.d.codeartifact.eu-west-3.amazonaws.com/pypi/zorglub-pypi/simple/",
    "google-artifact-registry": "https://europe-west9-python.pkg.dev/zorglub-48213/zorglub-pypi/simple/",
    "devpi": "https://devpi.zorglub-energie.fr/zorglub/stable/+simple/",
    "pytorch": "https://zorglub-energie.fr/whl/zorg130",
    "github-pages": "https://zorglub.github.io/zorglub-wheels/",
    "pypi-proxy": "http://10.48.21.3:8080/simple/",
}
"""An index of each registry profile."""
TOKEN = "glpat-Zx9QmW4tRb7KpLs2VnYd"
NETRC_PASSWORD = "Fusee!Rouge2019"
BASIC = base64.b64encode(f"zorglub-ci:{TOKEN}".encode()).decode()
PLANTED = (
    *("zorglub", "energie.fr", "48213", "10.48.21.3", TOKEN, NETRC_PASSWORD, BASIC, "zorg130", "flux", "Fusée"),
    *("Maëlle", "Kervadec", "m.kervadec", "Ngô", "tuan", "kervadec-portable", "/home/mkervadec", "mkervadec"),
    *(
        "tarification",
        "Tarification",
        "TARIFICATION",
        "compteur",
        "Linky",
        "linky",
        "régulation",
        "données",
        "partagées",
    ),
    *("能源", "结算", "%E8%83%BD", "计量", "PLAT-4821", "4821", "JIRA-977", "heliodore", "HELIODORE"),
    *("xq7", "reprise-facture", "facture", "kaléidoscope", "Bérénice", "ops-nuit", "turbine"),
    *(
        "sous-marin",
        "marin",
        "boussole",
        "chaudière",
        "Chaudière",
        "oriflamme",
        "plombier",
        "eu-west-3",
        "europe-west9",
    ),
)
"""Strings that no file, no name of a file and no manifest may have; also in other case."""
PUBLIC = frozenset(
    {"requests", "hatchling", "numpy", "jaraco-classes", "pydantic-settings", "uv-build", "ruff", "setuptools"}
)

ROOT = """# Bérénice asked for this in PLAT-4821 (see wiki.zorglub-energie.fr/x)
[project]
name = "zorglub-plateforme"
version = "4.2.0"
description = "Plateforme de tarification de Zorglub"   # JIRA-977
readme = "LISEZMOI.md"
requires-python = ">=3.11"
authors = [
  { name = "Maëlle Kervadec", email = "m.kervadec@zorglub-energie.fr" },  # lead
  { name = "Ngô Tuan" },
]
classifiers = ["Framework :: Zorglub", "Private :: Do Not Upload"]
keywords = ["turbine", "oriflamme"]
dependencies = ["zorglub-tarification", "Zorglub.Compteur[linky]>=2.1,<3", "requests>=2.31 ; python_version < '3.13'"]

[project.urls]
Wiki = "https://wiki.zorglub-energie.fr/plateforme"

[project.optional-dependencies]
linky = ["numpy", "zorglub-compteur"]
dev = ["ruff"]

[project.scripts]
reprise-facture = "zorglub_tarification.cli:reprise"

[project.entry-points."zorglub.greffons"]
oriflamme = "zorglub_tarification.greffons:Oriflamme"

[dependency-groups]
ops-nuit = ["jaraco.classes", "zorglub-compteur"]
test = ["pydantic-settings>=2"]

[tool.uv.workspace]
members = ["paquets/*", "libs/能源 结算"]

[tool.uv.sources]
zorglub-tarification = { workspace = true }
zorglub-compteur = { index = "zorglub-interne" }
boussole = { git = "ssh://git@gitlab.zorglub-energie.fr:2222/plateforme/boussole.git", branch = "feature/PLAT-4821-reprise" }
jaraco-classes = { git = "https://github.com/jaraco/jaraco.classes", tag = "v3.4.0" }

[[tool.uv.index]]
name = "zorglub-interne"
url = "URL"  # jeton de Bérénice
explicit = true

[tool.ruff]
line-length = 100  # plombier

[tool.turbine]
token = "xq7"
"""

TARIFICATION = """[project]
name = "zorglub-tarification"
version = "1.0.0"
dependencies = ["zorglub-compteur==2.1.0", "boussole"]

[build-system]
requires = ["hatchling", "zorglub-plombier>=1"]
build-backend = "hatchling.build"

[tool.hatch.build.targets.wheel]
packages = ["src/zorglub_tarification"]
"""

SETTLEMENT = """[project]
name = "heliodore"
version = "0.3"
dependencies = []

[build-system]
requires = ["uv_build>=0.8,<0.9"]
build-backend = "uv_build"

[tool.uv.build-backend]
module-name = "heliodore"
"""

LEGACY = '''"""Setup of the old counter. Maëlle, 2019."""
from setuptools import setup, find_packages

# PLAT-4821: do not touch
def lire_version():
    """Read the version of turbine."""
    return "2.1.0"  # Bérénice

setup(
    name="Zorglub_Compteur",
    version=lire_version(),
    author="Ngô Tuan",
    author_email="tuan@zorglub-energie.fr",
    packages=find_packages("src"),
    package_dir={"": "src"},
    install_requires=["requests", "zorglub-plombier"],
    entry_points={"console_scripts": ["linky=zorglub_compteur.cli:main"]},
)
'''

UV_TOML = """[[index]]
name = "zorglub-interne"
url = "{url}"  # jeton de Bérénice
explicit = true
"""

LOCK = """version = 1
revision = 3
requires-python = ">=3.11"

[manifest]
members = ["heliodore", "zorglub-plateforme", "zorglub-tarification"]

[[package]]
name = "boussole"
version = "0.9.0"
source = {{ git = "ssh://git@gitlab.zorglub-energie.fr:2222/plateforme/boussole.git?branch=feature%2FPLAT-4821-reprise#0f1e2d3c4b5a69788796a5b4c3d2e1f00f1e2d3c" }}

[[package]]
name = "heliodore"
version = "0.3"
source = {{ editable = "libs/能源 结算" }}

[[package]]
name = "requests"
version = "2.32.3"
source = {{ registry = "https://pypi.org/simple" }}
wheels = [
    {{ url = "https://files.pythonhosted.org/packages/f9/9b/335f9764261e915ed497fcdeb11df5dfd6f7bf257d4a6a2a686d80da4d54/requests-2.32.3-py3-none-any.whl", hash = "sha256:70761cfe03c773ceb22aa2f671b4757976145175cdfca038c02654d061d6dcc6", size = 64928 }},
]

[[package]]
name = "zorglub-tarification"
version = "1.0.0"
source = {{ editable = "paquets/tarification" }}

[[package]]
name = "zorglub-compteur"
version = "2.1.0"
source = {{ registry = "{url}" }}
dependencies = [
    {{ name = "requests" }},
    {{ name = "zorglub-plombier" }},
]
wheels = [
    {{ url = "{base}/files/0a1b/zorglub_compteur-2.1.0-py3-none-any.whl", hash = "sha256:90761cfe03c773ceb22aa2f671b4757976145175cdfca038c02654d061d6dcc6" }},
]
"""

DOCKERFILE = """# syntax=docker/dockerfile:1
# Chaudière: image of ops-nuit
FROM registry.zorglub-energie.fr:5050/turbine/python-sous-marin:3.12 AS chaudière
LABEL maintainer="Maëlle Kervadec"
ARG ZORGLUB_TOKEN
ENV HELIODORE_MODE=nuit UV_INDEX_ZORGLUB_INTERNE_USERNAME=zorglub-ci
COPY --from=ghcr.io/astral-sh/uv:0.8.0 /uv /bin/
WORKDIR /srv/zorglub
COPY . .
RUN --mount=type=secret,id=zorglub_netrc,target=/root/.netrc \\
    # PLAT-4821
    uv sync --frozen --all-packages --extra linky --group ops-nuit
"""

REQUIREMENTS = """# maintained by Bérénice
--extra-index-url https://zorglub-ci:{token}@{address}
zorglub-tarification @ file:///home/mkervadec/Projets/plateforme/paquets/tarification
zorglub-compteur[linky]==2.1.0 ; sys_platform == "linux"   # PLAT-4821
boussole @ git+https://gitlab.zorglub-energie.fr/plateforme/boussole.git@feature/PLAT-4821-reprise
requests>=2.31 --hash=sha256:70761cfe03c773ceb22aa2f671b4757976145175cdfca038c02654d061d6dcc6
"""


@dataclass(frozen=True)
class Company:
    """The MRE with its true content, and the machine it is from."""

    mre: Mre
    surroundings: Surroundings


def company(registry: str = "gitlab", planted: str = "") -> Company:
    """Return the company's project with an index of a registry; `planted` is put at many places of it."""
    url = INDEXES[registry]
    address = url.partition("://")[2]
    host = address.partition("/")[0].partition(":")[0]
    base = url.rstrip("/").removesuffix("/simple").removesuffix("/+simple")
    legacy, member = "anciens/compteur régulation", "libs/能源 结算"
    more = f'\n[tool.uv.extra]\n"{planted}" = "{planted}"\n' if planted else ""
    files = {
        "pyproject.toml": ROOT.replace("URL", url) + more,
        "uv.lock": LOCK.format(url=url.rstrip("/"), base=base),
        ".python-version": "3.12\n",
        "LISEZMOI.md": "# Plateforme de Zorglub\n\nDemandez à Bérénice.\n",
        "paquets/tarification/pyproject.toml": TARIFICATION,
        "paquets/tarification/src/zorglub_tarification/__init__.py": "",
        "paquets/tarification/src/zorglub_tarification/greffons.py": "class Oriflamme: ...  # turbine\n",
        f"{legacy}/setup.py": LEGACY,
        f"{legacy}/pyproject.toml": '[build-system]\nrequires = ["setuptools"]\nbuild-backend = "setuptools.build_meta"\n',
        f"{legacy}/src/zorglub_compteur/__init__.py": "",
        f"{member}/pyproject.toml": SETTLEMENT,
        f"{member}/src/heliodore/__init__.py": "",
        f"{member}/données partagées/计量.csv": "Linky;12\n",
        "outils/kaléidoscope.sh": "#!/bin/sh\n# Bérénice\ncd /home/mkervadec/Projets/plateforme && uv sync # PLAT-4821\nexport HELIODORE_MODE=xq7\n",
        "requirements/prod.txt": REQUIREMENTS.format(token=TOKEN, address=address),
        "Dockerfile": DOCKERFILE,
        ".dockerignore": "# Bérénice\nturbine/\n.venv\n",
        "prod.env": f"# ops-nuit\nHELIODORE_MODE={planted or 'xq7'}\nZORGLUB_TOKEN={TOKEN}\n",
        "home/.netrc": f"machine {host} login m.kervadec password {NETRC_PASSWORD}\n",
        "home/.config/uv/uv.toml": UV_TOML.format(url=url.replace("://", f"://zorglub-ci:{TOKEN}@")),
        "home/.config/pip/pip.conf": f"[global]\nextra-index-url = https://zorglub-ci:{TOKEN}@{address}\ntrusted-host = {host}\n",
        **({f"{planted}/{planted}.txt": f"{planted}>=1\n"} if planted else {}),
    }
    packages = (
        SyntheticPackage(
            "zorglub-compteur", "2.1.0", ("requests", "zorglub-plombier>=2"), extras={"linky": ("numpy",)}
        ),
        SyntheticPackage("zorglub-plombier", "1.0.0", description="The plombier of Zorglub"),
    )
    mre = Mre(
        title="uv sync --frozen --all-packages fails in zorglub-plateforme",
        environment=Environment(
            uv="0.8.0",
            home="home",
            env_file="prod.env",
            variables={
                "UV_INDEX_ZORGLUB_INTERNE_PASSWORD": TOKEN,
                "UV_INDEX_ZORGLUB_INTERNE_USERNAME": "zorglub-ci",
                "ZORGLUB_ENV": "nuit",
                "UV_CACHE_DIR": "/home/mkervadec/.cache/uv",
                "HTTP_AUTH": f"Basic {BASIC}",
            },
        ),
        steps=(
            Step(f"uv lock --index zorglub-interne={url}  # Bérénice"),
            Step(
                f"cd 'libs/能源 结算' && uv sync --frozen --package heliodore {planted and '--extra ' + planted}".strip(),
                role="observe",
            ),
        ),
        symptom=Symptom(
            exit="failure",
            output=(
                "Because zorglub-tarification depends on zorglub-compteur==2.1.0 and zorglub-compteur depends on zorglub-plombier>=2",
                "file:///home/mkervadec/Projets/plateforme/libs/%E8%83%BD%E6%BA%90%20%E7%BB%93%E7%AE%97",
                f"Failed to fetch: `{url.rstrip('/')}/zorglub-compteur/` on kervadec-portable",
            ),
        ),
        indexes=(Index(url, registry, "zorglub-ci", TOKEN, packages=packages),),
        repositories=(
            GitRepository(
                "https://gitlab.zorglub-energie.fr/plateforme/boussole",
                commits=(GitCommit(member, branch="feature/PLAT-4821-reprise", message="Bérénice fixes the turbine"),),
            ),
        ),
        files=tuple(File(path, text.encode()) for path, text in files.items()),
    )
    surroundings = Surroundings(
        folder="/home/mkervadec/Projets/plateforme", home="/home/mkervadec", user="mkervadec", host="kervadec-portable", public=PUBLIC, secrets=frozenset({NETRC_PASSWORD})
    )  # fmt: skip
    return Company(mre, surroundings)
