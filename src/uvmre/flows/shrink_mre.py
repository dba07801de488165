"""Run candidates of a smaller MRE, and tell whether they show the same for the same reason."""

import itertools
import math
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from uvmre import temp_folders
from uvmre.core.mre import manifest
from uvmre.core.mre.files import File
from uvmre.core.mre.model import BASE, MANIFEST, Mre, Step, overlay, slug
from uvmre.core.outcome.error_chain import innermost_cause
from uvmre.core.outcome.matching import Outcome, Word, match, matching_step
from uvmre.core.outcome.observation import Observation
from uvmre.core.outcome.vacuous import vacuous_controls
from uvmre.core.outcome.verdict import verdict
from uvmre.core.progress import Progress
from uvmre.core.search.shrink import Interest
from uvmre.core.secrets.redact import secrets
from uvmre.core.shrink.edits import Subject
from uvmre.core.text.normalize import find_pattern, normalize
from uvmre.errors import CannotTell, InputError
from uvmre.flows.options import RunOptions
from uvmre.flows.probe.pool import is_repeatable
from uvmre.flows.probe.variant import VariantRunner, own_contexts
from uvmre.folder.read import complete_mre
from uvmre.gateway.config import gateway_config
from uvmre.gateway.session import Gateway
from uvmre.releases import binaries
from uvmre.run.backend import SANDBOX, Backend, RunContext
from uvmre.run.environment import RunDirs

Observed = tuple[str, Observation, Outcome]
"""A variant's name, and what its run left."""


@dataclass(frozen=True)
class Baseline:
    """What every candidate must have in common with the original."""

    word: str
    """Its verdict."""
    innermost: tuple[frozenset[int], frozenset[int]]
    """The texts of the symptom in the innermost cause, and in it and the one before, by number."""
    vacuous: frozenset[str]
    """The controls that prove nothing."""
    upstream: bool
    """Whether it needs PyPI."""


@dataclass
class MreTest:
    """Runs candidates as `uvmre run` does, behind one gateway."""

    options: RunOptions
    context: RunContext
    backend: Backend
    gateway: Gateway
    root: Path
    executables: frozenset[str]
    bundled: Path
    origin: str = ""
    """Where the MRE came from, if that is outside."""
    baseline: Baseline | None = None
    neighbours: dict[str, Word] = field(default_factory=dict)
    """The outcomes of the releases beside the boundaries, which must stay the same."""
    seconds: float = math.inf
    """The time limit of a step."""
    _numbers: "itertools.count[int]" = field(default_factory=itertools.count)

    def read(self, subject: Subject) -> Mre:
        """Return the MRE of a candidate.

        Raises:
            InputError: if it is none.
        """
        files = tuple(File(path, each, path in self.executables) for path, each in subject.items() if path != MANIFEST)
        text = subject[MANIFEST].decode()
        mre = manifest.parse(text, dockerfile="Dockerfile" in subject)
        return complete_mre(replace(mre, files=files), MANIFEST)

    def normal(self, subject: Subject) -> Subject | None:
        """Return a candidate as uvmre writes it; None if it is not valid."""
        try:
            mre = self.read(subject)
        except (InputError, CannotTell, UnicodeDecodeError):
            return None
        return {**subject, MANIFEST: manifest.dump(mre).encode()} if mre.steps else None

    def evaluate(self, subject: Subject, stop: threading.Event) -> Interest:
        """Return whether a candidate shows the same, and its controls do."""
        mre = self.read(subject)
        runs = list[Observed]()
        for run in self.observe(mre, stop):
            runs.append(run)
            if not is_repeatable(run[1]):
                return "unknown"
            if len(runs) == 1 and run[2].word != "shows":
                return "no"
        found, baseline = self.summarize(mre, runs), self.baseline
        assert baseline
        same = found.word == baseline.word and found.vacuous <= baseline.vacuous
        same = same and all(old <= new for old, new in zip(baseline.innermost, found.innermost, strict=True))
        # What needs PyPI may be another example tomorrow.
        online = found.upstream and not baseline.upstream and mre.environment.exclude_newer is None
        if not same or online:
            return "no"
        for release, word in self.neighbours.items():
            _, observation, outcome = self.observe_base(mre, stop, release)
            if not (is_repeatable(observation) or word == "broken"):
                return "unknown"
            # Another failure of another release proves nothing, but it must not become the symptom.
            if outcome.word != word and (outcome.word == "shows" or word in ("shows", "absent")):
                return "no"
        return "yes"

    def observe_base(self, mre: Mre, stop: threading.Event, release: str = "") -> Observed:
        """Return what the MRE shows, without its controls, maybe on another release."""
        return next(self.observe(replace(mre, controls=()), stop, release))

    def observe(self, mre: Mre, stop: threading.Event, release: str = "") -> Iterator[Observed]:
        """Yield what the MRE shows, then its controls, maybe on another release."""
        context = replace(self.context, base=mre, stop=stop)
        if release:
            context = replace(context, uv=release, binary=self._binary(release))
        sandbox = self.backend.name == SANDBOX
        runner = VariantRunner(
            context=context,
            contexts=own_contexts(context, self._binary),
            backend=self.backend,
            gateway=self.gateway,
            progress=Progress(),  # candidates are reported, not their steps
            secrets=secrets(mre),
            network=gateway_config(mre, self.options.allow_hosts, sandbox=sandbox),
        )
        root = self.root / str(next(self._numbers))
        variants = [(BASE, mre), *((each.name, overlay(mre, each)) for each in mre.controls)]
        try:
            for name, variant in variants:
                limited = replace(variant, steps=tuple(self._limited(step) for step in variant.steps))
                judge = partial(match, variant.symptom, expected=variant.expected)
                dirs = RunDirs(root / slug(name).replace("-", "_"))
                yield name, *runner.observe(name, limited, dirs, judge=judge)
        finally:
            self.backend.clean_up(root)
            temp_folders.delete_tree(root)

    def _limited(self, step: Step) -> Step:
        return step if math.isinf(self.seconds) else replace(step, timeout=min(step.timeout, math.ceil(self.seconds)))

    def _binary(self, release: str) -> Path:
        return binaries.get(
            release, self.options.cache, Progress().downloading, bundled=self.bundled, offline=self.options.offline
        )[1]

    def summarize(self, mre: Mre, runs: list[Observed]) -> Baseline:
        """Return what runs of all variants have that must stay."""
        outcomes = {name: outcome for name, _, outcome in runs}
        vacuous = vacuous_controls(mre, runs)
        base = runs[0][1]
        step = matching_step(mre.symptom, base)
        cause = innermost_cause(step.stderr.strip() or step.stdout) if step else None
        links = cause.links if cause else ()
        one, two = (_texts_in(mre, "\n".join(links[-count:])) for count in (1, 2))
        upstream = any(request.answered_by == "upstream" for _, each, _ in runs for request in each.requests)
        return Baseline(verdict(mre, outcomes, vacuous).word, (one, two), frozenset(vacuous), upstream)


def _texts_in(mre: Mre, text: str) -> frozenset[int]:
    """Return the numbers of the symptom's texts that a text has."""
    normalized = normalize(text)
    return frozenset(n for n, each in enumerate(mre.symptom.texts) if find_pattern(each, normalized) is not None)
