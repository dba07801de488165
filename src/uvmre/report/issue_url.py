"""A link that opens a new issue with the report in it."""

from urllib.parse import quote, urlencode

from uvmre.errors import InputError
from uvmre.report.bundle import Bundle
from uvmre.report.github import write_github

NEW_ISSUE = "https://github.com/astral-sh/uv/issues/new"
LIMIT = 8_000
"""Bytes of a link; GitHub answers 414 to one of more than about 8,190."""
OUTPUT_SIZES = (20_000, 2_000, 600, 200)
"""Characters kept of each stream, tried in order until the link fits."""


def write_url(bundle: Bundle) -> str:
    """Return the link. The fields of uv's form have no `id`, so that a link cannot fill them: the body has all of them.

    Raises:
        InputError: if it is too long.
    """
    assert bundle.result, "the format needs a run"
    for size in OUTPUT_SIZES:
        body = write_github(bundle.shortened(size))
        link = f"{NEW_ISSUE}?{urlencode({'title': bundle.mre.title[:200], 'body': body}, quote_via=quote)}"
        if len(link) <= LIMIT:
            return link
    faults = [f"the link would have {len(link):,} bytes, and GitHub takes about {LIMIT:,}"]
    hint = "paste the text of `--format github` into a new issue, or make the MRE smaller with `uvmre shrink`"
    raise InputError("the MRE does not fit into a link", faults, hint)
