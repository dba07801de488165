"""Secret variables leave the environment before anything else starts.

A step that runs as a process of the user can read `/proc/PID/environ` of others, where an unset variable stays. So this
process executes itself again without them. The token for GitHub alone is handed over, in a pipe for the process that
reads issues; and all of them for the user's own programs, of `triage --reader` and `capture`, in a pipe that is read
before any step.
"""

import fcntl
import json
import os
import sys
from collections.abc import Iterable, Mapping, Sequence

HINTS = ("TOKEN", "PASS", "SECRET", "KEY", "CREDENTIAL", "_PAT_", "_PWD_", "UV_INDEX_")
"""A part of every secret name with a `_` at its end; most environments have none, and import nothing more."""
SHAPES = ("://", "ghp_", "ghs_", "gho_", "github_pat_", "glpat-", "pypi-", "npm_", "hf_", "-----BEGIN", "auth")
SUFFIXES = ("_PASS", "_JWT", "_AUTH", "_AUTH_CONFIG")
KEPT = ("HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY", "GITHUB_API_URL")
"""Needed for PyPI and GitHub, even with a password in the URL."""
TOKENS = ("GITHUB_TOKEN", "GH_TOKEN")
READ_ISSUES = ("triage", "new", "share")
OPEN = ("run", "report", "lint", "check", "bisect", "matrix")
"""Read one issue at most: the MRE that their first argument names."""
GITHUB = "https://github.com/"
PIPE = "UVMRE_GITHUB_PIPE"
"""Names the descriptor of the pipe with the token for GitHub."""
READER = "--reader"
PROJECT = "--from-project"
VARIABLES_PIPE = "UVMRE_VARIABLES_PIPE"
"""Names the descriptor of the pipe with the variables of the user's own programs."""
MAX_TOKEN = 4096
"""Bytes that every pipe takes at once."""
MAX_VARIABLES = 16_384
"""Bytes that a new pipe takes, on all systems."""


def remove() -> None:
    """Execute this process again without the secret variables of its environment, if there are any."""
    secret = secret_variables(os.environ)
    if not secret:
        return
    kept = {name: value for name, value in os.environ.items() if name not in secret}
    token = next(filter(None, map(os.environ.get, TOKENS)), "")
    if token and ((sys.argv[1:2] and sys.argv[1] in READ_ISSUES) or _opens_issue(sys.argv)):
        kept[PIPE] = str(_pipe(os.fsencode(token)[:MAX_TOKEN]))
    reads = sys.argv[1:2] == ["triage"] and any(each.partition("=")[0] == READER for each in sys.argv)
    if reads or sys.argv[1:2] == ["capture"] or PROJECT in sys.argv:
        kept[VARIABLES_PIPE] = str(_pipe(_small_variables(secret)))
    os.execve(sys.executable, [sys.executable, *sys.orig_argv[1:]], kept)


def _opens_issue(arguments: Sequence[str]) -> bool:
    own = arguments[1:2] and arguments[1] in OPEN and not any(each.startswith("--command") for each in arguments)
    return bool(own and arguments[2:3] and arguments[2].startswith(GITHUB))


def secret_variables(environment: Mapping[str, str]) -> frozenset[str]:
    """Return the names of the variables with a secret name or value."""
    return frozenset(name for name, value in environment.items() if value and _is_secret(name, value))


def _is_secret(name: str, value: str) -> bool:
    upper = name.upper()
    if upper in KEPT:
        return False
    if upper.startswith("UV_PUBLISH_") or upper.endswith(SUFFIXES) or "CREDENTIALS" in upper:
        return True
    if upper == "PAT" or any(hint in f"{upper}_" for hint in HINTS):
        from uvmre.core.secrets.values import names_secret

        if names_secret(name) or (upper.startswith("UV_INDEX_") and upper.endswith("_USERNAME")):
            return True
    if ("@" in value or "://" not in value) and any(shape in value for shape in SHAPES):
        from uvmre.core.secrets.redact import find_secrets

        return bool(find_secrets(value))
    return False


def _pipe(content: bytes) -> int:
    """Return an inheritable descriptor from which the content can be read once."""
    read, write = os.pipe()
    os.write(write, content)
    os.close(write)
    # Not one of the standard streams, which may be closed.
    kept = fcntl.fcntl(read, fcntl.F_DUPFD, 3)
    os.close(read)
    return kept


def _small_variables(names: Iterable[str]) -> bytes:
    """Return variables as JSON: all that fit into a pipe, the shortest first."""
    found: dict[str, str] = {}
    for name in sorted(names, key=lambda name: len(os.environ[name])):
        longer = {**found, name: os.environ[name]}
        if len(json.dumps(longer)) > MAX_VARIABLES:
            break
        found = longer
    return json.dumps(found).encode()


def take_secret_variables() -> dict[str, str]:
    """Return the secret variables for the user's own programs, once, before anything is executed."""
    descriptor = take_pipe(VARIABLES_PIPE)
    if descriptor is None:
        return {}
    with open(descriptor, "rb") as file:  # noqa: PTH123 - a descriptor
        found: dict[str, str] = json.loads(file.read(MAX_VARIABLES) or b"{}")
    return found


def take_pipe(name: str = PIPE) -> int | None:
    """Return the descriptor of the pipe with the token, once; the caller closes it before anything is executed."""
    number = os.environ.pop(name, "")
    if not number.isdigit() or int(number) < 3:
        return None
    try:
        os.set_inheritable(int(number), False)
    except OSError:  # a variable that somebody set
        return None
    return int(number)
