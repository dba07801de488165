"""What judges a run, as one digest: an outcome stored under another one is not used."""

import functools
import hashlib

PACKAGES = ("core.mre", "core.network", "core.outcome", "core.search", "core.text", "core.triage", "flows.probe")
"""Those that derive an outcome from what was observed: a test compares them with what they import."""


@functools.cache
def judging_digest() -> str:
    """Return a digest over the sources of the modules that judge."""
    from importlib.resources import files  # 10 ms, which no run without stored outcomes has to pay

    found = hashlib.sha256()
    for package in PACKAGES:
        folder = files("uvmre").joinpath(*package.split("."))
        for file in sorted(folder.iterdir(), key=lambda each: each.name):
            if file.name.endswith(".py"):
                found.update(f"{package}.{file.name}\n".encode() + file.read_bytes())
    return found.hexdigest()[:16]
