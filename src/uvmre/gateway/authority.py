"""A certificate authority that lives as long as one run and whose key never touches the disk."""

import functools
import ssl
from pathlib import Path

import trustme


class Authority:
    """Signs a certificate for every host that a step asks for."""

    def __init__(self) -> None:
        self._ca = trustme.CA(organization_name="uvmre, for the time of one run")

    def write(self, path: Path) -> None:
        """Write the public certificate, which a step is told to trust."""
        path.write_bytes(self._ca.cert_pem.bytes())

    @functools.cache  # noqa: B019 - an authority lives exactly as long as its gateway
    def context(self, host: str) -> ssl.SSLContext:
        """Return the TLS context that answers as `host`."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._ca.issue_cert(host).configure_cert(context)
        return context
