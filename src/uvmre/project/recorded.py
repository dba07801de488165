"""Request what a run did not, so that the recording of an MRE is complete."""

from collections.abc import Iterable

from uvmre.client import gateway_client

OF_UV = "application/vnd.pypi.simple.v1+json, application/vnd.pypi.simple.v1+html;q=0.2, text/html;q=0.01"
"""What uv accepts as a page: the recording keeps the answers for each Accept header apart."""


def request_all(urls: Iterable[str], listener: str, certificate: bytes) -> None:
    """Request URLs through a listener of the gateway, which records the answers; what fails is left out."""
    import httpx

    with gateway_client(listener, certificate) as client:
        for url in dict.fromkeys(urls):
            headers = {"accept": OF_UV} if "/simple/" in url else {}
            try:
                client.get(url, headers=headers)
            except httpx.HTTPError:
                continue
