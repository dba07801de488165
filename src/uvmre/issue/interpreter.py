"""Which interpreter an MRE wants: the one that commands ask for, that the post names, or that the files allow."""

from uvmre.core.draft import Draft, Named
from uvmre.issue import contents, environment

MINORS = ("3.12", "3.11", "3.13", "3.10", "3.9", "3.14", "3.8", "3.7")


def interpreter(draft: Draft) -> str:
    """Return the interpreter's version that a draft wants; empty where any will do."""
    asked = environment.asked_python(each.run for each in draft.commands)
    stated = ".".join(draft.python.text.split(".")[:2]) if draft.python else ""
    wanted = [_requires(file) for file in draft.files if file.path.endswith("pyproject.toml") and not file.good]
    allowed = [minor for minor in MINORS if all(_allows(each, minor) for each in wanted)]
    if asked:
        return asked
    if stated and (stated in allowed or not any(wanted)):
        return stated
    return allowed[0] if any(wanted) and allowed else ""


def _requires(file: Named) -> str:
    table = (contents.toml(file.text) or {}).get("project", {})
    value = table.get("requires-python", "") if isinstance(table, dict) else ""
    return value if isinstance(value, str) else ""


def _allows(specifier: str, minor: str) -> bool:
    from packaging.specifiers import InvalidSpecifier, SpecifierSet

    try:
        # A late patch: `>=3.12.4` is met by the 3.12 of today.
        return SpecifierSet(specifier).contains(f"{minor}.99") or SpecifierSet(specifier).contains(f"{minor}.0")
    except InvalidSpecifier:
        return True
