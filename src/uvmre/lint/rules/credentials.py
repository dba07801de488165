"""Mistakes in the credentials of an index."""

import json
import re
from collections.abc import Iterator

from uvmre.core.mre.model import MANIFEST, Mre
from uvmre.lint.finding import Finding, with_fix
from uvmre.lint.projects import list_of, projects
from uvmre.lint.subject import PROJECT, REFUSED, Subject

PASSWORD = re.compile(r"\AUV_INDEX_\w+_PASSWORD\Z")
TOKENS = ("authorizationToken", "accessToken", "access_token", "token", "password")
"""The keys of the token in responses of AWS, Azure, Google and others."""
ASKS_FOR_JSON = re.compile(
    r"aws\s+codeartifact\s+get-authorization-token\b(?P<aws>[^|)`;&]*)|az\s+account\s+get-access-token\b(?P<az>[^|)`;&]*)"
)


def json_credential(subject: Subject) -> Iterator[Finding]:
    """Find a password that is the JSON output of a cloud's command instead of the token in it.

    https://docs.astral.sh/uv/guides/integration/aws/ uses `--query authorizationToken --output text`.
    """
    rule = "json-credential"
    for name, value in subject.mre.variables.items():
        token = _token(value) if PASSWORD.match(name) else ""
        # The password of Google's `_json_key` is JSON.
        if not token or subject.mre.variables.get(name.replace("_PASSWORD", "_USERNAME"), "").startswith("_json_key"):
            continue
        why = f"`{name}` is a whole JSON response, but the password is only the token in it"
        control = with_fix(
            rule,
            "With only the token as the password the index accepts the credentials.",
            f"`{name}` is a whole JSON response instead of the token in it",
            variables={name: token},
        )
        yield Finding(
            rule, _where(subject.mre, name), f"{why}.", control if subject.symptom_contains(*REFUSED) else None
        )
    for step, _ in subject.steps:
        match = ASKS_FOR_JSON.search(step.run)
        if match and not re.search(r"--query\b|\|\s*(jq|python|sed|grep)\b", step.run):
            command = " ".join(match[0].split()[:3])
            why = f"`{command}` without `--query` prints JSON (or columns), but the password is only the token in it."
            yield Finding(rule, subject.at_step(step), why)


def _token(value: str) -> str:
    if not value.lstrip().startswith("{"):
        return ""
    try:
        data = json.loads(value)
    except ValueError:
        # A post may shorten it (`"expiration": [tomorrow]`) and still show the token.
        match = re.search(rf'"(?:{"|".join(TOKENS)})"\s*:\s*"([^"]+)"', value)
        return match[1] if match else ""
    return next((data[key] for key in TOKENS if isinstance(data.get(key), str)), "")


def _where(mre: Mre, name: str) -> str:
    if name in mre.environment.variables:
        return f"{MANIFEST}, environment.variables.{name}"
    return f"{mre.environment.env_file}, {name}"


def index_variable(subject: Subject) -> Iterator[Finding]:
    """Find credentials whose variable names no index.

    https://docs.astral.sh/uv/concepts/indexes/: the name in upper case, with `_` for all but letters and digits.
    """
    rule = "index-variable"
    names = {
        index["name"]
        for project in projects(subject)
        for index in list_of(project.uv, "index")
        if isinstance(index, dict) and isinstance(index.get("name"), str)
    }
    keys = {re.sub(r"[^A-Z0-9]", "_", name.upper()): name for name in names}
    keys_in_use = {
        match[1]: name
        for name in subject.mre.variables
        if (match := re.match(r"UV_INDEX_(\w+?)_(?:USERNAME|PASSWORD)\Z", name))
    }
    unknown = {key: name for key, name in keys_in_use.items() if key not in keys}
    # An index may also be named in uv.toml, in a script or in UV_INDEX.
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
    free = [key for key in keys if key not in keys_in_use]
    for key, name in unknown.items():
        known = ", ".join(f"`{each}`" for each in sorted(names))
        why = f"`{name}` matches no index: the indexes of the {PROJECT} are {known}"
        control = None
        if len(free) == len(unknown) == 1 and subject.symptom_contains(*REFUSED):
            right = {
                each.replace(f"UV_INDEX_{key}_", f"UV_INDEX_{free[0]}_"): value
                for each, value in subject.mre.variables.items()
                if each.startswith(f"UV_INDEX_{key}_")
            }
            control = with_fix(
                rule,
                f"With the credentials in the variables of the index `{keys[free[0]]}` it accepts them.",
                f"`{name}` is not the name that uv reads for the index `{keys[free[0]]}`",
                variables=right,
            )
        yield Finding(rule, _where(subject.mre, name), f"{why}.", control)
