"""The simple commands of a shell text, uv's subcommands and options, and small edits.

Unlike `statements`, it needs no parser of its own, and sees every command of a pipeline, a loop or a condition.
"""

import re
import shlex
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

ASSIGNMENT = re.compile(r"\A([A-Za-z_][A-Za-z0-9_]*)=(.*)\Z", re.DOTALL)
CONTINUATION = re.compile(r"\\\r?\n")
COMMENT = re.compile(r"(?m)^[ \t]*#.*$|(?<=\s)#[^\n'\"]*$")
HEREDOC = re.compile(r"<<-?\s*['\"\\]?\w")
"""A heredoc, whose lines are not commands."""
SEPARATORS = frozenset(";&|()\n")
REDIRECTS = frozenset("<>")
OPTIONS = (
    "--allow-insecure-host --annotation-style --bounds --branch --build-constraint --build-constraints --cache-dir"
    " --cert --color --config-file --config-setting --config-settings --config-settings-package --constraint"
    " --constraints --custom-compile-command --default-index --depth --directory --editable --env-file --exclude"
    " --exclude-newer --exclude-newer-package --excludes --extra --extra-index-url --find-links --fork-strategy"
    " --format --from --group --index --index-strategy --index-url --keyring-provider --link-mode --marker"
    " --module-root --no-binary --no-binary-package --no-build-isolation-package --no-build-package"
    " --no-editable-package --no-emit-package --no-extra --no-group --no-install-package --no-sources-package"
    " --only-binary --only-group --optional --out-dir --output-file --output-format --override --overrides --package"
    " --prefix --prerelease --prerelease-package --project --prompt --prune --python --python-platform"
    " --python-version --refresh-package --reinstall-package --requirement --requirements --resolution --rev --script"
    " --tag --target --torch-backend --upgrade-group --upgrade-package --with --with-editable --with-requirements"
    " -C -P -b -c -d -e -f -i -m -o -p -r -t -w"
)
OPTIONS_WITH_VALUE = frozenset(OPTIONS.split())
"""The options of uv with a value (of 0.13.9 and of older releases)."""
SUBCOMMANDS = frozenset({"pip", "tool", "python", "cache", "self", "auth"})
"""Commands with subcommands."""


@dataclass(frozen=True)
class Call:
    """One simple command."""

    argv: tuple[str, ...]
    """The program and its arguments, without quotes."""
    variables: Mapping[str, str]
    """The variables set for this command only."""

    @property
    def verb(self) -> str:
        """Return the subcommand of uv, such as `sync` or `pip install`; empty for another program."""
        if not self.argv or self.argv[0].rpartition("/")[2] != "uv":
            return ""
        first = self._positionals(1)
        if first and first[0] in SUBCOMMANDS:
            return " ".join(self._positionals(2))
        return " ".join(first)

    def _positionals(self, most: int) -> list[str]:
        found: list[str] = []
        skip = False
        for word in self.argv[1:]:
            if skip:
                skip = False
            elif word in OPTIONS_WITH_VALUE:
                skip = True
            elif not word.startswith("-"):
                found.append(word)
                if len(found) == most:
                    break
        return found

    @property
    def name(self) -> str:
        """Return the command, such as `uv pip compile`."""
        return f"uv {self.verb}" if self.verb else self.argv[0]

    @property
    def uv_arguments(self) -> tuple[str, ...]:
        """Return the arguments of uv, without those of the command that `uv run` starts."""
        if self.verb not in ("run", "tool run"):
            return self.argv[1:]
        verbs, skip = len(self.verb.split()), False
        for at, word in enumerate(self.argv[1:], 1):
            if skip:
                skip = False
            elif word in OPTIONS_WITH_VALUE:
                skip = True
            elif not word.startswith("-") or word == "--":
                if not verbs or word == "--":
                    return self.argv[1:at]
                verbs -= 1
        return self.argv[1:]

    @property
    def arguments(self) -> list[str]:
        """Return the positional arguments."""
        return self._positionals(len(self.argv))[len(self.verb.split()) :]

    def has(self, *flags: str) -> bool:
        """Tell whether it has one of some options."""
        return any(word == flag or word.startswith(f"{flag}=") for word in self.uv_arguments for flag in flags)

    def values(self, *options: str) -> list[str]:
        """Return the values of some options, in order."""
        own, found = self.uv_arguments, []
        for at, word in enumerate(own):
            option, equals, value = word.partition("=")
            if option in options:
                if equals:
                    found.append(value)
                elif at + 1 < len(own):
                    found.append(own[at + 1])
        return found


def parse_calls(text: str) -> tuple[Call, ...]:
    """Return the commands of a shell text in order; none if it has a heredoc or an unclosed quote."""
    if HEREDOC.search(text):
        return ()
    lexer = shlex.shlex(COMMENT.sub("", CONTINUATION.sub(" ", text)), posix=True, punctuation_chars="();<>|&\n")
    lexer.whitespace_split, lexer.whitespace, lexer.commenters = True, " \t\r", ""
    try:
        tokens = list(lexer)
    except ValueError:
        return ()
    found: list[Call] = []
    words: list[str] = []
    redirected = False
    for token in [*tokens, ";"]:
        if token and set(token) <= SEPARATORS:
            found += _call(words)
            words, redirected = [], False
        elif token and set(token) <= SEPARATORS | REDIRECTS:
            words = words[:-1] if words and words[-1].isdigit() else words
            redirected = True
        elif redirected:
            redirected = False
        else:
            words.append(token)
    return tuple(found)


def _call(words: list[str]) -> list[Call]:
    assignments: dict[str, str] = {}
    rest = list(words)
    while rest and (rest[0] in ("env", "time", "exec", "command") or ASSIGNMENT.match(rest[0])):
        if match := ASSIGNMENT.match(rest.pop(0)):
            assignments[match[1]] = match[2]
    return [Call(tuple(rest), assignments)] if rest or assignments else []


def exported_variables(call: Call) -> dict[str, str]:
    """Return the variables that a command sets for the rest of its shell."""
    if not call.argv:
        return dict(call.variables)
    if call.argv[0] not in ("export", "declare", "typeset"):
        return {}
    pairs = (ASSIGNMENT.match(word) for word in call.argv[1:])
    return {pair[1]: pair[2] for pair in pairs if pair}


def name_feature(missing: str, scripts: Iterable[str]) -> str:
    """Return what a release lacks as a user calls it: an option with its command, as in `uv lock --script`."""
    calls = [call for text in scripts for call in parse_calls(text)]
    name = next((call.name for call in calls if missing in call.argv or call.has(missing)), "")
    if name and missing.startswith("-"):
        return f"{name} {missing}"
    return name if missing in name.split() else missing


def changes_directory(text: str) -> bool:
    """Tell whether a shell text changes the working directory."""
    return any(call.argv[:1] in (("cd",), ("pushd",)) or call.has("--directory") for call in parse_calls(text))


def with_flag(text: str, verb: str, flag: str) -> str:
    """Return a shell text with an option added to every call of a subcommand of uv."""
    words = r"\s+".join(map(re.escape, verb.split()))
    return re.sub(rf"(?<![\w.-])uv(?:\s+-\S+){{0,12}}?\s+{words}(?![\w-])", lambda match: f"{match[0]} {flag}", text)


def without_flag(text: str, flag: str) -> str:
    """Return a shell text without a flag."""
    return re.sub(rf"(?<=\s){re.escape(flag)}(?=\s|$)[ \t]*", "", text).rstrip(" \t")
