"""Guess the name of a posted file: from the fence, its first line, the sentence or heading above, or its type."""

import re
from dataclasses import dataclass

from uvmre.core.mre.portable_names import is_reserved
from uvmre.issue.files import content_type
from uvmre.issue.markdown import blocks
from uvmre.issue.markdown.blocks import Block

EXTENSIONS = r"(?:toml|lock|py|txt|in|cfg|ini|yaml|yml|json|md|sh|bash|pyi|pth|env|netrc|ps1|ipynb|dockerfile|rst|c|rs)"
PATH = re.compile(
    rf"(?<![\w@/~.:-])(?P<path>(?:(?:~|[\w.@-]*)/)*(?:[\w@+-][\w.@+-]{{0,100}}\.{EXTENSIONS}"
    rf"|\.python-version|\.env|\.netrc|\.gitignore"
    r"|Dockerfile(?:\.\w+)?|Containerfile|Makefile|py\.typed|requirements|justfile))(?![\w/@-]|\.\w)",
)
SAVE_AS = re.compile(
    r"(?i)\b(?:save[sd]?|put|file|named?|called|creat(?:e|ed|ing)|write|script)\b[^`\n]{0,40}`(?P<path>[\w./-]{1,80})`"
)
PATH_COMMENT = re.compile(
    r"(?i)^\s*(?:#|//|;|--|<!--)[#\s-]*+(?:(?:file(?:name)?|path|contents? of|in|cat)\s*(?::\s*)?)?[`\"']?"
    rf"(?P<path>(?:[\w.@+-]+/)*[\w.@+-]*\.{EXTENSIONS}"
    r"|(?:[\w.-]+/)*(?:Dockerfile|\.python-version|\.env))[`\"']?\s*(?::\s*)?(?:(?:-->|\([^)]*\)|-+|#+)\s*)?$"
)
FENCE_NAME = re.compile(
    r"""(?:title|file|filename|name)=["']?(?P<path>[\w./-]+)|[:\s](?P<bare>[\w./-]+\.[a-z]+)\s*$"""
    r"""|^(?P<only>[\w./-]+\.[a-z]{2,6})$"""
)
SHOWS_OUTPUT = re.compile(
    r"(?i)\b(?:output|outputs|prints?|results? (?:in|is)|error|fails?|failed|traceback|log|logs|says?|shows?"
    r"|gives?|get|got|see|produces?|returns?|running|run|command)\b"
    r"(?: is| was|:|`)?[^`]{0,30}:?\s*$"
)
TYPES: dict[str, tuple[str, ...]] = {
    "pyproject": ("pyproject.toml",),
    "uv.toml": ("uv.toml",),
    "lock": ("uv.lock",),
    "dockerfile": ("Dockerfile",),
}


@dataclass(frozen=True)
class GuessedName:
    """The name of a file, and where it comes from."""

    path: str
    why: str


def guess_name(block: Block, kind: content_type.Kind) -> GuessedName | None:
    """Return the name of the file that a block shows; None if it is unknown."""
    found = _from_fence(block) or _from_first_line(block) or _from_lead(block, kind)
    if found and _is_plausible(found.path, block, kind):
        return found
    if kind in TYPES:
        reason = {"pyproject": "[project] or [tool…] means pyproject.toml"}.get(
            kind, f"its content means {TYPES[kind][0]}"
        )
        return GuessedName(TYPES[kind][0], reason)
    return None


def _from_fence(block: Block) -> GuessedName | None:
    match = FENCE_NAME.search(block.tag)
    path = clean_path(next((group for group in match.groups() if group), "")) if match else ""
    return GuessedName(path, f"the fence says “{block.tag}”") if path else None


def _from_first_line(block: Block) -> GuessedName | None:
    for line in block.text.lstrip("\n").split("\n")[:2]:
        if match := PATH_COMMENT.match(line):
            path = clean_path(match["path"])
            return GuessedName(path, f"its first line “{line.strip()[:80]}”") if path else None
        if not line.startswith("#!"):
            break
    return None


def _from_lead(block: Block, kind: content_type.Kind) -> GuessedName | None:
    for text, what in ((_last_sentence(block.before), "the sentence"), (block.heading, "the heading")):
        if what == "the heading" and not (block.first_under_heading or block.before):
            continue
        # A heading names only the first block below it.
        if what == "the heading" and not block.first_under_heading and kind == "":
            continue
        if not text or (what == "the sentence" and SHOWS_OUTPUT.search(text) and kind in ("", "output")):
            continue
        match = _naming_match(PATH, text) or _naming_match(SAVE_AS, text)
        if match and (path := clean_path(match["path"])):
            return GuessedName(path, f"{what} “{' '.join(text.split())[-80:]}”")
    return None


def _last_sentence(before: str) -> str:
    """Return the last sentence, or line, before a block."""
    lines = [line for line in before.split("\n") if line.strip()]
    if not lines:
        return ""
    last = (blocks.sentences(lines[-1]) or [""])[-1]
    return last if len(last) > 3 else lines[-1]


def _naming_match(pattern: re.Pattern[str], text: str) -> re.Match[str] | None:
    found = list(pattern.finditer(text[-600:]))
    if not found:
        return None
    # "the `x.py` file", "in `a/b.toml`": the first name counts, unless one is at the end.
    return (
        found[-1]
        if re.search(r"[`*:]\s*$", text) and text.rstrip("`*: ").endswith(found[-1][0].rstrip("`*: "))
        else found[0]
    )


def _is_plausible(path: str, block: Block, kind: content_type.Kind) -> bool:
    """Tell whether a block can be a file of that name: output is not a file because a name is mentioned."""
    if kind in ("output", "tree"):
        return False
    last = path.rpartition("/")[2]
    if last.endswith((".toml", ".lock")) or last == "pyproject.toml":
        return kind in ("pyproject", "uv.toml", "lock", "toml") or (content_type.parse_toml(block.text) is not None)
    if last.endswith(".py"):
        return kind in ("python", "script") or (kind == "" and block.tag.lower().startswith("py"))
    if last.startswith("Dockerfile") or last == "Containerfile":
        return kind == "dockerfile"
    if last.endswith((".txt", ".in")) or last == "requirements":
        return kind in ("requirements", "") and not content_type.is_output(block.text)
    if kind in ("pyproject", "lock", "dockerfile", "script"):
        return kind == "script" and "." not in last
    return True


def clean_path(path: str) -> str:
    """Return a normalized relative path; empty if it is outside the directory."""
    text = path.strip("`'\" ").replace("\\", "/")
    while text.startswith("./"):
        text = text[2:]
    parts = [part for part in text.split("/") if part]
    if not parts or ".." in parts or len(text) > 160 or text.startswith(("/", "~")) or ":" in text:
        return parts[-1] if parts and text.startswith(("/", "~")) and ".." not in parts else ""
    # Files there would be others than the reporter's: those of git, or a uv that comes with the MRE.
    return "" if is_reserved("/".join(parts)) else "/".join(parts)
