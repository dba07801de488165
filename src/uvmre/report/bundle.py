"""What every format is made of: an MRE and its last run, without secrets."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any

from uvmre.core.generated.run_script import generated_files
from uvmre.core.mre import manifest
from uvmre.core.mre.files import File
from uvmre.core.mre.model import MANIFEST, Mre
from uvmre.core.outcome.result import Result
from uvmre.core.secrets.redact import redact, redact_bytes, redact_deep
from uvmre.report.markdown import cut


@dataclass(frozen=True)
class Bundle:
    """An MRE as others may see it."""

    mre: Mre
    result: Result | None
    """The last run, for formats that show one."""
    manifest: str
    """The text of `mre.toml`, with its comments."""
    search: Mapping[str, Any] | None = None
    """The last search over releases of this MRE, as `folder.evidence` has it."""

    @property
    def files(self) -> tuple[File, ...]:
        """Return all that the folder has, the manifest first."""
        return (File(MANIFEST, self.manifest.encode()), *sorted(self.mre.files, key=lambda file: file.path))

    @property
    def whole(self) -> tuple[File, ...]:
        """Return the files, and those that run the MRE without uvmre."""
        used = {path for file in self.files for path in (file.path, file.path.partition("/")[0])}
        return (*self.files, *(file for file in generated_files(self.mre) if file.path not in used))

    def shortened(self, size: int) -> "Bundle":
        """Return it with at most `size` characters of each stream of the run, for formats that show only those."""
        if self.result is None:
            return self
        base, *others = self.result.variants
        steps = (replace(s, stdout=cut(s.stdout, size), stderr=cut(s.stderr, size)) for s in base.observation.steps)
        base = replace(base, observation=replace(base.observation, steps=tuple(steps)))
        return replace(self, result=replace(self.result, variants=(base, *others)))


def bundle(
    mre: Mre, text: str, result: Result | None, values: Collection[str], search: Mapping[str, Any] | None = None
) -> Bundle:
    """Return an MRE, the text of its manifest and its last run without the secrets `values` and what looks like one."""
    kept = tuple(replace(file, content=redact_bytes(file.content, values)) for file in mre.files)
    shown: Mre = replace(redact_deep(replace(mre, files=()), values), files=kept)
    changed = redact(text, values)
    # What is masked may have been a part of the syntax.
    own = changed if changed == text else manifest.dump(shown)
    return Bundle(shown, redact_deep(result, values) if result else None, own, redact_deep(search, values))


def only_uvmre(mre: Mre) -> list[str]:
    """Return the keys of the manifest that nothing but `uvmre run` can do, as code."""
    tables = (("index", mre.indexes), ("answer", mre.answers), ("git", mre.repositories), ("fault", mre.faults))
    keys = [f"`[[{name}]]`" for name, each in (*tables, ("service", mre.services)) if each]
    return keys + [
        f"`{key}`" for key in ("home", "platform", "clock", "pythons", "path") if getattr(mre.environment, key)
    ]
