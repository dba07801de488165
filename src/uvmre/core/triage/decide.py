"""What an issue's text and its runs say together. A wrong `reproducible` is the worst answer."""

import re
from typing import Literal

from uvmre.core.mre.model import HOLDS
from uvmre.core.outcome.symptom import matching_step
from uvmre.core.outcome.verdict import Verdict
from uvmre.core.triage.evidence import contains_all, innermost_cause
from uvmre.core.triage.other_release import judge_release
from uvmre.core.triage.state import Kind, TriageRun, TriageState

PLANNED_WITH: dict[Kind, str] = {"day": " (the newest of that day)", "today": " with PyPI as it is today"}
TRIVIAL_FILE = re.compile(r"(?:^|/)(?:readme[^/]*|__init__\.py|py\.typed|license[^/]*)\Z", re.IGNORECASE)
"""Files whose content hardly ever decides."""
SAME_PLATFORM = re.compile(
    r"linux|ubuntu|debian|fedora|arch|alpine|centos|red ?hat|rhel|rocky|suse|nixos|mint|wsl|docker|x86_64|amd64"
)
OTHER_PLATFORM = re.compile(
    r"windows|win(?:10|11|32|64)|mac ?os|darwin|os x|apple|aarch64|arm64|freebsd|powershell|musl"
)
MOST_CHARACTERS = 160


def decide(state: TriageState) -> Verdict:
    """Say what the text and the runs mean together."""
    if state.reproducing_run and (explained := _explained(state, state.reproducing_run)):
        return explained
    if state.mre is None or state.blocking_gaps or not state.runs:
        return _more_information(state)
    if state.reproducing_run:
        return _shows(state, state.reproducing_run)
    return _does_not_show(state, state.runs[0])


def _explained(state: TriageState, shown: TriageRun) -> Verdict | None:
    outcomes = {variant.name: variant.outcome for variant in shown.result.variants}
    for mistake in state.mistakes:
        if mistake.control and (outcome := outcomes.get(mistake.control)) and outcome.word == "absent":
            why = _sentence(mistake.why)
            return Verdict(
                "explained", f"{why} With that fixed ({mistake.where}) uv {shown.result.uv} does not show it."
            )
    return None


def _more_information(state: TriageState) -> Verdict:
    """Say what decides and is missing."""
    gaps = state.blocking_gaps or state.parsed.gaps
    if state.stop_reason and not gaps:
        return Verdict("inconclusive", _sentence(state.stop_reason))
    if not gaps:
        return Verdict("needs_more_information", "The post has no command that could be run and no claim to look for.")
    more = f" (and {len(gaps) - 1} more)" if len(gaps) > 1 else ""
    return Verdict("needs_more_information", f"{_sentence(gaps[0].description + more)}{_likely_mistake(state)}")


def _likely_mistake(state: TriageState) -> str:
    return next((f" A known mistake is likely: {_sentence(mistake.why)}" for mistake in state.mistakes), "")


def _shows(state: TriageState, shown: TriageRun) -> Verdict:
    uv = f"uv {shown.result.uv}"
    seen = _sentence(f"{uv} shows it{_conditions(shown)}: {_symptom_text(state, shown)}")
    edge, calendar = _boundary_text(state), _cutoff_text(state, shown)
    if state.evidence.strong:
        return Verdict("reproducible", f"{seen}{edge}{calendar}")
    weak = f"By itself that proves nothing, because {state.evidence.why}"
    good = state.run_of("good") or state.run_of("latest")
    if good and not state.evidence.never and _is_fixed_in(state, shown, good):
        wanted = _prints_expected(state, good)
        if wanted is not False:
            sure = "and says what was expected" if wanted else "and what it changed is what was reported"
            return Verdict("reproducible", f"{seen} uv {good.result.uv} does it otherwise, {sure}.{edge}{calendar}")
        weak = f"uv {good.result.uv} does it otherwise, but not as the post expects"
    elif state.stop_reason:
        weak = f"{weak}, and {state.stop_reason}"
    elif good:
        weak = f"{weak}; on uv {good.result.uv}: {good.outcome.reason}"
    else:
        weak = f"{weak}, and no release is known on which it does not show"
    return Verdict(
        "needs_more_information" if _questions(state) else "inconclusive", f"{seen} {_sentence(weak)}{calendar}"
    )


def _is_fixed_in(state: TriageState, shown: TriageRun, good: TriageRun) -> bool:
    """Tell whether a release is without the bug: its commands succeed, or fail otherwise where that tells.

    What differs only in uv's own version does not: that differs on every release. Nor is anything known of a command of
    which it is only said that it fails or succeeds, where nothing was seen to do otherwise on the reported release.
    """
    if good.outcome.word in ("absent", "different") and _prints_expected(state, good):
        return True
    if not state.evidence.specific:
        blind = state.parsed.claim.kind in ("failure", "silence") and not state.parsed.claim.output
        if blind and not shown.planned.mre.controls:
            return False
        return good.outcome.word == "absent" and not _differs_only_in_version(shown, good)
    outcome = judge_release(shown.planned.mre.symptom, good.result.base.observation, shown.result.uv)
    return outcome.word == "absent"


def _differs_only_in_version(shown: TriageRun, good: TriageRun) -> bool:
    symptom, base = shown.planned.mre.symptom, good.result.base.observation
    texts = [*symptom.output, *(pattern.contains for pattern in symptom.files)]
    if not any(shown.result.uv in text for text in texts):
        return False
    return contains_all([text.replace(shown.result.uv, good.result.uv) for text in texts], base)


def _does_not_show(state: TriageState, first: TriageRun) -> Verdict:
    uv = f"uv {first.result.uv}"
    today = state.run_of("today")
    if today and today.shows:
        return Verdict(
            "inconclusive", f"{uv} does not show it with PyPI as on the post's day, and shows it with that of today."
        )
    if found := next((run for run in state.runs if run.kind == "varied" and run.shows), None):
        return Verdict(
            "needs_more_information",
            f"As posted {uv} does not show it ({first.outcome.reason}), but it does {found.planned.name}: was it that?",
        )
    if first.verdict.word != "not_reproducible":
        return _fails_differently(state, first)
    latest = state.run_of("latest")
    if latest and latest.shows:
        return Verdict("inconclusive", f"{uv} does not show it, but uv {latest.result.uv} does.")
    said = f"{uv} does not show it: {first.outcome.reason}"
    if unearned := _missing_condition(state):
        word: Literal["needs_more_information", "inconclusive"]
        word = "needs_more_information" if _questions(state) else "inconclusive"
        return Verdict(word, f"{said}; that is no proof, because {_sentence(unearned)}")
    also = f", nor does uv {latest.result.uv}" if latest and latest.outcome.word == "absent" else ""
    varied = [run.planned.name for run in state.runs if run.kind == "varied"]
    tried = f" (tried too: {', '.join(varied)})" if varied else ""
    return Verdict("not_reproducible", f"{_sentence(said + also + tried)}")


def _fails_differently(state: TriageState, first: TriageRun) -> Verdict:
    """Say what it means that the run came out neither way."""
    base = first.result.base
    reason = first.verdict.reason
    if base.outcome.word in ("different", "broken") and base.observation.steps and not base.observation.unanswered:
        step = base.observation.steps[-1]
        if step.exit and not step.timed_out:
            ended = _sentence(_shorten(innermost_cause(step)))
            reason = (
                f"On uv {first.result.uv} `{step.title}` fails, but not as reported: {ended}{_likely_mistake(state)}"
            )
            if not state.missing and not _is_other_platform(state):
                more = "" if state.mistakes else " What the post shows is not enough to see it."
                return Verdict("needs_more_information", reason + more)
    if _questions(state):
        return Verdict("needs_more_information", reason)
    return Verdict("inconclusive", reason)


def questions(state: TriageState) -> tuple[str, ...]:
    """Return what to ask the reporter, ready to be pasted."""
    found = dict.fromkeys(_questions(state))
    first = state.runs[0] if state.runs else None
    verdict = decide(state).word
    if verdict == "needs_more_information" and not found and first and not state.reproducing_run:
        uv = first.result.uv
        found[f"Which files and commands, from an empty folder, show it with uv {uv}? As posted it ends otherwise."] = (
            None
        )
    return tuple(found)


def _questions(state: TriageState) -> list[str]:
    gaps = dict.fromkeys(sorted((*state.blocking_gaps, *state.parsed.gaps), key=lambda gap: not gap.blocking))
    return [*(gap.question for gap in gaps if gap.question), *(m.question for m in state.mistakes if m.question)]


def _missing_condition(state: TriageState) -> str:
    """Say what was not there although it may decide; empty where nothing was missing."""
    if state.stop_reason:
        return state.stop_reason
    if state.missing:
        return state.missing[0]
    if _is_other_platform(state) and state.parsed.platform:
        return f"it was reported on {state.parsed.platform.text}"
    if state.parsed.stand_ins:
        return f"something stands in for what cannot be had ({state.parsed.stand_ins[0]})"
    implied = [named.path for named in state.parsed.files if named.inferred and not TRIVIAL_FILE.search(named.path)]
    if implied:
        return f"the post does not show {', '.join(implied[:3])}"
    return ""


def _is_other_platform(state: TriageState) -> bool:
    """Tell whether the report is from another platform than the one that runs it."""
    said = state.parsed.platform.text.casefold() if state.parsed.platform else ""
    return bool(OTHER_PLATFORM.search(said)) and not (
        SAME_PLATFORM.search(said) and not re.search(r"windows|mac|darwin", said)
    )


def _conditions(shown: TriageRun) -> str:
    return PLANNED_WITH.get(shown.kind, "")


def _symptom_text(state: TriageState, shown: TriageRun) -> str:
    step, claim = matching_step(shown.planned.mre.symptom, shown.result.base.observation), state.parsed.claim
    if step is None:
        return shown.outcome.reason
    if step.exit and not claim.test and not (step.exit == HOLDS and claim.output):
        ends = "fails" if step.exit == HOLDS else f"ends with {step.exit}"
        return f"`{_shorten(step.title)}` {ends}, “{_shorten(innermost_cause(step))}”"
    if test := claim.test:
        before = [each.title for each in shown.result.base.observation.steps if each.role == "setup"]
        return f"after `{_shorten((before or [step.title])[-1])}` this holds: `{_shorten(test)}`"
    texts = [
        *(shown.planned.mre.symptom.output or claim.output),
        *(f"{f.path}: {f.contains}" for f in shown.planned.mre.symptom.files),
    ]
    told = f", “{_shorten(' '.join(texts[-1].split()))}”" if texts else ", and says nothing of it"
    ends = "prints the lines" if step.exit else "succeeds"
    return f"`{_shorten(step.title)}` {ends}{told}"


def _boundary_text(state: TriageState) -> str:
    if state.first_good:
        return f" Since uv {state.first_good} no more."
    latest = state.run_of("latest")
    if latest and latest.outcome.word == "absent":
        return f" uv {latest.result.uv} does not show it any more."
    if latest and latest.shows:
        return f" uv {latest.result.uv} shows it still."
    edge = state.history.boundaries.first_good if state.history and not state.history.unsound else None
    return " The latest release shows it still." if edge and edge.word == "beyond" else ""


def _cutoff_text(state: TriageState, shown: TriageRun) -> str:
    today, date = state.run_of("today"), shown.planned.mre.environment.exclude_newer
    if today is None or today is shown:
        return (
            f" With PyPI as on {state.mre.environment.exclude_newer} it could not be told."
            if today and state.mre
            else ""
        )
    if today.outcome.word == shown.outcome.word:
        return ""
    return (
        f" That is with PyPI as on {date}; with that of today: {today.outcome.word} ({_shorten(today.outcome.reason)})."
    )


def _prints_expected(state: TriageState, good: TriageRun) -> bool | None:
    """Tell whether a release on which it does not show does what the post expects; None where it expects nothing."""
    if not state.parsed.claim.expected:
        return None
    return contains_all(state.parsed.claim.expected, good.result.base.observation)


def _shorten(text: str) -> str:
    return text if len(text) <= MOST_CHARACTERS else f"{text[: MOST_CHARACTERS - 1]}…"


def _sentence(text: str) -> str:
    return text if text.endswith((".", "?", "!")) else f"{text}."
