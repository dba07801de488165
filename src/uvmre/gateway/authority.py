"""The certificate authority that steps are told to trust. It is thrown away after a day, not after each run.

Making one costs 0.1 s of imports, which every run would wait for. It lies in the cache, readable by its owner only; no
trust store has it, and only the processes that uvmre starts trust it.
"""

import os
import ssl
import tempfile
import time
from pathlib import Path

LIFE = 24 * 60 * 60
FILE = "gateway/authority.pem"
CERTIFICATE = "-----BEGIN CERTIFICATE-----"


def authority(cache: Path) -> str:
    """Return today's authority: its private key, and below it its certificate, as PEM."""
    path = cache / FILE
    try:
        if time.time() - path.stat().st_mtime < LIFE:
            kept = path.read_text(encoding="ascii")
            if CERTIFICATE in kept:
                return kept
    except (OSError, UnicodeDecodeError):
        pass  # there is none, or it cannot be read: a new one is as good
    made = _make()
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, aside = tempfile.mkstemp(dir=path.parent)  # which only its owner can read
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(made)
        Path(aside).rename(path)
    except BaseException:
        Path(aside).unlink()
        raise
    return made


def certificate(authority: str) -> str:
    """Return the part of an authority that is public."""
    return CERTIFICATE + authority.partition(CERTIFICATE)[2]


def _make() -> str:
    import trustme

    ca = trustme.CA(organization_name="uvmre, for one day")
    return ca.private_key_pem.bytes().decode() + ca.cert_pem.bytes().decode()


class Signer:
    """Answers under every name that a step asks for."""

    def __init__(self, authority: str) -> None:
        import trustme

        self._ca = trustme.CA.from_pem(certificate(authority).encode(), authority.partition(CERTIFICATE)[0].encode())
        self._contexts: dict[str, ssl.SSLContext] = {}

    def context(self, host: str) -> ssl.SSLContext:
        """Return the TLS context that answers as `host`."""
        if host not in self._contexts:
            self._contexts[host] = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self._ca.issue_cert(host).configure_cert(self._contexts[host])
        return self._contexts[host]
