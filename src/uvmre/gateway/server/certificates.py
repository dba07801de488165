"""The certificate authority that steps trust. It is replaced once a day, not for each run.

Creating one takes 0.1 s of imports. It is stored in the cache, readable by its owner only; it is in no trust store, and
only the processes that uvmre starts trust it.
"""

import contextlib
import hashlib
import ssl
import time
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from uvmre import temp_folders
from uvmre.core.network.request import OPEN_HOSTS

if TYPE_CHECKING:
    import trustme

AUTHORITY_SECONDS = 24 * 60 * 60
AUTHORITY_FILE = "gateway/authority.pem"
LEAVES = "leaves"
CERTIFICATE = "-----BEGIN CERTIFICATE-----"
LAST_LINE = "-----END CERTIFICATE-----\n"


def load_authority(cache: Path) -> str:
    """Return the current authority: its private key and its certificate, as PEM."""
    path = cache / AUTHORITY_FILE
    stored = _read_whole(path)
    if stored and time.time() - path.stat().st_mtime < AUTHORITY_SECONDS:
        return stored
    for old in path.parent.glob(f"{LEAVES}/*.pem"):
        with contextlib.suppress(OSError):
            old.unlink()
    import trustme

    ca = trustme.CA(organization_name="uvmre, for one day")
    created = ca.private_key_pem.bytes().decode() + ca.cert_pem.bytes().decode()
    temp_folders.write_file(path, created)
    for host in OPEN_HOSTS:  # while trustme is imported
        leaf_file(created, path.parent / LEAVES, host)
    return created


def leaf_folder(cache: Path) -> Path:
    """Return the folder of the certificates that the current authority signed."""
    return (cache / AUTHORITY_FILE).parent / LEAVES


def public_part(authority: str) -> str:
    """Return the certificate of an authority, without its key."""
    return CERTIFICATE + authority.partition(CERTIFICATE)[2]


class Signer:
    """Provides TLS contexts for every host; certificates are cached beside the authority."""

    def __init__(self, authority: str, folder: Path) -> None:
        self._authority, self._folder = authority, folder
        self._contexts: dict[tuple[str, str], ssl.SSLContext] = {}

    def context(self, host: str, flaw: str = "") -> ssl.SSLContext:
        """Return the TLS context of a host; a flaw is "expired" or "untrusted"."""
        if (host, flaw) not in self._contexts:
            context = self._contexts[host, flaw] = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(leaf_file(self._authority, self._folder, host, flaw))
        return self._contexts[host, flaw]


def leaf_file(authority: str, folder: Path, host: str, flaw: str = "") -> Path:
    """Return the file with a host's key and certificate, which is created where missing."""
    # Named after the authority: certificates of an earlier one are useless.
    name = hashlib.sha256(authority.encode()).hexdigest()[:16]
    path = folder / f"{name}-{flaw}{'-' * bool(flaw)}{quote(host, safe='')}.pem"
    if not _read_whole(path):
        import trustme

        if flaw == "untrusted":
            ca = trustme.CA(organization_name="an authority that no client trusts")
        else:
            ca = trustme.CA.from_pem(public_part(authority).encode(), authority.partition(CERTIFICATE)[0].encode())
        temp_folders.write_file(path, _issue(ca, host, expired=flaw == "expired"))
    return path


def _issue(ca: "trustme.CA", host: str, *, expired: bool = False) -> str:
    from datetime import UTC, datetime, timedelta

    now = datetime.now(UTC)
    begin, end = (now - timedelta(days=2), now - timedelta(days=1)) if expired else (None, None)
    signed = ca.issue_cert(host, not_before=begin, not_after=end)
    return signed.private_key_pem.bytes().decode() + "".join(pem.bytes().decode() for pem in signed.cert_chain_pems)


def _read_whole(path: Path) -> str:
    """Return what is in a file with a key and its certificates; empty if that is missing or damaged."""
    try:
        stored = path.read_text(encoding="ascii")
    except (OSError, UnicodeDecodeError):
        return ""
    return stored if CERTIFICATE in stored and stored.endswith(LAST_LINE) and "\0" not in stored else ""
