"""Replace private package indexes by stand-ins: local indexes with the same registry profile."""

import re
from collections.abc import Sequence, Set
from dataclasses import dataclass, replace
from urllib.parse import unquote, urlsplit

from uvmre.core.network.index import PUBLIC_TEST_INDEX, Index
from uvmre.core.network.registries import PROFILES
from uvmre.core.network.request import OPEN_HOSTS
from uvmre.core.network.synthetic import SyntheticPackage
from uvmre.core.triage.parsed_issue import Command, PostedFile

ADDRESS = re.compile(r"https?://[^\s'\"`]+")
INDEX_PLACE = re.compile(
    r"(?:--(?:default-)?index(?:-url)?|--extra-index-url|-i|UV_(?:DEFAULT_|EXTRA_)?INDEX(?:_URL)?"
    r"|PIP_(?:EXTRA_)?INDEX_URL|index-url|extra-index-url|index_url)\b[^\n]{0,60}$"
)
INDEX_TABLE = re.compile(r"\[\[(?:tool\.uv\.)?index\]\](?:(?!\n\[)[\s\S]){0,400}?\burl\s*=\s*[\"']$")
PLACEHOLDER = re.compile(
    r"(?<![\[<{])[\[<{]+([A-Za-z][\w .-]*)[\]>}]+|\$\{?([A-Za-z_]\w*)\}?|\*{3,}|x{4,}", re.IGNORECASE
)
REGISTRIES = (
    ("codeartifact", "codeartifact"),
    ("pkgs.dev.azure.com", "azure-artifacts"),
    ("visualstudio.com", "azure-artifacts"),
    ("jfrog", "artifactory"),
    ("artifactory", "artifactory"),
    ("gitlab", "gitlab"),
    ("nexus", "nexus"),
    ("pkg.dev", "google-artifact-registry"),
    ("devpi", "devpi"),
)
PUBLIC_HOSTS = (*OPEN_HOSTS, "pypi.python.org", "test.pypi.org", "localhost", "127.0.0.1")
CREDENTIAL = re.compile(
    r"^(?:export\s+)?UV_(?:INDEX|HTTP_BASIC)_(?P<name>\w+?)_(?P<what>USERNAME|PASSWORD)=(?P<value>.+)$", re.DOTALL
)
TOKEN = re.compile(r"\{[^{}]*\"\w*[tT]oken\"\s*:\s*\"([^\"]+)\"")


@dataclass(frozen=True)
class PrivateIndexes:
    """Commands and files with the URLs of stand-ins, and the stand-ins."""

    commands: tuple[Command, ...]
    files: tuple[PostedFile, ...]
    indexes: tuple[Index, ...] = ()
    descriptions: tuple[str, ...] = ()
    hosts: tuple[str, ...] = ()

    def without(self, hosts: Set[str]) -> "PrivateIndexes":
        """Return it without the indexes at unreachable hosts."""
        indices = [i for i, index in enumerate(self.indexes) if _host(index.url) not in hosts]
        return replace(
            self,
            indexes=tuple(self.indexes[i] for i in indices),
            descriptions=tuple(self.descriptions[i] for i in indices),
        )


def stand_in(
    commands: Sequence[Command],
    files: Sequence[PostedFile],
    variables: Sequence[tuple[str, str]] = (),
    *,
    denied: bool = False,
) -> PrivateIndexes:
    """Give every private index of the commands and files a URL that is served locally.

    Args:
        commands: the post's commands.
        files: the post's files.
        variables: the post's environment variables.
        denied: whether the report is about authentication: the index then requires a password, and the packages that
            the commands add are synthetic.
    """
    indexes: dict[str, Index] = {}
    descriptions: list[str] = []
    hosts: list[str] = []
    lines = [
        *(line for each in commands for line in each.run.split("\n")),
        *(f"{name}={value}" for name, value in variables),
    ]
    username, password = _credentials(lines)
    packages = _private_packages(commands, files) if denied else ()
    if denied and not password:
        password = "token"

    def replace_addresses(text: str) -> str:
        def replace_address(match: re.Match[str]) -> str:
            before = text[max(match.start() - 500, 0) : match.start()]
            if not (INDEX_PLACE.search(before.rsplit("\n", 1)[-1]) or INDEX_TABLE.search(before)):
                return match[0]
            address = PLACEHOLDER.sub(lambda slot: _placeholder_name(slot[1] or slot[2] or "name"), match[0])
            host = _host(address)
            if not host or host in PUBLIC_HOSTS:
                return match[0]
            index = index_of(address, username, password)
            if index is None:
                return match[0]
            index = replace(index, packages=tuple(SyntheticPackage(name, "1.0.0") for name in packages))
            if index.url not in indexes:
                indexes[index.url] = index
                hosts.append(host)
                profile = f" ({index.registry} profile)" if index.registry != PUBLIC_TEST_INDEX else ""
                descriptions.append(f"{match[0][:120]}: a local index{profile} on top of PyPI")
            return address

        return ADDRESS.sub(replace_address, text)

    new_commands = tuple(replace(each, run=replace_addresses(each.run)) for each in commands)
    new_files = tuple(replace(each, text=replace_addresses(each.text)) for each in files)
    return PrivateIndexes(new_commands, new_files, tuple(indexes.values()), tuple(descriptions), tuple(hosts))


def _placeholder_name(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-") or "name"


def _host(address: str) -> str:
    try:
        return urlsplit(address).hostname or ""
    except ValueError:
        return ""


def index_of(address: str, username: str, password: str) -> Index | None:
    """Return the index that stands in for a private one; None if its address is no URL of a host."""
    try:
        parts = urlsplit(address)
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        return None
    host = (parts.hostname or "").lower()
    if not re.fullmatch(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?", host):
        return None
    url = f"{parts.scheme}://{host}{port}{parts.path}"
    kind = next((registry for word, registry in REGISTRIES if word in host or word in parts.path), PUBLIC_TEST_INDEX)
    name = unquote(parts.username or "") or username or (PROFILES[kind].username if password else "")
    secret = unquote(parts.password or "") or password
    if name and not secret:
        secret, name = name, "user"
    return Index(url, kind, name if secret else "", secret)


def _credentials(lines: Sequence[str]) -> tuple[str, str]:
    """Return the user name and the password of the variables; of a JSON value, only its token."""
    values: dict[str, str] = {}
    for line in lines:
        if match := CREDENTIAL.match(line.strip()):
            values.setdefault(match["what"], match["value"].strip("\"'"))
    password = values.get("PASSWORD", "")
    token = TOKEN.search(password)
    return values.get("USERNAME", ""), token[1] if token else password


def _private_packages(commands: Sequence[Command], files: Sequence[PostedFile]) -> tuple[str, ...]:
    """Return the packages of the private index: those with a source, and those that commands add."""
    names = [
        name for file in files for name in re.findall(r"(?m)^[^\S\n]*([\w.-]+)\s*=\s*\{[^}\n]*\bindex\s*=", file.text)
    ]
    for each in commands:
        if match := re.match(r"uv\s+add\s+(?P<names>[\w.-][\w.\s-]*)$", each.run):
            names += [name for name in match["names"].split() if not name.startswith("-")]
    return tuple(dict.fromkeys(name.lower() for name in names))
