"""Find what is private in an MRE, and a neutral name for each: whatever is not known to be public."""

import base64
import re
from collections import Counter
from collections.abc import Iterator
from urllib.parse import unquote

from uvmre.capture.private.contents import (
    PROVIDES,
    Name,
    command_words,
    python_names,
    requirement_names,
    text_names,
    toml,
    toml_names,
)
from uvmre.capture.private.index_urls import PUBLIC_HOSTS, is_public_host
from uvmre.capture.private.naming import NEUTRAL, STAYS, Naming
from uvmre.capture.private.network_names import add_network_names
from uvmre.capture.private.replace import PASSWORD, USER, find_names, map_texts, public_credentials, replace_private
from uvmre.capture.private.spelling import lower, spellings, words
from uvmre.capture.private.surroundings import Replacement, Surroundings
from uvmre.capture.private.vocabulary import PACKAGES, USERS, is_public_word
from uvmre.core.mre.model import Mre
from uvmre.core.network.simple_page import normalize_name
from uvmre.core.secrets.redact import secrets
from uvmre.core.secrets.values import PUBLIC

OWN_VARIABLES = ("uv_", "pip_", "python", "hatch_", "setuptools_", "poetry_", "pdm_", "docker_", "git_", "ssl_")
"""Beginnings of the names of variables that tools read."""
REFERENCE = re.compile(r"\.git@([^#\s\"']+)|[?&](?:branch|tag)=([^&#\s\"']+)")
BIG_NUMBER = re.compile(r"(?<![\d.])\d{3,}(?![\d.])")
BASIC = "cHVibGljOmhlcm9u"
"""The base64 of the public credentials."""


def find_replacements(mre: Mre, surroundings: Surroundings) -> tuple[Replacement, ...]:
    """Return replacements for everything private in an MRE, the first of which has the names that stay."""
    public = _public_names(mre, surroundings)
    clean = public_credentials(mre)
    texts = all_texts(clean)
    names = [*_file_names(clean), *(name for text in texts for name in text_names(text))]
    naming = Naming(public, surroundings.public, texts)
    naming.add(STAYS, _stays(clean, public).private, "")
    _add_secrets(naming, mre, surroundings)
    _add_machine(naming, surroundings)
    add_network_names(naming, names)
    _add_packages(naming, [name for kind, name in names if kind == "package"])
    _add_folders(naming, [file.path for file in mre.files])
    for kind, name in dict.fromkeys(names):
        own = kind == "variable" and lower(name).startswith(OWN_VARIABLES)
        if kind in ("index", "extra", "group", "script", "person", "variable") and not own:
            naming.name(kind, name)
        elif kind == "ticket":
            naming.name("word", name)
    _add_git_references(naming, names, texts)
    replaced = replace_private(clean, tuple(naming.found))
    for word in list(_private_words(replaced, tuple(naming.found))):
        naming.name("word", word)
    return tuple(naming.found)


def remaining_private(mre: Mre, surroundings: Surroundings, replacements: tuple[Replacement, ...]) -> tuple[str, ...]:
    """Return the words of an MRE that are neither public nor neutral."""
    stays = _stays(mre, _public_names(mre, surroundings))
    return tuple(_private_words(mre, (*replacements, stays)))


def _stays(mre: Mre, public: frozenset[str]) -> Replacement:
    """Return the names that stay: of hosts, public packages, their extras, and their repositories.

    Not a repository with a word that is private elsewhere, as that of a company's own fork.
    """
    found = [spelling for name in sorted(public | PACKAGES) for spelling in spellings(STAYS, name)]
    found += sorted(PUBLIC_HOSTS)
    provided = [text for kind, text in _file_names(mre) if kind == "provides"]
    places: set[str] = set()
    for match in (match for text in (*all_texts(mre), *provided) for match in PROVIDES.finditer(text)):
        if normalize_name(match["name"]) in public:
            found += [lower(word) for word in re.findall(r"[\w.-]+", match["words"] or "")]
            places.add(lower(match["url"] or ""))
    repositories = [place for place in places if is_public_host(place.partition("/")[0])]
    all_names = (*found, *(part for place in repositories for part in _parts(place)))
    private = set(map(lower, _private_words(mre, (Replacement(STAYS, all_names, ""),))))
    kept = [place for place in repositories if not private & {lower(match[1]) for match in words(place)}]
    return Replacement(
        STAYS, (*dict.fromkeys([*found, *(part for place in sorted(kept) for part in _parts(place))]),), ""
    )


def _parts(place: str) -> Iterator[str]:
    """Yield the address of a repository, and the branch or tag after it."""
    address, _, reference = place.partition(".git@") if ".git@" in place else place.partition("@")
    yield address.removesuffix(".git")
    if reference:
        yield from spellings("git", reference)


def _private_words(mre: Mre, replacements: tuple[Replacement, ...]) -> Iterator[str]:
    """Yield the words that are not public, each once, outside the names that stay."""
    stays = tuple(each for each in replacements if each.kind == STAYS)
    used: set[str] = set()
    for text in all_texts(mre):
        end, rest = 0, []
        for start, stop, _ in find_names(text, stays):
            rest.append(text[end:start])
            end = stop
        for match in words(" ".join([*rest, text[end:]])):
            if (word := lower(match[1])) not in used and not is_public_word(match[1]) and not NEUTRAL.fullmatch(word):
                used.add(word)
                yield match[1]


def all_texts(mre: Mre) -> list[str]:
    """Return all texts of an MRE: of its fields, its files and their names."""
    found: dict[str, None] = {}
    map_texts(mre, lambda text: found.setdefault(text) or text)
    return list(found)


def _file_names(mre: Mre) -> Iterator[Name]:
    """Yield the names in TOML files, requirements and indexes."""
    for index in (*mre.indexes, *(index for control in mre.controls for index in control.indexes)):
        yield "index-url", index.url
        for package in index.packages:
            yield "package", package.name
            required = (*package.requires, *(each for some in package.extras.values() for each in some))
            yield from requirement_names("\n".join(required))
            yield from (("extra", extra) for extra in package.extras)
    for file in mre.files:
        yield from toml_names(toml(file))
        text = file.content.decode(errors="replace")
        if file.path.endswith((".txt", ".in")):
            yield from requirement_names(text)
        elif file.path.endswith(".py"):
            yield from python_names(text)
    for repository in mre.repositories:
        yield from (("branch", commit.branch) for commit in repository.commits)
        yield from (("tag", commit.tag) for commit in repository.commits)
    for variables in (mre.environment.variables, *(control.variables for control in mre.controls)):
        yield from (("variable", name) for name in variables)
        yield from text_names("\n".join(f"{name}={value}" for name, value in variables.items()))


def _public_names(mre: Mre, surroundings: Surroundings) -> frozenset[str]:
    """Return the packages of PyPI that an MRE mentions where packages are named."""
    mentioned = {normalize_name(name) for kind, name in _file_names(mre) if kind == "package"}
    texts = [text for text in all_texts(mre) if len(text) < 20_000 and re.search(r"\b(?:uv|uvx|pip)\b", text)]
    lines = [line for text in texts for line in (text, *text.splitlines())]
    mentioned |= {normalize_name(word) for line in lines for word in command_words(line)}
    settings = [file.content.decode(errors="replace") for file in mre.files if file.path.endswith("setup.cfg")]
    mentioned |= {normalize_name(name) for text in settings for _, name in requirement_names(text)}
    return frozenset(mentioned & surroundings.public)


def _add_secrets(naming: Naming, mre: Mre, surroundings: Surroundings) -> None:
    """Add passwords and tokens, also in base64, and user names."""
    pairs = {f"{index.username}:{index.password}" for index in mre.indexes if index.password}
    encoded = {base64.b64encode(pair.encode()).decode() for pair in pairs}
    known = secrets(mre) | surroundings.secrets | {index.password for index in mre.indexes} | encoded
    for value in sorted(known - PUBLIC - {""}):
        naming.add("secret", spellings("secret", value), BASIC if _is_basic(value) else PASSWORD)
    for user in sorted({index.username for index in mre.indexes} - USERS):
        naming.name("user", user, USER)


def _is_basic(value: str) -> bool:
    """Tell whether a secret is a user name and a password in base64."""
    try:
        return b":" in base64.b64decode(value, validate=True)
    except ValueError:
        return False


def _add_machine(naming: Naming, surroundings: Surroundings) -> None:
    """Add the paths and names of the machine."""
    naming.name("path", surroundings.folder.rstrip("/"), "/project")
    naming.name("path", surroundings.home.rstrip("/"), "/home/user")
    naming.name("person", surroundings.user, "user")
    naming.name("host", surroundings.host, "host")


def _add_packages(naming: Naming, names: list[str]) -> None:
    """Add packages that are not public, and the word that most of their names start with."""
    private = dict.fromkeys(map(normalize_name, names))
    private = {name: None for name in private if name not in naming.public | PACKAGES and not NEUTRAL.fullmatch(name)}
    for name in private:
        generic = naming.is_public(name)
        if name not in naming.owners and not (generic and "-" not in name):
            naming.add("package", spellings("package", name, generic=generic), naming.free("package"))
    for first, _ in Counter(name.split("-")[0] for name in private if "-" in name).most_common(1):
        naming.name("word", first, "package")


def _add_folders(naming: Naming, paths: list[str]) -> None:
    """Add the names of folders: of modules, of members, and of others."""
    for folder in dict.fromkeys(
        "/".join(path.split("/")[:end]) for path in paths for end in range(1, path.count("/") + 1)
    ):
        kind = "member" if f"{folder}/pyproject.toml" in paths else "folder"
        naming.name("module" if f"{folder}/__init__.py" in paths else kind, folder.rpartition("/")[2])


def _add_git_references(naming: Naming, names: list[Name], texts: list[str]) -> None:
    """Add branches, tags and revisions that are not public."""
    found = [(kind, name) for kind, name in names if kind in ("branch", "tag", "rev")]
    found += [("branch", match[1] or unquote(match[2])) for text in texts for match in REFERENCE.finditer(text)]
    for kind, name in dict.fromkeys(found):
        private = not naming.is_public(name) or (kind == "branch" and BIG_NUMBER.search(name))
        if private and lower(name) not in naming.owners:
            naming.add("git", spellings("git", name), naming.free("tag" if kind == "tag" else "branch"))
