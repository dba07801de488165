"""An MRE and its last run as one page, which makes no request and has the MRE inside."""

import base64
import functools
import hashlib
from collections.abc import Iterator, Mapping, Sequence
from importlib.resources import files
from typing import Any

from uvmre.core.mre.files import File
from uvmre.core.network.request import Request
from uvmre.core.network.simple_page import describe_cutoff
from uvmre.core.outcome.observation import StepResult
from uvmre.core.text.visible import visible
from uvmre.report.bundle import Bundle
from uvmre.report.markdown import cut
from uvmre.report.page.embedded import embed
from uvmre.report.page.terminal import output_text, spans
from uvmre.report.templates import template

MOST_REQUESTS = 200
"""Requests of a step that are shown."""
MOST_OF_FILE = 50_000
"""Characters of a file that are shown; the archive has all of it."""
MOST_OF_FILES = 1_000_000
"""Characters of all files that are shown."""
PAGE = "page.html.jinja"
MARKS = {"shows": "shows", "absent": "absent", "": "not run"}
"""What a release is in the picture; any other outcome cannot tell."""


def html(bundle: Bundle) -> str:
    """Return the page: the verdict, the steps, the requests, the boundaries, the controls and the files."""
    result = bundle.result
    observation = result.base.observation if result else None
    return template(__package__, PAGE).render(
        hashes=_hashes(),
        mre=bundle.mre,
        result=result,
        cutoff=describe_cutoff(bundle.mre.environment.exclude_newer) if bundle.mre.environment.exclude_newer else "",
        steps=[_step(step, observation.requests_of(step)) for step in observation.steps] if observation else [],
        observation=observation,
        whys={control.name: control.why for control in bundle.mre.controls},
        releases=_releases(bundle.search) if bundle.search else {},
        search=bundle.search,
        files=list(_files(bundle.files)),
        archive=embed(bundle),
    )


@functools.cache
def _hashes() -> dict[str, str]:
    """Return the hashes of the style and the script: nothing else that looks like one has an effect."""
    source = files(__package__).joinpath(PAGE).read_text(encoding="utf-8")
    return {tag: _sha256(source.partition(f"<{tag}>")[2].partition(f"</{tag}>")[0]) for tag in ("style", "script")}


def _sha256(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _step(step: StepResult, requests: Sequence[Request]) -> dict[str, Any]:
    shown = requests[:MOST_REQUESTS]
    begin = min((request.started for request in shown), default=0.0)
    end = max((request.started + request.seconds for request in shown), default=0.0)
    scale = 100 / (end - begin or 1)
    bars = [(scale * (request.started - begin), max(1, scale * request.seconds)) for request in shown]
    return {
        "step": step,
        "output": [list(spans(output_text(text))) for text in (step.stdout, step.stderr) if text],
        "requests": [
            (request, round(min(at, 99)), round(width)) for request, (at, width) in zip(shown, bars, strict=True)
        ],
        "more": len(requests) - len(shown),
    }


def _releases(search: Mapping[str, Any]) -> dict[str, list[tuple[str, str, str]]]:
    """Return the releases of each minor version: the version, what it is in the picture, and why."""
    probes = {probe["release"]: (probe["outcome"], probe["reason"]) for probe in search["probes"]}
    rows: dict[str, list[tuple[str, str, str]]] = {}
    for version in search["releases"]:
        outcome, reason = probes.get(version, ("", ""))
        row = rows.setdefault(".".join(version.split(".")[:2]), [])
        row.append((version, MARKS.get(outcome, "cannot tell"), reason))
    return rows


def _files(all_files: Sequence[File]) -> Iterator[tuple[File, str | None, bool]]:
    """Yield each file with the text that is shown, if it is one, and whether that is the whole file."""
    left = MOST_OF_FILES
    for file in all_files:
        text, whole = None, False
        if b"\0" not in file.content[:MOST_OF_FILE] and left > 0:
            text = visible(cut(file.content.decode(errors="replace"), min(MOST_OF_FILE, left)))
            left, whole = left - len(text), text.encode() == file.content
        yield file, text, whole
