"""A certificate authority that lives as long as one run and whose key never touches the disk."""

import ssl
from pathlib import Path

import trustme


class Authority:
    """Signs a certificate for every host that a step asks for."""

    def __init__(self) -> None:
        self._ca = trustme.CA(organization_name="uvmre, for the time of one run")
        self._contexts: dict[str, ssl.SSLContext] = {}

    def write(self, path: Path) -> None:
        """Write the public certificate, which a step is told to trust."""
        path.write_bytes(self._ca.cert_pem.bytes())

    def context(self, host: str) -> ssl.SSLContext:
        """Return the TLS context that answers as `host`."""
        if host not in self._contexts:
            self._contexts[host] = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self._ca.issue_cert(host).configure_cert(self._contexts[host])
        return self._contexts[host]
