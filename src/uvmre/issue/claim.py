"""What the reporter says goes wrong: an error, a text, a file, or that nothing is said."""

import re
from dataclasses import replace

from uvmre.core.draft import Claim, Command, Kind
from uvmre.issue import blocks, changed, mood, shell, weak
from uvmre.issue.cause import PANICKED, RAISED, STARTS, Cause, cause, masked, warnings
from uvmre.issue.seen import Seen, overlap

AGAIN = re.compile(
    r"(?i)\b(?:(?:the )?(?:second|2nd|next|subsequent|following) (?:time|run|call|invocation|sync"
    r"|lock)s?|re-?run(?:ning|s)?\b|run(?:ning)? (?:it |this |the command |`[^`]+` )?again"
    r"|(?:on|every|each) subsequent|again\b|repeatedly|every time)"
)
LACKING = re.compile(
    r"(?i)not found|no such file|does(?:n't| not) exist|no `?(?:pyproject|virtual environment)|no module named|missing"
    r"|unable to find|could not find|cannot find|no interpreter|\b(?:gcc|g\+\+|clang|cmake|cargo|rustc"
    r"|ninja|meson|pkg-config)\b"
    r"|\.h:|compiler|command '"
)
"""Errors that an MRE gives too when it lacks something that the reporter had: the texts alone do not prove them."""
NEXT_TIME = re.compile(
    r"(?i)\bnext time\b|\bsecond (?:time|run)\b|\b2nd (?:time|run)\b|\bsubsequent (?:runs?|calls?|invocations?)\b"
    r"|\bif (?:you|I|we) (?:re-?run|run (?:it |this )?again)"
)
MENDS = re.compile(r"(?i)works (?:fine )?(?:when|if|after)|fixes|is fine|goes away|succeeds|resolves")


def claims(seen: Seen) -> list[Claim]:
    """Return what the post may claim, the likeliest first."""
    if all(each.works is True for each in seen.commands):
        # All that is said to work is another release: what the post has is what goes wrong.
        seen = replace(seen, commands=[replace(each, works=None) for each in seen.commands])
    found = [
        *_failures(seen),
        *_warnings(seen),
        *weak.differing(seen),
        *changed.files(seen.files, seen.results, seen.wanted, len(seen.commands)),
    ]
    found += [*_quoted(seen), *weak.unsaid(seen), *weak.outputs(seen), *weak.told(seen), *weak.silence(seen)]
    if weak.SILENT.search(seen.title) and not found:
        found = [*weak.silence(seen), *found]
    again = _again(seen)
    if again is not None:
        found.insert(0, again)
    return list({(each.kind, each.command, each.output, each.contains, each.test): each for each in found}.values())


def _failures(seen: Seen) -> list[Claim]:
    """Errors that commands showed; the one that the title is about first, then the first one."""
    failed = [
        (i, found)
        for i, each in enumerate(seen.commands)
        if each.works is not True and each.output and (found := cause(each.output)) and _counts(each, found)
    ]
    ranked = sorted(failed, key=lambda pair: (-_nearness(seen, pair), pair[0]))
    return [_failure(seen.commands[i], i, found) for i, found in ranked]


def _counts(command: Command, found: Cause) -> bool:
    parts = shell.statements(command.run)
    program = parts[0].program if parts else ""
    asks = program not in ("ls", "which", "cat", "grep", "echo", "cd", "export") or bool(
        re.search(r"\buvx?\s", command.run)
    )
    return asks and bool(found.links)


def _nearness(seen: Seen, failed: tuple[int, Cause]) -> int:
    command, found = seen.commands[failed[0]], failed[1]
    return overlap(" ".join(found.links), seen.title) + (1 if command.works is False else 0)


def _failure(command: Command, i: int, found: Cause) -> Claim:
    line = command.line + 1 + found.offset
    kind: Kind = "failure" if found.ends else "output"
    lacking = bool(LACKING.search(found.links[-1])) and found.links[0] != PANICKED
    why = f"`{command.run.splitlines()[0][:80]}` ends with “{found.links[-1][:160]}”"
    return Claim(kind, i, line, found.texts, why=why, weak=lacking)


def _warnings(seen: Seen) -> list[Claim]:
    prose = " ".join([seen.title, *(sentence for sentence, _ in seen.said)])
    found = []
    for i, each in enumerate(seen.commands):
        for text in warnings(each.output) if each.works is not True else ():
            core = " ".join(text.replace("…", " ").split())
            about = overlap(core, seen.title) >= 3 or core[:40] in prose
            if about:
                found.append(Claim("output", i, each.line + 1, (text,), why=f"the warning “{text[:120]}”"))
    return found


def _quoted(seen: Seen) -> list[Claim]:
    """Errors that stand within a sentence, for the command that is told of there or last."""
    found = []
    for sentence, line in seen.said:
        if mood.wishes(sentence) and not weak.FAILS.search(sentence):
            continue
        for code, _ in blocks.inline_code(sentence):
            said = code if RAISED.match(code) or STARTS.match(code) else ""
            if not said and re.match(
                r"(?:[Ff]ailed to|No \w+ (?:found|solution)|Unable to|Could not|Because |Distribution not found"
                r"|warning: )",
                code,
            ):
                said = code
            if said and len(said) > 12:
                reason = cause(said) or cause(f"error: {said}")
                if reason and seen.commands:
                    i = next(
                        (i for i, each in enumerate(seen.commands) if each.run in sentence), len(seen.commands) - 1
                    )
                    kind = "output" if said.startswith("warning") else "failure"
                    texts = tuple(text.removeprefix("warning: ") for text in reason.texts)
                    found.append(Claim(kind, i, line, texts, why=f"the sentence “{sentence[:120]}”"))  # type: ignore[arg-type]
    return found


def _again(seen: Seen) -> Claim | None:
    """The same command run twice, where the second time is what the post is about."""
    for i, each in enumerate(seen.commands):
        first = next((j for j in range(i) if seen.commands[j].run == each.run), None)
        if first is None or not AGAIN.search(seen.about.get(i, "")) or not each.output:
            continue
        before, now = cause(seen.commands[first].output), cause(each.output)
        if now is None and before is not None:
            lines = [
                line for line in weak.every(each.output) if re.match(r"[+~-] |Installed|Audited", line)
            ] or weak.stable(each.output)
            texts = tuple(masked(re.sub(r" in [\d.]+m?s$", "", line)) for line in lines)
            if texts:
                return Claim(
                    "output",
                    i,
                    each.line + 1,
                    texts,
                    wanted=before.texts,
                    weak=True,
                    why="the second run succeeds, the first does not",
                )
        if now is not None:
            return _failure(each, i, now)
    return None


def shows_again(seen: Seen, found: Claim) -> str:
    """Return the sentence that says that it shows only when the command is run once more; empty where none does."""
    if found.command < 0 or sum(each.run == seen.commands[found.command].run for each in seen.commands) > 1:
        return ""
    for sentence, _ in [*seen.said, (seen.about.get(found.command, ""), 0)]:
        if NEXT_TIME.search(sentence) and not MENDS.search(sentence):
            return " ".join(sentence.split())[:120]
    return ""
