"""Run an MRE and its controls under one release, and judge it."""

import contextlib
import os
import threading
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from uvmre.core.mre import BASE, Mre, overlay, slug
from uvmre.core.observation import Observation
from uvmre.core.progress import Progress
from uvmre.core.redact import hidden, redact, secrets
from uvmre.core.request import Network
from uvmre.core.result import Result, Variant, digest
from uvmre.core.schema import RELEASE
from uvmre.core.symptom import match
from uvmre.core.verdict import Verdict, verdict
from uvmre.errors import CannotTell, Interrupted, at
from uvmre.flows import housekeeping
from uvmre.flows.cell import Shared, observe, platform
from uvmre.flows.pool import Pool
from uvmre.flows.scratch import scratch
from uvmre.folder import evidence
from uvmre.folder.read import read
from uvmre.gateway.gateway import Gateway
from uvmre.gateway.world import world
from uvmre.releases import binaries, users
from uvmre.run import interpreters
from uvmre.run.backends import choose
from uvmre.run.environment import Place
from uvmre.run.interpreters import Interpreter

DEFAULT_BACKEND = "local"
TAPE = ".uvmre/tape"


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
    mre = mre or read(folder)
    users.hold(cache, str((folder / TAPE).absolute()))
    # Before all else, because it comes up on another core while the rest is made ready here.
    with Gateway(cache, folder / TAPE, network, world(mre, allow_hosts)) as gateway:
        chosen = choose(backend)
        # A container has an interpreter of its own.
        interpreter = interpreter_of(python or mre.environment.python) if chosen.name == DEFAULT_BACKEND else None
        _tell(mre, backend, progress)
        release, binary = _uv(uv, mre.environment.uv, folder, cache, progress, offline=network == "replay")
        now = datetime.now(UTC)
        with at(folder):
            kept = evidence.begin(folder, release, now)
        shared = Shared(
            *(chosen, mre, release, binary, interpreter, python, gateway, network == "live", threading.Event()),
            *(progress, keep, secrets(mre)),
        )
        variants, places = _observe_all(mre, shared, kept)
    result = Result(
        title=redact(mre.title, shared.secrets),
        issue=redact(mre.issue, shared.secrets),
        reported_uv=mre.environment.uv,
        uv=variants[0].observation.uv,
        python=variants[0].observation.python,
        backend=variants[0].observation.backend,
        platform=platform(),
        network=network,
        started=now.isoformat(timespec="seconds"),
        digest=digest(mre),
        variants=tuple(replace(each, name=redact(each.name, shared.secrets)) for each in variants),
        verdict=hidden(_on(release, mre, verdict(mre, {v.name: v.outcome for v in variants})), shared.secrets),
        evidence=str(kept),
        kept=str(places) if keep else "",
        stand_ins=tuple(dict.fromkeys(name for each in variants for name in each.observation.stand_ins)),
    )
    with at(kept):
        evidence.finish(kept, result)
    housekeeping.prune_later(cache, progress)
    return result


def _tell(mre: Mre, backend: str, progress: Progress) -> None:
    """Say what of the MRE's Dockerfile is not followed, where its steps are those."""
    if backend == DEFAULT_BACKEND and mre.steps[0].layer:
        from uvmre.core.follow import follow

        for note in follow(mre).notes:
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
    near = folder / binaries.NEAR
    if not wanted or RELEASE.match(wanted) or wanted == "latest":
        return binaries.get(wanted or reported, cache, progress.downloading, near=near, offline=offline)
    from uvmre.flows import heads
    from uvmre.releases import catalogue

    if heads.names_binary(wanted):
        built = heads.ask(Path(wanted))
        return built.version, built.path
    chosen, found = catalogue.choose(wanted, cache, reported=reported, offline=offline)
    if found.note:
        progress.note(found.note)
    return binaries.get(chosen[-1].version, cache, progress.downloading, near=near, offline=offline)


def interpreter_of(wanted: str) -> Interpreter:
    """Return an interpreter of that version.

    Raises:
        CannotTell: when there is none.
    """
    found = interpreters.find(wanted)
    if found is None:
        raise CannotTell(
            f"There is no Python {wanted} on this machine (found: {', '.join(interpreters.available()) or 'none'}).",
            f"Install it (`uv python install {wanted}`), or take another with `--python`.",
        )
    return found


def _observe_all(mre: Mre, shared: Shared, kept: Path) -> tuple[list[Variant], Path]:
    """Run the MRE and its controls side by side; an interrupt ends every step and keeps what was done."""
    named = [(BASE, "", mre), *((control.name, control.expect, overlay(mre, control)) for control in mre.controls)]
    shared.progress.variants([name for name, _, _ in named])
    try:
        with contextlib.ExitStack() as stack:
            root = stack.enter_context(scratch(keep=shared.keep))
            stack.callback(shared.backend.tidy, root)
            pool = stack.enter_context(Pool(os.cpu_count() or 1, "variant", shared.stop))
            futures = [
                pool.submit(_observe, name, expect, variant, shared, Place(root / slug(name).replace("-", "_")), kept)
                for name, expect, variant in named
            ]
            return [pool.result(future) for future in futures], root
    except KeyboardInterrupt:
        raise Interrupted("Interrupted; every step was ended.", f"What was done is in {kept}.") from None


def _observe(name: str, expect: str, mre: Mre, shared: Shared, place: Place, kept: Path) -> Variant:
    """Run one variant in fresh folders, keep its evidence, and judge it."""

    def keep(observation: Observation) -> None:
        with at(kept):
            evidence.keep(kept, observation)

    return Variant(name, expect, *observe(name, mre, shared, place, partial(match, mre.symptom), keep))
