"""Parse and write `mre.toml`; all mistakes are reported at once, with their lines."""

import json
from dataclasses import fields
from typing import TYPE_CHECKING, Any, Literal, cast

from uvmre.core.mre.model import (
    DEFAULT_TIMEOUT,
    MANIFEST,
    SCHEMA,
    Control,
    Environment,
    Expectation,
    FilePattern,
    Mre,
    Role,
    Step,
    Symptom,
)
from uvmre.core.mre.schema import mistakes
from uvmre.core.text.parse_toml import parse_toml
from uvmre.core.text.visible import escape_hiding
from uvmre.errors import InputError

if TYPE_CHECKING:
    from uvmre.core.network.index import Fault, Index


def parse(text: str, *, source: str = MANIFEST, dockerfile: bool = False) -> Mre:
    """Parse a manifest into an MRE without files.

    Args:
        text: the manifest.
        source: its name in errors.
        dockerfile: whether there is a Dockerfile, whose RUNs are the steps if the manifest has none.

    Raises:
        InputError: with all mistakes and their lines.
    """
    try:
        data = parse_toml(text)
    except ValueError as error:
        raise InputError(f"`{source}` is not valid TOML", [str(error)]) from None
    if found := list(mistakes(data, dockerfile=dockerfile)):
        from uvmre.core.text.toml_positions import format_mistakes

        message = f"`{source}` has {len(found)} error{'s' * (len(found) > 1)}"
        raise InputError(message, format_mistakes(text, found), "fix them and try again")
    return _mre(data)


def _mre(data: dict[str, Any]) -> Mre:
    environment, symptom = data["environment"], data["symptom"]
    return Mre(
        title=data["title"],
        issue=data.get("issue", ""),
        environment=Environment(
            uv=environment["uv"],
            python=environment.get("python", ""),
            variables=environment.get("variables", {}),
            env_file=environment.get("env-file", ""),
            exclude_newer=environment.get("exclude-newer"),
            home=environment.get("home", ""),
            path=tuple(environment.get("path", ())),
            allow_hosts=tuple(environment.get("allow-hosts", ())),
        ),
        indexes=tuple(_index(index) for index in data.get("index", ())),
        faults=tuple(_fault(fault) for fault in data.get("fault", ())),
        steps=_read_steps(data),
        symptom=Symptom(
            exit=cast("int | Literal['failure'] | None", symptom.get("exit")),
            output=tuple(symptom.get("output", ())),
            files=tuple(FilePattern(file["path"], file["contains"]) for file in symptom.get("file", ())),
            expected=tuple(symptom.get("expected", ())),
        ),
        controls=tuple(
            Control(
                name=control["name"],
                expect=cast("Expectation", control["expect"]),
                why=control.get("why", ""),
                variables=control.get("variables", {}),
                unset=tuple(control.get("unset", ())),
                files=control.get("files", {}),
                steps=_read_steps(control),
                explains=control.get("explains", ""),
                faults=control.get("faults", True),
            )
            for control in data.get("control", ())
        ),
    )


def _fault(data: dict[str, Any]) -> "Fault":
    from uvmre.core.network.index import Fault

    return Fault(**{key.replace("-", "_"): value for key, value in data.items()})


def _index(data: dict[str, Any]) -> "Index":
    from uvmre.core.network.index import Index
    from uvmre.core.network.synthetic import read_packages

    others = {key: value for key, value in data.items() if key != "packages"}
    return Index(**others, packages=read_packages(data.get("packages", {})))


def _read_steps(data: dict[str, Any]) -> tuple[Step, ...]:
    return tuple(
        Step(
            run=step["run"],
            role=cast("Role", step.get("role", "setup")),
            name=step.get("name", ""),
            timeout=step.get("timeout", DEFAULT_TIMEOUT),
        )
        for step in data.get("step", ())
    )


def dump(mre: Mre) -> str:
    """Return the manifest of an MRE without default values, as `parse` reads it."""
    import tomli_w

    environment, symptom = mre.environment, mre.symptom
    files = [{"path": file.path, "contains": file.contains} for file in symptom.files]
    data = {
        "schema": SCHEMA,
        "title": mre.title,
        **_non_empty(issue=mre.issue),
        "environment": {
            "uv": environment.uv,
            **_non_empty(
                python=environment.python,
                **{"exclude-newer": environment.exclude_newer},
                home=environment.home,
                path=list(environment.path),
            ),
            **({"env-file": environment.env_file} if environment.env_file else {}),
            **({"allow-hosts": list(environment.allow_hosts)} if environment.allow_hosts else {}),
            **_non_empty(variables=dict(environment.variables)),
        },
        **_non_empty(step=[_step(step) for step in mre.steps if not step.layer]),
        "symptom": {
            **({} if symptom.exit is None else {"exit": symptom.exit}),
            **_non_empty(output=list(symptom.output), expected=list(symptom.expected), file=files),
        },
        **_non_empty(control=[_control(control) for control in mre.controls]),
        **_non_empty(index=[_changes(index) for index in mre.indexes], fault=[_changes(fault) for fault in mre.faults]),
    }
    # tomli-w keeps \r\n in a multi-line string, which TOML reads as \n.
    return escape_hiding(tomli_w.dumps(data, multiline_strings="\\r" not in json.dumps(data, default=str)))


def _step(step: Step) -> dict[str, Any]:
    timeout = {} if step.timeout == DEFAULT_TIMEOUT else {"timeout": step.timeout}
    return {**_non_empty(name=step.name), "role": step.role, "run": step.run, **timeout}


def _control(control: Control) -> dict[str, Any]:
    return {
        "name": control.name,
        "expect": control.expect,
        **_non_empty(why=control.why, explains=control.explains, unset=list(control.unset)),
        **({} if control.faults else {"faults": False}),
        **_non_empty(variables=dict(control.variables), files=dict(control.files)),
        **_non_empty(step=[_step(step) for step in control.steps]),
    }


def _changes(value: "Index | Fault") -> dict[str, Any]:
    """Return the fields of a value that differ from their default, by the keys of the manifest."""
    values = ((field, getattr(value, field.name)) for field in fields(value))
    changed = {field.name.replace("_", "-"): item for field, item in values if item != field.default}
    if "packages" not in changed:
        return changed
    from uvmre.core.network.synthetic import dump_packages

    return {**changed, "packages": dump_packages(changed["packages"])}


def _non_empty(**values: Any) -> dict[str, Any]:
    return {key: value for key, value in values.items() if value}
