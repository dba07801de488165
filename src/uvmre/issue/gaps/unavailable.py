"""Gaps: platforms, networks, hosts and repositories of the report that are not available here."""

import re
from collections.abc import Sequence

from uvmre.core.network.request import OPEN_HOSTS
from uvmre.core.outcome.error_chain import NETWORK
from uvmre.core.triage.parsed_issue import Claim, Command, Gap, PostedFile
from uvmre.core.triage.proposal import HANGS
from uvmre.issue.environment.versions import PostedEnvironment
from uvmre.issue.markdown.blocks import INLINE_CODE

PLACEHOLDER = re.compile(
    r"<(?!html|http|https|div|a |br|pre|code|img|p>"
    r"|EOF|stdin|module|string|frozen|unknown|class"
    r"|function|built-in|hangs)[A-Za-z][\w .-]{2,40}>|\[(?:redacted|REDACTED|password|account|token"
    r"|private|your[\w -]*|company|hidden|org\w*|user\w*)\]|\*{3,}|x{4,}"
    r"|\b(?:your|my)[-_](?:company|org|private|internal|token|registry|repo)[\w.-]*|(?:private"
    r"|internal|corp|company|example)\.(?:example|pypi|com|org|net|local|corp)\b|\.example\.com"
    r"|path/to/|/your/",
    re.IGNORECASE,
)
BRACKETED = re.compile(r"(?<=[\s/@.])\[[A-Za-z][\w -]{1,40}\](?=[\s/.@:]|$)")
HOST = re.compile(r"https?://(?:[^@\s/'\"]{1,200}@)?(?P<host>[\w.\[\]<>-]+)(?::\d+)?(?P<path>[^\s'\"`)>\]]*)")
REACHABLE_HOSTS = frozenset([*OPEN_HOSTS, "pypi.python.org", "docs.astral.sh", "peps.python.org", "google.com"])
WINDOWS = re.compile(
    r"(?i)\b[A-Z]:\\|\\Scripts\\|\.exe\b|powershell|\bcmd\b|os error (?:5|32|183|193|206|267|998)\b"
    r"|win_amd64|AppData|PermissionError: \[WinError|Access is denied|being used by another process"
)
MACOS = re.compile(
    r"(?i)\bxcrun|codesign|Gatekeeper|\bMetal\b|macosx_\d+|homebrew python|/opt/homebrew|Library/Frameworks|\.dylib|osx"
)
WINDOWS_SYSTEM = re.compile(r"(?i)\bwin(?:dows|10|11|32|64)")
PYPY = re.compile(r"(?i)\b(?:pypy[\d.]*|graalpy|pyodide|free-?threaded|3\.1[34]t)\b")
GIT = re.compile(r"git\s*=\s*[\"'](?P<url>[^\"']+)|git\+(?P<plus>(?:https?|ssh)://[^\s\"'@#]+)")
PERMISSIONS = re.compile(
    r"(?i)permission denied|operation not permitted|read-only file system|os error (?:1|13|16|18|26|28"
    r"|30|39)\)|cross-device|text file busy|quota"
)
SETS_PERMISSIONS = re.compile(r"\b(?:chmod|chown|ln|mount|umask|touch|mkdir)\b")
PERMISSIONS_QUESTION = (
    "Which file system and permissions does the directory have? Please post the output of `ls -la` and `df -T`."
)
INTERMITTENT = re.compile(
    r"(?i)\b(?:intermittent\w*|sporadic\w*|flaky|random(?:ly)?|race condition"
    r"|non-?determinis\w+|can(?:'|no)t reproduce (?:it |this )?(?:consistently|reliably)"
    r"|couldn't reproduce)\b"
)
DOCUMENTATION = re.compile(r"(?i)\b(?:docs?|documentation|documented|guide|typo|readme|website|example in)\b")
SLOW = re.compile(r"(?i)\b(?:slow(?:er|ly|ness)?|performance|takes (?:too )?long|memory usage|cpu usage|speed)\b")


def unavailable_platform(
    commands: Sequence[Command],
    claim: Claim,
    environment: PostedEnvironment,
    title: str,
    prose: str,
    *,
    has_outages: bool = False,
) -> list[Gap]:
    """Return what depends on another platform, the reporter's network, or time."""
    found: list[Gap] = []
    command = commands[claim.command] if 0 <= claim.command < len(commands) else None
    line = claim.line or 1
    platform = environment.platform.text if environment.platform else ""
    output = " ".join(claim.output)
    # A name in code says nothing: `uv pip freeze`, `pytest-randomly`.
    named, prose = INLINE_CODE.sub("", title), INLINE_CODE.sub("", prose)

    def add(at: int, description: str, question: str = "", *, blocking: bool = True) -> None:
        found.append(Gap(at, description, blocking, question))

    if WINDOWS.search(f"{output} {title}") or (
        WINDOWS_SYSTEM.search(platform) and (not command or WINDOWS.search(output))
    ):
        add(line, "it is specific to Windows, which is not available here", "Does it also fail on Linux or macOS?")
    if MACOS.search(f"{output} {title}"):
        add(line, "it is specific to macOS, which is not available here", "Does it also fail on Linux?")
    if PYPY.search(" ".join([title, command.run if command else "", *claim.output])):
        add(line, "it requires an interpreter other than standard CPython")
    if claim.kind == "failure" and NETWORK.search(output):
        description = f"“{output[:120]}” depends on the network of the reporter, which is not available here"
        add(line, description, "Does it also fail with the public index, without a proxy?", blocking=not has_outages)
    if PERMISSIONS.search(output) and not any(SETS_PERMISSIONS.search(each.run) for each in commands):
        add(line, "it depends on the permissions or the file system of the reporter's machine", PERMISSIONS_QUESTION)
    if HANGS.search(named) or (claim.kind == "none" and HANGS.search(prose)):
        question = "Where does it hang? Please post the output of `uv … --verbose` and a backtrace."
        add(1, "uv hangs, which no time limit can tell from a slow run", question)
    if INTERMITTENT.search(prose):
        blocking = claim.unconfirmed or claim.kind == "none"
        add(1, "the failure is intermittent", "Which conditions make it fail every time?", blocking=blocking)
    if SLOW.search(title):
        add(1, "it is about performance")
    if DOCUMENTATION.search(title) and claim.kind in ("none", "silence"):
        add(1, "it is about the documentation, with nothing to run")
    return found


def private_resources(
    commands: Sequence[Command], claim: Claim, files: Sequence[PostedFile], stand_ins: Sequence[str]
) -> list[Gap]:
    """Return hosts, repositories and names that only the reporter has."""
    found: dict[str, Gap] = {}
    upto = commands[: claim.command + 1] if claim.command >= 0 else commands
    texts = [
        *((each.run, each.line) for each in upto),
        *((file.text, file.line) for file in files if not file.inferred),
    ]
    runs = {each.run for each in upto}
    for text, line in texts:
        gaps: list[tuple[str, str]] = []
        uncommented = "\n".join(row for row in text.split("\n") if not row.lstrip().startswith("#"))
        for match in HOST.finditer(uncommented):
            host = match["host"].lower()
            has_stand_in = host in REACHABLE_HOSTS or any(host in each for each in stand_ins)
            if not has_stand_in and not _is_metadata_url(text, match.start()):
                question = "Does it also fail with packages from PyPI, or with the public test index?"
                gaps.append((f"{host} is not reachable", question))
        for match in GIT.finditer(uncommented):
            url = match["url"] or match["plus"]
            gaps.append((f"the git repository {url} is not available", "Does it also fail with a package from PyPI?"))
        slots = BRACKETED.finditer(uncommented) if text in runs and "\n" not in text else ()
        for match in (*PLACEHOLDER.finditer(uncommented), *slots):
            if not any(match[0].lower() in each.lower() for each in stand_ins):
                gaps.append((f"“{match[0]}” is a placeholder", f"What does `{match[0]}` stand for?"))
        # Of equal descriptions, the last one counts.
        found |= {description: Gap(line, description, True, question) for description, question in gaps}
    return list(found.values())


def _is_metadata_url(text: str, at: int) -> bool:
    """Tell whether a URL is only metadata: a homepage, a license, a schema."""
    row = text[text.rfind("\n", 0, at) + 1 : at]
    return bool(
        re.search(
            r"(?i)home|url\s*=\s*$|repository|documentation|source|issues|changelog|license|tracker|funding"
            r"|\$schema|requests\.|urlopen|download",
            row,
        )
    ) and not re.search(r"(?i)index|find-links|\bgit\b", row)
