"""Mistakes in the choice of uv's release."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from uvmre.core.text.parse_toml import parse_toml
from uvmre.lint.finding import Finding, sentence, with_fix
from uvmre.lint.projects import table_of
from uvmre.lint.subject import Subject

SETTINGS = "uv.toml"


def required_version(subject: Subject) -> Iterator[Finding]:
    """Find a release that the project's `required-version` excludes.

    https://docs.astral.sh/uv/reference/settings/#required-version.
    """
    rule = "required-version"
    running = subject.mre.environment.uv
    if not subject.symptom_contains("Required uv version", "Required version"):
        return
    for path, settings in _settings(subject):
        needed = settings.get("required-version")
        if not isinstance(needed, str) or path in subject.inferred_files or not running[:1].isdigit():
            continue
        release = _least_release(needed, running)
        if release is None:
            continue
        why = (
            f"the project requires uv `{needed}`, and uv {running} runs, so the image or machine needs another release"
        )
        control = with_fix(rule, f"With uv {release}.", why) if release else None
        keys = ("required-version",) if path.endswith(SETTINGS) else ("tool", "uv", "required-version")
        yield Finding(rule, subject.at_file(path, *keys), sentence(why), control and replace(control, uv=release))


def _settings(subject: Subject) -> Iterator[tuple[str, dict[str, Any]]]:
    for path, data in subject.projects.items():
        yield path, dict(table_of(table_of(data, "tool"), "uv"))
    if text := subject.texts.get(SETTINGS):
        try:
            yield SETTINGS, parse_toml(text)
        except ValueError:
            return


def _least_release(needed: str, running: str) -> str | None:
    """Return the oldest release that a specifier names and allows, if it has one; None if it allows the running one."""
    from packaging.specifiers import InvalidSpecifier, SpecifierSet
    from packaging.version import InvalidVersion, Version

    try:
        specifiers = SpecifierSet(needed if not needed[:1].isdigit() else f"=={needed}")
        if specifiers.contains(Version(running), prereleases=True):
            return None
    except (InvalidSpecifier, InvalidVersion):
        return None
    named = [each.version for each in specifiers if each.operator in (">=", "==", "~=") and "*" not in each.version]
    return next((each for each in sorted(named, key=Version) if specifiers.contains(each, prereleases=True)), "")
