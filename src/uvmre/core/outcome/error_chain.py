"""Parse the last error of an output into its chain of causes, the innermost last."""

import re
from dataclasses import dataclass

from uvmre.core.outcome.matching import last_line
from uvmre.core.outcome.observation import StepResult
from uvmre.core.text.network_errors import NETWORK_ERRORS
from uvmre.core.text.normalize import ANSI

MOST_CHARACTERS = 120_000
DOCKER = re.compile(r"^[^\S\n]*(?:#\d+\s+)?(?:\[[^\]\n]{1,60}\]\s+)?\d+\.\d+\s(?=.)", re.MULTILINE)
LOGGED = re.compile(
    r"^[^\S\n]*(?:\d{4}-\d\d-\d\d[T ][\d:.]+Z?\s+|\[?\d\d:\d\d:\d\d\]?\s+|\d+\.\d{3,}s\s+|\[[^\]\n]{1,40}\] )",
    re.MULTILINE,
)
SPINNER = re.compile(r"^[⠀-⣿]\s.*?(?=error: |  × |$)", re.MULTILINE)
STARTS = re.compile(r"^\s*(?:error|uv(?:x)?(?:\.exe)?: error|fatal):\s*(?P<a>\S.*)$|^\s{0,4}[×✗]\s+(?P<b>\S.*)$")
LINKS = re.compile(
    r"^\s*(?:[│|]\s*)?(?:[├╰└]─+[▶>]\s*|\|->\s|`->\s|Caused by:\s*|cause:\s*)"
    r"(?P<text>\S.*)$"
)
HINTS = re.compile(r"^\s*(?:[│|]\s*)?(?:hint|help|tip|note|Usage|For more information)\b[:,.]?")
STREAMS = re.compile(r"^\s*(?:[│|]\s*)?(?:-{3}|\[)\s*(?:stdout|stderr)")
CONTINUATION = re.compile(r"^\s{3,}(?:[│|]\s*)?(?P<text>\S.*)$|^\s*│\s+(?P<box>\S.*)$")
RAISED = re.compile(
    r"^\s*(?:[│|]\s*)?(?P<text>(?:[A-Za-z_][\w.]*\.)?[A-Z]\w*(?:Error|Exception|NotFound|Interrupt)\b(?::\s.*)?)$"
)
PANIC = re.compile(r"^.*thread '[^']*' (?:\(\d+\) )?panicked at (?P<place>.*)$")
PANICKED = "panicked at"
MISSING = re.compile(r"^(?:/?(?:bin/)?(?:ba|z|da|fi)?sh: .*|.*command not found.*)$")
WARNING = re.compile(r"^\s*warning:\s*(?P<text>\S.*)$")
EXPERIMENTAL = re.compile(
    r"experimental and may change|preview and may change|Failed to hardlink|VIRTUAL_ENV=.{0,500} does not match"
)
FAILURE = re.compile(r"^\s*(?:Failed to \w|Unable to |Could not |No solution found|Because ).*$")
NETWORK = re.compile(
    rf"{NETWORK_ERRORS}|connection (?:re|clos|abort)|handshake|certificate"
    r"|os error (?:10060|10054|104|110|111)|tcp connect|Broken pipe|failed to lookup|IncompleteBody|unexpected EOF"
    r"|Too Many Requests|50[0234] |Service Unavailable|stream closed|http2|incorrect data|peer closed",
    re.IGNORECASE,
)
VAGUE = re.compile(
    r"(?:failed to (?:build|fetch|download|prepare|install|read|parse|resolve|unpack|extract|query"
    r"|send|determine)|no solution"
    r"|no such file or directory|permission denied|build backend failed|is a directory"
    r"|entity not found|access is denied"
    r"|missing (?:field|required)|not found\b|operation not permitted|file exists|invalid)",
    re.IGNORECASE,
)
"""Starts of a last link that is too vague alone, so the link before it is included."""
HOME = re.compile(
    r"""(?<![\w.:/~-])(?:file://)?(?:~|(?:/[\w.@+%-]+){1,12}?|[A-Za-z]:)"""
    r"""(?:[/\\][\w.@+%~ -]{0,60}(?<! )){1,14}(?=[`'"\s,:;)\]]|$)"""
)
FILE_NAME = re.compile(r"[/\\](?P<last>[\w.+-]+\.(?:toml|lock|txt|in|py|cfg|whl|tar\.gz|zip|pth|python-version))$")
PATCH = re.compile(r"(?i)(?<=python )(3\.\d+)\.\d+|(?<=current Python version \()3[\d.]+")
SLOT = re.compile(r"(?<=[/.@:-])[\[<][A-Za-z][\w -]*[\]>]|[\[<][A-Za-z][\w -]*[\]>](?=[./@])|\*{3,}")
CUT = re.compile(r"[\[(]?\.{3,}[\])]?")
TIMED = re.compile(r"\b\d+(?:\.\d+)?(?:ms|µs|s)\b")
POSITION = re.compile(r"(?<=\bcolumn )\d{3,}|(?<=TOML parse error at line )\d+, column \d+")
"""A place in a page that an index renders anew, or in a file of which the post shows a part."""
HASH = re.compile(r"\b(?=[0-9a-f]*\d)(?=[0-9a-f]*[a-f])[0-9a-f]{16,64}\b|\.tmp\w{6}")


@dataclass(frozen=True)
class Cause:
    """An error as a chain of links, the innermost last."""

    links: tuple[str, ...]
    offset: int
    """The line of the output at which it starts, from 0."""
    fatal: bool = True
    """Whether it ended the command, instead of only being printed."""
    network: bool = False
    """Whether a missing network also causes it."""

    @property
    def texts(self) -> tuple[str, ...]:
        """Return the texts of the symptom: the innermost cause, and the link before it if that is vague."""
        last = self.links[-1]
        vague = VAGUE.match(last) or len(last) < 24
        return tuple(mask_local_details(link) for link in (self.links[-2:] if vague else (last,)))


def strip_log_prefixes(output: str) -> str:
    """Remove the line prefixes of logs, docker and terminals."""
    text = (
        ANSI.sub("", output[-MOST_CHARACTERS:]).replace("\r", "\n")
        if "\r" in output
        else ANSI.sub("", output[-MOST_CHARACTERS:])
    )
    return SPINNER.sub("", LOGGED.sub("", DOCKER.sub("", text)))


def innermost_cause(output: str) -> Cause | None:
    """Return the last error of an output; None if there is none."""
    lines = strip_log_prefixes(output).split("\n")
    found = _panic(lines) or _chain(lines) or _exception(lines) or _shell(lines)
    if not found:
        return None
    links = tuple(text for link in found.links if (text := _shorten(link)))
    return Cause(links, found.offset, found.fatal, any(NETWORK.search(link) for link in links[-2:])) if links else None


def cause_of(step: StepResult) -> str:
    """Return the innermost cause that a step printed, as one line."""
    cause = innermost_cause(step.stderr.strip() or step.stdout)
    return cause.links[-1][:200] if cause else last_line(step)


def _panic(lines: list[str]) -> Cause | None:
    for i, line in enumerate(lines):
        if found := PANIC.match(line):
            message = lines[i + 1].strip() if i + 1 < len(lines) else ""
            old = re.match(r"'(.+)', ", found["place"])
            return Cause((PANICKED, old[1] if old else message or PANICKED), i)
    return None


def _chain(lines: list[str]) -> Cause | None:
    starts = [i for i, line in enumerate(lines) if STARTS.match(line)]
    first = starts[-1] if starts else next((i for i, line in enumerate(lines) if LINKS.match(line)), -1)
    # A `×` below an `error:` is a link of the same chain.
    if first < 0:
        return None
    links: list[str] = []
    inner: list[str] = []
    in_chain = True
    for line in lines[first:]:
        start, link = STARTS.match(line), LINKS.match(line)
        if start and not links:
            links.append(start["a"] or start["b"])
        elif link:
            links.append(link["text"])
            in_chain = True
        elif HINTS.match(line) or STREAMS.match(line):
            in_chain = False
        elif in_chain and links and TOML_PLACE.search(links[-1]) and line.strip() and not SPAN.search(line):
            links.append(line.strip("│| "))  # the message stands below the place, outside the chain
        elif in_chain and links and (more := CONTINUATION.match(line)) and not SPAN.search(line):
            links[-1] += " " + (more["text"] or more["box"]).strip()
        elif raised := RAISED.match(line) or CONFIGURED.match(line):
            inner = [raised["text"]]
            in_chain = False
        elif not line.strip():
            in_chain = False
    if links and not inner and BACKEND.match(links[-1]):
        # Older releases print the output of the backend before their own error.
        above = [match["text"] for line in lines[max(first - 12, 0) : first] if (match := RAISED.match(line))]
        inner = above[-1:]
    if refused := REFUSED.search(" ".join(" ".join(lines[first : first + 40]).split())):
        inner = [*inner, refused[0]]
    return Cause((*links, *inner), first) if links else None


CONFIGURED = re.compile(
    r"^\s*(?P<text>(?:configuration error|invalid pyproject\.toml config|error in [\w.]+ command): .*)$"
)
BACKEND = re.compile(r"Build backend failed|The build backend returned|Call to `")
REFUSED = re.compile(r"could not be queried due to a lack of valid authentication credentials \(40[13] \w+\)")
TOML_PLACE = re.compile(r"TOML parse error at line \d+, column \d+$")
SPAN = re.compile(r"\^|^\s*(?:\d+\s*)?\|")


def _exception(lines: list[str]) -> Cause | None:
    found = [
        (i, match["text"]) for i, line in enumerate(lines) if (match := RAISED.match(line)) and ":" in match["text"]
    ]
    return Cause((found[-1][1],), found[-1][0]) if found else None


def _shell(lines: list[str]) -> Cause | None:
    found = [i for i, line in enumerate(lines) if MISSING.match(line.strip()) or FAILURE.match(line)]
    if not found:
        return None
    line = lines[found[-1]].strip()
    return Cause((line,), found[-1], fatal=bool(MISSING.match(line)))


def warnings(output: str) -> list[str]:
    """Return the warnings of an output, except those about preview features and the environment."""
    found = (WARNING.match(line) for line in strip_log_prefixes(output).split("\n"))
    return [mask_local_details(each["text"]) for each in found if each and not EXPERIMENTAL.search(each["text"])]


def _shorten(link: str) -> str:
    """Shorten a link: drop the resolver's conclusion and long lists."""
    text = " ".join(link.split())
    text = re.split(r",? we can conclude that", text, maxsplit=1)[0].rstrip(",")
    text = re.split(r" (?:hint|help): ", text, maxsplit=1)[0]
    if len(text) > 260:
        end = max(text.rfind(". ", 40, 260), text.rfind("; ", 40, 260), text.rfind(", ", 40, 260))
        text = text[: end if end > 0 else 260]
    return text.strip()


def mask_local_details(text: str) -> str:
    """Replace the reporter's folders, durations, hashes and what was cut by `…`."""

    def folder(found: re.Match[str]) -> str:
        last = FILE_NAME.search(found[0])
        return f"…/{last['last']}" if last else "…"

    if "/" in text or "\\" in text:
        text = HOME.sub(folder, text)
    text = CUT.sub("…", SLOT.sub("…", text))
    text = PATCH.sub(lambda found: f"{found[1]}…" if found[1] else "…", text)
    return POSITION.sub("…", HASH.sub("…", TIMED.sub("…", text)))
