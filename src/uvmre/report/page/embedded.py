"""The MRE inside a page or a picture, from which it is read back byte for byte."""

import base64
import binascii
import re

from uvmre.core.mre.files import File
from uvmre.errors import InputError
from uvmre.report.archive import read_zip, write_zip
from uvmre.report.bundle import Bundle

EMBEDDED = re.compile(r'<(?:script|metadata)[^<>]{0,80} id="mre">([A-Za-z0-9+/=\s]*)<')
"""Only uvmre writes such an element: in what it shows, `<` is `&lt;`."""


def embed(bundle: Bundle) -> str:
    """Return the files of an MRE as base64 of a zip archive."""
    return base64.b64encode(write_zip(bundle.files)).decode()


def read_page(text: str) -> tuple[File, ...]:
    """Return the files of the MRE in a page or a picture; none if it has no MRE.

    Raises:
        InputError: if what it has is damaged.
    """
    found = EMBEDDED.search(text)
    if not found:
        return ()
    try:
        return read_zip(base64.b64decode(found[1]), "the MRE in the page")
    except binascii.Error as error:
        raise InputError("failed to read the MRE in the page", [f"it is not base64: {error}"]) from None
