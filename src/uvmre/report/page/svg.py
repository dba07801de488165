"""The last run as a picture of a terminal, with the MRE inside."""

import html
import re
from importlib.resources import files

from rich.text import Text

from uvmre.report.bundle import Bundle
from uvmre.report.page.embedded import embed
from uvmre.report.page.terminal import command_text, console, output_text

WIDTH = 100
MOST_LINES = 60
"""Lines of a stream that are shown."""
NOT_XML = re.compile(r"[\ufffe\uffff]")


def svg(bundle: Bundle) -> str:
    """Return the steps of the last run and their output as SVG, which fetches nothing."""
    assert bundle.result, "the format needs a run"
    terminal = console(WIDTH)
    for step in bundle.result.base.observation.steps:
        terminal.print(command_text(step))
        for output in (step.stdout, step.stderr):
            if output:
                terminal.print(_shortened(output_text(output.removesuffix("\n"))))
        if step.exit or step.timed_out:
            ended = f"exit code {step.exit}" + ", ended at its time limit" * step.timed_out
            terminal.print(Text(ended, "dim"))
    template = files(__package__).joinpath("terminal.svg").read_text(encoding="utf-8")
    label = html.escape(f"{bundle.mre.title}: {bundle.result.verdict.word}").replace("{", "{{").replace("}", "}}")
    template = template.replace("LABEL", label).replace("EMBEDDED", embed(bundle))
    title = f"uv {bundle.result.uv}, Python {bundle.result.python}"
    return NOT_XML.sub("\ufffd", terminal.export_svg(title=title, code_format=template, unique_id="mre"))


def _shortened(text: Text) -> Text:
    """Return a text without its middle lines where it has too many."""
    lines = text.split("\n")
    half = MOST_LINES // 2
    if len(lines) <= MOST_LINES:
        return text
    left_out = Text(f"[… {len(lines) - 2 * half} lines left out …]", "dim")
    return Text("\n").join([*lines[:half], left_out, *lines[-half:]])
