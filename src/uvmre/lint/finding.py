"""What a rule says: a known mistake, where it stands, and the variant of the MRE in which it is fixed."""

from dataclasses import dataclass

from uvmre.core.mre.model import Control, Step


@dataclass(frozen=True)
class Finding:
    """One known mistake, found."""

    rule: str
    """As docs/lint.md calls it."""
    where: str
    """`file:line`, `mre.toml, step 2`, or `the post, line 12`."""
    why: str
    """One line that a maintainer can paste."""
    fixed: Control | None = None
    """The variant without the mistake; only if it was run and the symptom went, the mistake explains the symptom."""
    question: str = ""
    """What to ask the reporter, where the mistake cannot be told from the text alone."""


def with_fix(
    rule: str,
    why: str,
    explains: str,
    *,
    variables: dict[str, str] | None = None,
    files: dict[str, str] | None = None,
    steps: tuple[Step, ...] = (),
) -> Control:
    """Return the variant in which a rule's mistake is fixed.

    Args:
        rule: names it.
        why: what it shows, in one line.
        explains: the mistake, as the end of “The symptom shows because …”.
        variables: laid over the environment's.
        files: laid over the folder's.
        steps: instead of the MRE's own.
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
