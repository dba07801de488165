"""The HTTP client of uvmre itself.

httpx for single requests; its engine, httpcore, for those that the gateway forwards.
"""

import functools
import os
import ssl
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from uvmre import __version__

if TYPE_CHECKING:
    import httpcore
    import httpx

SECONDS = 30.0
CONNECT_SECONDS = 10.0
USER_AGENT = f"uvmre/{__version__}"


@functools.cache
def trust_store() -> ssl.SSLContext:
    """Return the system's trust store, which has the authority of a company's proxy.

    On Linux that is OpenSSL's, loaded once; truststore loads it for every connection, 15 ms each.
    """
    if sys.platform == "linux":
        return ssl.create_default_context()
    import truststore

    return truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


def http_client() -> "httpx.Client":
    """Return a client for a few requests of one thread; close it after use."""
    import httpx

    timeout = httpx.Timeout(SECONDS, connect=CONNECT_SECONDS)
    headers = {"user-agent": USER_AGENT}
    return httpx.Client(verify=trust_store(), timeout=timeout, headers=headers, follow_redirects=True)


def gateway_client(url: str, certificate: bytes) -> "httpx.Client":
    """Return a client whose requests go through a listener of the gateway; close it after use."""
    import httpx

    context = ssl.create_default_context(cadata=certificate.decode())
    return httpx.Client(proxy=url, verify=context, timeout=httpx.Timeout(SECONDS), trust_env=False)


def connection_pool(connections: int, private_hosts: Sequence[str] = ("*",)) -> "httpcore.AsyncConnectionPool":
    """Return a pool that forwards requests unchanged: it follows, decodes and adds nothing.

    Only hosts that match one of `private_hosts` may have a private address. A proxy decides that by itself.
    """
    import httpcore

    from uvmre.public_network import PublicNetwork

    proxy = os.environ.get("HTTPS_PROXY") or os.environ.get("https_proxy") or os.environ.get("ALL_PROXY")
    return httpcore.AsyncConnectionPool(
        ssl_context=trust_store(),
        max_connections=connections,
        keepalive_expiry=SECONDS,
        proxy=httpcore.Proxy(proxy) if proxy else None,
        network_backend=None if proxy or "*" in private_hosts else PublicNetwork(private_hosts),
    )


def httpcore_url(url: str) -> "httpcore.URL":
    """Return a URL with its path unchanged; httpcore's own parser drops what follows a `;`."""
    import httpcore

    scheme, _, rest = url.partition("://")
    authority, slash, path = rest.partition("/")
    host, _, port = authority.partition(":")
    target = ((slash + path).partition("#")[0] or "/").encode("latin-1")
    return httpcore.URL(scheme=scheme.encode(), host=host.encode(), port=int(port) if port else None, target=target)
