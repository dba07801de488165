"""The gateway: a thread that answers for every host, and doors into it, one for each variant that runs."""

import asyncio
import contextlib
import threading
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from typing import TYPE_CHECKING, Any, TypeVar

from uvmre.core.observation import AnsweredBy, Request
from uvmre.gateway import hosts, index
from uvmre.gateway.authority import Authority

if TYPE_CHECKING:
    import httpx

Headers = list[tuple[bytes, bytes]]
T = TypeVar("T")

CONNECTIONS = 100
# RFC 9110, 7.6.1: these speak about one connection, not about the message.
HOP_BY_HOP = {b"connection", b"keep-alive", b"proxy-authorization", b"proxy-connection", b"te", b"trailer"}
HOP_BY_HOP |= {b"transfer-encoding", b"upgrade", b"proxy-authenticate"}


class Log:
    """The door's address, and the requests that came through it."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.requests: list[Request] = []


class Gateway:
    """Serves in a thread of its own from `with` to the end of it."""

    def __init__(self, *, live: bool = False) -> None:
        self.authority = Authority()
        self._live = live
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="gateway", daemon=True)
        self._client: httpx.AsyncClient | None = None

    def __enter__(self) -> "Gateway":
        """Start the thread; what it needs is imported there, while the first step is on its way."""
        self._thread.start()
        self._loop.call_soon_threadsafe(self._upstream)
        return self

    def __exit__(self, *_: object) -> None:
        """Close what is open and end the thread."""
        self._await(self._close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    @contextlib.contextmanager
    def door(self) -> Iterator[Log]:
        """Open a door on a free port of this machine, and close it again."""
        log = Log("")
        server = self._await(self._listen(log.requests.append))
        log.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        try:
            yield log
        finally:
            self._loop.call_soon_threadsafe(server.close)

    def _await(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    async def _listen(self, record: Callable[[Request], None]) -> asyncio.Server:
        from uvicorn.server import ServerState

        from uvmre.gateway.door import Door, application

        config, state = application(self._answer), ServerState()
        loop = asyncio.get_running_loop()
        return await loop.create_server(
            lambda: Door(config, state, self.authority, record), "127.0.0.1", 0, backlog=1024
        )

    async def _close(self) -> None:
        if self._client is not None:
            await self._client.aclose()
        tasks = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _upstream(self) -> "httpx.AsyncClient":
        if self._client is None:
            from uvmre.client import async_client

            self._client = async_client(CONNECTIONS)
        return self._client

    async def _answer(self, scope: dict[str, Any], receive: Callable[..., Any], send: Callable[..., Any]) -> None:
        """Answer one request (ASGI), and record it."""
        started = time.perf_counter()
        headers = {name: value.decode("latin-1") for name, value in scope["headers"]}
        authority = headers.get(b"host", "")
        host = authority.partition(":")[0].lower()
        path = scope["raw_path"].decode("latin-1") + ("?" + scope["query_string"].decode("latin-1")) * bool(
            scope["query_string"]
        )

        def record(status: int, by: AnsweredBy, reason: str = "") -> None:
            took = time.perf_counter() - started
            credentials = b"authorization" in headers
            scope["state"]["record"](Request(scope["method"], host, path, status, credentials, by, took, reason))

        if not hosts.let_through(host):
            reason = f"{host} is not a host of this MRE"
            record(403, "refused", reason)
            await respond(send, hosts.Answer(403, (("content-type", "text/plain"),), f"uvmre: {reason}\n".encode()))
            return
        decision = hosts.decide(
            f"{scope['scheme']}://{authority}", host, path, headers.get(b"authorization"), live=self._live
        )
        if isinstance(decision, hosts.Answer):
            record(decision.status, "stand-in")
            await respond(send, decision, head=scope["method"] == "HEAD")
            return
        await self._forward(decision, scope, receive, send, record)

    async def _forward(
        self,
        forward: hosts.Forward,
        scope: dict[str, Any],
        receive: Callable[..., Any],
        send: Callable[..., Any],
        record: Callable[..., None],
    ) -> None:
        import httpx

        dropped = HOP_BY_HOP | {b"host"} | ({b"authorization"} if forward.stand_in else set())
        if forward.links is not None:
            dropped |= {b"accept-encoding"}  # as the nginx does: what is replaced in must be plain
        headers = [(name, value) for name, value in scope["headers"] if name not in dropped]
        client = self._upstream()
        request = client.build_request(scope["method"], forward.url, headers=headers, content=await body_of(receive))
        try:
            response = await client.send(request, stream=True)
        except httpx.TransportError as error:
            reason = f"{request.url.host} could not be reached: {error or type(error).__name__}"
            record(502, "unreachable", reason)
            await respond(send, hosts.Answer(502, (("content-type", "text/plain"),), f"uvmre: {reason}\n".encode()))
            return
        try:
            if forward.links is None:
                await stream(send, response.status_code, passed_on(response), response.aiter_raw())
            else:
                await self._rewritten(forward.links, response, send)
            record(response.status_code, "stand-in" if forward.stand_in else "upstream")
        except httpx.TransportError as error:
            record(502, "unreachable", f"{request.url.host} broke off: {error or type(error).__name__}")
            raise
        finally:
            await response.aclose()

    async def _rewritten(self, links: str, response: "httpx.Response", send: Callable[..., Any]) -> None:
        body = (await response.aread()).replace(index.FILES.encode(), links.encode())
        headers = [h for h in passed_on(response) if h[0] not in (b"content-encoding", b"content-length", b"etag")]
        await send({"type": "http.response.start", "status": response.status_code, "headers": [*headers, length(body)]})
        await send({"type": "http.response.body", "body": body})


def passed_on(response: "httpx.Response") -> Headers:
    """Return the upstream's headers that are about the message."""
    return [(name.lower(), value) for name, value in response.headers.raw if name.lower() not in HOP_BY_HOP]


def length(body: bytes) -> tuple[bytes, bytes]:
    """Return the header that tells the length of `body`."""
    return (b"content-length", str(len(body)).encode())


async def body_of(receive: Callable[..., Any]) -> bytes:
    """Return the whole body of a request; uploads are not what an MRE is about, so it is small."""
    body: bytes = b""
    while True:
        message = await receive()
        body += message.get("body", b"")
        if not message.get("more_body"):
            return body


async def respond(send: Callable[..., Any], answer: hosts.Answer, *, head: bool = False) -> None:
    """Send an answer of the gateway's own."""
    headers = [(name.encode(), value.encode()) for name, value in answer.headers]
    await send({"type": "http.response.start", "status": answer.status, "headers": [*headers, length(answer.body)]})
    await send({"type": "http.response.body", "body": b"" if head else answer.body})


async def stream(send: Callable[..., Any], status: int, headers: Headers, chunks: AsyncIterator[bytes]) -> None:
    """Send a body piece by piece, as it comes, holding none of it."""
    await send({"type": "http.response.start", "status": status, "headers": headers})
    async for chunk in chunks:
        await send({"type": "http.response.body", "body": chunk, "more_body": True})
    await send({"type": "http.response.body", "body": b""})
