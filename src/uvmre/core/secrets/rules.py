"""Rules that recognize secrets: by shape, in a URL, in a header, or after the name of a secret.

The literals of all rules are found in one pass, and each pattern is matched only there, so the time is linear.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from uvmre.core.secrets.values import is_placeholder, is_random, is_token, names_secret, names_user

Span = tuple[int, int]
SPACES = "[ \\t]{0,8}"
CONTEXT = 64
"""Characters before a name that are considered."""

NAME = re.compile(r"[\w-]{1,80}+(?:\\?[\"'])?\]?")
ANNOTATION = re.compile(rf"{SPACES}:{SPACES}(?:str|bytes|SecretStr|Optional\[str\]|str \| None){SPACES}(?==(?!=))")
SEPARATOR = re.compile(rf"({SPACES})(:=|=>|=(?![=~])|:(?![:/]))({SPACES})|([ \t]{{1,4}})|\s{{1,8}}|(>)")
VALUE = re.compile(
    r"""(?P<prefix>[bBrRfFuU]{0,2}+(?=["']))?(?:
        \\"(?P<escaped>[^"\\\n]++)\\"
      | "(?P<double>(?:[^"\\\n]|\\.)++)(?:"|(?=\\?(?:\n|\Z)))
      | '(?P<single>[^'\n]++)(?:'|(?=\n|\Z))
      | (?P<word>(?:[^\s"'`;|&()<>\\]|\\[^\snrt"'`]|(?<=[^\s=:,\[{(])["'][^\s"',;|&=:()\[\]{}]++["']?)++)
    )""",
    re.VERBOSE,
)
"""A value in a shell or programming language; an unclosed quote ends with its line. A quote inside a word starts a
part of it only if that part is closed or continues like a word; otherwise it surrounds the assignment."""
FIRST = re.compile(r"[^\s;|&()<>]*+")
EXPRESSION = re.compile(r"(?<![\w.])[A-Za-z_][\w.]*+[\[(]")
TRAILING = ",.:;!?}]*_"
"""Punctuation after a value in prose, Markdown and JSON."""

PRINTS_PASSWORD = "keyring get "
KEYRING = re.compile(
    r"""keyring[ ]get[ ][^\n\\]{1,300}(?:\\n|\n)(?P<s>[^\s\\$#>%`"'|&;]{4,256}+)(?=[ \t]*(?:\\n|\n|\Z))"""
)
"""What `keyring get` prints."""
AFTER_CURL = re.compile(
    r"""curl\b[^\n|;&]{0,200}?\s(?:-u|--user)[ =]?["']?[^\s:"']{0,100}:(?P<s>[^\s"'`;|&()<>]{1,512}+)""", re.IGNORECASE
)
IN_URL = re.compile(r"://(?P<user>[^\s/:@\"'<>`|?#\\]{0,512}+)(?::(?P<password>[^\s/\"'<>`?#]{0,1024}))?@")
IN_FRONT = 2_048
"""Characters of a URL before its `@` at most."""
HEADER = re.compile(
    rf"""authorization\\?["']?{SPACES}[:=]{SPACES}(?:[bf]?\\?["'])?(?:(?P<scheme>[A-Za-z]{{2,20}})[ ]{{1,4}})?"""
    r"""(?P<s>[^\s"'`;,|&()<>\\]++)""",
    re.IGNORECASE,
)
SCHEME = re.compile(r"(?:bearer|basic)[ ]{1,4}(?P<s>[A-Za-z0-9._~+/-]{8,}+=*+)", re.IGNORECASE)
COOKIE = re.compile(r"""cookie:[ \t]{0,8}(?P<s>[\w.-]{1,80}=[^"'`\n\r]++)""", re.IGNORECASE)
SIGNATURES = ("sig", "signature", "jwt", "x-amz-signature", "x-goog-signature")
SIGNATURE = re.compile(
    r"[?&;](?:sig|signature|jwt|x-(?:amz|goog)-signature)=(?P<s>[^\s\"'`&#;|()<>\\]++)", re.IGNORECASE
)
DOCKER_AUTH = re.compile(rf"""_?auth["']?{SPACES}[:=]{SPACES}["']?(?P<s>[A-Za-z0-9+/]{{12,}}+=*+)""", re.IGNORECASE)
PEM = re.compile(
    r"-----BEGIN [A-Z0-9 ]{0,40}?PRIVATE KEY(?: BLOCK)?-----(?:"
    r"(?P<s>(?:[^-]|-(?!----(?:BEGIN|END)))++)(?=-----END)|(?P<cut>(?:(?:\s|\\[nr])*+[A-Za-z0-9+/=]{24,}+)++))"
)
SHAPES = {
    **dict.fromkeys(("glpat-", "gldt-", "glptt-", "glrt-", "glcbt-"), r"[\w.-]{8,}+"),
    **dict.fromkeys(("ghp_", "gho_", "ghu_", "ghs_", "ghr_"), "[A-Za-z0-9_]{10,}+"),
    "github_pat_": r"\w{10,}+",
    "npm_": "(?=[A-Za-z]*+[0-9])[A-Za-z0-9]{16,}+(?!_)",
    "pypi-": r"(?:AgE[\w-]{4,}+|(?=[A-Za-z_-]*+[0-9])[\w-]{32,}+)",
    **dict.fromkeys(("akia", "asia", "abia", "acca"), "[A-Z0-9]{12,}+(?![a-z_-])"),
    "sk-": r"(?=[A-Za-z_-]*+[0-9])[\w-]{16,}+",
    "sk_live_": r"\w{10,}+",
    **dict.fromkeys(("xoxa-", "xoxb-", "xoxe-", "xoxo-", "xoxp-", "xoxr-", "xoxs-", "xapp-"), r"[\w-]{8,}+"),
    "hf_": "[A-Za-z]{30,}+(?!_)",
    "dckr_pat_": r"[\w-]{10,}+",
    "rubygems_": "[0-9a-f]{32,}+",
    "aiza": r"[\w-]{30,}+",
    "ya29.": r"[\w.-]{16,}+",
    "eyj": r"[\w-]{8,}+\.[\w-]{8,}+(?:\.[\w-]*+)?",
    "akcp": "[A-Za-z0-9]{30,}+",
    "cmvmdgtu": "[A-Za-z0-9]{30,}+",
}
"""Tokens by prefix: GitLab, GitHub, npm, PyPI, AWS, OpenAI, Stripe, Slack, Hugging Face, Docker, RubyGems, Google,
JWT and Artifactory. A prefix matches only at the start of a word."""
BOUNDARY = r"(?:(?<![\w*-])|(?<=%[0-9A-Fa-f][0-9A-Fa-f])|(?<=\\[nrt])|(?<=\\x[0-9a-f][0-9a-f]))"
"""The start of a word, also after a percent-encoded or escaped character."""
WITHIN = r"(?:(?<=[\w-])(?=\w{2,10}[_-][\w-]{20}))"
"""The start of a long token within a word, as in the name of a file."""
DISTINCT = ("glpat-", "ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_", "xoxb-", "xoxp-", "dckr_pat_")
"""Prefixes that no word has inside."""
CASED = {"AKIA", "ASIA", "ABIA", "ACCA", "AIza", "eyJ", "AKCp", "cmVmdGtu"}
"""Prefixes with capitals."""


@dataclass(frozen=True)
class Rule:
    """A rule that recognizes secrets."""

    literals: tuple[str, ...]
    """In lower case; `spans` is called where they occur."""
    spans: Callable[[str, int], tuple[list[Span], int]]
    """Called with a text and the start of a literal; returns the secrets, and where to continue."""


def _pattern(
    pattern: re.Pattern[str], secret: Callable[[str, re.Match[str]], bool]
) -> Callable[[str, int], tuple[list[Span], int]]:
    """Return a function for a pattern whose groups are the secret."""

    def spans(text: str, at: int) -> tuple[list[Span], int]:
        match = pattern.match(text, at)
        if not match:
            return [], at
        found = [
            _strip_span(text, *match.span(name)) for name in match.groupdict() if name in ("s", "cut") and match[name]
        ]
        return ([span for span in found if span[0] < span[1]] if secret(text, match) else []), match.end()

    return spans


def _strip_span(text: str, start: int, end: int) -> Span:
    """Return a span without surrounding white space."""
    inside = text[start:end]
    return start + len(inside) - len(inside.lstrip()), end - len(inside) + len(inside.rstrip())


def _not_placeholder(_: str, match: re.Match[str]) -> bool:
    return not is_placeholder(match["s"])


def _header(_: str, match: re.Match[str]) -> bool:
    known = (match["scheme"] or "").lower() in ("bearer", "basic", "token", "digest", "negotiate", "bot")
    return not is_placeholder(match["s"]) and (known or is_random(match["s"]))


def _is_random(_: str, match: re.Match[str]) -> bool:
    return is_random(match["s"]) and not is_placeholder(match["s"])


def _accept(_: str, __: re.Match[str]) -> bool:
    return True


def _shape(prefix: str, rest: str) -> Rule:
    cased = next((each for each in CASED if each.lower() == prefix), prefix)
    start = f"(?:{BOUNDARY}|{WITHIN})" if prefix in DISTINCT else BOUNDARY
    pattern = re.compile(rf"{start}(?P<s>{re.escape(cased)}{rest})")
    return Rule((prefix,), _pattern(pattern, _not_placeholder))


def _url(text: str, at: int) -> tuple[list[Span], int]:
    # Matched at the `@`, because most URLs have none.
    begin = text.rfind("://", max(at - IN_FRONT, 0), at)
    match = IN_URL.match(text, begin) if begin >= 0 else None
    if not match or match.end() <= at:
        return [], at
    user, password = match["user"], match["password"]
    oauth = password == "x-oauth-basic"
    found = [match.span("user")] if is_token(user) or (oauth and not is_placeholder(user)) else []
    if password and not oauth and not is_placeholder(password):
        found.append(match.span("password"))
    return found, match.end()


def _after_name(text: str, at: int) -> tuple[list[Span], int]:
    """Find the value after the name of a secret."""
    match = NAME.match(text, at)
    if not match:
        return [], at
    begin, first = at, max(at - CONTEXT, 0)
    while begin > first and ((before := text[begin - 1]) in "_-*" or before.isalnum()):
        begin -= 1
    name = text[begin : match.end()].rstrip("]\"'\\")
    if not (names_secret(name) or names_user(name)):
        return [], at
    end = match.end()
    if annotation := ANNOTATION.match(text, end):
        end = annotation.end()
    between = SEPARATOR.match(text, end)
    value = VALUE.match(text, between.end()) if between else None
    if not between or not value:
        return [], at
    kind = str(value.lastgroup)
    start, end = value.span(kind)
    if kind == "word":
        word = value["word"].partition("#")[0] if text[begin - 1 : begin] in ("?", "&") else value["word"]
        end = start + len(word.rstrip(TRAILING))
    elif text[end : end + 1] in ("", "\n", "\\") and kind != "escaped":
        end = start + len(FIRST.match(text[start:end])[0])  # type: ignore[index]
    secret = text[start:end]
    possible = is_token(secret) if names_user(name) else not (is_placeholder(secret) or is_placeholder(value[kind]))
    found = possible and _is_value(text, begin, name, between, value, secret=secret)
    if found:
        return [(start, end)], value.end()
    # A value that is not secret may contain another name; a long one is skipped to stay linear.
    return [], max(at, value.start() if value.end() - value.start() < 4 * CONTEXT else value.end())


def _is_value(text: str, begin: int, name: str, between: re.Match[str], value: re.Match[str], *, secret: str) -> bool:
    """Tell whether what follows a name is its value, and not code or prose."""
    before = text[max(begin - CONTEXT, 0) : begin]
    word = value["word"] is not None
    if between[5]:
        return word and text.startswith("</", value.end())
    if not between[2]:
        return _after_space(before, name, word=word, secret=secret)
    if (
        before.endswith("//")
        or (name == "--secret" and "=" in secret)
        or (word and EXPRESSION.match(text, value.start("word")))
    ):
        return False
    if between[2] == ":" and not _is_key(before, name) and not (is_random(secret) and word):
        return False
    if not word:
        return True
    if value["word"].endswith(":"):  # `NAME: what: why`
        return False
    if between[2] == "=" and not between[1] and not between[3]:
        # `token=token, …` in Python, where the same in a shell has a name in capitals.
        code = name.islower() and secret.replace(".", "a").replace("_", "a").isalpha() and secret.islower()
        more = text[end : end + 1] if (end := value.end()) else ""
        return not (code and (secret == name or "." in secret or value["word"][-1] in ",;" or more == ")"))
    rest = text[value.end() : value.end() + CONTEXT].partition("\n")[0].strip(" \t\r,}")
    if rest and rest[0] not in "#;&|\"'`)":
        return is_random(secret)
    password = name.lower().replace("-", "_").endswith(("password", "passwd", "passphrase", "api_key"))
    return is_random(secret) or (between[2] == ":" and password)


def _after_space(before: str, name: str, *, word: bool, secret: str) -> bool:
    """Tell whether a value may follow a name after white space: an option, a `.netrc`, an ENV."""
    if name.startswith("--"):
        return "=" not in secret and (not word or is_random(secret))
    words = before.split()
    if name == "password":
        return bool(words) and (words[-1] == "default" or words[-2:-1] in (["login"], ["machine"], ["account"]))
    return (name.isupper() and words[-1:] == ["ENV"]) or words[-2:] == ["set", "-x"] or words[-1:] == ["setx"]


def _is_key(before: str, name: str) -> bool:
    """Tell whether a name is a key or a header, and not the last word of a sentence."""
    line = before.rpartition("\n")[2].rstrip("\"'\\")
    bare = line.strip(" \t-|│>+#$")
    return not bare or bare[-1] in "{,[(;&?\"'" or "_" in name or "-" in name or name.isupper()


RULES = (
    *(_shape(prefix, rest) for prefix, rest in SHAPES.items()),
    Rule(("@",), _url),
    Rule(("authorization",), _pattern(HEADER, _header)),
    Rule(("bearer ", "basic "), _pattern(SCHEME, _is_random)),
    Rule(("cookie:",), _pattern(COOKIE, _not_placeholder)),
    Rule(
        tuple(f"{sign}{name}=" for sign in "?&;" for name in SIGNATURES),
        _pattern(SIGNATURE, _not_placeholder),
    ),
    Rule(('auth"', "_auth", "auth:"), _pattern(DOCKER_AUTH, _is_random)),
    Rule(("curl ",), _pattern(AFTER_CURL, _not_placeholder)),
    Rule((PRINTS_PASSWORD,), _pattern(KEYRING, _not_placeholder)),
    Rule(("-----begin",), _pattern(PEM, _accept)),
    Rule(
        (
            *("password", "passwd", "passphrase", "_pwd", "-pwd", "token", "secret", "apikey", "_key", "-key"),
            *("accesskey", "accountkey", "privatekey", "_pat", "-pat", "pat=", "pat =", "pat:", 'pat"', "pat'"),
            *("credential", "username"),
        ),
        _after_name,
    ),
)


def spans(text: str, places: Iterator[tuple[str, int]]) -> list[Span]:
    """Return the spans of secrets around the literals."""
    found: list[Span] = []
    done: dict[int, int] = {}
    for literal, at in places:
        for number in BY_LITERAL[literal]:
            if at >= done.get(number, 0):
                secret, done[number] = RULES[number].spans(text, at)
                found += secret
    return found


BY_LITERAL: dict[str, list[int]] = {}
for _number, _rule in enumerate(RULES):
    for _literal in _rule.literals:
        BY_LITERAL.setdefault(_literal, []).append(_number)
