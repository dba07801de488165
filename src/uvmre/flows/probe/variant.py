"""Run one variant under one release: fresh folders, a listener, the steps, the evidence, the outcome."""

import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

from uvmre.core.mre.model import Mre
from uvmre.core.outcome.matching import Outcome
from uvmre.core.outcome.observation import Observation, StepResult
from uvmre.core.progress import Progress
from uvmre.core.secrets.redact import observed_secrets, redact, redact_deep
from uvmre.gateway.session import Gateway
from uvmre.run.backend import Backend, RunContext, RunFacts, StepRequest
from uvmre.run.environment import RunDirs


@dataclass(frozen=True, kw_only=True)
class VariantRunner:
    """Runs the variants of one MRE on one backend."""

    context: RunContext
    backend: Backend
    gateway: Gateway
    progress: Progress
    secrets: frozenset[str]
    """Redacted in all evidence."""

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
        context, steps = self.context, list[StepResult]()
        masked = partial(redact, values=self.secrets)

        def ended(step: StepResult) -> None:
            steps.append(step)
            self.progress.stepped(masked(name), replace(step, title=masked(step.title)))

        with self.gateway.listener(faults=mre.faults) as listener:
            facts = RunFacts(self.backend.name, context.uv, context.interpreter.version if context.interpreter else "")
            request = StepRequest(
                context=context,
                dirs=dirs,
                control=next((control for control in context.base.controls if control.name == name), None),
                mre=mre,
                gateway=listener.url,
                connect=listener.connect,
                on_step_start=lambda title: self.progress.step(masked(name), masked(title)),
                on_step_end=ended,
            )
            try:
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


def platform() -> str:
    """Return this machine's system, kernel and architecture."""
    system = os.uname()
    return f"{system.sysname} {system.release} {system.machine}"
