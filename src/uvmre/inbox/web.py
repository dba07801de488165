"""Read one file from a URL: over HTTPS, from a public address, of a limited size."""

import asyncio
import re
from collections.abc import Sequence
from urllib.parse import urljoin

import httpcore

from uvmre import files
from uvmre.client import SECONDS, USER_AGENT, connection_pool, httpcore_url
from uvmre.errors import CannotTell, UsageError, cause

REDIRECTS = 5
SCHEME = "https://"
GIST = re.compile(r"https://gist\.github\.com/([\w-]+)/(\w+)(?:[/?#]|\Z)")
BLOB = re.compile(r"(https://github\.com/[\w.-]+/[\w.-]+)/blob/")
HINT = "check the URL and the network, or save it as a file"


def fetch_file(url: str, private_hosts: Sequence[str] = ()) -> bytes:
    """Return what a URL has; a page of GitHub on a file or a gist stands for its text.

    Raises:
        UsageError: if it is not HTTPS, or there is no such file, or it is too large.
        CannotTell: if there is no response.
    """
    if match := GIST.match(url):
        url = f"https://gist.githubusercontent.com/{match[1]}/{match[2]}/raw"
    try:
        return asyncio.run(_fetch(BLOB.sub(r"\1/raw/", url), private_hosts))
    except (httpcore.NetworkError, httpcore.TimeoutException, httpcore.ProtocolError, httpcore.ProxyError) as error:
        raise CannotTell(f"failed to fetch `{url}`", HINT, cause=cause(error)) from None
    except (ValueError, UnicodeError) as error:
        raise UsageError(f"`{url}` is not a URL", "check it", cause=cause(error)) from None


async def _fetch(url: str, private_hosts: Sequence[str]) -> bytes:
    timeout = dict.fromkeys(("connect", "read", "write", "pool"), SECONDS)
    async with connection_pool(1, private_hosts) as pool:
        for _ in range(REDIRECTS):
            if not url.startswith(SCHEME):
                raise UsageError(f"`{url}` is not an HTTPS URL", f"use one that begins with {SCHEME}")
            request = pool.stream(
                "GET", httpcore_url(url), headers={"user-agent": USER_AGENT}, extensions={"timeout": timeout}
            )
            async with request as response:
                headers = {name.lower(): value.decode("latin-1") for name, value in response.headers}
                if response.status in (301, 302, 303, 307, 308) and b"location" in headers:
                    url = urljoin(url, headers[b"location"])
                    continue
                if response.status != 200:
                    raise UsageError(f"failed to fetch `{url}`", HINT, cause=f"HTTP status {response.status}")
                content = bytearray()
                async for chunk in response.aiter_stream():
                    content += chunk
                    if len(content) > files.LIMIT:
                        raise UsageError(f"`{url}` is larger than {files.LIMIT // 1_000_000} MB", HINT)
                return bytes(content)
    raise UsageError(f"failed to fetch `{url}`", HINT, cause=f"more than {REDIRECTS} redirects")
