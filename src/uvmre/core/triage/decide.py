"""Decide what an issue's text and its runs mean together. A wrong `reproducible` is the worst answer."""

import re
from collections.abc import Sequence
from typing import Literal

from uvmre.core.mre.model import HOLDS
from uvmre.core.network.simple_page import describe_cutoff
from uvmre.core.outcome.error_chain import cause_of
from uvmre.core.outcome.matching import matching_step
from uvmre.core.outcome.verdict import Verdict
from uvmre.core.triage.evidence import ENVIRONMENT_CAUSES, ENVIRONMENT_ERRORS, FIRM_RULES, Strength, contains_all
from uvmre.core.triage.other_release import judge_release, reports_it
from uvmre.core.triage.parsed_issue import NOT_RELEASED
from uvmre.core.triage.state import COMPARED, Kind, TriageRun, TriageState

CONDITIONS: dict[Kind, str] = {"day": " (the first release after the report)", "today": " with today's PyPI"}
TRIVIAL_FILE = re.compile(r"(?:^|/)(?:readme[^/]*|__init__\.py|py\.typed|license[^/]*)\Z", re.IGNORECASE)
"""Files whose content hardly ever matters."""
SAME_PLATFORM = re.compile(
    r"linux|ubuntu|debian|fedora|arch|alpine|centos|red ?hat|rhel|rocky|suse|nixos|mint|wsl|docker|x86_64|amd64"
)
OTHER_PLATFORM = re.compile(
    r"windows|win(?:10|11|32|64)|mac ?os|darwin|os x|apple|aarch64|arm64|freebsd|powershell|musl"
)
NUMBERS = re.compile(r"\d{1,9}(?:\.\d{1,9}){1,5}")
MOST_CHARACTERS = 160
MOST_INVENTIONS = 3


def choose(attempts: Sequence[TriageState]) -> TriageState:
    """Return the attempt that answers the issue: the first that is proven, else one that shows, else the likeliest."""
    proven = [each for each in attempts if decide(each).word in ("reproducible", "explained")]
    shown = [each for each in attempts if each.reproducing_run]
    return [*proven, *shown, *attempts][0]


def decide(state: TriageState) -> Verdict:
    """Return the verdict on one reading of an issue."""
    if shown := state.reproducing_run:
        # That is what the author of the MRE says; only a known mistake explains a report.
        by_author = Verdict("inconclusive", shown.verdict.reason) if shown.verdict.word == "explained" else None
        return by_author or _explained(state, shown) or _shows(state, shown)
    if state.mre is None or state.blocking_gaps or not state.runs:
        return _more_information(state)
    return _does_not_show(state, state.runs[0])


def _explained(state: TriageState, shown: TriageRun) -> Verdict | None:
    outcomes = {variant.name: variant.outcome for variant in shown.result.variants}
    for mistake in state.mistakes:
        if mistake.control and (outcome := outcomes.get(mistake.control)) and outcome.word == "absent":
            fixed = f"With that fixed ({mistake.where}), uv {shown.result.uv} does not show the symptom."
            return Verdict("explained", f"{_sentence(mistake.why)} {fixed}")
    return None


def _more_information(state: TriageState) -> Verdict:
    gaps = state.blocking_gaps or state.parsed.gaps
    if state.stop_reason and not gaps:
        return Verdict("inconclusive", _sentence(state.stop_reason))
    if not gaps:
        return Verdict("needs_more_information", "The report contains no command to run and no symptom to look for.")
    more = f" (and {len(gaps) - 1} more)" if len(gaps) > 1 else ""
    return Verdict("needs_more_information", f"{_sentence(gaps[0].description + more)}{_likely_mistake(state)}")


def _likely_mistake(state: TriageState) -> str:
    return next((f" A likely mistake: {_sentence(mistake.why)}" for mistake in state.mistakes), "")


def _shows(state: TriageState, shown: TriageRun) -> Verdict:
    conditions = CONDITIONS.get(shown.kind, "")
    symptom = _sentence(f"uv {shown.result.uv} shows it{conditions}: {_symptom_text(state, shown)}")
    boundary, cutoff = _boundary_text(state), _cutoff_text(state, shown)
    if unproven := _unproven(state):
        return Verdict(_undecided(state), f"{symptom} {_sentence(unproven)}{boundary}{cutoff}")
    if state.evidence.strength is Strength.STRONG:
        return Verdict("reproducible", f"{symptom}{boundary}{cutoff}")
    weak = f"Weak evidence: {state.evidence.why}"
    others = [run for kind in COMPARED for run in state.runs if run.kind == kind]
    fixed = [run for run in others if _is_fixed_in(state, shown, run)]
    again = state.run_of("again")
    if fixed and again and not again.shows:
        weak = f"It does not show every time: {again.outcome.reason}"
    elif fixed and state.evidence.strength is not Strength.NONE:
        expected = _prints_expected(state, fixed[0])
        if expected is not False:
            differs = "prints the expected output" if expected else "behaves differently, in exactly the reported way"
            return Verdict("reproducible", f"{symptom} uv {fixed[0].result.uv} {differs}.{boundary}{cutoff}")
        weak = f"uv {fixed[0].result.uv} behaves differently, but not as the report expects"
    elif state.stop_reason:
        weak = f"{weak}; {state.stop_reason}"
    elif others:
        weak = f"{weak}; on uv {others[0].result.uv}: {others[0].outcome.reason}"
    else:
        weak = f"{weak}; no release without the symptom is known"
    word = _undecided(state)
    return Verdict(word, f"{symptom} {_sentence(weak)}{cutoff}")


def _unproven(state: TriageState) -> str:
    """Return why nothing that an MRE shows can prove the report: too much of it is not the reporter's."""
    doubt = next((gap.description for gap in state.parsed.gaps if NOT_RELEASED in gap.description), "")
    if doubt and not state.uv_stated:
        return f"The release of the report is unknown: {doubt}"
    altering = next((each for each in state.repairs if each.kind == "altering"), None)
    if altering:
        return f"Probably: {altering.description}, which changes what the report shows"
    inventions = [each.description for each in state.repairs if each.kind == "inventing"]
    return f"Probably: {'; '.join(inventions)}" if len(inventions) >= MOST_INVENTIONS else ""


def _is_fixed_in(state: TriageState, shown: TriageRun, good: TriageRun) -> bool:
    """Tell whether a release lacks the bug: its commands succeed, or fail with a distinctly different error.

    A difference in uv's own version number does not count: every release has it. Nor does a command of which the report
    only says that it fails or succeeds, unless a control behaves differently on the reported release, or another one
    reports what uv is silent about.
    """
    if state.parsed.claim.two_sided:
        return good.outcome.word == "absent"
    if state.parsed.claim.kind == "output" and good.kind == "latest" and state.history and not state.first_good:
        return False  # outputs change in hundreds of releases, and no release is known in which this one did
    if good.outcome.word in ("absent", "different") and _prints_expected(state, good):
        return True
    if state.evidence.strength is not Strength.DISTINCTIVE:
        no_output = state.parsed.claim.kind in ("failure", "silence") and not state.parsed.claim.output
        if no_output and not shown.planned.mre.controls:
            return reports_it(state.parsed.claim.about, shown.result.base.observation, good.result.base.observation)
        return good.outcome.word == "absent" and not _differs_only_in_version(shown, good)
    mre, observed = shown.planned.mre, good.result.base.observation
    outcome = judge_release(mre.symptom, mre.expected, observed, shown.result.uv)
    return outcome.word == "absent"


def _differs_only_in_version(shown: TriageRun, good: TriageRun) -> bool:
    symptom, base = shown.planned.mre.symptom, good.result.base.observation
    texts = [*symptom.texts, *(text for file in symptom.files for text in (file.contains, file.raw) if text)]
    if not any(shown.result.uv in text for text in texts):
        return False
    # A range that uv writes has another end then, too: `uv_build>=0.8.3,<0.9.0`.
    return contains_all([NUMBERS.sub("…", text) for text in texts], base)


def _does_not_show(state: TriageState, first: TriageRun) -> Verdict:
    uv = f"uv {first.result.uv}"
    today = state.run_of("today")
    if today and today.shows:
        return Verdict("inconclusive", f"{uv} shows it with today's PyPI, but not with PyPI as of the report's date.")
    if found := next((run for run in state.runs if run.kind == "varied" and run.shows), None):
        absent = f"{uv} does not show it as posted ({first.outcome.reason})"
        return Verdict(
            "needs_more_information", f"{absent}, but shows it {found.planned.name}: is that how it was run?"
        )
    if first.verdict.word != "not_reproducible":
        return _fails_differently(state, first)
    latest = state.run_of("latest")
    if latest and latest.shows:
        return Verdict("inconclusive", f"{uv} does not show it, but uv {latest.result.uv} does.")
    absent = f"{uv} does not show it: {first.outcome.reason}"
    if missing := _missing_condition(state):
        return Verdict(_undecided(state), f"{absent}; that is weak evidence: {_sentence(missing)}")
    also = f"; uv {latest.result.uv} does not show it either" if latest and latest.outcome.word == "absent" else ""
    varied = [run.planned.name for run in state.runs if run.kind == "varied"]
    tried = f" (also tried: {', '.join(varied)})" if varied else ""
    return Verdict("not_reproducible", f"{_sentence(absent + also + tried)}")


def _fails_differently(state: TriageState, first: TriageRun) -> Verdict:
    """Return the verdict where the first run neither shows the symptom nor succeeds."""
    base = first.result.base
    reason = first.verdict.reason
    if base.outcome.word in ("different", "broken") and base.observation.steps and not base.observation.unanswered:
        step = base.observation.steps[-1]
        if step.exit and not step.timed_out:
            ending = _sentence(_shorten(cause_of(step)))
            reason = f"On uv {first.result.uv}, `{step.title}` fails, but not as reported: {ending}"
            reason += _likely_mistake(state)
            if not state.missing and not _is_other_platform(state):
                more = "" if state.mistakes else " The report is not sufficient to reproduce it."
                return Verdict("needs_more_information", reason + more)
    return Verdict(_undecided(state), reason)


def _undecided(state: TriageState) -> Literal["needs_more_information", "inconclusive"]:
    return "needs_more_information" if _questions(state) else "inconclusive"


def questions(state: TriageState) -> tuple[str, ...]:
    """Return what to ask the reporter, ready to paste."""
    found = dict.fromkeys(_questions(state))
    first = state.runs[0] if state.runs else None
    verdict = decide(state).word
    if verdict == "needs_more_information" and not found and first and not state.reproducing_run:
        uv = first.result.uv
        return (
            f"Which files and commands, starting from an empty directory, reproduce it with uv {uv}? "
            "The posted commands end differently.",
        )
    return tuple(found)


def _questions(state: TriageState) -> list[str]:
    gaps = dict.fromkeys(sorted((*state.blocking_gaps, *state.parsed.gaps), key=lambda gap: not gap.blocking))
    return [*(gap.question for gap in gaps if gap.question), *(m.question for m in state.mistakes if m.question)]


def _missing_condition(state: TriageState) -> str:
    """Return a condition of the report that the runs did not meet; empty where they met all of them."""
    if state.stop_reason:
        return state.stop_reason
    if state.missing:
        return state.missing[0]
    if _is_other_platform(state) and state.parsed.platform:
        return f"it was reported on {state.parsed.platform.text}"
    if state.parsed.claim.rule not in FIRM_RULES:
        return "what is looked for is not the output that the report shows of this command"
    found = ENVIRONMENT_ERRORS.search(" ".join(state.parsed.claim.output[-1:]))
    if found and found.lastgroup != "package":
        return f"{ENVIRONMENT_CAUSES[found.lastgroup or 'file']} on the reporter's machine may be the cause"
    if state.parsed.stand_ins:
        return f"the run uses a stand-in ({state.parsed.stand_ins[0]})"
    if state.repairs:
        return f"the MRE was repaired ({state.repairs[0].description})"
    paths = [file.path for file in state.parsed.files if not file.good]
    if twice := next((path for path in paths if paths.count(path) > 1), ""):
        return f"the report shows {twice} more than once"
    inferred = [file.path for file in state.parsed.files if file.inferred and not TRIVIAL_FILE.search(file.path)]
    if inferred:
        return f"the report does not show {', '.join(inferred[:3])}"
    return ""


def _is_other_platform(state: TriageState) -> bool:
    """Tell whether the report is from another platform than this one."""
    platform = state.parsed.platform.text.casefold() if state.parsed.platform else ""
    same = SAME_PLATFORM.search(platform) and not re.search(r"windows|mac|darwin", platform)
    return bool(OTHER_PLATFORM.search(platform)) and not same


def _symptom_text(state: TriageState, shown: TriageRun) -> str:
    symptom, observation = shown.planned.mre.symptom, shown.result.base.observation
    step, claim = matching_step(symptom, observation), state.parsed.claim
    if step is None:
        return shown.outcome.reason
    if claim.exists is not None:
        return f"after `{_shorten(step.title)}`, there is {'a' if claim.exists else 'no'} `{claim.file}`"
    if step.exit and not claim.test and not (step.exit == HOLDS and claim.output):
        ends = "fails" if step.exit == HOLDS else f"exits with {step.exit}"
        return f"`{_shorten(step.title)}` {ends}: “{_shorten(cause_of(step))}”"
    if test := claim.test:
        setup = [each.title for each in observation.steps if each.role == "setup"]
        return f"after `{_shorten((setup or [step.title])[-1])}`, `{_shorten(test)}` succeeds"
    texts = [*(symptom.output or claim.output), *(f"{f.path}: {f.contains}" for f in symptom.files)]
    output = f": “{_shorten(' '.join(texts[-1].split()))}”" if texts else " without the expected message"
    ends = "prints the lines" if step.exit else "succeeds"
    return f"`{_shorten(step.title)}` {ends}{output}"


def _boundary_text(state: TriageState) -> str:
    if state.first_good:
        return f" Fixed in uv {state.first_good}."
    latest = state.run_of("latest")
    if latest and latest.outcome.word == "absent":
        return f" uv {latest.result.uv} does not show it."
    if latest and latest.shows:
        return f" uv {latest.result.uv} still shows it."
    edge = state.history.boundaries.first_good if state.history and not state.history.unsound else None
    return " The latest release still shows it." if edge and edge.word == "beyond" else ""


def _cutoff_text(state: TriageState, shown: TriageRun) -> str:
    today, date = state.run_of("today"), shown.planned.mre.environment.exclude_newer
    if today is None:
        return ""
    if today is shown:
        cutoff = state.mre.environment.exclude_newer if state.mre else None
        return f" The run with PyPI as it was {describe_cutoff(cutoff)} is inconclusive." if cutoff else ""
    if today.outcome.word == shown.outcome.word or date is None:
        return ""
    then, now = f"PyPI as it was {describe_cutoff(date)}", f"{today.outcome.word} ({_shorten(today.outcome.reason)})"
    return f" This is {then}; today's PyPI: {now}."


def _prints_expected(state: TriageState, good: TriageRun) -> bool | None:
    """Tell whether a release without the symptom prints what the report expects; None if it expects nothing."""
    if not state.parsed.claim.expected:
        return None
    return contains_all(state.parsed.claim.expected, good.result.base.observation)


def _shorten(text: str) -> str:
    return text if len(text) <= MOST_CHARACTERS else f"{text[: MOST_CHARACTERS - 1]}…"


def _sentence(text: str) -> str:
    return text if text.endswith((".", "?", "!")) else f"{text}."
