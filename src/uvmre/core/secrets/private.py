"""Find what looks private in the files of an MRE: hosts, addresses, people and machines, beside secrets."""

import ipaddress
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from uvmre.core.secrets.redact import find_secrets
from uvmre.core.secrets.values import GENERIC, word_set

PUBLIC_HOSTS = word_set(
    """
    pypi.org files.pythonhosted.org test.pypi.org pypi-proxy.fly.dev download.pytorch.org pypi.nvidia.com
    github.com api.github.com raw.githubusercontent.com codeload.github.com objects.githubusercontent.com ghcr.io
    users.noreply.github.com gitlab.com bitbucket.org codeberg.org docker.io registry-1.docker.io quay.io
    astral.sh docs.astral.sh releases.astral.sh python.org www.python.org docs.python.org packaging.python.org
    bootstrap.pypa.io conda.anaconda.org huggingface.co deb.debian.org json.schemastore.org localhost host
    """
)
"""Hosts that everybody knows, so that naming them says nothing about the author; `host` stands in URLs of examples."""
RESERVED = (".example", ".example.com", ".example.net", ".example.org", ".test", ".invalid", ".localhost")
"""Names that are reserved for documentation (RFC 2606, RFC 6761)."""
NEUTRAL_HOSTS = word_set(
    """
    domain-123456789012.d.codeartifact.region.amazonaws.com region-python.pkg.dev org.github.io
    gitlab-packages.s3.amazonaws.com uvmre.vsblob.vsassets.io
    """
)
"""What registries with hosts of their own, and their storage, are called in an MRE."""
AZURE, AZURE_PATH = "pkgs.dev.azure.com", re.compile(r"(?:/(?:org/.*)?)?")
"""The host of all indexes of Azure, and the path of one in an MRE."""
USERS = GENERIC | word_set(
    """
    root app appuser nonroot ubuntu debian runner vscode builder build ci you me name someone person git www-data
    docker host linux machine server default dev
    """
)
"""Names of users and machines that many have."""
SHORTEST = 3
"""Characters of a name that is looked for."""

URL = re.compile(
    r"[a-z][a-z0-9+.-]{0,20}://(?:[^\s/@\"'<>]{0,500}@)?(?P<host>\[[0-9a-f:.]+\]|[\w.-]*\w)(?P<rest>(?::\d+)?[^\s\"'<>]*)",
    re.IGNORECASE,
)
SSH = re.compile(r"(?<![\w/:])[\w.-]{1,64}@(?P<host>[\w-]+(?:\.[\w-]+)+):(?!\d)[\w~/]")
NETRC = re.compile(r"^[ \t]{0,8}machine[ \t]{1,8}(?P<host>\S++)", re.MULTILINE)
INTERNAL = re.compile(
    r"(?<![\w@./-])(?P<host>(?:[a-z0-9-]+\.){1,6}(?:corp|intern|intra|intranet|lan|localdomain)"
    r"|(?:[a-z0-9-]+\.){2,6}(?:internal|local|private))(?![\w(-]|\.\w)",
    re.IGNORECASE,
)
"""Names of company networks without a URL; code has names like `threading.local`."""
EMAIL = re.compile(
    r"(?:(?<=mailto:)|(?<![\w.+:/@-]))(?P<user>[\w.+-]++)@(?P<host>[\w-]+(?:\.[\w-]+)*\.[a-z]{2,})\b", re.I
)
HOME = re.compile(
    r"(?:(?<![\w.}~-])/home/|(?<![\w.}~-])/Users/|\b[A-Za-z]:\\+Users\\+)(?P<user>(?!\.)[^\s/\\:\"'<>|$*{}]+)"
)


@dataclass(frozen=True)
class Machine:
    """What of the author's machine must not be in an MRE."""

    user: str
    host: str
    home: str = ""


@dataclass(frozen=True)
class PrivatePart:
    """A part of a text that looks private."""

    where: str
    """As `FILE:LINE`."""
    kind: str
    """As `host`."""
    text: str
    """What it is; empty for a secret."""


def find_private(
    texts: Mapping[str, str], machine: Machine, values: Collection[str] = (), hosts: Collection[str] = ()
) -> Iterator[PrivatePart]:
    """Yield what looks private in texts and their names, each once a file.

    Args:
        texts: the content of files, by path.
        machine: the author's.
        values: known secrets.
        hosts: more hosts that are public.
    """
    names = _names(machine)
    for path, text in texts.items():
        found: set[tuple[str, str]] = set()
        for place, body in ((path, path), (path, text)):
            for kind, start, shown in sorted(_parts(body, names, values, hosts), key=lambda part: part[1]):
                if (kind, shown) not in found:
                    found.add((kind, shown))
                    where = f"{place}:{body.count(chr(10), 0, start) + 1}" if body is text else "the name of a file"
                    yield PrivatePart(where, kind, shown)


def _names(machine: Machine) -> dict[str, re.Pattern[str]]:
    """Return a pattern for each name of the machine that tells who the author is."""
    short = machine.host.partition(".")[0]
    names = {"user name": (machine.user,), "host name": (machine.host, short), "home folder": (machine.home,)}
    patterns = {}
    for kind, each in names.items():
        known = {name for name in each if len(name) >= SHORTEST and name.strip("/").lower() not in USERS}
        if known:
            longest = "|".join(re.escape(name) for name in sorted(known, key=len, reverse=True))
            patterns[kind] = re.compile(rf"(?<![^\W_])(?:{longest})(?![^\W_])", re.IGNORECASE)
    return patterns


def _parts(
    text: str, names: Mapping[str, re.Pattern[str]], values: Collection[str], hosts: Collection[str]
) -> Iterator[tuple[str, int, str]]:
    for start, _ in find_secrets(text, values):
        yield "secret", start, ""
    for pattern in (URL, SSH, NETRC, INTERNAL):
        for match in pattern.finditer(text):
            host = match["host"].lower().rstrip(".")
            rest = match.groupdict().get("rest") or ""
            neutral = host in NEUTRAL_HOSTS or (host == AZURE and AZURE_PATH.fullmatch(rest))
            if not neutral and not is_public_host(host) and host not in hosts:
                yield "host", match.start("host"), host
    for match in EMAIL.finditer(text):
        # `git@github.com:org/repo` is no address of a person.
        if match["user"].lower() not in USERS and not is_public_host(match["host"].lower()):
            yield "e-mail address", match.start(), match[0]
    for match in HOME.finditer(text):
        if match["user"].lower() not in USERS:
            yield "home folder", match.start(), match[0]
    for kind, pattern in names.items():
        for match in pattern.finditer(text):
            yield kind, match.start(), match[0]


def is_public_host(host: str) -> bool:
    """Tell whether a host is public, or stands for any."""
    if host in PUBLIC_HOSTS or f".{host}".endswith(RESERVED):
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False
