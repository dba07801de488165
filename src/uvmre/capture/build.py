"""Build the first MRE of a project: its own files and names, with stand-ins for its indexes and repositories."""

import re
import shlex
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import tomli_w

from uvmre.capture.configured import ConfiguredIndex
from uvmre.capture.packages import LockedPackage
from uvmre.capture.private.index_urls import profile_of
from uvmre.capture.project import UserProject
from uvmre.core.mre.files import File
from uvmre.core.mre.model import DEFAULT_TIMEOUT, Environment, Mre, Step
from uvmre.core.mre.symptom import Symptom
from uvmre.core.network.index import GitCommit, GitRepository, Index, repository_address
from uvmre.core.network.registries import PROFILES
from uvmre.core.network.simple_page import normalize_name
from uvmre.core.network.synthetic import SyntheticPackage
from uvmre.core.shell.uv_calls import parse_calls

HOME = "home"
REPOSITORIES = "git"
PASSWORD, OTHER_PASSWORD = "heron", "eagle"
"""Passwords of the public test index."""
GIT_SOURCE = re.compile(r"git\s*=\s*\"(?P<url>[^\"]+)\"(?P<rest>[^}\n]*)|git\+(?P<plus>(?:https?|ssh)://[^\s\"'#;]+)")
NEEDS_ENVIRONMENT = ("pip install", "pip sync", "pip uninstall", "pip freeze", "pip list", "pip check", "pip tree")
KEYRING = "keyring"


@dataclass(frozen=True)
class KnownIndex:
    """An index with what is known of its packages."""

    configured: ConfiguredIndex
    packages: tuple[SyntheticPackage, ...] = ()
    denied: bool = False
    """Whether it rejects the user's credentials."""
    has_pypi: bool = False
    """Whether it has the packages of PyPI too."""


@dataclass(frozen=True)
class Reproduction:
    """What the run of the user's commands has shown."""

    title: str
    symptom: Symptom
    steps: tuple[str, ...]
    had_environment: bool = False
    """Whether the project has a virtual environment, which `uv pip` uses."""
    timeout: int = 0
    """Seconds after which the last command is ended, if it hangs."""
    output: str = ""
    """What the last command printed to standard error."""


def build_mre(
    project: UserProject,
    reproduction: Reproduction,
    indexes: Sequence[KnownIndex],
    locked: Sequence[LockedPackage],
    exclude_newer: Any,
) -> Mre:
    """Return an MRE of the project, in which all names are the user's."""
    repositories, repository_files = _repositories(project, locked)
    home = tuple(File(f"{HOME}/{each.path}", each.content) for each in project.home)
    keyring = _keyring(project)
    return Mre(
        title=reproduction.title,
        environment=Environment(
            uv=project.uv,
            python=project.python,
            reported_platform=project.platform,
            exclude_newer=exclude_newer,
            home=HOME if home else "",
            path=("bin",) if keyring else (),
            variables=project.variables,
        ),
        steps=tuple(_steps(project, reproduction)),
        symptom=reproduction.symptom,
        indexes=tuple(_index(each) for each in indexes),
        repositories=repositories,
        files=(*project.files, *home, *keyring, *repository_files),
    )


def _index(known: KnownIndex) -> Index:
    """Return the stand-in for an index: one that rejects the user's credentials requires others."""
    configured = known.configured
    registry = profile_of(configured.url)
    username, password = configured.username, configured.password
    if known.denied:  # the user's credentials become `public:heron`
        username, password = PROFILES[registry].username or "public", OTHER_PASSWORD
    elif username and not password:  # a token as user name
        username, password = "user", username
    return Index(
        configured.url,
        registry,
        username if password else "",
        password,
        synthetic="override" if known.has_pypi else "replace",
        packages=known.packages,
    )


def _steps(project: UserProject, reproduction: Reproduction) -> Iterator[Step]:
    prefix = f"cd {shlex.quote(project.folder)} && " if project.folder != "." else ""
    calls = [call for command in reproduction.steps for call in parse_calls(command)]
    if reproduction.had_environment and any(call.verb in NEEDS_ENVIRONMENT for call in calls):
        yield Step(f"{prefix}uv venv")
    for command in reproduction.steps[:-1]:
        yield Step(prefix + command)
    last = prefix + reproduction.steps[-1]
    yield Step(last, "observe", timeout=reproduction.timeout or DEFAULT_TIMEOUT)


def _keyring(project: UserProject) -> tuple[File, ...]:
    """Return a `keyring` that has the public password, where uv asks one."""
    texts = [file.content.decode(errors="replace") for file in (*project.files, *project.home)]
    uses_keyring = project.variables.get("UV_KEYRING_PROVIDER") == "subprocess" or any(
        re.search(r"keyring-provider\s*=\s*\"subprocess\"|--keyring-provider[ =]subprocess", text)
        for text in (*texts, *project.commands)
    )
    return (File(f"bin/{KEYRING}", f"#!/bin/sh\necho {PASSWORD}\n".encode(), True),) if uses_keyring else ()


def _repositories(
    project: UserProject, locked: Sequence[LockedPackage]
) -> tuple[tuple[GitRepository, ...], tuple[File, ...]]:
    """Return a repository for each that is named, with the projects that the lock file has from it."""
    sources: dict[str, tuple[str, dict[str, str]]] = {}
    for url, places in _git_sources(project, locked):
        known = sources.setdefault(repository_address(url), (url, {}))
        known[1].update(places)
    repositories: list[GitRepository] = []
    files: list[File] = []
    for number, (address, (url, places)) in enumerate(sources.items(), 1):
        folder = f"{REPOSITORIES}/{number}"
        packages = [each for each in locked if each.kind == "git" and repository_address(_bare(each.source)) == address]
        own = [each.package for each in packages] or [SyntheticPackage(address.rpartition("/")[2], "0.1.0")]
        for package in own:
            below = places.get("subdirectory", "")
            files += _repository_project(f"{folder}/{below}".rstrip("/"), package)
        commit = GitCommit(folder, branch=places.get("branch", "main"), tag=places.get("tag", ""))
        repositories.append(GitRepository(_https(url), commits=(commit,)))
    return tuple(repositories), tuple(files)


def _git_sources(project: UserProject, locked: Sequence[LockedPackage]) -> Iterator[tuple[str, dict[str, str]]]:
    for file in project.files:
        if file.path.endswith((".toml", ".txt", ".in", ".py")) and not file.path.endswith("pylock.toml"):
            for match in GIT_SOURCE.finditer(file.content.decode(errors="replace")):
                url = match["url"] or match["plus"].rpartition("@")[0] or match["plus"]
                yield url, dict(re.findall(r"(\w+)\s*=\s*\"([^\"]+)\"", match["rest"] or ""))
    for command in project.commands:
        yield from ((match["plus"], {}) for match in GIT_SOURCE.finditer(command) if match["plus"])
    for each in locked:
        if each.kind == "git":
            places = re.findall(r"[?&](branch|tag|subdirectory|rev)=([^&#]+)", each.source)
            yield _bare(each.source), dict(places)


def _bare(source: str) -> str:
    return source.partition("?")[0].partition("#")[0]


def _https(url: str) -> str:
    """Return the URL under which the gateway serves a repository, also for ssh."""
    if "://" not in url:  # git@host:org/repo
        url = f"ssh://{url.replace(':', '/', 1)}"
    return f"https://{repository_address(url)}"


def _repository_project(folder: str, package: SyntheticPackage) -> Iterable[File]:
    """Yield the files of a project with the name, the version and the requirements of a package."""
    project: dict[str, Any] = {"name": package.name, "version": package.version, "dependencies": [*package.requires]}
    if package.extras:
        project["optional-dependencies"] = {extra: [*each] for extra, each in package.extras.items()}
    module = normalize_name(package.name).replace("-", "_")
    system = {"requires": ["hatchling"], "build-backend": "hatchling.build"}
    yield File(f"{folder}/pyproject.toml", tomli_w.dumps({"project": project, "build-system": system}).encode())
    yield File(f"{folder}/src/{module}/__init__.py", b"")
