"""Parse Markdown into a flat list of blocks: code, prose, and list items, each with its headings."""

import functools
import itertools
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.token import Token

INLINE_CODE = re.compile(r"(?<!`)(`{1,3})(?!`)([^`\n]{1,400}(?:\n[^`\n]{1,400})?)(?<!`)\1(?!`)")
QUOTATION = re.compile(r"“([^”\n]{12,300})”|(?<![\w=])\"([^\"\n]{12,300})\"(?!\w)")
COMMAND = re.compile(r"(?<!`)`(uvx? [^`\n]{1,300})`(?!`)")
TAGS = re.compile(r"</?[a-zA-Z][^<>\n]{0,300}>")
SUMMARY = re.compile(r"<summary>(.{1,300}?)</summary>", re.DOTALL | re.IGNORECASE)
PRE = re.compile(r"<pre[^<>]{0,100}>(?:<code[^<>]{0,100}>)?|(?:</code>)?</pre>", re.IGNORECASE)
COMMENT = re.compile(r"<!--.*?(?:-->|\Z)", re.DOTALL)
BOLD = re.compile(r"(?:\*\*|__)([^*_\n]{1,120})(?:\*\*|__):?")
MOST_BLOCKS = 600
LONGEST_PROSE = 6_000
MOST_WORDS = 60_000
"""The total number of characters of prose that are read."""
FIRST_LINES, LAST_LINES = 900, 300
"""The lines of a code block that are read: the failure is at the end of a long log."""
SUMMARY_LEVEL = 8
BOLD_LEVEL = 7


@dataclass(frozen=True)
class Block:
    """A paragraph, a list item or a code block."""

    kind: Literal["prose", "item", "code"]
    text: str
    line: int
    """Its first line, from 1."""
    tag: str = ""
    """The info string of the fence."""
    headings: tuple[str, ...] = ()
    """The headings above it, the outermost first."""
    before: str = ""
    """Of code: the paragraph directly before it."""
    after: str = ""
    """Of code: the paragraph directly after it."""
    quoted: bool = False
    """Whether it is inside a quote."""
    first_under_heading: bool = False
    """Of code: whether it is the first block below its innermost heading."""

    @property
    def heading(self) -> str:
        """Return the innermost heading."""
        return self.headings[-1] if self.headings else ""


@functools.cache
def _markdown() -> "MarkdownIt":
    from markdown_it import MarkdownIt

    # Only blocks are parsed: inline text stays as written.
    return MarkdownIt("commonmark").disable(["inline", "text_join", "reference"])


def parse_blocks(lines: Sequence[str]) -> tuple[Block, ...]:
    """Return the blocks of a text, in order."""
    found = list(_truncate(itertools.islice(_walk(_markdown().parse("\n".join(lines))), MOST_BLOCKS)))
    for i, block in enumerate(found):
        if block.kind == "code":
            before = found[i - 1] if i else None
            after = found[i + 1] if i + 1 < len(found) else None
            found[i] = replace(
                block,
                before=before.text if before and before.kind != "code" and before.headings == block.headings else "",
                after=after.text if after and after.kind != "code" else "",
                first_under_heading=before is None or before.headings != block.headings,
            )
    return tuple(found)


def _truncate(found: Iterable[Block]) -> Iterator[Block]:
    """Truncate long blocks, so that reading takes little time."""
    characters = 0
    for block in found:
        lines = block.text.split("\n")
        if block.kind == "code" and len(lines) > FIRST_LINES + LAST_LINES:
            yield replace(block, text="\n".join([*lines[:FIRST_LINES], *lines[-LAST_LINES:]]))
        elif block.kind != "code":
            characters += len(block.text)
            text = block.text[: LONGEST_PROSE if characters < MOST_WORDS else 200]
            yield replace(block, text=text) if characters < 2 * MOST_WORDS else replace(block, text=text[:20])
        else:
            yield block


def _walk(tokens: "Sequence[Token]") -> Iterator[Block]:
    headings: list[tuple[int, str]] = []
    quotes = items = 0
    for i, token in enumerate(tokens):
        quotes += {"blockquote_open": 1, "blockquote_close": -1}.get(token.type, 0)
        items += {"list_item_open": 1, "list_item_close": -1}.get(token.type, 0)
        line = token.map[0] + 1 if token.map else 0
        names = tuple(text for _, text in headings)
        if token.type == "heading_open":
            _push_heading(headings, int(token.tag[1:]), tokens[i + 1].content)
        elif token.type in ("fence", "code_block"):
            first = line + 1 if token.type == "fence" else line
            yield Block("code", token.content, first, token.info.strip(), names, quoted=quotes > 0)
        elif token.type == "html_block":
            yield from _html(token.content, line, headings)
        elif token.type == "inline" and tokens[i - 1].type == "paragraph_open":
            text = COMMENT.sub("", token.content)
            bold = BOLD.fullmatch(text.strip())
            if bold:
                _push_heading(headings, BOLD_LEVEL, bold[1])
            elif text.strip():
                yield Block("item" if items else "prose", text, line, "", names, quoted=quotes > 0)


def _push_heading(headings: list[tuple[int, str]], level: int, text: str) -> None:
    while headings and headings[-1][0] >= level:
        headings.pop()
    headings.append((level, " ".join(TAGS.sub("", text).split())[:300]))


def _html(content: str, line: int, headings: list[tuple[int, str]]) -> Iterator[Block]:
    """Return the blocks that GitHub renders of HTML: a summary as a heading, `<pre>` and fences as code."""
    content = COMMENT.sub(lambda found: "\n" * found[0].count("\n"), content)
    if found := SUMMARY.search(content):
        _push_heading(headings, SUMMARY_LEVEL, found[1])
        content = content[: found.start()] + "\n" * found[0].count("\n") + content[found.end() :]
    if "</details" in content.lower() and headings and headings[-1][0] == SUMMARY_LEVEL:
        headings.pop()
    names = tuple(text for _, text in headings)
    if "```" in content or PRE.search(content):
        yield from _html_code(content, line, names)
    elif text := TAGS.sub("", content).strip():
        yield Block("prose", text, line, "", names)


def _html_code(content: str, line: int, names: tuple[str, ...]) -> Iterator[Block]:
    segments = PRE.sub("```", content).split("```")
    for number, block in enumerate(segments):
        tag, newline, rest = block.partition("\n")
        if number % 2 == 0:
            if text := TAGS.sub("", block).strip():
                yield Block("prose", text, line, "", names)
        elif newline and re.fullmatch(r"[\w.+-]*", tag.strip()):
            yield Block("code", rest, line + 1, tag.strip(), names)
        else:
            yield Block("code", block, line, "", names)
        line += block.count("\n")


def inline_code(text: str) -> list[tuple[str, int]]:
    """Return the inline code of a paragraph, each with its offset."""
    paired = [(" ".join(found[2].split()), found.start()) for found in INLINE_CODE.finditer(text)]
    if text.count("`") % 2 == 0:
        return paired
    # A backtick is left open: find at least the commands.
    listed = {code for code, _ in paired}
    return [*paired, *((found[1], found.start()) for found in COMMAND.finditer(text) if found[1] not in listed)]


def quotations(text: str) -> list[tuple[str, int]]:
    """Return the inline code and the texts in double quotes of a paragraph, each with its offset."""
    codes = inline_code(text)
    masked = INLINE_CODE.sub(lambda found: "`" * len(found[0]), text)
    spans = [found for found in QUOTATION.finditer(text) if masked[found.start()] != "`"]
    return [*codes, *((" ".join((found[1] or found[2]).split()), found.start()) for found in spans)]


def sentences(text: str) -> list[str]:
    """Return the sentences of a paragraph, without splitting inline code."""
    codes: list[str] = []

    def replace_code(found: re.Match[str]) -> str:
        codes.append(found[0])
        return f"\x00{len(codes) - 1}\x00"

    parts = re.split(
        r"(?<=[.!?])[\"')\]]?\s+(?=[A-Z\x00\"'(*_])|\n\s*\n|\n(?=[A-Z-])", INLINE_CODE.sub(replace_code, text)
    )
    restored = [re.sub(r"\x00(\d+)\x00", lambda found: codes[int(found[1])], block).strip() for block in parts]
    return [each for each in restored if each]
