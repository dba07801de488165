"""What of another system, of a network or of somebody's own cannot be had here."""

import re
from collections.abc import Sequence

from uvmre.core.network.request import OPEN_HOSTS
from uvmre.core.outcome.error_chain import NETWORK
from uvmre.core.triage.parsed_issue import Claim, Command, Gap, PostedFile
from uvmre.issue.environment.versions import PostedEnvironment

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
HANGS = re.compile(
    r"(?i)\b(?:hangs?|hanging|hung|stuck|never (?:finish|end|return|complete)\w*|infinite(?:ly)?"
    r"|freez\w+|deadlock\w*|forever)\b"
)
PERMISSIONS = re.compile(
    r"(?i)permission denied|operation not permitted|read-only file system|os error (?:1|13|16|18|26|28"
    r"|30|39)\)|cross-device|text file busy|quota"
)
SETS_PERMISSIONS = re.compile(r"\b(?:chmod|chown|ln|mount|umask|touch|mkdir)\b")
PERMISSIONS_QUESTION = "On which file system is it, with which rights? Please post `ls -la` and `df -T` of the folder."
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
    """Return what of another system, of the network or of time cannot be had here."""
    found: list[Gap] = []
    command = commands[claim.command] if 0 <= claim.command < len(commands) else None
    line = claim.line or 1
    system = environment.platform.text if environment.platform else ""
    if WINDOWS.search(" ".join([*claim.output, title])) or (
        WINDOWS_SYSTEM.search(system) and (not command or WINDOWS.search(" ".join(claim.output)))
    ):
        found.append(
            Gap(line, "it shows on Windows, which is not to be had here", True, "Does it also show on Linux or macOS?")
        )
    if MACOS.search(" ".join([*claim.output, title])):
        found.append(Gap(line, "it is about macOS, which is not to be had here", True, "Does it also show on Linux?"))
    if PYPY.search(" ".join([title, command.run if command else "", *claim.output])):
        found.append(Gap(line, "it needs an interpreter that is not CPython as python.org has it", True, ""))
    if claim.kind == "failure" and NETWORK.search(" ".join(claim.output)):
        what = f"“{' '.join(claim.output)[:120]}” is what the network gives, and the reporter's is not to be had"
        found.append(Gap(line, what, not has_outages, "Does it show with the public index, without a proxy?"))
    if PERMISSIONS.search(" ".join(claim.output)) and not any(SETS_PERMISSIONS.search(each.run) for each in commands):
        found.append(
            Gap(line, "it depends on the rights or the file system that the reporter has", True, PERMISSIONS_QUESTION)
        )
    if HANGS.search(title) or (claim.kind == "none" and HANGS.search(prose)):
        found.append(
            Gap(
                1,
                "it hangs, and how long is long enough nobody can say",
                True,
                "Where does it stand? Please post the log of `uv … --verbose` and a backtrace.",
            )
        )
    if INTERMITTENT.search(prose):
        found.append(
            Gap(
                1,
                "it does not show every time",
                claim.unconfirmed or claim.kind == "none",
                "What makes it show each time?",
            )
        )
    if SLOW.search(title):
        found.append(Gap(1, "it is about how long it takes", True, ""))
    if DOCUMENTATION.search(title) and claim.kind in ("none", "silence"):
        found.append(Gap(1, "it is about the documentation: there is nothing to run", True, ""))
    return found


def private_resources(
    commands: Sequence[Command], claim: Claim, files: Sequence[PostedFile], stand_ins: Sequence[str]
) -> list[Gap]:
    """Return hosts, repositories and names that nobody but the reporter has."""
    found: list[Gap] = []
    upto = commands[: claim.command + 1] if claim.command >= 0 else commands
    texts = [
        *((each.run, each.line) for each in upto),
        *((file.text, file.line) for file in files if not file.inferred),
    ]
    runs = {each.run for each in upto}
    for text, line in texts:
        uncommented = "\n".join(row for row in text.split("\n") if not row.lstrip().startswith("#"))
        for match in HOST.finditer(uncommented):
            host = match["host"].lower()
            if (
                host in REACHABLE_HOSTS
                or any(host in each for each in stand_ins)
                or _is_metadata_url(text, match.start())
            ):
                continue
            found.append(
                Gap(
                    line,
                    f"{host} is not to be reached",
                    True,
                    "Does it show with packages of PyPI, or with the public test index?",
                )
            )
        for match in GIT.finditer(uncommented):
            found.append(
                Gap(
                    line,
                    f"the git repository {match['url'] or match['plus']} is not to be had",
                    True,
                    "Does it show with a package of PyPI?",
                )
            )
        slots = BRACKETED.finditer(uncommented) if text in runs and "\n" not in text else ()
        for match in (*PLACEHOLDER.finditer(uncommented), *slots):
            if not any(match[0].lower() in each.lower() for each in stand_ins):
                found.append(
                    Gap(
                        line,
                        f"“{match[0]}” stands for something that is not in the post",
                        True,
                        f"What stands for `{match[0]}`?",
                    )
                )
    return list({gap.description: gap for gap in found}.values())


def _is_metadata_url(text: str, at: int) -> bool:
    """Tell whether an address stands where nothing goes there: a homepage, a licence, a schema."""
    row = text[text.rfind("\n", 0, at) + 1 : at]
    return bool(
        re.search(
            r"(?i)home|url\s*=\s*$|repository|documentation|source|issues|changelog|license|tracker|funding"
            r"|\$schema|requests\.|urlopen|download",
            row,
        )
    ) and not re.search(r"(?i)index|find-links|\bgit\b", row)
