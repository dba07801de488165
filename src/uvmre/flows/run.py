"""Run an MRE and its controls under one release, and judge it."""

import contextlib
import os
import threading
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from uvmre.core.mre.keys import RELEASE
from uvmre.core.mre.model import BASE, BUNDLED, Mre, has_fixed_port, overlay, slug
from uvmre.core.outcome.matching import match
from uvmre.core.outcome.observation import Observation
from uvmre.core.outcome.result import Result, Variant, digest
from uvmre.core.outcome.vacuous import vacuous_controls
from uvmre.core.outcome.verdict import Verdict, verdict
from uvmre.core.progress import Progress
from uvmre.core.secrets.redact import redact, redact_deep, secrets
from uvmre.errors import Interrupted, naming_path
from uvmre.flows import housekeeping
from uvmre.flows.options import RunOptions
from uvmre.flows.probe.variant import VariantRunner, own_contexts, platform
from uvmre.flows.scratch import scratch
from uvmre.flows.thread_pool import Pool
from uvmre.folder import evidence
from uvmre.folder.evidence import RECORDING
from uvmre.folder.read import read_mre
from uvmre.folder.written import read_origin
from uvmre.gateway.config import gateway_config
from uvmre.gateway.session import Gateway
from uvmre.releases import binaries, cache_users, catalogue
from uvmre.run.backend import LOCAL, SANDBOX, RunContext
from uvmre.run.backends import choose
from uvmre.run.environment import RunDirs, without_tls
from uvmre.run.interpreters import require_interpreter


def run(
    folder: Path,
    options: RunOptions,
    *,
    uv: str = "",
    keep: bool = False,
    mre: Mre | None = None,
    progress: Progress | None = None,
) -> Result:
    """Run the MRE in `folder` and each of its controls, and return their verdict.

    Args:
        folder: the MRE; the evidence is kept below it.
        options: how it is run.
        uv: a release instead of the MRE's: a selector, whose newest is chosen, or the path of a binary.
        keep: leave the folders in which the steps ran.
        mre: what is run, instead of the manifest in the folder.
        progress: a progress callback.

    Raises:
        UsageError: if the folder, the release or the backend is not available.
        CannotTell: if the network, the disk or the interpreter is not.
        Interrupted: on ^C; the evidence of finished steps is kept.
    """
    progress, own = progress or Progress(), mre or read_mre(folder)
    release, meaning = catalogue.resolve(own.environment.uv, options.cache, offline=options.offline)
    mre = replace(own, environment=replace(own.environment, uv=release))
    cache_users.hold(options.cache, str((folder / RECORDING).absolute()))
    backend = choose(options.backend, origin=options.origin or read_origin(folder), trust=options.trust)
    # It starts on another core while the rest is prepared here.
    config = gateway_config(mre, options.allow_hosts, sandbox=backend.name == SANDBOX)
    with Gateway(options.cache, folder / RECORDING, options.network, config) as gateway:
        if backend.uses_host:
            _note_dockerfile(mre, progress)
        # A container has an interpreter of its own.
        interpreter = require_interpreter(options.python or mre.environment.python) if backend.uses_host else None
        release, binary = choose_release(uv, mre.environment.uv, folder / BUNDLED, options, progress)
        now = datetime.now(UTC)
        with naming_path(folder):
            evidence_folder = evidence.begin_run(folder, release, now)
        context = RunContext(
            base=mre,
            uv=release,
            binary=binary,
            interpreter=interpreter,
            python=options.python,
            certificate=gateway.certificate,
            live=options.live,
            stop=threading.Event(),
        )
        runner = VariantRunner(
            context=context,
            contexts=own_contexts(context, lambda uv: choose_release(uv, "", folder / BUNDLED, options, progress)[1]),
            backend=backend,
            gateway=gateway,
            progress=progress,
            secrets=secrets(mre),
        )
        variants, root = _observe_all(mre, runner, evidence_folder, keep=keep)
    result = _result(mre, runner, variants, options=options, started=now)
    if meaning:
        result = replace(result, verdict=replace(result.verdict, reason=f"{meaning}: {result.verdict.reason}"))
    result = replace(result, digest=digest(own), evidence=str(evidence_folder), kept=str(root) if keep else "")
    with naming_path(evidence_folder):
        evidence.finish_run(evidence_folder, result)
    housekeeping.prune_later(options.cache, progress)
    return result


def _result(
    mre: Mre, runner: VariantRunner, variants: Sequence[Variant], *, options: RunOptions, started: datetime
) -> Result:
    from uvmre.core.outcome.feedback import feedback

    first = variants[0].observation
    return Result(
        title=redact(mre.title, runner.secrets),
        issue=redact(mre.issue, runner.secrets),
        reported_uv=mre.environment.uv,
        uv=first.uv,
        python=first.python,
        backend=first.backend,
        platform=platform(),
        reported_platform=redact(mre.environment.reported_platform, runner.secrets),
        network=options.network,
        started=started.isoformat(timespec="seconds"),
        digest=digest(mre),
        variants=tuple(replace(each, name=redact(each.name, runner.secrets)) for each in variants),
        verdict=redact_deep(_verdict(runner.context.uv, mre, variants), runner.secrets),
        stand_ins=tuple(dict.fromkeys(name for each in variants for name in each.observation.stand_ins)),
        feedback=redact_deep(feedback(mre, variants), runner.secrets),
    )


def _note_dockerfile(mre: Mre, progress: Progress) -> None:
    """Report the parts of the MRE's Dockerfile that no backend but an engine follows."""
    if mre.steps[0].layer:
        from uvmre.core.dockerfile.interpret import interpret

        for note in interpret(mre).notes:
            progress.note(f"Dockerfile, {note}")


def _verdict(release: str, mre: Mre, variants: Sequence[Variant]) -> Verdict:
    """Return the verdict, whose reason names the release if it is not the reported one."""
    vacuous = vacuous_controls(mre, [(each.name, each.observation, each.outcome) for each in variants])
    judged = verdict(mre, {variant.name: variant.outcome for variant in variants}, vacuous)
    if without_tls(mre, release) is not mre:
        plain = f"uv {release} ignores `SSL_CERT_FILE`, so that PyPI was served over plain HTTP."
        judged = replace(judged, reason=f"{judged.reason} {plain}")
    if release == mre.environment.uv:
        return judged
    return replace(judged, reason=f"On uv {release}, not the reported {mre.environment.uv}: {judged.reason}")


def choose_release(uv: str, reported: str, bundled: Path, options: RunOptions, progress: Progress) -> tuple[str, Path]:
    """Return the release to run and its binary."""
    uv = uv or reported
    if not RELEASE.match(uv) and uv != "latest":
        from uvmre.flows.probe import uv_choice

        if uv_choice.names_binary(uv):
            local_build = uv_choice.inspect_build(Path(uv))
            return local_build.version, local_build.path
        selected, known = catalogue.choose(uv, options.cache, reported=reported, offline=options.offline)
        if known.note:
            progress.note(known.note)
        uv = selected[-1].version
    return binaries.get(uv, options.cache, progress.downloading, bundled=bundled, offline=options.offline)


def _observe_all(mre: Mre, runner: VariantRunner, evidence_folder: Path, *, keep: bool) -> tuple[list[Variant], Path]:
    """Run the MRE and its controls in parallel; an interrupt ends every step and keeps the evidence so far."""

    def record(observation: Observation) -> None:
        with naming_path(evidence_folder):
            evidence.write_observation(evidence_folder, observation)

    def observe(name: str, expect: str, variant: Mre) -> Variant:
        dirs = RunDirs(root / slug(name).replace("-", "_"))
        judge = partial(match, variant.symptom, expected=variant.expected)
        try:
            return Variant(name, expect, *runner.observe(name, variant, dirs, judge=judge, keep=record))
        finally:
            if alone:  # what it left running would be met by the next one
                runner.backend.clean_up(dirs.root)

    variants = [(BASE, "", mre), *((control.name, control.expect, overlay(mre, control)) for control in mre.controls)]
    alone = runner.backend.name == LOCAL and has_fixed_port(*(variant for _, _, variant in variants))
    runner.progress.variants([redact(name, runner.secrets) for name, _, _ in variants])
    try:
        with contextlib.ExitStack() as stack:
            root = stack.enter_context(scratch(keep=keep))
            stack.callback(runner.backend.clean_up, root)
            pool = stack.enter_context(Pool(1 if alone else os.cpu_count() or 1, "variant", runner.context.stop))
            futures = [pool.submit(observe, *variant) for variant in variants]
            return [pool.result(future) for future in futures], root
    except KeyboardInterrupt:
        raise Interrupted("interrupted", f"the evidence so far is in `{evidence_folder}`") from None
