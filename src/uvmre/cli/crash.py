"""The report of an internal error."""

import sys

from uvmre import __version__
from uvmre.cli import console

INTERNAL_ERROR = 3


def report_internal_error() -> int:
    """Write a report of the exception under way that can be pasted into an issue, and return the exit code."""
    import textwrap
    import traceback
    from datetime import UTC, datetime

    from uvmre.core.secrets.redact import find_secrets, redact
    from uvmre.core.text.visible import visible

    trace = traceback.format_exc().strip()
    # A text of the MRE in the error is written as Python writes it.
    lines = trace.replace("\\n", "\n").replace("\\'", "'")
    trace = visible(redact(trace, {lines[start:end] for start, end in find_secrets(lines)}))
    versions = f"uvmre {__version__}, Python {sys.version.split()[0]}, {sys.platform}"
    # Indented: a fence could be ended by what a stranger wrote into the message.
    text = f"### What happened\n\n{textwrap.indent(trace, '    ', lambda _: True)}\n\n{versions}\n"
    path = console.cache() / f"crash-{datetime.now(UTC):%Y%m%dT%H%M%SZ}.md"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8", errors="backslashreplace")
        hint = f"report it with the text in `{path}`"
    except OSError:
        hint = f"report it with this text:\n{text}"
    console.print_error("uvmre crashed; this is a bug in uvmre, not in the MRE", hint)
    return INTERNAL_ERROR
