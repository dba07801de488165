"""What a post tells as one line of events: files that are there, commands that are run, and what each printed."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from uvmre.issue import blocks, contents, docker, mood, shell
from uvmre.issue.environment import Environment
from uvmre.issue.pieces import Piece
from uvmre.issue.transcript import Entry

OTHER = re.compile(
    r"(?i)\b(?:in|with|on|using|under) (?:uv |version )?`?(?:uv )?v?\d+\.\d+\.\d+|\b(?:before|after|now|previously)\b"
)
IMPERATIVE = re.compile(
    r"(?i)\A(?:(?:then|now|next|first|finally|and|second|third|please),? )*"
    r"(?:run|execute|call|try|type|do|invoke|create|add|install|init\w*|sync|lock|use|start|make|build"
    r"|update|upgrade|remove|export)\b"
)
LINKED = re.compile(r"\]\(https?://|https?://\S+")
SHOWS = re.compile(
    r"(?i)\b(?:output|outputs|prints?|results?|shows?|see|get|gets|gives?|error|fails?|log|produces?"
    r"|returns?|says?|yields?|leads? to"
    r"|happens?|below|following|traceback|look(?:s)? like|message|stdout|stderr|actual|observed"
    r"|instead|claims?|complains?|throws?|raises?)\b"
)
_READS = "cat tail head less more type bat batcat Get-Content"
READS = frozenset(_READS.split())
RUN_IN_DOCKER = re.compile(
    r"(?:RUN|Running: \[/bin/(?:ba)?sh(?: -o pipefail)? -c)\s+(?P<run>uvx?\s[^\n\]]{0,1000}?)"
    r"(?::?\s*(?:\]\s*)?$|\s{2,})",
    re.MULTILINE,
)
LACKS = re.compile(
    r"^uv\s+(?:pip\s+(?:install|compile|sync|uninstall)|add|remove|python\s+(?:pin|install)"
    r"|tool\s+(?:install|run)|pip|tool|python|cache)$|\.\.\.|…| X\b|<[a-z]"
)
"""Commands that are only named: what they want is not said."""
LINK = re.compile(r"^[^\S\n]*([\w.-]+)[^\S\n]+->[^\S\n]+([\w.-]+)[^\S\n]*$", re.MULTILINE)
LISTED = re.compile(r"^[^\S\n]*(?:[-\w]{10}\s|total \d)", re.MULTILINE)


@dataclass(frozen=True)
class Act:
    """A command as the post has it, or a file that it shows."""

    line: int
    run: str = ""
    output: str = ""
    works: bool | None = None
    about: str = ""
    """What is said of it, in a sentence or a comment."""
    path: str = ""
    """Of a file; empty for a command."""
    text: str = ""
    why: str = ""
    source: str = "code"
    """Where it stands: in `code`, `alone` on a line of a paragraph, `said` within a sentence, in a `docker` file."""
    kind: contents.Kind = ""


@dataclass(frozen=True)
class Story:
    """All acts in their order, and what nobody knows the place of."""

    acts: tuple[Act, ...]
    loose: tuple[Piece, ...] = ()
    """Blocks of output that no command was found for."""
    trees: tuple[Piece, ...] = ()
    variables: tuple[tuple[str, str], ...] = ()


def story(found: Sequence[Piece], told: Environment) -> Story:
    """Put the pieces of a post in their order, and each output to its command."""
    acts: list[Act] = []
    loose: list[Piece] = []
    variables: dict[str, str] = {}
    for number, piece in enumerate(found):
        works = mood.of(piece.block, told)
        if piece.role == "commands":
            if not _of_script(acts, piece):
                acts += [_act(entry, piece, works, told) for entry in piece.entries]
        elif piece.role == "script":
            acts += _script(piece, works)
        elif piece.role == "talk":
            acts += [_act(entry, piece, None, told, "alone") for entry in piece.entries]
            acts += _steps(piece)
        elif piece.role == "dockerfile":
            lifted, given = docker.lifted(piece.block.text, piece.block.line)
            variables |= given if works is not True else {}
            acts += [Act(line, run, works=works, about=piece.block.before, source="docker") for run, line in lifted]
        elif (
            piece.role == "other"
            and (links := LINK.findall(piece.block.text))
            and len(links) == len(piece.block.text.split("\n")) - 1
        ):
            acts += [
                Act(
                    piece.block.line,
                    f"touch {target} && ln -s {target} {path}",
                    about=f"{path} is drawn as a link to {target}",
                    source="drawn",
                )
                for path, target in links
            ]
        elif piece.role in ("output", "other") or (piece.role == "file" and _was_read(acts)):
            if not _attach(acts, piece, found[max(number - 2, 0) : number], works) and piece.role == "output":
                loose.append(piece)
        elif piece.role == "file":
            acts.append(_file(piece, works))
    shown = {act.run for act in acts if act.run and act.source != "step"}
    acts = [act for act in acts if act.source != "step" or act.run not in shown]
    if not any(act.run and not _idle(act.run) and act.source != "step" for act in acts):
        acts = _said(found, acts, told)
    return Story(
        tuple(acts), tuple(loose), tuple(piece for piece in found if piece.role == "tree"), tuple(variables.items())
    )


def _steps(piece: Piece) -> list[Act]:
    """Return the commands within a list's item that says what to do; those that a transcript shows too are its."""
    if piece.block.kind != "item" or piece.entries:
        return []
    return [
        Act(mention.line, mention.run, about=mention.comment, source="step")
        for mention in piece.mentions
        if IMPERATIVE.match(mention.comment) and not LACKS.search(mention.run) and not mood.wishes(mention.comment)
    ]


def _act(entry: Entry, piece: Piece, works: bool | None, told: Environment, source: str = "code") -> Act:
    about = entry.comment or piece.block.before
    if entry.comment and (said := mood.says(entry.comment)) is not None:
        works = said
    if told.uv and (printed := mood.printed_release(entry.output)) and printed != told.uv.text:
        works = True
    return Act(entry.line, entry.run, entry.output, works, about, source=source)


def _idle(run: str) -> bool:
    return bool(
        re.match(
            r"(?:uvx?|python\S*|pip)\s+(?:--version|-V|version|self version)\s*$|uname|docker build"
            r"|docker-compose|docker compose",
            run,
        )
    )


def _script(piece: Piece, works: bool | None) -> Iterator[Act]:
    path = piece.path or "reproduce.sh"
    text = piece.block.text
    why = piece.why or "a script that is run as a whole"
    yield Act(piece.block.line, path=path, text=text, why=why, works=works, about=piece.block.before)
    yield Act(piece.block.line, run=f"bash {path}", works=works, about=piece.block.before)


def _of_script(acts: list[Act], piece: Piece) -> bool:
    """Give a transcript that only calls the script above to that script, as its output."""
    if len(piece.entries) != 1 or not acts or not acts[-1].run.startswith("bash ") or acts[-1].output:
        return False
    called = piece.entries[0].run
    if not re.fullmatch(r"(?:(?:ba|z)?sh\s+)?[\w./~-]+\.sh|\./[\w.-]+", called.strip()):
        return False
    acts[-1] = replace(acts[-1], output=piece.entries[0].output)
    return True


def _was_read(acts: list[Act]) -> bool:
    """Tell whether a file's text is only what the command above printed of it."""
    last = next((act for act in reversed(acts) if act.run), None)
    if not last or not acts[-1].run or last.output:
        return False
    parts = shell.statements(last.run)
    return bool(parts) and parts[-1].program in READS


def _attach(acts: list[Act], piece: Piece, before: Sequence[Piece], works: bool | None) -> bool:
    """Give output to the command that printed it: the one named just before it, or the last one without any."""
    if found := RUN_IN_DOCKER.search(piece.block.text):
        run = " ".join(found["run"].split())
        for i in range(len(acts) - 1, -1, -1):
            if acts[i].run and " ".join(acts[i].run.split()) == run and not acts[i].output:
                acts[i] = replace(acts[i], output=piece.block.text)
                return True
        acts.append(Act(piece.block.line, run, piece.block.text, about=piece.block.before, source="docker"))
        return True
    talk = [each for each in before if each.role == "talk"][-1:]
    failing = mood.fails((blocks.sentences(piece.block.before) or [""])[-1])
    named = [
        mention
        for each in talk
        for mention in each.mentions
        if not LACKS.search(mention.run)
        and not (failing and mood.says(mood.around(mention.comment, mention.run)) is True)
    ]
    if not named and failing and LINKED.search((blocks.sentences(piece.block.before) or [""])[-1]):
        return False
    if named and (piece.role == "output" or SHOWS.search(piece.block.before) or _looks_printed(piece)):
        works = mood.says(piece.block.before) if works is None else works
        chosen = named[-1]
        same = next((i for i, act in enumerate(acts) if act.run == chosen.run and not act.output), None)
        if same is not None:
            acts[same] = replace(acts[same], output=piece.block.text, works=works)
        else:
            acts.append(Act(chosen.line, chosen.run, piece.block.text, works, chosen.comment, source="said"))
        return True
    last = next((i for i in range(len(acts) - 1, -1, -1) if acts[i].run), None)
    if last is None:
        return False
    if acts[last].output:
        # The same command once more, under another release or after a change.
        other = OTHER.search(piece.block.before)
        if piece.role == "output" and other and acts[last].source == "code":
            acts.append(
                replace(
                    acts[last], line=piece.block.line, output=piece.block.text, works=works, about=piece.block.before
                )
            )
        return bool(piece.role == "output" and other)
    if piece.role == "output" or SHOWS.search(piece.block.before) or piece.role == "file":
        acts[last] = replace(
            acts[last], output=piece.block.text, works=works if works is not None else acts[last].works
        )
        return True
    return False


def _looks_printed(piece: Piece) -> bool:
    return bool(contents.VERSIONED.search(piece.block.text) or LISTED.search(piece.block.text))


def _file(piece: Piece, works: bool | None) -> Act:
    return Act(
        piece.block.line,
        works=works,
        about=piece.block.before,
        path=piece.path,
        text=piece.block.text,
        why=piece.why,
        kind=piece.kind,
    )


def _said(found: Sequence[Piece], acts: list[Act], told: Environment) -> list[Act]:
    """Take the commands that stand within sentences, where the post has no others."""
    taken: list[Act] = [act for act in acts if act.path]
    for piece in found:
        for mention in piece.mentions:
            about = mood.around(mention.comment, mention.run)
            if (
                mood.wishes(about)
                or LACKS.search(mention.run)
                or (told.good and told.good.text in about and not mood.fails(about))
            ):
                continue
            act = Act(mention.line, mention.run, "", mood.says(about), about, source="said")
            edited = max((each.line for each in taken if each.path and each.line < act.line), default=0)
            if not any(each.run == act.run and each.line > edited for each in taken):
                taken.append(act)
            elif act.works is False:
                # What is said of it last, and that it goes wrong, is what it is about.
                at = next(i for i in range(len(taken) - 1, -1, -1) if taken[i].run == act.run)
                taken[at] = replace(taken[at], works=False, about=about) if taken[at].works is not False else taken[at]
    return sorted(taken, key=lambda act: act.line)


def sentences_of(found: Sequence[Piece]) -> list[tuple[str, int]]:
    """Return what the post says in words, each sentence with its line."""
    said = []
    for piece in found:
        if piece.block.kind == "code":
            continue
        for sentence in blocks.sentences(piece.block.text):
            at = piece.block.text.find(sentence[:40])
            said.append((sentence, piece.block.line + piece.block.text.count("\n", 0, max(at, 0))))
    return said
