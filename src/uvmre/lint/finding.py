"""The result of a rule: a known mistake, its place, and the variant of the MRE that fixes it."""

from dataclasses import dataclass

from uvmre.core.mre.model import Control, Step


@dataclass(frozen=True)
class Finding:
    """One known mistake."""

    rule: str
    """Its name in docs/lint.md."""
    where: str
    """`file:line`, `mre.toml, step 2`, or `the post, line 12`."""
    why: str
    """One sentence for a maintainer."""
    fixed: Control | None = None
    """The variant without the mistake; the mistake explains the symptom if it is gone there."""
    question: str = ""
    """A question to the reporter, where the text alone does not show the mistake."""


def sentence(why: str) -> str:
    """Return a clause as a sentence."""
    return f"{why[0].upper()}{why[1:]}."


def with_fix(
    rule: str,
    why: str,
    explains: str,
    *,
    variables: dict[str, str] | None = None,
    files: dict[str, str] | None = None,
    steps: tuple[Step, ...] = (),
) -> Control:
    """Return the control that fixes a rule's mistake.

    Args:
        rule: its name.
        why: what the control shows.
        explains: the mistake, as the end of “The symptom shows because …”.
        variables: override the environment's.
        files: override the folder's.
        steps: replace the MRE's.
    """
    return Control(
        name=f"fixed: {rule}",
        expect="absent",
        why=why,
        variables=variables or {},
        files=files or {},
        steps=steps,
        explains=explains,
    )
