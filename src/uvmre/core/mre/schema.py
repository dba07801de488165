"""All mistakes of a parsed `mre.toml`."""

import re
from collections.abc import Iterable, Iterator
from typing import Any
from urllib.parse import urlsplit

from uvmre.core.mre.keys import (
    ANSWER,
    COMMIT,
    CONTROL,
    COUNT,
    DEVIATION,
    EFFECTS,
    ENVIRONMENT,
    EVIDENCE,
    FAULT,
    FILE,
    GIT,
    INDEX,
    SERVICE,
    SETUP,
    STEP,
    SYMPTOM,
    TABLES,
    TOP,
    url,
    url_pattern,
)
from uvmre.core.mre.model import BASE, Step, slug
from uvmre.core.network.index import OUTAGES, Fault, repository_address
from uvmre.core.network.request import OPEN_HOSTS
from uvmre.core.text.toml_checks import Mistake, Path, check_array, check_subtable, check_table, dicts

REDIRECTS = (301, 302, 303, 307, 308)


def mistakes(data: dict[str, Any], *, dockerfile: bool = False) -> Iterator[Mistake]:
    """Yield every mistake of a parsed manifest; with a Dockerfile beside it, steps are optional."""
    yield from check_table(data, TOP, (), TABLES)
    yield from check_subtable(data, "environment", ENVIRONMENT)
    roles = _roles([*dicts(data.get("setup")), *dicts(data.get("step"))])
    for key in ("symptom", "expected"):
        if key in data or key == "symptom":
            yield from _symptom(data, key, (), roles)
    for key, keys in (("setup", SETUP), ("service", SERVICE), ("deviation", DEVIATION), ("answer", ANSWER)):
        yield from check_array(data, key, keys, ())
    yield from check_array(data, "step", STEP, ())
    if data.get("step", []) == [] and (not dockerfile or data.get("setup")):
        yield ("step",), "is missing: add a [[step]] with `run`" + ", or a Dockerfile" * (not data.get("setup"))
    yield from check_array(data, "control", CONTROL, (), ("step", "symptom", "index"))
    for i, control in enumerate(dicts(data.get("control"))):
        yield from check_array(control, "step", STEP, ("control", i))
        yield from check_array(control, "index", INDEX, ("control", i), ("packages",))
        own = _roles([*dicts(data.get("setup")), *dicts(control["step"])]) if "step" in control else roles
        if "symptom" in control:
            yield from _symptom(control, "symptom", ("control", i), own)
        elif own is not roles and isinstance(symptom := data.get("symptom"), dict):
            for key in STEP_KEYS & symptom.keys() if own else ():
                if isinstance(symptom[key], str) and symptom[key] not in own:
                    yield ("control", i, "step"), f"has no step {symptom[key]!r}, which the symptom names"
    yield from check_array(data, "git", GIT, (), ("commit",))
    for i, repository in enumerate(dicts(data.get("git"))):
        yield from check_array(repository, "commit", COMMIT, ("git", i))
    yield from _names(data)
    yield from _controls(data, roles)
    yield from _surroundings(data)
    yield from _indexes(data)
    yield from _answers(data)
    yield from _repositories(data)
    yield from _faults(data)


STEP_KEYS = {"step", "differs-from", "slower-than"}
"""The keys of a symptom that name a step."""


def _roles(tables: list[dict[str, Any]]) -> dict[str, str]:
    """Return the roles of steps by their names; empty where the steps are those of a Dockerfile."""
    named = [table for table in tables if isinstance(table.get("run"), str) and table["run"].strip()]
    roles = {Step(table["run"], name=str(table.get("name", ""))).title: str(table.get("role")) for table in named}
    return roles if "observe" in roles.values() or not roles else {**roles, next(reversed(roles)): "observe"}


def _symptom(data: dict[str, Any], key: str, path: Path, roles: dict[str, str]) -> Iterator[Mistake]:
    """Yield the mistakes of a symptom, which must be more than an exit code that anything may cause."""
    yield from check_subtable(data, key, SYMPTOM, ("file", "count"), path)
    symptom = data.get(key)
    if not isinstance(symptom, dict):
        return
    for name, keys in (("file", FILE), ("count", COUNT)):
        yield from check_array(symptom, name, keys, (*path, key))
        for i, table in enumerate(dicts(symptom.get(name))):
            if not table.keys() & (keys.keys() - {"path", "least", "most"}):
                choices = " or ".join(f"`{each}`" for each in keys if each not in ("path", "least", "most"))
                yield (*path, key, name, i), f"says nothing: add {choices}"
    files, counts = dicts(symptom.get("file")), dicts(symptom.get("count"))
    exit_code, lacks = symptom.get("exit"), symptom.get("absent") or files or counts
    named = any(map(symptom.get, EVIDENCE)) or any(count.get("least") != 0 for count in counts)
    named |= any(file.keys() & {"contains", "raw", "ends-with", "links-to"} or file.get("exists") for file in files)
    if not symptom and key == "expected":
        yield (*path, key), "says nothing: add `exit`, or text of the output"
    elif key == "symptom" and not named and lacks and exit_code in (None, "failure"):
        yield (*path, key), "matches other failures too: add an `exit` code, or a text that must appear"
    elif key == "symptom" and not named and not lacks and exit_code in (None, "failure", "success"):
        yield (*path, key), "matches any failure: add text of the output, or of a file"
    yield from _step_names(symptom, (*path, key), roles)
    texts = symptom.get("output", [])
    if symptom.get("adjacent") is True and isinstance(texts, list) and len(texts) < 2:
        yield (*path, key, "adjacent"), "needs two texts: add them to `output`"
    if "factor" in symptom and "slower-than" not in symptom:
        yield (*path, key, "factor"), "needs the step that is faster: add `slower-than = …`"
    for i, count in enumerate(counts):
        yield from _count(count, (*path, key, "count", i))
    for i, file in enumerate(files):
        others = sorted(file.keys() - {"path", "exists"})
        if file.get("exists") is False and others:
            yield (*path, key, "file", i, others[0]), "cannot be combined with `exists = false`"


def _step_names(symptom: dict[str, Any], path: Path, roles: dict[str, str]) -> Iterator[Mistake]:
    for name in sorted(STEP_KEYS & symptom.keys()):
        value = symptom[name]
        if not isinstance(value, str) or not roles:
            continue
        if value not in roles:
            yield (*path, name), f"names no step ({value!r}): use one of {', '.join(map(repr, roles))}"
        elif name == "step" and roles[value] != "observe":
            yield (*path, name), f'names a set-up step ({value!r}): add `role = "observe"` to it'
        elif name != "step" and value == symptom.get("step", next(reversed(roles)) if len(roles) == 1 else None):
            yield (*path, name), f"names the step itself ({value!r}): name another one"


def _count(count: dict[str, Any], path: Path) -> Iterator[Mistake]:
    if "requests" in count and "lines" in count:
        yield (*path, "lines"), "cannot be combined with `requests`: add another [[symptom.count]]"
    least, most = count.get("least", 1), count.get("most")
    if isinstance(least, int) and isinstance(most, int) and least > most:
        yield (*path, "most"), f"is less than `least`, which is {least}" + " by default" * ("least" not in count)


def _names(data: dict[str, Any]) -> Iterator[Mistake]:
    """Outcomes and folders are named after controls, so the names must differ in letters and digits."""
    used = {slug(BASE)}
    for i, control in enumerate(dicts(data.get("control"))):
        name = control.get("name")
        if isinstance(name, str):
            if slug(name) in used:
                yield ("control", i, "name"), f"is already used ({name!r}): choose another"
            used.add(slug(name))


def _controls(data: dict[str, Any], titles: Iterable[str]) -> Iterator[Mistake]:
    """Yield what a control cannot change, or does not."""
    for i, control in enumerate(dicts(data.get("control"))):
        path = ("control", i)
        replaced = control.get("replace")
        for name in replaced if isinstance(replaced, dict) else ():
            if name not in titles:
                known = ", ".join(f"`{title}`" for title in titles)
                yield (*path, "replace"), f"names no step of the MRE ({name!r}): use one of {known}"
        if replaced and control.get("step"):
            yield (*path, "replace"), "cannot be combined with [[control.step]], which replaces all steps"
        if control.get("without-uv") is True:
            if "uv" in control:
                yield (*path, "uv"), "cannot be combined with `without-uv`"
            if control.get("expect") in ("present", "different"):
                yield (*path, "expect"), 'must be "absent" with `without-uv`: if the symptom shows, it is not uv\'s'


def _surroundings(data: dict[str, Any]) -> Iterator[Mistake]:
    names = [service.get("name") for service in dicts(data.get("service"))]
    for i, name in enumerate(names):
        if name in names[:i]:
            yield ("service", i, "name"), f"is already used ({name!r}): choose another"
    if names and not data.get("step"):
        yield ("service",), "needs a [[step]]: a service cannot run beside the RUNs of a Dockerfile"
    environment = data.get("environment")
    if isinstance(environment, dict) and environment.get("clock") is True and "exclude-newer" not in environment:
        yield ("environment", "clock"), "needs the date at which it starts: add `exclude-newer`"


def _indexes(data: dict[str, Any]) -> Iterator[Mistake]:
    yield from check_array(data, "index", INDEX, (), ("packages",))
    used: set[tuple[str, str]] = set()
    published: list[Any] = []
    for i, index in enumerate(dicts(data.get("index"))):
        if "packages" in index:
            from uvmre.core.network.synthetic import check_packages

            yield from check_packages(index["packages"], ("index", i, "packages"))
        if index.get("username") and not index.get("password"):
            yield ("index", i, "username"), "needs a password: add `password = …`"
        for key, needed in (("publish-token", "publish-url"), ("trusted-publisher", "publish-token")):
            if index.get(key) and not index.get(needed):
                yield ("index", i, key), f"needs `{needed}`: add it"
        if target := index.get("publish-url"):
            if target in published:
                yield ("index", i, "publish-url"), f"is already used ({target!r}): choose another"
            published.append(target)
        if "url" not in index or url(index["url"]):
            continue
        parts = urlsplit(index["url"])
        address = ((parts.hostname or "").lower(), parts.path.rstrip("/"))
        if address in used:
            yield ("index", i, "url"), f"is already used ({index['url']!r}): an address has one index"
        used.add(address)
        for key in ("registry", "username", "password"):
            if key in index and address[0] in OPEN_HOSTS:
                yield ("index", i, key), f"cannot be set for {address[0]}"


def _answers(data: dict[str, Any]) -> Iterator[Mistake]:
    for i, answer in enumerate(dicts(data.get("answer"))):
        bodies = [key for key in ("redirect", "body", "file") if answer.get(key)]
        for key in bodies[1:]:
            yield ("answer", i, key), f"cannot be combined with `{bodies[0]}`"
        if answer.get("redirect") and answer.get("status", 302) not in REDIRECTS:
            yield ("answer", i, "status"), "is not that of a redirect: use 301, 302, 303, 307 or 308"


def _repositories(data: dict[str, Any]) -> Iterator[Mistake]:
    known: list[str] = []
    for i, repository in enumerate(dicts(data.get("git"))):
        address = repository_address(repository.get("url"))
        if address in known:
            yield ("git", i, "url"), "is already used: a repository has one [[git]]"
        if not repository.get("commit"):
            yield ("git", i), "has no commit: add a [[git.commit]] with `folder`"
        if repository.get("username") and not repository.get("password"):
            yield ("git", i, "username"), "needs a password: add `password = …`"
        for j, commit in enumerate(dicts(repository.get("commit"))):
            submodules = commit.get("submodules")
            for named in submodules.values() if isinstance(submodules, dict) else ():
                if repository_address(named) not in known:
                    expected = "must be the URL of a [[git]] above it"
                    yield ("git", i, "commit", j, "submodules"), f"{expected}, not {named!r}"
        known.append(address)


def _faults(data: dict[str, Any]) -> Iterator[Mistake]:
    yield from check_array(data, "fault", FAULT, ())
    for i, fault in enumerate(dicts(data.get("fault"))):
        if not any(
            value is not False and (key, value) != ("delay", 0) for key, value in fault.items() if key in EFFECTS
        ):
            yield ("fault", i), f"describes no failure: add one of {', '.join(sorted(EFFECTS))}"
        if "retry-after" in fault and "status" not in fault:
            yield ("fault", i, "retry-after"), "needs a status: add `status = 429`"
        outages = [key for key in OUTAGES if fault.get(key) is True]
        for key in sorted(fault.keys() & EFFECTS - {*outages[:1]}) if outages else ():
            if fault[key] is not False:
                yield ("fault", i, key), f"cannot be combined with `{outages[0]}`: the host never responds"
        if outages[:1] == ["unresolvable"]:
            yield from _unresolvable(fault, ("fault", i))


def _unresolvable(fault: dict[str, Any], path: Path) -> Iterator[Mistake]:
    """A resolver knows only names, and its lookups are not counted."""
    for key in ("times", "times-each"):
        if key in fault:
            yield (*path, key), "cannot be combined with `unresolvable`: use `refused = true`"
    address = fault.get("url")
    host = Fault(address).host if isinstance(address, str) and not url_pattern(address) else ""
    if host and not re.fullmatch(r"\*|(\*\.)?([a-z0-9][a-z0-9_-]{0,62}\.){0,20}[a-z][a-z0-9-]{0,62}", host):
        expected = 'must have a host name, such as "https://example.com/*" or "https://*.example.com/*"'
        yield (*path, "url"), f"{expected}, because only a name can be unresolvable, not {address!r}"
