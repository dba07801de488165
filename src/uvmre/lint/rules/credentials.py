"""Mistakes in how an index is given its credentials."""

import json
import re
from collections.abc import Iterator

from uvmre.core.mre.model import MANIFEST, Mre
from uvmre.lint.finding import Finding, with_fix
from uvmre.lint.projects import list_of, projects
from uvmre.lint.subject import PROJECT, REFUSED, Subject

PASSWORD = re.compile(r"\AUV_INDEX_\w+_PASSWORD\Z")
TOKENS = ("authorizationToken", "accessToken", "access_token", "token", "password")
"""What AWS, Azure, Google and others call the token within their answer."""
ASKS_FOR_JSON = re.compile(
    r"aws\s+codeartifact\s+get-authorization-token\b(?P<aws>[^|)`;&]*)|az\s+account\s+get-access-token\b(?P<az>[^|)`;&]*)"
)


def json_credential(subject: Subject) -> Iterator[Finding]:
    """Find a password that is the whole JSON answer of a cloud's command, not the token in it.

    https://docs.astral.sh/uv/guides/integration/aws/ takes `--query authorizationToken --output text`.
    """
    rule = "json-credential"
    for name, value in subject.mre.variables.items():
        token = _token(value) if PASSWORD.match(name) else ""
        # Google's `_json_key` is the one username whose password is JSON.
        if not token or subject.mre.variables.get(name.replace("_PASSWORD", "_USERNAME"), "").startswith("_json_key"):
            continue
        why = f"`{name}` holds a whole JSON answer; the password is only the token in it"
        control = with_fix(
            rule,
            "With the token alone as the password the index lets uv in.",
            f"`{name}` holds a whole JSON answer instead of the token in it",
            variables={name: token},
        )
        yield Finding(
            rule, _where(subject.mre, name), f"{why}.", control if subject.symptom_contains(*REFUSED) else None
        )
    for step, _ in subject.steps:
        match = ASKS_FOR_JSON.search(step.run)
        if match and not re.search(r"--query\b|\|\s*(jq|python|sed|grep)\b", step.run):
            asked = " ".join(match[0].split()[:3])
            why = f"`{asked}` without `--query` answers in JSON (or in columns); the password is only the token in it."
            yield Finding(rule, subject.at_step(step), why)


def _token(value: str) -> str:
    if not value.lstrip().startswith("{"):
        return ""
    try:
        data = json.loads(value)
    except ValueError:
        # A post shortens it (`"expiration": [tomorrow]`), and the token is still to be seen.
        match = re.search(rf'"(?:{"|".join(TOKENS)})"\s*:\s*"([^"]+)"', value)
        return match[1] if match else ""
    return next((data[key] for key in TOKENS if isinstance(data.get(key), str)), "")


def _where(mre: Mre, name: str) -> str:
    if name in mre.environment.variables:
        return f"{MANIFEST}, environment.variables.{name}"
    return f"{mre.environment.env_file}, {name}"


def index_variable(subject: Subject) -> Iterator[Finding]:
    """Find credentials for an index of a name that no index has.

    https://docs.astral.sh/uv/concepts/indexes/: the name in upper case, anything but letters and digits as `_`.
    """
    rule = "index-variable"
    names = {
        index["name"]
        for project in projects(subject)
        for index in list_of(project.uv, "index")
        if isinstance(index, dict) and isinstance(index.get("name"), str)
    }
    keys = {re.sub(r"[^A-Z0-9]", "_", name.upper()): name for name in names}
    given = {
        match[1]: name
        for name in subject.mre.variables
        if (match := re.match(r"UV_INDEX_(\w+?)_(?:USERNAME|PASSWORD)\Z", name))
    }
    unknown = {key: name for key, name in given.items() if key not in keys}
    # An index can be named on the command line, or in uv.toml, too.
    if (
        not keys
        or not unknown
        or any(
            path.endswith("uv.toml") or ("tool.uv.index" in text and path.endswith(".py"))
            for path, text in subject.texts.items()
        )
        or "UV_INDEX" in subject.mre.variables
    ):
        return
    if any(call.has("--index", "--default-index") for _, found in subject.steps for call in found):
        return
    free = [key for key in keys if key not in given]
    for key, name in unknown.items():
        known = ", ".join(f"`{each}`" for each in sorted(names))
        why = f"`{name}` belongs to no index: those of the {PROJECT} are called {known}"
        control = None
        if len(free) == len(unknown) == 1 and subject.symptom_contains(*REFUSED):
            right = {
                each.replace(f"UV_INDEX_{key}_", f"UV_INDEX_{free[0]}_"): value
                for each, value in subject.mre.variables.items()
                if each.startswith(f"UV_INDEX_{key}_")
            }
            control = with_fix(
                rule,
                f"With the credentials in the variables of the index `{keys[free[0]]}` it lets uv in.",
                f"`{name}` is not the name that uv reads for the index `{keys[free[0]]}`",
                variables=right,
            )
        yield Finding(rule, _where(subject.mre, name), f"{why}.", control)
