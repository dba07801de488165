"""Parse and write `mre.toml`; all mistakes are reported at once, with their lines."""

import json
from collections.abc import Mapping
from dataclasses import MISSING, fields, replace
from typing import Any

from uvmre.core.mre.model import MANIFEST, SCHEMA, BackgroundService, Control, Deviation, Environment, Mre, Step
from uvmre.core.mre.schema import mistakes
from uvmre.core.mre.symptom import Count, FileSymptom, Symptom
from uvmre.core.network.index import Fault, GitCommit, GitRepository, Index, StaticAnswer
from uvmre.core.text.parse_toml import parse_toml
from uvmre.core.text.visible import escape_hiding
from uvmre.errors import InputError


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


NESTED: Mapping[tuple[type, str], tuple[str, type]] = {
    (Mre, "environment"): ("environment", Environment),
    (Mre, "step"): ("steps", Step),
    (Mre, "symptom"): ("symptom", Symptom),
    (Mre, "expected"): ("expected", Symptom),
    (Mre, "control"): ("controls", Control),
    (Mre, "service"): ("services", BackgroundService),
    (Mre, "index"): ("indexes", Index),
    (Mre, "answer"): ("answers", StaticAnswer),
    (Mre, "git"): ("repositories", GitRepository),
    (Mre, "fault"): ("faults", Fault),
    (Mre, "deviation"): ("deviations", Deviation),
    (Symptom, "file"): ("files", FileSymptom),
    (Symptom, "count"): ("counts", Count),
    (Control, "symptom"): ("symptom", Symptom),
    (Control, "step"): ("steps", Step),
    (Control, "index"): ("indexes", Index),
    (GitRepository, "commit"): ("commits", GitCommit),
}
"""The tables in a table: the key, the field of its value, and what each of them is. A field of a tuple is an array."""


def _mre(data: dict[str, Any]) -> Mre:
    setup = [{**table, "shared": True} for table in data.get("setup", ())]
    others = {key: value for key, value in data.items() if key not in ("schema", "setup")}
    mre: Mre = _read(Mre, {**others, "step": [*setup, *data.get("step", ())]})
    return mre


def _read(kind: type, table: dict[str, Any]) -> Any:
    """Return the value of a table that has no mistakes."""
    values: dict[str, Any] = {}
    for key, value in table.items():
        name, inner = NESTED.get((kind, key), (_field_name(key), None))
        if key == "packages":
            from uvmre.core.network.synthetic import read_packages

            values[name] = read_packages(value)
        elif key == "step" and isinstance(value, list):
            values[name] = _read_steps(value)
        elif isinstance(value, list):
            values[name] = tuple(_read(inner, each) if inner else each for each in value)
        else:
            values[name] = _read(inner, value) if inner else value
    return kind(**values)


def _read_steps(tables: list[dict[str, Any]]) -> tuple[Step, ...]:
    """Return steps, of which the last one is observed if none says so."""
    if tables and not any(table.get("role") == "observe" for table in tables):
        tables = [*tables[:-1], {**tables[-1], "role": "observe"}]
    return tuple(_read(Step, table) for table in tables)


def _field_name(key: str) -> str:
    return "from_" if key == "from" else key.replace("-", "_")


def key_of(name: str) -> str:
    """Return the key of a field."""
    return name.removesuffix("_").replace("_", "-")


def dump(mre: Mre) -> str:
    """Return the manifest of an MRE without default values, as `parse` reads it."""
    import tomli_w

    data = {"schema": SCHEMA, **_table(replace(mre, files=()))}
    # tomli-w keeps \r\n in a multi-line string, which TOML reads as \n.
    return escape_hiding(tomli_w.dumps(data, multiline_strings="\\r" not in json.dumps(data, default=str)))


def _table(value: Any) -> dict[str, Any]:
    """Return the fields of a value that differ from their default, by the keys of the manifest, tables last."""
    keys = {(kind, name): key for (kind, key), (name, _) in NESTED.items()}
    plain: dict[str, Any] = {}
    tables: dict[str, Any] = {}
    for each in fields(value):
        item, nested = getattr(value, each.name), keys.get((type(value), each.name))
        if item == (each.default_factory() if each.default_factory is not MISSING else each.default):
            continue
        if nested == "step":
            tables |= _step_tables(item)
        elif nested:
            tables[nested] = [_table(one) for one in item] if isinstance(item, tuple) else _table(item)
        elif each.name == "packages":
            from uvmre.core.network.synthetic import dump_packages

            tables["packages"] = dump_packages(item)
        elif isinstance(item, Mapping):
            tables[key_of(each.name)] = dict(item)
        else:
            plain[key_of(each.name)] = list(item) if isinstance(item, tuple) else item
    return plain | tables


def _step_tables(steps: tuple[Step, ...]) -> dict[str, Any]:
    """Return the tables of steps that are not the RUNs of a Dockerfile."""
    shared = [_table(replace(step, shared=False)) for step in steps if step.shared]
    own = [_table(step) for step in steps if not step.shared and not step.layer]
    return {key: tables for key, tables in (("setup", shared), ("step", own)) if tables}
