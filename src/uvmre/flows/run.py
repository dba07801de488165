"""Run an MRE and its controls under one release, and judge it."""

import contextlib
import os
import threading
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from uvmre.core.mre.model import BASE, Mre, overlay, slug
from uvmre.core.mre.schema import RELEASE
from uvmre.core.network.request import Network
from uvmre.core.outcome.observation import Observation
from uvmre.core.outcome.result import Result, Variant, digest
from uvmre.core.outcome.symptom import match
from uvmre.core.outcome.verdict import Verdict, verdict
from uvmre.core.progress import Progress
from uvmre.core.secrets.redact import redact, redact_deep, secrets
from uvmre.errors import Interrupted, naming_path
from uvmre.flows import housekeeping
from uvmre.flows.probe.variant import RunContext, observe, platform
from uvmre.flows.scratch import scratch
from uvmre.flows.thread_pool import Pool
from uvmre.folder import evidence
from uvmre.folder.evidence import RECORDING
from uvmre.folder.read import read_mre
from uvmre.gateway.config import gateway_config
from uvmre.gateway.session import Gateway
from uvmre.releases import binaries, cache_users
from uvmre.run.backends import DEFAULT_BACKEND, choose
from uvmre.run.environment import RunDirs
from uvmre.run.interpreters import require_interpreter


def run(
    folder: Path,
    *,
    cache: Path,
    uv: str = "",
    python: str = "",
    backend: str = DEFAULT_BACKEND,
    network: Network = "auto",
    allow_hosts: tuple[str, ...] = (),
    keep: bool = False,
    mre: Mre | None = None,
    progress: Progress | None = None,
) -> Result:
    """Run the MRE in `folder` and each of its controls, and return what they say together.

    Args:
        folder: the MRE; the evidence is kept below it.
        cache: where the releases of uv are kept.
        uv: a release instead of the MRE's: a selector, whose newest is taken, or the path of a binary.
        python: an interpreter's version instead of the MRE's.
        backend: what runs the steps.
        network: what answers; `live` asks the public test index itself too, instead of its stand-in.
        allow_hosts: let through beside those of the MRE.
        keep: leave the folders in which the steps ran.
        mre: what is run, instead of what stands in the folder.
        progress: is told how it goes.

    Raises:
        UsageError: when the folder, the release or the backend is not to be had.
        CannotTell: when the network, the disk or the interpreter is not.
        Interrupted: on ^C; the evidence of what was done is kept.
    """
    progress = progress or Progress()
    mre = mre or read_mre(folder)
    cache_users.hold(cache, str((folder / RECORDING).absolute()))
    # Before all else, because it comes up on another core while the rest is made ready here.
    with Gateway(cache, folder / RECORDING, network, gateway_config(mre, allow_hosts)) as gateway:
        chosen = choose(backend)
        # A container has an interpreter of its own.
        interpreter = require_interpreter(python or mre.environment.python) if chosen.name == DEFAULT_BACKEND else None
        _tell(mre, backend, progress)
        release, binary = _uv(uv, mre.environment.uv, folder, cache, progress, offline=network == "replay")
        now = datetime.now(UTC)
        with naming_path(folder):
            kept = evidence.begin_run(folder, release, now)
        context = RunContext(
            *(chosen, mre, release, binary, interpreter, python, gateway, network == "live", threading.Event()),
            *(progress, keep, secrets(mre)),
        )
        variants, places = _observe_all(mre, context, kept)
    result = Result(
        title=redact(mre.title, context.secrets),
        issue=redact(mre.issue, context.secrets),
        reported_uv=mre.environment.uv,
        uv=variants[0].observation.uv,
        python=variants[0].observation.python,
        backend=variants[0].observation.backend,
        platform=platform(),
        network=network,
        started=now.isoformat(timespec="seconds"),
        digest=digest(mre),
        variants=tuple(replace(each, name=redact(each.name, context.secrets)) for each in variants),
        verdict=redact_deep(_on(release, mre, verdict(mre, {v.name: v.outcome for v in variants})), context.secrets),
        evidence=str(kept),
        kept=str(places) if keep else "",
        stand_ins=tuple(dict.fromkeys(name for each in variants for name in each.observation.stand_ins)),
    )
    with naming_path(kept):
        evidence.finish_run(kept, result)
    housekeeping.prune_later(cache, progress)
    return result


def _tell(mre: Mre, backend: str, progress: Progress) -> None:
    """Say what of the MRE's Dockerfile is not followed, where its steps are those."""
    if backend == DEFAULT_BACKEND and mre.steps[0].layer:
        from uvmre.core.dockerfile.interpret import interpret

        for note in interpret(mre).notes:
            progress.note(f"Dockerfile, {note}")


def _on(release: str, mre: Mre, verdict: Verdict) -> Verdict:
    """Say in the reason when this was not the reported release: the verdict is about the one that was run."""
    if release == mre.environment.uv:
        return verdict
    return replace(verdict, reason=f"On uv {release}, not the reported {mre.environment.uv}: {verdict.reason}")


def _uv(
    wanted: str, reported: str, folder: Path, cache: Path, progress: Progress, *, offline: bool
) -> tuple[str, Path]:
    """Return the release to run and its binary."""
    bundled = folder / binaries.BUNDLED
    if not wanted or RELEASE.match(wanted) or wanted == "latest":
        return binaries.get(wanted or reported, cache, progress.downloading, bundled=bundled, offline=offline)
    from uvmre.flows.probe import uv_choice
    from uvmre.releases import catalogue

    if uv_choice.names_binary(wanted):
        built = uv_choice.ask(Path(wanted))
        return built.version, built.path
    chosen, found = catalogue.choose(wanted, cache, reported=reported, offline=offline)
    if found.note:
        progress.note(found.note)
    return binaries.get(chosen[-1].version, cache, progress.downloading, bundled=bundled, offline=offline)


def _observe_all(mre: Mre, context: RunContext, kept: Path) -> tuple[list[Variant], Path]:
    """Run the MRE and its controls side by side; an interrupt ends every step and keeps what was done."""
    named = [(BASE, "", mre), *((control.name, control.expect, overlay(mre, control)) for control in mre.controls)]
    context.progress.variants([name for name, _, _ in named])
    try:
        with contextlib.ExitStack() as stack:
            root = stack.enter_context(scratch(keep=context.keep))
            stack.callback(context.backend.clean_up, root)
            pool = stack.enter_context(Pool(os.cpu_count() or 1, "variant", context.stop))
            futures = [
                pool.submit(
                    _observe, name, expect, variant, context, RunDirs(root / slug(name).replace("-", "_")), kept
                )
                for name, expect, variant in named
            ]
            return [pool.result(future) for future in futures], root
    except KeyboardInterrupt:
        raise Interrupted("Interrupted; every step was ended.", f"What was done is in {kept}.") from None


def _observe(name: str, expect: str, mre: Mre, context: RunContext, dirs: RunDirs, kept: Path) -> Variant:
    """Run one variant in fresh folders, keep its evidence, and judge it."""

    def keep(observation: Observation) -> None:
        with naming_path(kept):
            evidence.write_observation(kept, observation)

    return Variant(name, expect, *observe(name, mre, context, dirs, partial(match, mre.symptom), keep))
