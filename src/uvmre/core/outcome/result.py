"""The result of `uvmre run`: observations, outcomes and the verdict; docs/schemas/run.json describes its JSON."""

import dataclasses
import hashlib
import json
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from uvmre.core.mre.model import Mre
from uvmre.core.network.request import Network, Request
from uvmre.core.outcome.matching import Outcome
from uvmre.core.outcome.observation import FileState, Observation, StepResult
from uvmre.core.outcome.verdict import Verdict

SCHEMA = 1
MOST_PACKED = 200_000
"""Bytes of the largest observation that is stored with an outcome."""


@dataclass(frozen=True)
class Variant:
    """A variant with its observation and outcome."""

    name: str
    expect: str
    """`absent` or `present` for a control; empty for the MRE itself."""
    observation: Observation
    outcome: Outcome


@dataclass(frozen=True)
class Result:
    """A run of an MRE with its controls."""

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
    """The digest of the MRE."""
    variants: tuple[Variant, ...]
    verdict: Verdict
    reported_platform: str = ""
    """The platform of the report, as it says."""
    evidence: str = ""
    """The folder with the streams and requests."""
    kept: str = ""
    """The folder in which the steps ran, if it was kept."""
    stand_ins: tuple[str, ...] = ()
    """The container images that are stand-ins made on this machine."""
    feedback: Mapping[str, Any] = field(default_factory=dict)
    """What `core.outcome.feedback` returns."""

    @property
    def base(self) -> Variant:
        """Return the variant that is the MRE itself."""
        return self.variants[0]


def digest(mre: Mre) -> str:
    """Return a hash of the content of an MRE."""
    manifest = dataclasses.asdict(dataclasses.replace(mre, files=()))
    sha = hashlib.sha256(json.dumps(manifest, sort_keys=True, default=str).encode())
    for file in sorted(mre.files, key=lambda file: file.path):
        for part in (file.path.encode(), file.content, b"x" if file.executable else b"-"):
            sha.update(len(part).to_bytes(8, "big") + part)
    return sha.hexdigest()


def to_data(result: Result) -> dict[str, Any]:
    """Return the result as JSON data."""
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
    """Return the result of `to_data`'s data."""
    head = {field.name: data[field.name] for field in dataclasses.fields(Result) if field.name in data}
    head.pop("variants")
    head["verdict"] = Verdict(data["verdict"], data["reason"])
    head["stand_ins"] = tuple(data.get("stand_ins", ()))
    variants = []
    for variant in data["variants"]:
        head_of = {key: data[key] for key in ("uv", "python", "backend", "platform")}
        parts = {key: variant[key] for key in ("steps", "requests", "files", "obstacle")}
        observation = _observation({"variant": variant["name"], **head_of, **parts})
        outcome = Outcome(variant["outcome"], variant["reason"])
        variants.append(Variant(variant["name"], variant["expect"] or "", observation, outcome))
    return Result(**head, variants=tuple(variants))


def _observation(data: Mapping[str, Any]) -> Observation:
    parts = {
        "steps": tuple(StepResult(**step) for step in data["steps"]),
        "requests": tuple(Request(**request) for request in data["requests"]),
        "files": tuple(FileState(**file) for file in data["files"]),
    }
    return Observation(**{**data, **parts})


def pack(observation: Observation) -> bytes:
    """Return an observation as compressed JSON, without what a container engine added; empty if it is too large."""
    data = dataclasses.asdict(observation)
    del data["artifacts"], data["stand_ins"]
    packed = zlib.compress(json.dumps(data).encode())
    return packed if len(packed) <= MOST_PACKED else b""


def unpack(packed: bytes) -> Observation | None:
    """Return the observation of `pack`, or None."""
    return _observation(json.loads(zlib.decompress(packed))) if packed else None
