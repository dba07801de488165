"""MREs with one known mistake each, as small as they can be, whose symptom shows on a real uv."""

from dataclasses import replace

from uvmre.core.mre.files import File
from uvmre.core.mre.model import Environment, Mre, Step
from uvmre.core.mre.symptom import FileSymptom, Symptom
from uvmre.core.network.index import Index
from uvmre.core.network.synthetic import SyntheticPackage
from uvmre.core.triage.parsed_issue import Claim, Command, ParsedIssue

INDEX = "https://pypi-proxy.fly.dev/basic-auth/simple"
BEHIND_INDEX = f"""\
[project]
name = "app"
version = "1"
requires-python = ">=3.9"
dependencies = ["six"]

[[tool.uv.index]]
name = "private-one"
url = "{INDEX}"
default = true
"""
UNAUTHORIZED = Symptom("failure", ("six was not found in the package registry", "401 Unauthorized"))
NAME, PASSWORD = "UV_INDEX_PRIVATE_ONE_USERNAME", "UV_INDEX_PRIVATE_ONE_PASSWORD"
ROOT = '[project]\nname = "app"\nversion = "1"\nrequires-python = ">=3.9"\ndependencies = [{needs}]\n'
WORKSPACE = '[tool.uv.workspace]\nmembers = ["libs/*"]\n'
MEMBER = '[project]\nname = "zz-lib"\nversion = "1"\nrequires-python = ">=3.9"\ndependencies = [{needs}]\n'
BUILT = '[build-system]\nrequires = ["hatchling"]\nbuild-backend = "hatchling.build"\n'
DOCKERFILE = "FROM python:3.11-slim\nCOPY --from=ghcr.io/astral-sh/uv:0.5.21 /uv /bin/\nWORKDIR /app\n"
COMMIT = "git -c user.name=a -c user.email=a@example.com commit -qam"
GIT_SET_UP = (
    "git init -q repo && mkdir repo/zz_lib && touch repo/zz_lib/__init__.py && cp lib.toml repo/pyproject.toml"
    f' && cd repo && git add . && {COMMIT} one && cd .. && sed -i.old "s#REPO#file://$PWD/repo#" pyproject.toml'
)


def mre(
    files: dict[str, str],
    symptom: Symptom,
    *steps: str,
    uv: str = "0.5.21",
    variables: dict[str, str] | None = None,
    indexes: tuple[Index, ...] = (),
) -> Mre:
    """Return an MRE whose last step is observed."""
    texts = tuple(File(path, text.encode()) for path, text in files.items())
    roles = tuple(Step(run, "setup" if at < len(steps) - 1 else "observe") for at, run in enumerate(steps))
    environment = Environment(uv, "3.11", variables=variables or {})
    return Mre("A mistake", environment, roles, symptom, indexes=indexes, files=texts)


def member(needs: str = "", *, built: bool = True) -> dict[str, str]:
    text = MEMBER.format(needs=needs) + (BUILT if built else "")
    return {"libs/zz-lib/pyproject.toml": text, "libs/zz-lib/src/zz_lib/__init__.py": ""}


def root(needs: str = "", more: str = "") -> dict[str, str]:
    source = "[tool.uv.sources]\nzz-lib = { workspace = true }\n" if needs else ""
    return {"pyproject.toml": ROOT.format(needs=needs) + WORKSPACE + source + more}


GIVEN = f"{NAME}=public {PASSWORD}=heron"
JSON = '{\n    "authorizationToken": "a-made-up-token",\n    "expiration": [tomorrow]\n}'
CODEARTIFACT = "https://acme-1.d.codeartifact.us-east-2.amazonaws.com/pypi/hub/simple/"
HUB = "https://hub.example.com/simple"
EXPLICIT = f'[[tool.uv.index]]\nname = "hub"\nurl = "{HUB}"\nexplicit = true\n'
SOURCE = '[tool.uv.sources]\nzz-lib = { path = "lib" }\n'
GIT_SOURCE = ROOT.format(needs='"zz-lib"') + '[tool.uv.sources]\nzz-lib = { git = "REPO" }\n'
LAYER = "mkdir layer && cp pyproject.toml uv.lock layer"

MISTAKES: dict[str, Mre] = {
    "run-export": mre(
        {"pyproject.toml": BEHIND_INDEX, "Dockerfile": f"{DOCKERFILE}COPY . .\nRUN export {GIVEN}\nRUN uv lock\n"},
        UNAUTHORIZED,
        f"export {GIVEN}",
        "uv lock",
    ),
    "build-variables": mre(
        {
            "pyproject.toml": BEHIND_INDEX,
            "Dockerfile": f"{DOCKERFILE}COPY . .\nRUN uv lock\n",
            "compose.yaml": "services:\n  app:\n    build: .\n    env_file: .env\n",
            ".env": f"{NAME}=public\n{PASSWORD}=heron\n",
        },
        UNAUTHORIZED,
        "uv lock",
    ),
    "dependency-layer": mre(
        {
            **root('"zz-lib"'),
            **member('"six"'),
            "Dockerfile": f"{DOCKERFILE}COPY pyproject.toml uv.lock ./\nRUN uv sync --locked\nCOPY . .\nRUN uv sync\n",
        },
        Symptom("failure", ("`zz-lib` references a workspace in `tool.uv.sources`", "is not a workspace member")),
        "uv lock",
        LAYER,
        "cd layer && uv sync --locked",
    ),
    "json-credential": mre(
        {"pyproject.toml": BEHIND_INDEX.replace(INDEX, CODEARTIFACT)},
        UNAUTHORIZED,
        "uv lock",
        variables={NAME: "aws", PASSWORD: JSON},
        indexes=(Index(CODEARTIFACT, "codeartifact", "aws", "a-made-up-token"),),
    ),
    "index-variable": mre(
        {"pyproject.toml": BEHIND_INDEX},
        UNAUTHORIZED,
        "uv lock",
        variables={"UV_INDEX_PRIVATE_USERNAME": "public", "UV_INDEX_PRIVATE_PASSWORD": "heron"},
    ),
    "member-not-built": mre(
        {**root('"zz-lib"'), **member(built=False)},
        Symptom("failure", ("ModuleNotFoundError: No module named 'zz_lib'",)),
        "uv run python -c 'import zz_lib'",
    ),
    "all-packages": mre(
        {**root(), **member('"six"')},
        Symptom("failure", ("ModuleNotFoundError: No module named 'six'",)),
        "uv sync",
        "uv run python -c 'import six'",
    ),
    "undefined-extra": mre(
        {"pyproject.toml": ROOT.format(needs="") + '[dependency-groups]\ntest = ["six"]\n'},
        Symptom("failure", ("ModuleNotFoundError: No module named 'six'",)),
        "uv run --extra test python -c 'import six'",
    ),
    "undefined-group": mre(
        {"pyproject.toml": ROOT.format(needs="") + '[project.optional-dependencies]\ntest = ["six"]\n'},
        Symptom("failure", ("Group `test` is not defined",)),
        "uv sync --group test",
    ),
    "sources-in-requirements": mre(
        {
            "pyproject.toml": ROOT.format(needs='"zz-lib"') + SOURCE,
            "requirements.in": "six\nzz-lib\n",
            "lib/pyproject.toml": MEMBER.format(needs="") + BUILT,
            "lib/src/zz_lib/__init__.py": "",
        },
        Symptom("failure", ("zz-lib was not found in the package registry",)),
        "uv pip compile requirements.in",
    ),
    "explicit-index": mre(
        {"pyproject.toml": ROOT.format(needs='"zz-lib>=1"') + EXPLICIT},
        Symptom("failure", ("zz-lib was not found in the package registry",)),
        "uv lock",
        indexes=(Index(HUB, packages=(SyntheticPackage("zz-lib", "1.0"),)),),
    ),
    "universal": mre(
        {"pyproject.toml": ROOT.format(needs='"numpy==2.0.2"').replace("3.9", "3.8")},
        Symptom(
            "failure",
            (
                "No solution found when resolving dependencies",
                "includes Python versions that are not supported by your dependencies",
            ),
        ),
        "uv pip compile pyproject.toml",
        "uv lock",
    ),
    "git-not-moved": mre(
        {"pyproject.toml": GIT_SOURCE, "lib.toml": MEMBER.format(needs="") + BUILT},
        Symptom(files=(FileSymptom("uv.lock", 'name = "zz-lib"\nversion = "1"'),)),
        GIT_SET_UP,
        "uv lock",
        f'cd repo && sed -i.old \'s/version = "1"/version = "2"/\' pyproject.toml && {COMMIT} two',
        "uv lock",
    ),
    "metadata-without-version": mre(
        {
            "pyproject.toml": GIT_SOURCE
            + '[[tool.uv.dependency-metadata]]\nname = "zz-lib"\nrequires-dist = ["six"]\n',
            "lib.toml": '[project]\nname = "zz-lib"\ndynamic = ["version"]\n[build-system]\nrequires = ["zz-not-there"]\n',
        },
        Symptom("failure", ("build `zz-lib @ …", "zz-not-there was not found in the package registry")),
        GIT_SET_UP,
        "uv lock",
    ),
    "system-beside-venv": mre(
        {},
        Symptom("failure", ("Package(s) not found for: zz-lib",)),
        "uv venv && uv pip install zz-lib",
        ". .venv/bin/activate && uv pip show --system zz-lib",
        indexes=(Index("https://pypi.org/simple", packages=(SyntheticPackage("zz-lib", "1.0"),)),),
    ),
    "unknown-issuer": mre(
        {},
        Symptom("failure", ("invalid peer certificate: UnknownIssuer",)),
        "uv venv",
        "unset SSL_CERT_FILE; uv pip install six",
    ),
    "required-version": mre(
        {"pyproject.toml": ROOT.format(needs="") + '[tool.uv]\nrequired-version = ">=0.5.22"\n'},
        Symptom("failure", ("Required uv version `>=0.5.22` does not match the running version",)),
        "uv lock",
    ),
    "venv-in-sdist": mre(
        {
            "pyproject.toml": ROOT.format(needs="") + BUILT + '[tool.hatch.build.targets.sdist]\ninclude = ["*"]\n',
            "src/app/__init__.py": "",
        },
        Symptom("failure", ("The source distribution includes a virtual environment",)),
        "uv venv env",
        "uv build",
        uv="0.13.9",
    ),
}
TWO_PYTHONS = ParsedIssue(
    "It cannot be installed",
    commands=(
        Command("pip install zz-lib", 3, "Downloading zz_lib-1.0-cp311-cp311-manylinux_2_28_x86_64.whl (25.0 MB)"),
        Command("uv pip install zz-lib", 7, "Using CPython 3.12.1 interpreter at: /usr/bin/python3.12"),
    ),
    claim=Claim("failure", 1, 7),
)


def in_an_image(name: str, instructions: str, **files: str) -> Mre:
    """Return a mistake's MRE whose steps are the RUNs of its Dockerfile."""
    base = MISTAKES[name]
    texts = {"Dockerfile": DOCKERFILE + instructions, **files}
    kept = tuple(file for file in base.files if file.path not in texts)
    return replace(base, steps=(), files=kept + tuple(File(path, text.encode()) for path, text in texts.items()))


LOCK = """\
version = 1
requires-python = ">=3.9"

[manifest]
members = ["app", "zz-lib"]

[[package]]
name = "app"
version = "1"
source = { virtual = "." }
dependencies = [{ name = "zz-lib" }]

[package.metadata]
requires-dist = [{ name = "zz-lib", editable = "libs/zz-lib" }]

[[package]]
name = "zz-lib"
version = "1"
source = { editable = "libs/zz-lib" }
"""
NEEDS_README = f'{ROOT.format(needs="")}readme = "README.md"\n{BUILT}'
IN_AN_IMAGE = {
    "project-layer": replace(
        mre(
            {
                "Dockerfile": f"{DOCKERFILE}COPY pyproject.toml ./\nRUN uv sync\nCOPY . .\n",
                "pyproject.toml": NEEDS_README,
                "README.md": "",
                "app/__init__.py": "",
            },
            Symptom("failure", ("Readme file does not exist: README.md",)),
        ),
        steps=(),
    ),
    "run-export": in_an_image("run-export", f"COPY . .\nRUN export {GIVEN}\nRUN uv lock\n"),
    "dependency-layer": in_an_image(
        "dependency-layer",
        "COPY pyproject.toml uv.lock ./\nRUN uv sync --locked\nCOPY . .\nRUN uv sync --locked\n",
        **{"uv.lock": LOCK, **member()},
    ),
    "all-packages": in_an_image("all-packages", "COPY . .\nRUN uv sync\nRUN uv run python -c 'import six'\n"),
    "undefined-extra": in_an_image("undefined-extra", "COPY . .\nRUN uv run --extra test python -c 'import six'\n"),
}
