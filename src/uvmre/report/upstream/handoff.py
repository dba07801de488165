"""The README that the reproduction workflow of uv's maintainers hands on: what was found, and how to see it again."""

import re

from uvmre.core.mre.files import File
from uvmre.core.mre.model import MANIFEST
from uvmre.core.network.simple_page import describe_cutoff
from uvmre.report.bundle import Bundle
from uvmre.report.file_blocks import file_block, file_blocks
from uvmre.report.github import readable_result, step_lines, variant_lines
from uvmre.report.markdown import code, prose

OF_STEP = 20_000
"""Characters of the output of a step."""
ISSUE = re.compile(r"https://github\.com/([\w.-]+/[\w.-]+)/(?:issues|pull)/(\d+)")
CLASSES = {"reproducible": "bug", "not_reproducible": "bug", "explained": "question"}
"""Of the verdicts that say something; a maintainer decides."""


def reference(url: str) -> str:
    """Return an issue as uv's maintainers write it, `owner/repository#number`; empty for another URL."""
    found = ISSUE.fullmatch(url)
    return f"{found[1]}#{found[2]}" if found else ""


def write_handoff(bundle: Bundle) -> str:
    """Return the README, of which the MRE can be built again."""
    mre, result = bundle.mre, bundle.shortened(OF_STEP).result
    assert result, "the format needs a run"
    issue = reference(mre.issue) or (code(mre.issue) if mre.issue else "none")
    kind = CLASSES.get(result.verdict.word, "undecided")
    lines = ["# Issue context", "", f"Issue: {issue}", "", f"Classification: {kind}", ""]
    lines += ["## Summary", "", prose(mre.title), ""]
    lines += [f"- “{prose(d.from_)}” of the report is “{prose(d.to)}” here. {prose(d.why)}" for d in mre.deviations]
    lines += [""] * bool(mre.deviations)
    lines += ["## Classification", "", f"Observed: {code(result.verdict.word)}. {prose(result.verdict.reason)}", ""]
    lines += ["That it is unintended is the claim of the report; no run confirms a root cause.", ""]
    lines += variant_lines(mre, result)
    where = f"uv {prose(result.uv)}, Python {prose(result.python)}, {prose(result.platform)}"
    cutoff = mre.environment.exclude_newer
    lines += [
        "## Reproduction",
        "",
        f"Run on {where}" + (f", PyPI as {describe_cutoff(cutoff)}." if cutoff else "."),
        "",
    ]
    lines += [f"- {prose(sentence)}" for sentence in bundle.search["sentences"]] if bundle.search else []
    lines += [""] * bool(bundle.search)
    lines += [f"Variables: {', '.join(code(f'{name}={value}') for name, value in mre.variables.items())}.", ""] * bool(
        mre.variables
    )
    base = readable_result(result).base.observation
    for step in base.steps:
        lines += [*step_lines(step, OF_STEP), ""]
    lines += [f"The steps could not be run: {prose(base.obstacle)}.", ""] * bool(base.obstacle)
    lines += ["`uvmre run README.md` runs these files:", ""]
    files = file_block(File(MANIFEST, bundle.manifest.encode()), ()).block
    files += "".join(part.block for part in file_blocks(mre.files, ()))
    related = f"- {issue} is the report." if mre.issue else "None are known."
    return "\n".join([*lines, files + "## Related", "", related, ""])
