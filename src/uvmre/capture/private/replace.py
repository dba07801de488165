"""Replace private names in everything that an MRE has, consistently."""

import dataclasses
import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any, TypeVar, cast
from urllib.parse import unquote

from uvmre.capture.private.naming import STAYS
from uvmre.capture.private.spelling import PLAIN, lower, respell, words
from uvmre.capture.private.surroundings import Replacement
from uvmre.capture.private.vocabulary import USERS
from uvmre.core.mre.files import File
from uvmre.core.mre.model import Control, Environment, Mre
from uvmre.core.network.index import GitRepository, Index
from uvmre.core.secrets.values import is_placeholder, is_token, names_secret, names_user

if TYPE_CHECKING:
    from ahocorasick_rs import AhoCorasick

T = TypeVar("T")
USER, PASSWORD = "public", "heron"
ANYWHERE = 8
"""Secrets of so many characters are replaced within words, too."""
SURROGATES = re.compile("[\ud800-\udfff]")
USERINFO = re.compile(r"(?<=://)([^\s/@\"'<>`:]+)(:[^\s/@\"'<>`]*)?(?=@)")
NETRC = re.compile(r"(?m)(?<![\w-])(login|user|account|password)([ \t\n]+)(\S+)")
ASSIGNMENT = re.compile(r"(?m)(?<![\w$])([A-Za-z_]\w*)(=)([\"']?)([^\s\"']+)")
NEUTRAL_HTTP = re.compile(r"http(?=://(?:[^/\s@\"']+@)?[\w.-]+\.example\.com\b)")


def replace_private(mre: Mre, replacements: tuple[Replacement, ...]) -> Mre:
    """Return an MRE with every private name replaced, in its files, their names and its manifest."""
    return map_texts(public_credentials(mre), lambda text: replace_text(text, replacements))


def replace_text(text: str, replacements: tuple[Replacement, ...]) -> str:
    """Return a text with every private name replaced by its neutral one, in the same spelling."""
    parts, end = [], 0
    for start, stop, which in find_names(text, replacements):
        around = text[max(start - 1, 0) : start] + text[stop : stop + 1]
        if which.kind != STAYS:
            parts += [text[end:start], respell(which.kind, which.neutral, text[start:stop], around)]
            end = stop
    return NEUTRAL_HTTP.sub("https", "".join([*parts, text[end:]]))


def find_names(text: str, replacements: tuple[Replacement, ...]) -> list[tuple[int, int, Replacement]]:
    """Return the names in a text, without overlaps: the first, and of those the longest; only whole words."""
    automaton, owners = _automaton(replacements)
    if not automaton:
        return []
    lowered = SURROGATES.sub("\ufffd", lower(text))
    found = [(start, -end, owners[i]) for i, start, end in automaton.find_matches_as_indexes(lowered, overlapping=True)]
    if not found:
        return []
    spans = [match.span() for match in words(text)]
    starts, ends = {start for start, _ in spans}, {end for _, end in spans}
    names: list[tuple[int, int, Replacement]] = []
    for start, negative, which in sorted(found, key=lambda each: each[:2]):
        end = -negative
        first = start in starts or not PLAIN.match(text[start]) or not PLAIN.match(text[start - 1 : start] or " ")
        whole = first and (end in ends or not PLAIN.match(text[end - 1]))
        if which.kind == "secret" and end - start >= ANYWHERE:
            whole = True
        if whole and (not names or start >= names[-1][1]):
            names.append((start, end, which))
    return names


@lru_cache(4)
def _automaton(replacements: tuple[Replacement, ...]) -> "tuple[AhoCorasick | None, list[Replacement]]":
    from ahocorasick_rs import AhoCorasick, MatchKind

    owners = {lower(spelling): each for each in reversed(replacements) for spelling in each.private if spelling}
    if not owners:
        return None, []
    return AhoCorasick(list(owners), matchkind=MatchKind.Standard), list(owners.values())


def map_texts(value: T, change: Callable[[str], str]) -> T:
    """Return a value with a function applied to all its texts: of mappings, sequences, dataclasses, files."""
    return cast("T", _map(value, change))


def _map(value: Any, change: Callable[[str], str]) -> Any:
    if isinstance(value, str):
        return change(value)
    if isinstance(value, bytes):
        return change(value.decode(errors="surrogateescape")).encode(errors="surrogateescape")
    if isinstance(value, tuple | frozenset):
        return type(value)(_map(item, change) for item in value)
    if isinstance(value, Mapping):
        return {change(name): _map(item, change) for name, item in value.items()}
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = {each.name: _map(getattr(value, each.name), change) for each in dataclasses.fields(value)}
        return dataclasses.replace(value, **fields)
    return value


def public_credentials(mre: Mre) -> Mre:
    """Return an MRE with the credentials of the public test index wherever there are some.

    User names that a registry demands stay, and so do variables and passwords that are public.
    """
    mre = map_texts(mre, lambda text: ASSIGNMENT.sub(_assigned, USERINFO.sub(_userinfo, text)))
    return dataclasses.replace(
        mre,
        environment=_with_variables(mre.environment),
        controls=tuple(_with_variables(_with_logins(each)) for each in mre.controls),
        indexes=_with_logins(mre).indexes,
        repositories=tuple(map(_login, mre.repositories)),
        files=tuple(_netrc(file) if file.path.endswith("netrc") else file for file in mre.files),
    )


V = TypeVar("V", Environment, Control)
S = TypeVar("S", Mre, Control)
L = TypeVar("L", Index, GitRepository)


def _with_variables(value: V) -> V:
    variables = {name: _of_name(name, each) for name, each in value.variables.items()}
    return dataclasses.replace(value, variables=variables)


def _with_logins(value: S) -> S:
    return dataclasses.replace(value, indexes=tuple(map(_login, value.indexes)))


def _login(value: L) -> L:
    username = public_user(value.username, alone=not value.password)
    return dataclasses.replace(value, username=username, password=public_secret(value.password))


def _netrc(file: File) -> File:
    return map_texts(file, lambda text: NETRC.sub(_entry, text))


def _of_name(name: str, value: str) -> str:
    """Return the value of a variable."""
    if names_user(name):
        return public_user(value)
    return public_secret(value) if names_secret(name) else value


def _assigned(match: re.Match[str]) -> str:
    return f"{match[1]}{match[2]}{match[3]}{_of_name(match[1], match[4]) if match[1].isupper() else match[4]}"


def _entry(match: re.Match[str]) -> str:
    value = public_secret(match[3]) if match[1] == "password" else public_user(match[3])
    return f"{match[1]}{match[2]}{value}"


def _userinfo(match: re.Match[str]) -> str:
    user, password = match[1], match[2]
    if password is None:
        return public_user(user, alone=True)
    return f"{public_user(user)}:{public_secret(password[1:])}"


def public_user(name: str, *, alone: bool = False) -> str:
    """Return the public user name, or a name that has to stay; a token without a password is a secret."""
    if not name or unquote(name).lower() in USERS or (is_placeholder(name) and len(name) > 3):
        return name
    return PASSWORD if alone and is_token(name) else USER


def public_secret(value: str) -> str:
    """Return the public password, or a value that tells nothing."""
    return value if not value or (is_placeholder(value) and len(value) > 3) else PASSWORD
