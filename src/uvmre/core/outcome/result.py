"""What one `uvmre run` found: every variant's observation and outcome, and the verdict.

Its JSON is described by docs/schemas/run.json.
"""

import dataclasses
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from uvmre.core.mre.model import Mre
from uvmre.core.network.request import Network, Request
from uvmre.core.outcome.observation import Observation, StepResult
from uvmre.core.outcome.symptom import Outcome
from uvmre.core.outcome.verdict import Verdict

SCHEMA = 1


@dataclass(frozen=True)
class Variant:
    """One variant as it was observed and judged."""

    name: str
    expect: str
    """`absent` or `present` for a control; empty for the MRE itself."""
    observation: Observation
    outcome: Outcome


@dataclass(frozen=True)
class Result:
    """One run of one MRE with its controls."""

    title: str
    issue: str
    reported_uv: str
    uv: str
    python: str
    backend: str
    platform: str
    network: Network
    started: str
    """In UTC, ISO 8601."""
    digest: str
    """Of the MRE as it was run."""
    variants: tuple[Variant, ...]
    verdict: Verdict
    evidence: str = ""
    """The folder with the streams and requests."""
    kept: str = ""
    """The folder in which the steps ran, where it was kept."""
    stand_ins: tuple[str, ...] = ()
    """The container images that were not what their names say: made on this machine instead."""

    @property
    def base(self) -> Variant:
        """Return the MRE itself among its variants."""
        return self.variants[0]


def digest(mre: Mre) -> str:
    """Return a name for the content of an MRE: it changes when, and only when, the MRE does."""
    manifest = dataclasses.asdict(dataclasses.replace(mre, files=()))
    sha = hashlib.sha256(json.dumps(manifest, sort_keys=True, default=str).encode())
    for file in sorted(mre.files, key=lambda file: file.path):
        for part in (file.path.encode(), file.content, b"x" if file.executable else b"-"):
            sha.update(len(part).to_bytes(8, "big") + part)
    return sha.hexdigest()


def to_data(result: Result) -> dict[str, Any]:
    """Return the result as JSON has it."""
    head = {
        field.name: getattr(result, field.name)
        for field in dataclasses.fields(result)
        if field.name not in ("variants", "verdict")
    }
    return {
        "schema": SCHEMA,
        "verdict": result.verdict.word,
        "reason": result.verdict.reason,
        "exit": result.verdict.exit_code,
        **head,
        "variants": [_variant(variant) for variant in result.variants],
    }


def _variant(variant: Variant) -> dict[str, Any]:
    observation = dataclasses.asdict(variant.observation)
    return {
        "name": variant.name,
        "expect": variant.expect or None,
        "outcome": variant.outcome.word,
        "reason": variant.outcome.reason,
        "seconds": round(variant.observation.seconds, 3),
        **{key: observation[key] for key in ("steps", "requests", "files", "obstacle")},
    }


def from_data(data: Mapping[str, Any]) -> Result:
    """Read back what `to_data` wrote."""
    head = {field.name: data[field.name] for field in dataclasses.fields(Result) if field.name in data}
    head.pop("variants")
    head["verdict"] = Verdict(data["verdict"], data["reason"])
    head["stand_ins"] = tuple(data.get("stand_ins", ()))
    variants = []
    for variant in data["variants"]:
        observation = Observation(
            variant["name"],
            data["uv"],
            data["python"],
            data["backend"],
            data["platform"],
            tuple(StepResult(**step) for step in variant["steps"]),
            tuple(Request(**request) for request in variant["requests"]),
            tuple((path, content) for path, content in variant["files"]),
            variant["obstacle"],
        )
        outcome = Outcome(variant["outcome"], variant["reason"])
        variants.append(Variant(variant["name"], variant["expect"] or "", observation, outcome))
    return Result(**head, variants=tuple(variants))
