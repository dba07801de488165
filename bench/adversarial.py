"""Whether `uvmre triage` confirms what it must not: posts that it confirms, changed so that they are wrong.

`python bench/adversarial.py FOLDER [--jobs N] [--most N]`: a folder of posts (`*.md`, at any depth). Of each that is
`reproducible`:

- its release becomes the one on which triage did not see the bug, and its date the day after that release;
- its block with the decisive text is removed, unless the text stands elsewhere too;
- its MRE is given as that of every other post, on that post's release; it runs only where the texts do not reject it.

Ends with 1 if any of these is confirmed, or if none could be tried.
"""

import argparse
import re
import sys
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path

from uvmre import temp_folders
from uvmre.cli.console import cache
from uvmre.core.text.normalize import find_pattern, normalize
from uvmre.core.triage.answer import TriageAnswer
from uvmre.errors import UvmreError
from uvmre.flows.options import RunOptions
from uvmre.flows.other_readers import IssueFacts
from uvmre.flows.triage import TriageOptions, triage, understand_with
from uvmre.folder.write import write_mre
from uvmre.issue.markdown.blocks import parse_blocks
from uvmre.releases import catalogue

CREATED = re.compile(r"(?<=created )\d{4}-\d\d-\d\d(?:T[\d:]+Z)?")


@dataclass
class Count:
    """How many were tried, and which were confirmed."""

    tried: int = 0
    ran: int = 0
    confirmed: list[str] = field(default_factory=list)


def answered(name: str, text: str, options: TriageOptions) -> TriageAnswer | None:
    """Return the answer for a post; None, with a message, if there is none."""
    try:
        return triage(name, text, options)
    except UvmreError as error:
        print(f"{name}: {error.summary}", file=sys.stderr)
        return None


def with_other_release(text: str, answer: TriageAnswer, options: TriageOptions) -> str:
    """Return a post about the release that was seen without the bug; empty if there is none."""
    good = answer.state.first_good or (run.result.uv if (run := answer.state.differing_run) else "")
    reported = answer.main_run.result.uv if answer.main_run else ""
    date = next((each.date for each in catalogue.load(options.run.cache).releases if each.version == good), None)
    if not (good and date and answer.state.uv_stated and CREATED.search(text)):
        return ""
    moved = CREATED.sub(f"{date + timedelta(days=1):%Y-%m-%dT%H:%M:%SZ}", text, count=1)
    changed = re.sub(rf"(?<![\d.]){re.escape(reported)}(?!\.?\d)", good, moved)
    return changed if changed != moved else ""


def without_decisive_block(text: str, answer: TriageAnswer) -> str:
    """Return a post without the code that shows the claim; empty if there is none, or the rest says it too."""
    claim = answer.state.parsed.claim
    blocks = [each for each in parse_blocks(tuple(text.split("\n"))) if each.kind == "code"]
    for block in blocks:
        rest = text.replace(block.text.rstrip("\n"), "")
        if claim.output and has(block.text, claim.output[-1]) and rest != text:
            return "" if has(rest, claim.output[-1]) else rest
    return ""


def has(text: str, part: str) -> bool:
    """Tell whether a text has another one."""
    return find_pattern(part, normalize(text)) is not None


def judge_other(count: Count, answer: TriageAnswer, other: str, text: str, options: TriageOptions) -> None:
    """Judge the MRE of a post against the claims of another."""
    read, mre = understand_with(options, other, text), answer.state.mre
    if mre is None:
        return
    # The release alone must not be what rejects it.
    mre = replace(mre, environment=replace(mre.environment, uv=read.uv))
    facts = IssueFacts(read, text, comments=False, today=False)
    if facts.hypothesis(mre, "mre")[1]:
        count.tried += 1
        return
    with temp_folders.temporary(options.run.cache, ".adversarial-") as folder:
        write_mre(mre, folder / "mre", force=True)
        if found := answered(other, text, replace(options, mre=folder / "mre")):
            count.ran += 1
            add(count, f"{answer.issue} → {other}", found)


def add(count: Count, name: str, answer: TriageAnswer) -> None:
    """Count an answer."""
    count.tried += 1
    if answer.verdict.word == "reproducible":
        count.confirmed.append(name)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--jobs", type=int, default=0)
    parser.add_argument("--most", type=int, default=10_000, help="posts to read")
    parser.add_argument("--trust", action="store_true", help="run without a sandbox")
    arguments = parser.parse_args()
    options = TriageOptions(run=RunOptions(cache=cache(), jobs=arguments.jobs, trust=arguments.trust))
    posts = {str(path): path.read_text(encoding="utf-8") for path in sorted(arguments.folder.rglob("*.md"))}
    posts = dict([*posts.items()][: arguments.most])
    answers = {name: answer for name, text in posts.items() if (answer := answered(name, text, options))}
    confirmed = {name: answer for name, answer in answers.items() if answer.verdict.word == "reproducible"}
    print(f"{len(posts)} posts, of which triage answers {len(answers)} and confirms {len(confirmed)}")
    counts = {"another release": Count(), "without the decisive block": Count(), "the MRE of another post": Count()}
    for name, answer in confirmed.items():
        changed = {
            "another release": with_other_release(posts[name], answer, options),
            "without the decisive block": without_decisive_block(posts[name], answer),
        }
        for what, text in changed.items():
            if text and (found := answered(name, text, options)):
                add(counts[what], name, found)
        for other in posts:
            if other != name:
                judge_other(counts["the MRE of another post"], answer, other, posts[other], options)
    for what, count in counts.items():
        ran = f" ({count.ran} run, the others rejected by their texts)" if "MRE" in what else ""
        print(f"{what}: {count.tried} tried{ran}, {len(count.confirmed)} wrongly confirmed")
        for name in count.confirmed:
            print(f"  {name}")
    return int(any(count.confirmed for count in counts.values()) or not any(count.tried for count in counts.values()))


if __name__ == "__main__":
    sys.exit(main())
