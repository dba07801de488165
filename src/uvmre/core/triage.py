"""What an issue's text and its runs say together. A wrong `reproducible` is the worst answer."""

import re
from typing import Literal

from uvmre.core.case import Case, Kind, Trial
from uvmre.core.mre import HOLDS
from uvmre.core.proof import cause, judged, says
from uvmre.core.symptom import shown_by
from uvmre.core.verdict import Verdict

HOW: dict[Kind, str] = {"day": " (the newest of that day)", "today": " with PyPI as it is today"}
TRIVIAL = re.compile(r"(?:^|/)(?:readme[^/]*|__init__\.py|py\.typed|license[^/]*)\Z", re.IGNORECASE)
"""Files whose content hardly ever decides."""
HERE = re.compile(
    r"linux|ubuntu|debian|fedora|arch|alpine|centos|red ?hat|rhel|rocky|suse|nixos|mint|wsl|docker|x86_64|amd64"
)
OTHER = re.compile(r"windows|win(?:10|11|32|64)|mac ?os|darwin|os x|apple|aarch64|arm64|freebsd|powershell|musl")
LONG = 160


def decide(case: Case) -> Verdict:
    """Say what the text and the runs mean together."""
    if case.shown and (explained := _explained(case, case.shown)):
        return explained
    if case.mre is None or case.deciding or not case.trials:
        return _asked(case)
    if case.shown:
        return _shows(case, case.shown)
    return _does_not_show(case, case.trials[0])


def _explained(case: Case, shown: Trial) -> Verdict | None:
    outcomes = {variant.name: variant.outcome for variant in shown.result.variants}
    for mistake in case.mistakes:
        if mistake.control and (outcome := outcomes.get(mistake.control)) and outcome.word == "absent":
            why = _end(mistake.why)
            return Verdict(
                "explained", f"{why} With that mended ({mistake.where}) uv {shown.result.uv} does not show it."
            )
    return None


def _asked(case: Case) -> Verdict:
    """Say what decides and is missing."""
    gaps = case.deciding or case.draft.gaps
    if case.cut and not gaps:
        return Verdict("inconclusive", _end(case.cut))
    if not gaps:
        return Verdict("needs_more_information", "The post has no command that could be run and no claim to look for.")
    more = f" (and {len(gaps) - 1} more)" if len(gaps) > 1 else ""
    return Verdict("needs_more_information", f"{_end(gaps[0].what + more)}{_suspected(case)}")


def _suspected(case: Case) -> str:
    return next((f" A known mistake is likely: {_end(mistake.why)}" for mistake in case.mistakes), "")


def _shows(case: Case, shown: Trial) -> Verdict:
    uv = f"uv {shown.result.uv}"
    seen = _end(f"{uv} shows it{_how(shown)}: {_seen(case, shown)}")
    edge, calendar = _edge(case), _calendar(case, shown)
    if case.proof.strong:
        return Verdict("reproducible", f"{seen}{edge}{calendar}")
    weak = f"By itself that proves nothing, because {case.proof.why}"
    good = case.trial("good") or case.trial("latest")
    if good and not case.proof.never and _without(case, shown, good):
        wanted = _wanted(case, good)
        if wanted is not False:
            sure = "and says what was expected" if wanted else "and what it changed is what was reported"
            return Verdict("reproducible", f"{seen} uv {good.result.uv} does it otherwise, {sure}.{edge}{calendar}")
        weak = f"uv {good.result.uv} does it otherwise, but not as the post expects"
    elif case.cut:
        weak = f"{weak}, and {case.cut}"
    elif good:
        weak = f"{weak}; on uv {good.result.uv}: {good.outcome.reason}"
    else:
        weak = f"{weak}, and no release is known on which it does not show"
    return Verdict("needs_more_information" if _questions(case) else "inconclusive", f"{seen} {_end(weak)}{calendar}")


def _without(case: Case, shown: Trial, good: Trial) -> bool:
    """Tell whether a release is without the bug: its commands succeed, or fail otherwise where that tells.

    What differs only in uv's own version does not: that differs on every release. Nor is anything known of a command of
    which it is only said that it fails or succeeds, where nothing was seen to do otherwise on the reported release.
    """
    if good.outcome.word in ("absent", "different") and _wanted(case, good):
        return True
    if not case.proof.telling:
        blind = case.draft.claim.kind in ("failure", "silence") and not case.draft.claim.output
        if blind and not shown.wish.mre.controls:
            return False
        return good.outcome.word == "absent" and not _same_but_version(shown, good)
    outcome = judged(shown.wish.mre.symptom, good.result.base.observation, shown.result.uv)
    return outcome.word == "absent"


def _same_but_version(shown: Trial, good: Trial) -> bool:
    symptom, base = shown.wish.mre.symptom, good.result.base.observation
    texts = [*symptom.output, *(pattern.contains for pattern in symptom.files)]
    if not any(shown.result.uv in text for text in texts):
        return False
    return says([text.replace(shown.result.uv, good.result.uv) for text in texts], base)


def _does_not_show(case: Case, first: Trial) -> Verdict:
    uv = f"uv {first.result.uv}"
    today = case.trial("today")
    if today and today.shows:
        return Verdict(
            "inconclusive", f"{uv} does not show it with PyPI as on the post's day, and shows it with that of today."
        )
    if found := next((trial for trial in case.trials if trial.kind == "varied" and trial.shows), None):
        return Verdict(
            "needs_more_information",
            f"As posted {uv} does not show it ({first.outcome.reason}), but it does {found.wish.name}: was it that?",
        )
    if first.verdict.word != "not_reproducible":
        return _failed(case, first)
    latest = case.trial("latest")
    if latest and latest.shows:
        return Verdict("inconclusive", f"{uv} does not show it, but uv {latest.result.uv} does.")
    said = f"{uv} does not show it: {first.outcome.reason}"
    if unearned := _unearned(case):
        word: Literal["needs_more_information", "inconclusive"]
        word = "needs_more_information" if _questions(case) else "inconclusive"
        return Verdict(word, f"{said}; that is no proof, because {_end(unearned)}")
    also = f", nor does uv {latest.result.uv}" if latest and latest.outcome.word == "absent" else ""
    varied = [trial.wish.name for trial in case.trials if trial.kind == "varied"]
    tried = f" (tried too: {', '.join(varied)})" if varied else ""
    return Verdict("not_reproducible", f"{_end(said + also + tried)}")


def _failed(case: Case, first: Trial) -> Verdict:
    """Say what it means that the run came out neither way."""
    base = first.result.base
    reason = first.verdict.reason
    if base.outcome.word in ("different", "broken") and base.observation.steps and not base.observation.unanswered:
        step = base.observation.steps[-1]
        if step.exit and not step.timed_out:
            ended = _end(_short(cause(step)))
            reason = f"On uv {first.result.uv} `{step.title}` fails, but not as reported: {ended}{_suspected(case)}"
            if not case.lacks and not _elsewhere(case):
                more = "" if case.mistakes else " What the post shows is not enough to see it."
                return Verdict("needs_more_information", reason + more)
    if _questions(case):
        return Verdict("needs_more_information", reason)
    return Verdict("inconclusive", reason)


def questions(case: Case) -> tuple[str, ...]:
    """Return what to ask the reporter, ready to be pasted."""
    found = dict.fromkeys(_questions(case))
    first = case.trials[0] if case.trials else None
    verdict = decide(case).word
    if verdict == "needs_more_information" and not found and first and not case.shown:
        uv = first.result.uv
        found[f"Which files and commands, from an empty folder, show it with uv {uv}? As posted it ends otherwise."] = (
            None
        )
    return tuple(found)


def _questions(case: Case) -> list[str]:
    gaps = dict.fromkeys(sorted((*case.deciding, *case.draft.gaps), key=lambda gap: not gap.decides))
    return [*(gap.question for gap in gaps if gap.question), *(m.question for m in case.mistakes if m.question)]


def _unearned(case: Case) -> str:
    """Say what was not there although it may decide; empty where nothing was missing."""
    if case.cut:
        return case.cut
    if case.lacks:
        return case.lacks[0]
    if _elsewhere(case) and case.draft.platform:
        return f"it was reported on {case.draft.platform.text}"
    if case.draft.stood_in:
        return f"something stands in for what cannot be had ({case.draft.stood_in[0]})"
    implied = [named.path for named in case.draft.files if named.implied and not TRIVIAL.search(named.path)]
    if implied:
        return f"the post does not show {', '.join(implied[:3])}"
    return ""


def _elsewhere(case: Case) -> bool:
    """Tell whether the report is from another platform than the one that runs it."""
    said = case.draft.platform.text.casefold() if case.draft.platform else ""
    return bool(OTHER.search(said)) and not (HERE.search(said) and not re.search(r"windows|mac|darwin", said))


def _how(shown: Trial) -> str:
    return HOW.get(shown.kind, "")


def _seen(case: Case, shown: Trial) -> str:
    step, claim = shown_by(shown.wish.mre.symptom, shown.result.base.observation), case.draft.claim
    if step is None:
        return shown.outcome.reason
    if step.exit and not claim.test and not (step.exit == HOLDS and claim.output):
        ends = "fails" if step.exit == HOLDS else f"ends with {step.exit}"
        return f"`{_short(step.title)}` {ends}, “{_short(cause(step))}”"
    if test := claim.test:
        before = [each.title for each in shown.result.base.observation.steps if each.role == "setup"]
        return f"after `{_short((before or [step.title])[-1])}` this holds: `{_short(test)}`"
    texts = [
        *(shown.wish.mre.symptom.output or claim.output),
        *(f"{f.path}: {f.contains}" for f in shown.wish.mre.symptom.files),
    ]
    told = f", “{_short(' '.join(texts[-1].split()))}”" if texts else ", and says nothing of it"
    ends = "prints the lines" if step.exit else "succeeds"
    return f"`{_short(step.title)}` {ends}{told}"


def _edge(case: Case) -> str:
    if case.first_good:
        return f" Since uv {case.first_good} no more."
    latest = case.trial("latest")
    if latest and latest.outcome.word == "absent":
        return f" uv {latest.result.uv} does not show it any more."
    if latest and latest.shows:
        return f" uv {latest.result.uv} shows it still."
    edge = case.history.boundaries.first_good if case.history and not case.history.unsound else None
    return " The latest release shows it still." if edge and edge.word == "beyond" else ""


def _calendar(case: Case, shown: Trial) -> str:
    today, date = case.trial("today"), shown.wish.mre.environment.date
    if today is None or today is shown:
        return f" With PyPI as on {case.mre.environment.date} it could not be told." if today and case.mre else ""
    if today.outcome.word == shown.outcome.word:
        return ""
    return (
        f" That is with PyPI as on {date}; with that of today: {today.outcome.word} ({_short(today.outcome.reason)})."
    )


def _wanted(case: Case, good: Trial) -> bool | None:
    """Tell whether a release on which it does not show does what the post expects; None where it expects nothing."""
    if not case.draft.claim.wanted:
        return None
    return says(case.draft.claim.wanted, good.result.base.observation)


def _short(text: str) -> str:
    return text if len(text) <= LONG else f"{text[: LONG - 1]}…"


def _end(text: str) -> str:
    return text if text.endswith((".", "?", "!")) else f"{text}."
