"""`uvmre doctor`."""

import platform
from typing import TYPE_CHECKING

import click

from uvmre import __version__
from uvmre.cli import console

if TYPE_CHECKING:
    from uvmre.flows.doctor import Health

UNITS = ((1_000_000_000, "GB"), (1_000_000, "MB"), (1, "bytes"))


@click.command(short_help="Tell what this machine has for uvmre.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object on stdout.")
def doctor(as_json: bool) -> int:
    """Tell which engines, interpreters, sandbox, network and cache there are, and how to get what is missing."""
    from uvmre.flows.doctor import examine

    health = examine(console.cache())
    if as_json:
        console.answer_json(_data(health))
        return 0
    rows = [(f"uvmre {__version__}", f"Python {platform.python_version()}, {platform.platform()}", "")]
    for has in health.engines:
        engine = has.engine
        builder = ("BuildKit" if engine.buildkit else "classic builder") if engine.name == "docker" else ""
        good = ", ".join(part for part in (engine.version, builder, engine.program) if part)
        rows.append((engine.name, _mark(good, engine.why), has.command))
    versions = ", ".join(each.version for each in health.interpreters)
    rows.append(("interpreters", versions or "none was found", "" if versions else "uv python install"))
    sandbox, network, cache = health.sandbox, health.network, health.cache
    rows.append(("sandbox", _mark(f"{sandbox.name} {sandbox.version}", sandbox.why), sandbox.command))
    rows.append(("network", _mark(f"PyPI answers ({network.seconds:.1f} s)", network.why), ""))
    size = "size not known" if cache.size is None else _amount(cache.size)
    rows.append(("cache", f"{cache.path}, {size}, {_amount(cache.free)} free", ""))
    if cache.why:
        rows.append(("", _mark("", cache.why), ""))
    width = max(len(name) for name, _, _ in rows)
    for name, said, command in rows:
        console.answer(f"{name:<{width}}  {said}" + (f"  → {console.paint(command, 'cyan')}" if command else ""))
    return 0


def _mark(good: str, why: str) -> str:
    return console.paint(f"no: {why}", "yellow") if why else good


def _amount(size: int) -> str:
    for unit, name in UNITS:
        if size >= unit:
            return f"{size / unit:.1f} {name}" if unit > 1 else f"{size} {name}"
    return "empty"


def _data(health: "Health") -> dict[str, object]:
    return {
        "schema": 1,
        "uvmre": __version__,
        "python": platform.python_version(),
        "system": platform.platform(),
        "engines": [
            {
                "name": has.engine.name,
                "usable": not has.engine.why,
                "why": has.engine.why,
                "version": has.engine.version,
                "client": has.engine.client,
                "program": has.engine.program,
                "buildkit": has.engine.buildkit,
                "heredocs": not has.engine.why and has.engine.heredocs,
                "secrets": not has.engine.why and has.engine.secrets,
                "command": has.command,
            }
            for has in health.engines
        ],
        "interpreters": [{"version": each.version, "path": str(each.path)} for each in health.interpreters],
        "sandbox": {
            "name": health.sandbox.name,
            "usable": not health.sandbox.why,
            "why": health.sandbox.why,
            "version": health.sandbox.version,
            "command": health.sandbox.command,
        },
        "network": {
            "pypi": not health.network.why,
            "why": health.network.why,
            "seconds": round(health.network.seconds, 3),
        },
        "cache": {
            "path": str(health.cache.path),
            "bytes": health.cache.size,
            "free": health.cache.free,
            "writable": not health.cache.why,
            "why": health.cache.why,
        },
        "seconds": round(health.seconds, 3),
    }
