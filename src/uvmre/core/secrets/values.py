"""Names of secrets, and values that are not secret: placeholders, words, public passwords."""

import re
from functools import lru_cache
from itertools import pairwise


def word_set(text: str) -> frozenset[str]:
    """Return the words of a text."""
    return frozenset(text.split())


PUBLIC = frozenset({"public", "heron", "eagle", "wrong", "cHVibGljOmhlcm9u", "cHVibGljOmVhZ2xl"})
"""The passwords of the public test index, also as Basic authentication, and a template's wrong one."""
MASK = "****"
LEAST = 4
"""Shorter values are not masked: they occur all over a log."""

WORDS = word_set("""
true false none null nil undefined str string bytes int bool any object optional required default redacted removed
hidden masked empty missing invalid expired incorrect expected sensitive unset
""")
"""Words that follow a secret's name in code, help and messages."""
GENERIC = word_set("""
password passwd pass token secret username user test tests testing example admin value values changeme local main
public private python index basic bearer
""")
"""Values of tutorials: masked as a value, kept as a word."""
EXPANSION = re.compile(r"\$(?:\w+|\{[^{}]*+\}|\([^()]*+\)|[@*#?$!{}])|%\w+%|\{\{[^{}]*+\}\}|\{[\w.\[\]!:]*+\}")
REFERENCE = re.compile(
    r"(?:secrets|env|vars|github|inputs|steps|needs|matrix|process\.env|os\.environ|os|var|local)\.[\w.\-]+"
)
PARTS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
"""The words of a name in any of the usual cases."""
SECRET = frozenset(
    {"password", "passwd", "passphrase", "token", "secret", "apikey", "accesskey", "credential", "pat", "pwd"}
)
SECRET_ENDS = ("password", "passwd", "passphrase", "secret", "apikey", "accesskey")
TOKEN_OF = word_set("""
auth access api bearer refresh id private gh github gitlab pypi publish deploy
job session secret user my security csrf pip uv npm
""")
"""Prefixes of `token` in one word, unlike the `tik` of a package."""
KEYS = word_set("private access api account signing encryption secret auth subscription ssh gpg master service storage")
NOT_SECRET = word_set("""
file files path url uri name names type types length count counts limit limits endpoint host user username provider
expiry expires expiration ttl env field header param manager helper store hash policy
""")
"""The last word of a name that is about a secret but does not hold one."""
IN_NAMES = str.maketrans("_.-", "aaa")
ORDINARY = re.compile(r"(?:[A-Za-z]{2,}+|[a-z])(?:(?:[._@+-]|%40)[A-Za-z]++)*+[._-]?\d{0,4}+(?:(?:@|%40).*+)?")
"""A person's or a machine's user name."""


USERS = word_set("""
oauth2accesstoken _json_key _json_key_base64 __token__ vsssessiontoken x-access-token gitlab-ci-token
x-token-auth oauth2
""")
"""User names that registries expect with a token."""


@lru_cache(4096)
def names_secret(name: str) -> bool:
    """Tell whether the value of a name is secret."""
    parts = [part.lower() for part in PARTS.findall(name)]
    words = [part for part in parts if not part.isdigit()]
    if not words or (words[-1] in NOT_SECRET and "".join(words[-2:]) not in SECRET):
        return False
    if words == ["pat"]:
        return name.isupper()
    for i, word in enumerate(words):
        if word in SECRET and not (word == "pwd" and len(words) == 1):
            return True
        if word == "key" and i and words[i - 1] in KEYS:
            return True
        if word.endswith(SECRET_ENDS) or (word.endswith("key") and word[:-3] in KEYS):
            return True
        if word.endswith("token") and (name.isupper() or word[:-5] in TOKEN_OF):
            return True
    return False


def names_user(name: str) -> bool:
    """Tell whether a name is that of a user name, which may be a token."""
    return name.lower().endswith("username")


@lru_cache(4096)
def is_placeholder(value: str) -> bool:
    """Tell whether a value is a variable, a mask, a public password or a placeholder."""
    if len(value) < LEAST or value in PUBLIC or "***" in value:
        return True
    low = value.lower()
    if low in WORDS or low.startswith(("your", "<", "[", "{", "`", "$(", "${{")) or low.endswith("_here"):
        return True
    bare = low.rstrip("x")
    if len(low) - len(bare) >= 3 and (not bare or bare[-1] in "-_"):
        return True
    if not low.strip(".…-_x#?"):
        return True
    return len(EXPANSION.sub("", value).strip(" /:@.-_\"'{}")) < LEAST or bool(REFERENCE.fullmatch(value))


def is_random(value: str) -> bool:
    """Tell whether a value is more than a word or identifier: it has digits, symbols or mixed case."""
    if not value.translate(IN_NAMES).isalpha():
        return True
    return not value.istitle() and _switches(value) > 2


def _switches(value: str) -> int:
    return sum(a.islower() and b.isupper() for a, b in pairwise(value))


def is_token(name: str) -> bool:
    """Tell whether a user name is a token."""
    if len(name) < 8 or is_placeholder(name) or name.lower() in USERS:
        return False
    if ORDINARY.fullmatch(name):
        return _switches(name) > 4
    return len(name) >= 16 or len(re.findall(r"\d+", name)) > 1
