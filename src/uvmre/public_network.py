"""Connections to public addresses only, never to a service of this machine or its network."""

import asyncio
import fnmatch
import ipaddress
from collections.abc import Iterable, Sequence

import httpcore


class PublicNetwork(httpcore.AnyIOBackend):
    """Looks a host up once, and connects to the addresses that it has checked."""

    def __init__(self, private_hosts: Sequence[str]) -> None:
        super().__init__()
        self._private_hosts = private_hosts

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: "Iterable[httpcore.SOCKET_OPTION] | None" = None,
    ) -> httpcore.AsyncNetworkStream:
        """Connect to a host.

        Raises:
            httpcore.ConnectError: when one of its addresses is private, or none answers.
        """
        if any(fnmatch.fnmatchcase(host, pattern) for pattern in self._private_hosts):
            return await super().connect_tcp(host, port, timeout, local_address, socket_options)
        failure: Exception = httpcore.ConnectError(f"{host} has no address")
        for address in await _public_addresses(host):
            try:
                return await super().connect_tcp(address, port, timeout, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
        raise failure


async def _public_addresses(host: str) -> list[str]:
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, None)
    except OSError as error:
        raise httpcore.ConnectError(str(error)) from None
    addresses = list(dict.fromkeys(str(info[4][0]) for info in found))
    if not all(map(_is_public, addresses)):
        raise httpcore.ConnectError(f"{host} is on a private network; `--allow-host {host}` allows it")
    return addresses


def _is_public(address: str) -> bool:
    ip = ipaddress.ip_address(address.partition("%")[0])
    mapped = getattr(ip, "ipv4_mapped", None)
    return bool((mapped or ip).is_global)
