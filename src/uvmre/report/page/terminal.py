"""The output of a step in its colours, or in those that uv gives its messages on a terminal."""

import io
import re
from collections.abc import Iterator

from rich.ansi import AnsiDecoder
from rich.console import Console
from rich.style import Style
from rich.text import Text

from uvmre.core.outcome.observation import StepResult
from uvmre.core.text.visible import CONTROL, SEQUENCE
from uvmre.report.markdown import cut

SGR = re.compile(r"\x1b\[[0-9;]*m")
"""What selects colours: the only escape sequences that are kept."""
MOST = 20_000
"""Characters of a stream that are shown."""
LABELS = (
    (r"(?m)^(?:error|thread '[^'\n]{0,200}' panicked)\b:?|^ {0,4}[×x] ", "bold red"),
    (r"(?m)^warning\b:?", "bold yellow"),
    (r"(?m)^ {0,10}hint\b:?", "bold cyan"),
    (r"(?m)^ \+ ", "green"),
    (r"(?m)^ - ", "red"),
    (r"(?m)^ ~ ", "yellow"),
    (r"(?m)^ {1,10}(?:cause|Caused by)\b:?|^ {0,10}[├╰│▶─]{1,4}", "red"),
)
"""The parts of uv's messages that have a colour on a terminal; to a file it writes none."""


def console(width: int) -> Console:
    """Return a console that depends on nothing of this machine and shows nothing."""
    return Console(
        width=width, record=True, file=io.StringIO(), color_system="truecolor", force_terminal=True, _environ={}
    )


def command_text(step: StepResult) -> Text:
    """Return the command behind a prompt."""
    return Text.assemble(("$ ", "bold green"), (CONTROL.sub("\ufffd", step.run), "bold"))


def output_text(output: str) -> Text:
    """Return a stream of a step, of whose control characters only colours have an effect."""
    lines = cut(output, MOST).replace("\r\n", "\n").split("\n")
    # As on a terminal, the last text of a line is seen.
    whole = "\n".join(line.rstrip("\r").rpartition("\r")[2] for line in lines)
    if not SGR.search(whole):
        text = Text(CONTROL.sub("\ufffd", SEQUENCE.sub("", whole)))
        for pattern, style in LABELS:
            text.highlight_regex(pattern, style)
        return text
    kept = SEQUENCE.sub(lambda match: match[0] if SGR.fullmatch(match[0]) else "", whole)
    # The decoder would take what is left of other sequences apart.
    parts = SGR.split(kept)
    codes = ["", *SGR.findall(kept)]
    clean = "".join(code + CONTROL.sub("\ufffd", part) for code, part in zip(codes, parts, strict=True))
    return Text("\n").join(AnsiDecoder().decode(clean))


def spans(text: Text) -> Iterator[tuple[str, str]]:
    """Yield the parts of a text, each with the classes of its style in the page's style sheet."""
    for segment in text.render(console(80), end=""):
        yield segment.text, " ".join(_classes(segment.style)) if segment.style else ""


def _classes(style: Style) -> Iterator[str]:
    names = (("b", style.bold), ("d", style.dim), ("i", style.italic), ("u", style.underline))
    yield from (name for name, has in names if has)
    # Colours beyond a terminal's own 16 cannot be kept readable on both backgrounds.
    if style.color and style.color.number is not None and style.color.number < 16:
        yield f"c{style.color.number % 8}"
