"""An MRE as a workflow of GitHub Actions, which runs it on other systems and releases."""

import re
import sys
import textwrap

import yaml

from uvmre.core.mre.model import Step
from uvmre.core.mre.symptom import Symptom
from uvmre.core.text.visible import one_line, visible
from uvmre.report.bundle import Bundle, only_uvmre
from uvmre.report.page.embedded import embed
from uvmre.report.templates import template

PINNED = re.compile(r"\d[\w.+]*")
"""A release that pip can install by its version."""

SYSTEMS = ["ubuntu-latest", "macos-latest", "windows-latest"]
BUILD = Step("docker build --no-cache --progress=plain .", "observe")


def write_actions(bundle: Bundle) -> str:
    """Return a workflow that runs the steps with the reported, the boundary and the latest releases.

    An MRE with a Dockerfile is built, with the release that it has, on the only system that builds it.
    """
    mre, search = bundle.mre, bundle.search or {}
    built = any(step.layer for step in mre.steps)
    edges = [(search.get(name) or {}).get("version") for name in ("first_bad", "first_good")]
    named = [mre.environment.uv, bundle.result.reported_uv if bundle.result else "", *edges]
    releases = [name for name in dict.fromkeys(named) if name and PINNED.fullmatch(name) and "head" not in name]
    cutoff = mre.environment.exclude_newer
    day = cutoff.isoformat() if cutoff else ""
    return template(__package__, "actions.yml.jinja").render(
        scalar=_scalar,
        title=one_line(mre.title),
        symptom=one_line(_described(mre.symptom)),
        missing=only_uvmre(mre),
        systems=["ubuntu-latest"] if built else SYSTEMS,
        releases=releases[:1] if built else [*releases, "latest"],
        variables={**({"UV_EXCLUDE_NEWER": day} if day else {}), **mre.variables},
        python=mre.environment.python or "3.12",
        archive=textwrap.wrap(embed(bundle), 100),
        steps=[BUILD] if built else mre.steps,
    )


def _described(symptom: Symptom) -> str:
    parts = [f"exit {symptom.exit}"] if symptom.exit is not None else []
    return "; ".join([*parts, *(f"“{text}”" for text in symptom.texts)]) or "in mre.toml"


def _scalar(text: str) -> str:
    """Return a text as YAML that is no expression of GitHub's, nested in a step."""
    escaped = text.replace("${{", "${{ '${{' }}")
    block = "\n" in text and visible(text) == text and not text.endswith("\n\n")
    style = "|" if block else '"'
    dumped = yaml.safe_dump(escaped, default_style=style, allow_unicode=True, width=sys.maxsize)
    return re.sub(r"\n(?=[^\n])", "\n        ", dumped.removesuffix("\n"))
