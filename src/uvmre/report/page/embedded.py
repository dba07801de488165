"""The MRE inside a page, a picture or a workflow, from which it is read back byte for byte."""

import base64
import binascii
import re

from uvmre.core.mre.files import File
from uvmre.errors import InputError
from uvmre.report.archive import read_zip, write_zip
from uvmre.report.bundle import Bundle

EMBEDDED = (
    # Only uvmre writes such an element: in what it shows, `<` is `&lt;`.
    re.compile(r'<(?:script|metadata)[^<>]{0,80} id="mre">([A-Za-z0-9+/=\s]*)<'),
    re.compile(r'^ {10}archive = """\n([A-Za-z0-9+/=\s]*)"""', re.MULTILINE),
)
"""In a page or a picture, and in a workflow."""


def embed(bundle: Bundle) -> str:
    """Return the files of an MRE as base64 of a zip archive."""
    return base64.b64encode(write_zip(bundle.files)).decode()


def read_page(text: str, source: str) -> tuple[File, ...]:
    """Return the files of the MRE in a page, a picture or a workflow; none if it has no MRE.

    Raises:
        InputError: if what it has is damaged.
    """
    found = next(filter(None, (pattern.search(text) for pattern in EMBEDDED)), None)
    if not found:
        return ()
    try:
        return read_zip(base64.b64decode(found[1]), source)
    except binascii.Error as error:
        raise InputError(f"failed to read the MRE in `{source}`", [f"it is not base64: {error}"]) from None
