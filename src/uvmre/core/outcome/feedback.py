"""What to change next in an MRE, from what its variants did: facts for `run --json`, and one suggestion."""

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import fields
from typing import Any

from uvmre.core.mre import keys
from uvmre.core.mre.model import MANIFEST, Control, Mre, overlay
from uvmre.core.network.simple_page import parse_filename
from uvmre.core.outcome.matching import DOES_NOT_SUPPORT
from uvmre.core.outcome.observation import Observation
from uvmre.core.outcome.parts import wrong_exit
from uvmre.core.outcome.result import Variant
from uvmre.core.outcome.verdict import EXPECTED
from uvmre.core.text.normalize import find_pattern_spans, normalize, readable

Facts = Iterator[tuple[str, dict[str, Any]]]
CLOSE = 0.6
"""The similarity from which a line is another wording of a text."""
NOT_A_HOST = "is not a host of this MRE"
PRIVATE = ("example.com", ".example", ".internal", ".local", ".corp", ".lan", ".test", ".invalid")
MISSING = re.compile(rf"{DOES_NOT_SUPPORT} `([^`]+)`")
IN_USE = re.compile(r"EADDRINUSE|address (?:is )?already in use|\b(?:os error|errno) (?:98|48)\b", re.IGNORECASE)
ERROR = re.compile(r"^(?:error: |  [×x] )\S", re.MULTILINE)
CALLS_UV = re.compile(r"(?<![\w-])uvx?\s")
INSTALLED = re.compile(r"^ [+~] ([\w.-]+)==([^\s()]+)|^Added ([\w.-]+) v(\S+)", re.MULTILINE)
PRINTS = re.compile(r"\b(?:echo|printf)\s[^|;&\n]+|<<[^\0]+")
LATE = re.compile(r" are kept\b|cutoff date is not applied")
"""In the notes of requests whose files may be newer than the cutoff date."""
URL = re.compile(r"(?P<git>git\+)?(?:https?|ssh)://(?:[^\s/\"'@]{1,200}@)?(?P<host>[\w.-]+)(?P<path>[^\s\"'<>#?@]*)")
CLONES = re.compile(r"\bgit (?:= |clone )\S{0,9}\Z")
EDITS = {
    "remedy": f"{{why}}: add to `{MANIFEST}`\n{{toml}}",
    "conflicts": "make the server of `{step}` a `[[service]]`, or give it another port: “{line}”",
    "near_miss": "drop “{text}”, or replace it with what is there: “{line}”",
    "swallowed": "end `{step}` with the exit code of uv, whose error it hides: “{line}”",
    "cause": "fix what fails first in `{step}`, or report it: “{line}”",
}
"""What to do about each kind of fact, the most useful kind first."""
ELSEWHERE = 'set `role = "observe"` on step `{step}`, which meets “{text}”; no observed step does'
NOTHING = "nothing in the output is like “{text}”: check that the steps are those of the report"
ANOTHER_EXIT = "correct `exit`, since the texts are all there: `{step}` exits with code {line}"


def feedback(mre: Mre, variants: Sequence[Variant]) -> dict[str, Any]:
    """Return what the runs of an MRE and its controls tell its author, without what is empty."""
    versions = [_versions(variant.observation) for variant in variants]
    mres, found = [mre, *(overlay(mre, control) for control in mre.controls)], defaultdict[str, Any](list)
    for own, variant, chosen in zip(mres, variants, versions, strict=True):
        base = versions[0] if variant.expect else set()
        resolved = ("resolved", {"added": sorted(chosen - base), "removed": sorted(base - chosen)})
        for key, fact in (*_judged(own, variant), *_noticed(own, variant), *[resolved] * bool(chosen - base)):
            found[key].append({"variant": variant.name, **fact})
    found["weakness"] = list(_weaknesses(mre, variants))
    found["next_edit"] = next(_edits(mre, variants, found), "")
    return {key: value for key, value in found.items() if value}


def _judged(mre: Mre, variant: Variant) -> Facts:
    """Yield why a variant has another outcome than the symptom's."""
    observation, word, exit_ = variant.observation, variant.outcome.word, mre.symptom.exit
    if word in ("absent", "different") and variant.expect in ("", "present"):
        from uvmre.core.outcome.near_miss import near_misses

        yield from (("near_miss", each) for each in near_misses(mre.symptom, observation))
        steps = [(not wrong_exit(exit_, each), each) for each in observation.steps if each.role == "observe"]
        for met, step in sorted(steps, key=lambda each: each[0])[-1:] if exit_ is not None else ():
            data = {"kind": "exit", "text": str(exit_), "met": met, "line": str(step.exit)}
            yield "near_miss", {**data, "similarity": float(met), "step": step.title, "stream": ""}
    failed = [step for step in observation.steps if step.exit]
    if failed and word in ("different", "broken"):
        from uvmre.core.outcome.error_chain import cause_of

        yield "cause", {"step": failed[-1].title, "line": cause_of(failed[-1])}
    if word == "broken":
        from tomli_w import dumps

        if missing := MISSING.search(variant.outcome.reason):
            yield "unavailable", {"feature": missing[1], "uv": observation.uv}
        for why, header, table in _remedies(mre, observation, missing[1] if missing else ""):
            yield "remedy", {"why": why, "toml": f"{header}\n{dumps(table)}".strip()}


def _noticed(mre: Mre, variant: Variant) -> Facts:
    """Yield what happened beside the outcome."""
    requests, texts = variant.observation.requests, mre.symptom.texts
    for step in variant.observation.steps:
        output = step.stderr + "\n" + step.stdout
        if step.timed_out:
            urls = [f"{request.host}{request.path}" for request in requests[-3:]]
            yield "last_progress", {"step": step.title, "seconds": round(step.idle_seconds, 1), "urls": urls}
        if not any(map(IN_USE.search, (*texts, step.run))):
            lines = [line.strip() for line in readable(output).split("\n") if IN_USE.search(line)]
            yield from (("conflicts", {"step": step.title, "line": line}) for line in lines[:1])
        errors = step.stderr or step.stdout * ("2>&1" in step.run)
        before, *after = CALLS_UV.split(step.run.strip().replace("&&", ""), 1)
        hides = after and (before.rstrip().endswith("!") or {*"|;&\n"} & {*after[0]})  # the exit code of uv
        if not step.exit and hides and ERROR.search(readable(errors)):
            from uvmre.core.outcome.error_chain import cause_of

            line, quoted = cause_of(step), [step.run, *_contents(mre)]
            if not any(_count(line, each) for each in quoted) and not any(_count(each, output) for each in texts):
                yield "swallowed", {"step": step.title, "line": line}
    notes = {f"{request.host}{request.path}": request.reason for request in requests if LATE.search(request.reason)}
    yield from (("after_cutoff", {"url": url, "why": why}) for url, why in notes.items())


def _count(text: str, output: str) -> int:
    return len(find_pattern_spans(text, normalize(output)))


def _contents(mre: Mre, run: str = "") -> list[str]:
    """Return the files of an MRE, or only those that a command prints."""
    return [each.content.decode(errors="replace") for each in mre.files if not run or f"cat {each.path}" in run]


def _versions(observation: Observation) -> set[str]:
    """Return the versions that were installed or downloaded, as build requirements are, or else last looked at."""
    paths = [request.path for request in observation.requests if request.status in (200, 206)]
    files = (path.partition("?")[0].rpartition("/")[2].removesuffix(".metadata") for path in paths)
    known = [found for file in files if file.endswith((".whl", ".tar.gz", ".zip")) and (found := parse_filename(file))]
    printed = [found for step in observation.steps for found in INSTALLED.findall(readable(step.stderr))]
    chosen = {**{name: str(version) for name, version in known}, **{a or c: b or d for a, b, c, d in printed}}
    return {f"{name}=={version}" for name, version in chosen.items()}


def _remedies(mre: Mre, observation: Observation, missing: str) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Yield what would remove the obstacles of a run: why, the header of a table of the manifest, and its keys."""
    refused = (each.host for each in observation.unanswered if each.reason.endswith(NOT_A_HOST))
    hosts = (host for host in dict.fromkeys(refused) if not keys.host(host))  # not one that is no name
    yield from ((f"`{host}` {NOT_A_HOST}", *_serve(host, mre)) for host in hosts)
    if missing:
        from uvmre.core.shell.uv_calls import name_feature

        need = name_feature(missing, (step.run for step in mre.steps))
        yield f"a release without `{missing}` tells nothing; before all tables", "", {"needs": [*mre.needs, need]}
    late = {step.title for step in observation.steps if step.timed_out}
    for step in (step for step in mre.steps if step.title in late and not step.layer):
        header, role = ("[[setup]]", {}) if step.shared else ("[[step]]", {"role": step.role})
        why = f'`{step.title}` exceeds its time limit; if it hangs, that is `exit = "timeout"`'
        yield why, header, {"name": step.title, **role, "timeout": 2 * step.timeout, "run": step.run}


def _serve(host: str, mre: Mre) -> tuple[str, dict[str, Any]]:
    """Return what makes the gateway answer for a host: a repository or an index, if the MRE has its URL."""
    text = "\n".join([*(step.run for step in mre.steps), *mre.variables.values(), *_contents(mre)])
    for found in (each for each in URL.finditer(text) if each["host"].lower() == host):
        before, path = text[max(found.start() - 60, 0) : found.start()].lower(), found["path"].rstrip("/.,;)]}`")
        names = path.removesuffix(".git").split("/")[1:3]
        if len(names) == 2 and (found["git"] or path.endswith(".git") or CLONES.search(before)):
            return "[[git]]", {"url": f"https://{host}/{'/'.join(names)}", "commit": [{"folder": names[1]}]}
        if "index" in before or "/simple" in path:
            return "[[index]]", {"url": f"https://{host}{path}"}
    if host.endswith(PRIVATE):
        return "[[answer]]", {"url": f"https://{host}/*", "body": ""}
    return "[environment]", {"allow-hosts": [*mre.environment.allow_hosts, host]}


def _weaknesses(mre: Mre, variants: Sequence[Variant]) -> Iterator[str]:
    """Yield why an outcome would prove little."""
    yield from () if mre.controls else ("there is no control",)
    alias = {"unset": "variables", "replace": "step", "steps": "step", "indexes": "index", "without_uv": "without-uv"}
    for control, variant in zip(mre.controls, variants[1:], strict=True):
        plain = Control(control.name, control.expect, control.why, control.explains, symptom=control.symptom)
        names = (each.name for each in fields(Control) if getattr(control, each.name) != getattr(plain, each.name))
        changed = sorted({alias.get(each, each) for each in names})
        if len(changed) > 1:
            yield f"control “{control.name}” differs from the MRE in more than one thing: {', '.join(changed)}"
        if control.expect == "absent" and variant.outcome.word == "shows":
            yield f"the symptom does not depend on what control “{control.name}” changes: {', '.join(changed)}"
    for step in variants[0].observation.steps if variants[0].outcome.word == "shows" else ():
        for text in mre.symptom.output:
            own = sum(_count(text, each) for each in (*PRINTS.findall(step.run), *_contents(mre, step.run)))
            if own and _count(text, step.stdout + "\n" + step.stderr) <= own:
                yield f"“{text}” is printed by the command of `{step.title}` itself, not by uv"


def _edits(mre: Mre, variants: Sequence[Variant], found: dict[str, Any]) -> Iterator[str]:
    """Yield suggestions, the most useful one first."""
    base = variants[0]
    facts = {key: [each for each in found.get(key, ()) if each["variant"] == base.name] for key in EDITS}
    missed = sorted((each for each in facts["near_miss"] if not each["met"]), key=lambda each: -each["similarity"])
    facts["near_miss"] = [each for each in missed if each["similarity"] >= CLOSE]
    if not missed and base.outcome.word in ("absent", "different"):
        yield f"correct the order of the texts, or the rest of the symptom: {base.outcome.reason}"
    for key, edit in EDITS.items() if base.outcome.word != "shows" else ():
        yield from ((edit if fact.get("line", fact) else ELSEWHERE).format(**fact) for fact in facts[key])
    yield from ((NOTHING if fact["kind"] != "exit" else ANOTHER_EXIT).format(**fact) for fact in missed)
    for control, each in zip(mre.controls, variants[1:], strict=True):
        if each.outcome.word != EXPECTED[control.expect] and not control.without_uv:
            why = [fact["line"] for fact in found.get("cause", ()) if fact["variant"] == each.name]
            why.append(each.outcome.reason)
            yield f"control “{each.name}” is {each.outcome.word}, and must be {each.expect}: “{why[0]}”"
    if not mre.controls:
        yield "add a `[[control]]` that changes only what causes the symptom, which must then be absent"
