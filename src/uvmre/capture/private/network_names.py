"""Neutral names for what is on the network: indexes, repositories, hosts, images, addresses of people."""

import re
from collections import Counter
from collections.abc import Iterable
from urllib.parse import urlsplit

from uvmre.capture.private.contents import Name
from uvmre.capture.private.index_urls import PUBLIC_INDEX_HOSTS, is_public_host, neutral_url, profile_of
from uvmre.capture.private.naming import NEUTRAL, STAYS, Naming
from uvmre.capture.private.spelling import letter, lower, spellings
from uvmre.capture.private.vocabulary import USERS, is_public_word

SIMPLE = re.compile(r"/\+?simple(?=/|\Z)")
ADDRESS = re.compile(r"[\d.]+(?::\d+)?")
LOOPBACK = ("localhost", "127.0.0.1", "0.0.0.0")
NUMBER = re.compile(r"(?<![\w.])\d{3,}(?!\w)|\d{6,}")
"""The number of a project or an account in a URL."""


def add_network_names(naming: Naming, names: Iterable[Name]) -> None:
    """Add everything private in URLs, and hosts, images and addresses of people."""
    names = list(dict.fromkeys(names))
    numbers: Counter[str] = Counter()
    for kind in ("index-url", "url"):
        for each, url in names:
            if each == kind:
                _add_url(naming, url, numbers, index=kind == "index-url")
    for kind, name in names:
        if kind == "host":
            _add_host(naming, name.lower(), None, "")
        elif kind == "image":
            _add_image(naming, name)
        elif kind == "email" and not (name.lower().endswith("example.com") or name.partition("@")[0] in USERS):
            naming.add("person", spellings("person", name), f"{naming.free('person')}@example.com")


def _add_url(naming: Naming, url: str, numbers: Counter[str], *, index: bool) -> None:
    try:
        parts = urlsplit(url)
        host, port = (parts.hostname or "").lower(), parts.port
    except ValueError:
        return
    path = parts.path.rstrip("/")
    place = f"{host}:{port}{path}" if port else f"{host}{path}"
    if not host or "$" in host or host in PUBLIC_INDEX_HOSTS or host.endswith(".example.com"):
        return
    if parts.scheme.startswith(("git+", "ssh")) or re.search(r"\.git(?:@|\Z)", path):
        _add_repository(naming, host, port, re.split(r"\.git(?:@|\Z)|@", path)[0])
    elif index or re.search(r"/\+?simple\Z", path):
        if lower(place) in naming.owners:
            return
        profile = profile_of(url)
        numbers[profile] += 1
        target = urlsplit(neutral_url(f"{parts.scheme}://{host}{path}", numbers[profile]))
        # An index on this machine gets a name too, but `localhost` elsewhere stays.
        own = (f"{host}:{port}", None) if host in LOOPBACK and port else (host, port)
        neutral = _add_host(naming, *own, target.netloc)
        naming.add("url", spellings("url", place), f"{neutral}{target.path}")
        base = SIMPLE.split(place)[0]
        naming.add("url", spellings("url", base), f"{neutral}{SIMPLE.split(target.path)[0]}")
        _add_numbers(naming, path if ADDRESS.fullmatch(host) else f"{host} {path}")
    else:
        _add_host(naming, host, port, "")


def _add_host(naming: Naming, host: str, port: int | None, neutral: str) -> str:
    """Add a host, and its domain, unless it is public; return what replaces it."""
    if is_public_host(host):
        return host
    if host in naming.owners:
        neutral = naming.owners[host].neutral
    else:
        first, dot, rest = (neutral or f"{naming.free('host')}.example.com").partition(".")
        used = {each.neutral for each in naming.found if each.kind == "host"}
        names = (f"{first}{f'-{letter(n)}' * (n > 0)}{dot}{rest}" for n in range(len(used) + 1))
        neutral = next(each for each in names if each not in used)
    naming.add("host", [host, *([f"{host}:{port}"] if port else [])], neutral)
    domain = ".".join(host.split(".")[-2:])
    if "." in domain and not is_public_word(domain.partition(".")[0]) and not ADDRESS.fullmatch(host):
        naming.add("host", [domain], "example.com")
    return neutral


def _add_repository(naming: Naming, host: str, port: int | None, path: str) -> None:
    """Add a repository, unless it is that of a public package."""
    places = [f"{host}{path}", f"{host}:{path.lstrip('/')}", *([f"{host}:{port}{path}"] if port else [])]
    if any(lower(place) in naming.owners for place in places[:1]) or NEUTRAL.fullmatch(path.rpartition("/")[2]):
        place_owner = naming.owners.get(lower(places[0]))
        if place_owner and place_owner.kind != STAYS:
            naming.add("git", places[2:], place_owner.neutral)
        return
    neutral_host, repo = _add_host(naming, host, port, "git.example.com"), naming.free("repo")
    for place in places:
        joint = ":" if place == places[1] else "/"
        naming.add("git", spellings("git", place), f"{neutral_host}{joint}example-org/{repo}")
    _add_numbers(naming, path)


def _add_numbers(naming: Naming, text: str) -> None:
    for number in NUMBER.findall(text):
        naming.counts["number"] += 1
        naming.add("number", [number], str(naming.counts["number"]))


def _add_image(naming: Naming, image: str) -> None:
    name = re.sub(r":[^/:]*\Z", "", image)
    if naming.is_public(name) or lower(name) in naming.owners:
        return
    registry, slash, _ = name.partition("/")
    host, _, port = registry.partition(":")
    prefix = ""
    if slash and re.search(r"[.:]", registry):
        prefix = _add_host(naming, host.lower(), int(port) if port.isdigit() else None, "registry.example.com") + "/"
    naming.add("image", spellings("image", name), prefix + naming.free("image"))
