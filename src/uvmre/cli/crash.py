"""What a bug of uvmre's own leaves behind."""

import sys

from uvmre import __version__
from uvmre.cli import console

OUR_BUG = 3


def our_bug() -> int:
    """Leave a report of the exception under way that can be pasted as it is, and return the exit code."""
    import traceback
    from datetime import UTC, datetime

    from uvmre.core.secrets.redact import redact

    text = "\n".join(
        [
            "### What happened",
            "",
            "```",
            redact(traceback.format_exc().strip()),
            "```",
            "",
            f"uvmre {__version__}, Python {sys.version.split()[0]}, {sys.platform}",
            "",
        ]
    )
    path = console.cache() / f"crash-{datetime.now(UTC):%Y%m%dT%H%M%SZ}.md"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8", errors="backslashreplace")
        where = f"Please report it with the text in {path}."
    except OSError:
        where = "Please report it with this text:\n" + text
    console.complain("This is a bug of uvmre, not of your MRE.", where)
    return OUR_BUG
