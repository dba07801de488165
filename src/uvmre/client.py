"""The one HTTP client: how uvmre itself speaks to PyPI."""

import functools
import ssl

import httpx
import truststore

from uvmre import __version__

TIMEOUT = httpx.Timeout(30.0, connect=10.0)
USER_AGENT = f"uvmre/{__version__}"


@functools.cache
def trust() -> ssl.SSLContext:
    """Return the system's own trust store, which is where a company's proxy has its authority."""
    return truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


def client() -> httpx.Client:
    """Return a client for a few requests from one thread; close it after use."""
    return httpx.Client(
        verify=trust(),
        timeout=TIMEOUT,
        headers={"user-agent": USER_AGENT},
        follow_redirects=True,
    )


def async_client(connections: int) -> httpx.AsyncClient:
    """Return a client that passes requests on as they are: no redirects followed, no headers of its own."""
    pool = httpx.Limits(max_connections=connections, max_keepalive_connections=connections)
    return httpx.AsyncClient(verify=trust(), timeout=TIMEOUT, limits=pool, headers={"user-agent": USER_AGENT})
