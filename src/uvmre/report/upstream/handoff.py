"""The README that the reproduction workflow of uv's maintainers hands on: what was found, and how to see it again."""

import re

from uvmre.core.mre.files import File
from uvmre.core.mre.model import MANIFEST
from uvmre.core.network.simple_page import describe_cutoff
from uvmre.report.bundle import Bundle
from uvmre.report.file_blocks import file_block, file_blocks
from uvmre.report.github import readable_result, step_lines, variant_lines
from uvmre.report.markdown import code, prose
from uvmre.report.templates import template

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
    cutoff = mre.environment.exclude_newer
    parts = [file_block(File(MANIFEST, bundle.manifest.encode()), ()), *file_blocks(mre.files, ())]
    return template(__package__, "handoff.md.jinja").render(
        mre=mre,
        result=result,
        issue=reference(mre.issue) or (code(mre.issue) if mre.issue else ""),
        kind=CLASSES.get(result.verdict.word, "undecided"),
        variants=list(variant_lines(mre, result)),
        cutoff=describe_cutoff(cutoff) if cutoff else "",
        sentences=bundle.search["sentences"] if bundle.search else [],
        base=readable_result(result).base.observation,
        files="".join(part.block for part in parts),
        prose=prose,
        code=code,
        step_lines=lambda step: step_lines(step, OF_STEP),
    )
