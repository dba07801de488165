"""An MRE with a run, as every format gets it."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from uvmre.core.mre.files import File
from uvmre.core.mre.manifest import dump
from uvmre.core.mre.model import Control, Environment, Mre, Step
from uvmre.core.mre.symptom import Symptom
from uvmre.core.network.request import Request
from uvmre.core.outcome.matching import Outcome
from uvmre.core.outcome.observation import Observation, StepResult
from uvmre.core.outcome.result import Result, Variant
from uvmre.core.outcome.verdict import Verdict
from uvmre.report.bundle import Bundle

HOSTILE = "</script></title><script>alert(1)</script><img src=x onerror=alert(2)>{{ 7 * 7 }}${{ github.token }}`\"'"
MRE = Mre(
    title="uv sync does not ask for the password",
    environment=Environment("0.5.21", "3.11", variables={"UV_LINK_MODE": "copy"}),
    steps=(Step("uv lock"), Step("uv sync --extra 'a b'", "observe", name="sync")),
    symptom=Symptom("failure", ("401 Unauthorized",)),
    controls=(Control("with a password", "absent", why="With it, it works."),),
    issue="https://github.com/astral-sh/uv/issues/1",
    files=(
        File("pyproject.toml", b'[project]\nname = "foo"\nversion = "1"\n'),
        File("bin/tool", b"#!/bin/sh\necho \xc3\xa4\n", executable=True),
        File("data.bin", b"\x00\xff\r\n"),
        File("notes.md", b"\n```\n</script></metadata>\n```"),
    ),
)
FAILURE = "  × Failed to fetch: `https://pypi.org/simple/foo/`\n  ╰─▶ HTTP status client error (401 Unauthorized)\n"
REQUESTS = (
    Request("GET", "pypi.org", "/simple/foo/", 200, False, "upstream", 0.1, started=2.0),
    Request("GET", "pypi.org", "/simple/bar/", 401, True, "fault", 0.3, "a fault", started=2.1),
)
SEARCH: dict[str, Any] = {
    "releases": ["0.4.1", "0.5.20", "0.5.21", "0.5.22", "0.5.23"],
    "probes": [
        {"release": "0.5.20", "outcome": "absent", "reason": "it works"},
        {"release": "0.5.21", "outcome": "shows", "reason": "as reported"},
        {"release": "0.5.22", "outcome": "broken", "reason": "no wheel"},
    ],
    "sentences": ["first bad: uv 0.5.21", "first good: none"],
    "first_bad": {"version": "0.5.21"},
    "first_good": {"version": None},
}


def finished_run(mre: Mre, variants: Sequence[Variant]) -> Result:
    """Return a run of an MRE that shows its symptom."""
    return Result(
        title=mre.title,
        issue=mre.issue,
        reported_uv="0.5.21",
        uv="0.5.21",
        python="3.11.7",
        backend="local",
        platform="Linux 6.1 x86_64",
        network="auto",
        started="2025-01-23T12:00:00+00:00",
        digest="d1",
        variants=tuple(variants),
        verdict=Verdict("reproducible", "The symptom shows."),
    )


def sample(mre: Mre = MRE, *, output: str = FAILURE, search: dict[str, Any] | None = None, run: bool = True) -> Bundle:
    """Return an MRE whose observed step prints `output`."""
    place = ("0.5.21", "3.11.7", "local", "Linux 6.1 x86_64")
    results = [
        StepResult(
            each.title, each.run, each.role, 0 if each.role == "setup" else 2, "", "Resolved 2 packages in 8ms\n", 0.2
        )
        for each in mre.steps
    ]
    results[-1] = replace(results[-1], stderr=output, requests=2)
    base = Observation("as reported", *place, tuple(results), REQUESTS)
    variants = [Variant("as reported", "", base, Outcome("shows", "it ended with 2"))]
    variants += [
        Variant(each.name, each.expect, replace(base, variant=each.name), Outcome("absent", "it worked"))
        for each in mre.controls
    ]
    result = finished_run(mre, variants)
    return Bundle(mre, result if run else None, dump(mre), search)


def hostile() -> Bundle:
    """Return an MRE whose every text tries to leave its place."""
    mre = replace(
        MRE,
        title=HOSTILE,
        issue="javascript:alert(3)",
        steps=(Step(f"echo {HOSTILE}", "observe"),),
        controls=(Control(HOSTILE, why=HOSTILE),),
        files=(File("a<b>&.txt", HOSTILE.encode()),),
    )
    return sample(mre, output=HOSTILE * 3)
