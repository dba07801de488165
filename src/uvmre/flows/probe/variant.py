"""Run one variant under one release: fresh folders, a listener, the steps, the evidence, the outcome."""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from uvmre.core.mre.model import Mre
from uvmre.core.outcome.matching import Outcome, unsupported_reason
from uvmre.core.outcome.observation import Observation, StepResult
from uvmre.core.progress import Progress
from uvmre.core.secrets.redact import observed_secrets, redact, redact_deep
from uvmre.flows.probe.needs import missing_need
from uvmre.gateway.config import GatewayConfig
from uvmre.gateway.session import Gateway, free_port
from uvmre.run.backend import Backend, RunContext, RunFacts, StepRequest
from uvmre.run.environment import RunDirs
from uvmre.run.interpreters import require_interpreter


@dataclass(frozen=True, kw_only=True)
class VariantRunner:
    """Runs the variants of one MRE on one backend."""

    context: RunContext
    backend: Backend
    gateway: Gateway
    progress: Progress
    secrets: frozenset[str]
    """Redacted in all evidence."""
    network: GatewayConfig | None = None
    """Another network than that of the gateway."""
    contexts: Mapping[str, RunContext] = field(default_factory=dict)
    """Those of the controls with a release or an interpreter of their own, by name."""

    def observe(
        self,
        name: str,
        mre: Mre,
        dirs: RunDirs,
        *,
        judge: Callable[[Observation], Outcome],
        keep: Callable[[Observation], None] = lambda _: None,
    ) -> tuple[Observation, Outcome]:
        """Run and judge one variant; `keep` gets the observation even when the run ends early."""
        context, steps = self.contexts.get(name, self.context), list[StepResult]()
        masked = partial(redact, values=self.secrets)

        def ended(step: StepResult) -> None:
            step = replace(step, requests=len(listener.requests) - sum(each.requests for each in steps))
            steps.append(step)
            self.progress.stepped(masked(name), replace(step, title=masked(step.title)))

        indexes = None if mre.indexes == context.base.indexes else mre.indexes
        with self.gateway.listener(faults=mre.faults, indexes=indexes, config=self.network) as listener:
            facts = RunFacts(self.backend.name, context.uv, context.interpreter.version if context.interpreter else "")
            request = StepRequest(
                context=context,
                dirs=dirs,
                control=next((control for control in context.base.controls if control.name == name), None),
                mre=mre,
                gateway=listener.url,
                connect=listener.connect,
                free_port=free_port,
                on_step_start=lambda title: self.progress.step(masked(name), masked(title)),
                on_step_end=ended,
                count_requests=lambda: len(listener.requests),
            )
            uses_uv = not (request.control and request.control.without_uv)
            try:
                if need := missing_need(context.binary, mre.needs if uses_uv else ()):
                    facts = replace(facts, obstacle=unsupported_reason(context.uv, need))
                else:
                    facts = self.backend.run(request)
            finally:
                listener.close()
                observation = Observation(
                    variant=name,
                    uv=facts.uv,
                    python=facts.python,
                    backend=facts.backend,
                    platform=platform(),
                    steps=tuple(steps),
                    requests=tuple(listener.requests),
                    files=facts.files,
                    obstacle="it was interrupted" if context.stop.is_set() else facts.obstacle,
                    stand_ins=facts.stand_ins,
                    artifacts=facts.artifacts,
                )
                outcome = judge(observation)
                values = observed_secrets(observation, self.secrets)
                outcome, observation = redact_deep(outcome, values), redact_deep(observation, values)
                keep(observation)
        self.progress.judged(masked(name), outcome)
        return observation, outcome


def own_contexts(context: RunContext, binary: Callable[[str], Path]) -> dict[str, RunContext]:
    """Return the contexts of the controls with a release or an interpreter of their own; `binary` gets a release."""
    found = {}
    for control in context.base.controls:
        own = context
        if control.python and context.interpreter:
            own = replace(own, interpreter=require_interpreter(control.python), python=control.python)
        if control.uv:
            own = replace(own, uv=control.uv, binary=binary(control.uv))
        if own is not context:
            found[control.name] = own
    return found


def platform() -> str:
    """Return this machine's system, kernel and architecture."""
    system = os.uname()
    return f"{system.sysname} {system.release} {system.machine}"
