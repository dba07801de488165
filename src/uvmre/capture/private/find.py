"""Find what is private in an MRE, and a neutral name for each: whatever is not known to be public."""

import base64
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from urllib.parse import unquote, urlsplit

from uvmre.capture.private.contents import (
    Name,
    command_words,
    requirement_names,
    text_names,
    toml,
    toml_names,
)
from uvmre.capture.private.index_urls import PUBLIC_INDEX_HOSTS, is_neutral_url, is_public_host, neutral_url, profile_of
from uvmre.capture.private.replace import PASSWORD, STAYS, find_names, map_texts, public_credentials, replace_private
from uvmre.capture.private.spelling import letter, lower, spellings, words
from uvmre.capture.private.surroundings import Replacement, Surroundings
from uvmre.capture.private.vocabulary import PACKAGES, USERS, is_public_word
from uvmre.core.mre.model import Mre
from uvmre.core.network.simple_page import normalize_name
from uvmre.core.secrets.redact import secrets
from uvmre.core.secrets.values import PUBLIC

NEUTRAL = re.compile(
    r"(?:package|module|member|folder|index|extra|group|script|image|branch|tag|person|variable|host|repo)"
    r"[-_./ ]?[a-z]\d*|word\d+",
    re.IGNORECASE,
)
"""A name that this module gives."""
OWN_VARIABLES = ("UV_", "PIP_", "PYTHON", "HATCH_", "SETUPTOOLS_", "POETRY_", "PDM_", "DOCKER_", "GIT_", "SSL_")
REFERENCE = re.compile(r"\.git@([^#\s\"']+)|[?&](?:branch|tag)=([^&#\s\"']+)")
BASIC = "cHVibGljOmhlcm9u"
"""The base64 of the public credentials."""


def find_replacements(mre: Mre, surroundings: Surroundings) -> tuple[Replacement, ...]:
    """Return a replacement for everything private in an MRE."""
    return _Finder(mre, surroundings).find()


def remaining_private(mre: Mre, surroundings: Surroundings, replacements: tuple[Replacement, ...]) -> tuple[str, ...]:
    """Return the words of an MRE that are neither public nor neutral."""
    known = tuple(each for each in replacements if each.kind == STAYS)
    stays = Replacement(
        STAYS, tuple(s for name in _public_names(mre, surroundings) for s in spellings(STAYS, name)), ""
    )
    return tuple(_private_words(mre, (*known, stays)))


def _private_words(mre: Mre, known: tuple[Replacement, ...]) -> Iterator[str]:
    """Yield the words that are not public, each once, outside the names that stay."""
    used: set[str] = set()
    for text in all_texts(mre):
        names = find_names(text, known)
        for match in words(text):
            word = match[1]
            if lower(word) in used or is_public_word(word) or NEUTRAL.fullmatch(word):
                continue
            if not any(start <= match.start() < end for start, end, _ in names):
                used.add(lower(word))
                yield word


def all_texts(mre: Mre) -> list[str]:
    """Return all texts of an MRE: of its fields, its files and their names."""
    found: dict[str, None] = {}

    def note(text: str) -> str:
        found[text] = None
        return text

    map_texts(mre, note)
    return list(found)


def _file_names(mre: Mre) -> Iterator[Name]:
    """Yield the names in the files that have a form of their own."""
    for file in mre.files:
        yield from toml_names(toml(file))
        if file.path.endswith((".txt", ".in")):
            yield from requirement_names(file.content.decode(errors="replace"))
    for index in (*mre.indexes, *(index for control in mre.controls for index in control.indexes)):
        yield "url", index.url
        for package in index.packages:
            yield "package", package.name
            required = (*package.requires, *(each for some in package.extras.values() for each in some))
            yield from requirement_names("\n".join(required))
            yield from (("extra", extra) for extra in package.extras)


def _public_names(mre: Mre, surroundings: Surroundings) -> frozenset[str]:
    """Return the packages of PyPI that an MRE mentions."""
    mentioned = {normalize_name(name) for kind, name in _file_names(mre) if kind == "package"}
    runs = [step.run for step in (*mre.steps, *(step for control in mre.controls for step in control.steps))]
    docker = [f.content.decode(errors="replace") for f in mre.files if "Dockerfile" in f.path or f.path.endswith(".sh")]
    commands = [*runs, *(command for control in mre.controls for command in control.replace.values())]
    for text in (*commands, *(line for each in docker for line in each.splitlines())):
        mentioned |= {normalize_name(word) for word in command_words(text)}
    return frozenset(mentioned & surroundings.public)


class _Finder:
    """What was found so far; a spelling belongs to the first that has it."""

    def __init__(self, mre: Mre, surroundings: Surroundings) -> None:
        self.original = mre
        self.mre = public_credentials(mre)
        self.around = surroundings
        self.public = _public_names(self.mre, surroundings)
        self.texts = all_texts(self.mre)
        self.names = [*_file_names(self.mre), *(name for text in self.texts for name in text_names(text))]
        self.owners: dict[str, Replacement] = {}
        self.found: list[Replacement] = []
        self.counts: Counter[str] = Counter()
        self.reserved = {lower(match[0]) for text in self.texts for match in NEUTRAL.finditer(text)}

    def find(self) -> tuple[Replacement, ...]:
        """Return all replacements: first of what has a known form, at last of the words that are left."""
        stay = sorted(
            name
            for name in self.public | PACKAGES
            if not all(map(is_public_word, re.split(r"[-_.]", name))) or name in PACKAGES
        )
        self.add(STAYS, [s for name in stay for s in spellings(STAYS, name)], "")
        self.find_secrets()
        self.find_machine()
        self.find_urls()
        self.find_packages()
        self.find_paths()
        for kind in ("index", "extra", "group", "script"):
            for name in self.named(kind):
                self.name(kind, name)
        for name in self.named("person"):
            self.add("person", spellings("person", name), f"Person {self.next('person').upper()}")
        for name in self.named("variable"):
            if not lower(name).startswith(tuple(map(str.lower, OWN_VARIABLES))) and not self.is_public(name):
                self.add("variable", [lower(name)], f"VARIABLE_{self.next('variable').upper()}")
        self.find_git_references()
        replaced = replace_private(self.mre, tuple(self.found))
        for word in list(_private_words(replaced, tuple(self.found[:1]))):
            self.add("word", spellings("word", word), self.free("word"))
        return tuple(self.found)

    def named(self, kind: str) -> list[str]:
        """Return the names of a kind, in order, each once."""
        return list(dict.fromkeys(name for each, name in self.names if each == kind))

    def next(self, kind: str) -> str:
        """Return the next letter for a kind."""
        self.counts[kind] += 1
        return letter(self.counts[kind] - 1)

    def free(self, kind: str) -> str:
        """Return the next neutral name of a kind that nothing has yet."""
        while True:
            following = self.next(kind)
            name = f"word{self.counts[kind]}" if kind == "word" else f"{kind}-{following}"
            if (
                name not in self.around.public
                and not {name, name.replace("-", "_"), name.replace("-", "")} & self.reserved
            ):
                return name

    def add(self, kind: str, private: Iterable[str], neutral: str) -> None:
        """Add a replacement of the spellings that no other has."""
        mine = tuple(dict.fromkeys(each for each in map(lower, private) if each and each not in self.owners))
        if mine and mine != (lower(neutral),):
            self.found.append(Replacement(kind, mine, neutral))
            self.owners |= dict.fromkeys(mine, self.found[-1])

    def name(self, kind: str, name: str) -> None:
        """Add a name that is not public, with a neutral one of its kind."""
        if not self.is_public(name) and lower(name) not in self.owners:
            self.add(kind, spellings(kind, name), self.free(kind))

    def is_public(self, name: str) -> bool:
        """Tell whether a name is a neutral or a public one, or only of public words."""
        if NEUTRAL.fullmatch(name) or normalize_name(name) in self.public:
            return True
        return all(is_public_word(match[1]) for match in words(name))

    def find_secrets(self) -> None:
        """Find passwords and tokens, also in base64, and user names."""
        indexes = self.original.indexes
        pairs = {f"{index.username}:{index.password}" for index in indexes if index.password}
        self.add("secret", [base64.b64encode(pair.encode()).decode() for pair in sorted(pairs)], BASIC)
        known = secrets(self.original) | self.around.secrets | {index.password for index in indexes}
        for value in sorted(known - PUBLIC - {""}):
            self.add("secret", [value, *spellings("secret", value)], BASIC if _is_basic(value) else PASSWORD)
        users = {index.username for index in indexes if index.username and lower(index.username) not in USERS}
        self.add("user", sorted(user for user in users if not self.is_public(user)), "public")

    def find_machine(self) -> None:
        """Find the paths and names of the machine."""
        for path, neutral in ((self.around.folder, "/project"), (self.around.home, "/home/user")):
            if not self.is_public(path):
                self.add("path", spellings("path", path.rstrip("/")), neutral)
        for name, neutral in ((self.around.user, "user"), (self.around.host, "host")):
            if not self.is_public(name):
                self.add("person" if neutral == "user" else "host", spellings("host", name), neutral)

    def find_urls(self) -> None:
        """Find the URLs of indexes and repositories, hosts, images and addresses of people."""
        numbers: Counter[str] = Counter()
        for url in (*self.named("url"), *(f"ssh://git@{each.replace(':', '/', 1)}" for each in self.named("ssh"))):
            try:
                parts = urlsplit(url)
                host, port = (parts.hostname or "").lower(), parts.port
            except ValueError:
                continue
            path = parts.path.rstrip("/")
            if (
                not host
                or "$" in host
                or host in PUBLIC_INDEX_HOSTS
                or is_neutral_url(url)
                or host.endswith(".example.com")
            ):
                continue
            if parts.scheme.startswith(("git+", "ssh")) or path.endswith(".git"):
                self.find_repository(host, re.split(r"\.git(?:$|@)|@", path)[0], port)
            elif re.search(r"/\+?simple\Z", path) or (profile_of(url) != "pypi-proxy" and not is_public_host(host)):
                root = re.sub(r"(?<=/)(\+?simple)/.*", r"\1", f"{path}/").rstrip("/")
                place = f"{parts.netloc.rpartition('@')[2]}{root}"
                if lower(place) not in self.owners:
                    profile = profile_of(url)
                    numbers[profile] += 1
                    target = urlsplit(neutral_url(f"{parts.scheme}://{host}{root}", numbers[profile]))
                    neutral_host = self.host(host, port, target.netloc)
                    self.add("url", spellings("url", place), f"{neutral_host}{target.path}")
                    base = re.compile(r"/\+?simple\Z")
                    if base.search(root):
                        self.add("url", spellings("url", base.sub("", place)), neutral_host + base.sub("", target.path))
                    self.private_numbers(f"{host} {path}")
            elif not is_public_host(host):
                self.host(host, port, f"host-{letter(self.counts['host'])}.example.com")
        for host in self.named("host"):
            if not is_public_host(host):
                self.host(host.lower(), None, f"host-{letter(self.counts['host'])}.example.com")
        self.find_images()
        for email in self.named("email"):
            if not email.lower().endswith("example.com"):
                self.add("person", spellings("person", email), f"person-{self.next('email')}@example.com")

    def host(self, host: str, port: int | None, neutral: str) -> str:
        """Add a host, with its port, unless it is public; return what replaces it."""
        if is_public_host(host):
            return host
        if host in self.owners:
            neutral = self.owners[host].neutral
        else:
            self.counts["host"] += 1
            used = {each.neutral for each in self.found if each.kind == "host"}
            first, dot, rest = neutral.partition(".")
            more = (f"{first}-{letter(n)}{dot}{rest}" for n in range(1, 999))
            neutral = neutral if neutral not in used else next(each for each in more if each not in used)
        self.add("host", [host, *([f"{host}:{port}"] if port else [])], neutral)
        domain = ".".join(host.split(".")[-2:])
        if domain.count(".") and not is_public_word(domain.partition(".")[0]) and not re.fullmatch(r"[\d.]+", host):
            self.add("host", [domain], "example.com")
        return neutral

    def find_repository(self, host: str, path: str, port: int | None) -> None:
        """Add a repository that is not that of a public package."""
        if self.is_public(path.rpartition("/")[2]) and normalize_name(path.rpartition("/")[2]) in self.public:
            return
        neutral_host = self.host(host, port, "git.example.com")
        place = f"{host}:{port}" if port else host
        if f"{lower(place)}{lower(path)}" not in self.owners and not NEUTRAL.fullmatch(path.rpartition("/")[2]):
            neutral = f"example-org/{self.free('repo')}"
            self.add("git", spellings("git", f"{place}{path}"), f"{neutral_host}/{neutral}")
            self.add("git", spellings("git", f"{host}:{path.strip('/')}"), f"{neutral_host}:{neutral}")
            self.private_numbers(path)

    def private_numbers(self, text: str) -> None:
        """Add the numbers of projects and accounts in a URL."""
        for number in re.findall(r"(?<![\w.])\d{3,}(?![\w])|\d{6,}", text):
            self.add("number", [number], str(self.counts["number"] + 1))
            self.counts["number"] += 1

    def find_images(self) -> None:
        """Find images of containers."""
        for image in self.named("image"):
            name = re.sub(r":[^/:]*\Z", "", image)
            if self.is_public(name) or lower(name) in self.owners:
                continue
            registry, slash, _ = name.partition("/")
            neutral = self.free("image")
            if slash and re.search(r"[.:]", registry):
                host, _, port = registry.partition(":")
                neutral = f"{self.host(host.lower(), int(port) if port.isdigit() else None, 'registry.example.com')}/{neutral}"
            self.add("image", spellings("image", name), neutral)

    def find_packages(self) -> None:
        """Find packages that are not public, and the word that is the first of most of their names."""
        private: dict[str, str] = {}
        for name in self.named("package"):
            canonical = normalize_name(name)
            if canonical not in self.public | PACKAGES | set(private) and not NEUTRAL.fullmatch(canonical):
                private[canonical] = name
        for canonical, name in sorted(private.items()):  # in the order of uv, which sorts them too
            parts, generic = canonical.split("-"), self.is_public(canonical)
            if canonical not in self.owners and (not generic or len(parts) > 1):
                self.add(
                    "package", spellings("package", canonical, generic=generic) + (lower(name),), self.free("package")
                )
        firsts = Counter(name.split("-")[0] for name in private if "-" in name)
        for first, _ in firsts.most_common(1):
            if not is_public_word(first):
                self.add("word", [first], "package")

    def find_paths(self) -> None:
        """Find the names of folders: of modules, of members, and of others."""
        paths = [file.path for file in self.mre.files]
        folders = {"/".join(path.split("/")[:end]) for path in paths for end in range(1, path.count("/") + 1)}
        for folder in sorted(folders):
            name = folder.rpartition("/")[2]
            kind = "member" if f"{folder}/pyproject.toml" in paths else "folder"
            self.name("module" if f"{folder}/__init__.py" in paths else kind, name)

    def find_git_references(self) -> None:
        """Find branches and tags that are not public."""
        named = [(kind, name) for kind, name in self.names if kind in ("branch", "tag", "rev")]
        for text in self.texts:
            named += [("branch", match[1] or unquote(match[2])) for match in REFERENCE.finditer(text)]
        for repository in self.mre.repositories:
            named += [
                (k, n) for commit in repository.commits for k, n in (("branch", commit.branch), ("tag", commit.tag))
            ]
        for kind, name in dict.fromkeys(named):
            if name and (
                not self.is_public(name) or (kind == "branch" and re.search(r"(?<![\d.])\d{3,}(?![\d.])", name))
            ):
                self.add("git", spellings("git", name), self.free("tag" if kind == "tag" else "branch"))


def _is_basic(value: str) -> bool:
    """Tell whether a secret is a user name and a password in base64."""
    try:
        return b":" in base64.b64decode(value, validate=True)
    except ValueError:
        return False
