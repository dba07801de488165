"""Whether PyPI answers, and how quickly."""

import time

from uvmre.errors import UvmreError, cause
from uvmre.releases.catalogue import INDEX


def pypi(seconds: float) -> tuple[str, float]:
    """Ask PyPI for the head of a page; return why it does not answer (empty where it does), and the seconds."""
    import httpx

    from uvmre.client import client

    began = time.monotonic()
    try:
        with client() as http:
            answer = http.head(INDEX, timeout=seconds)
            answer.raise_for_status()
    except (httpx.HTTPError, httpx.InvalidURL, ValueError, OSError, UvmreError) as error:
        return cause(error), time.monotonic() - began
    return "", time.monotonic() - began
