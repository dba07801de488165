"""The messages of HTTP/1.1: a request as it came in, and how an answer is written."""

import time
from http import HTTPStatus

Headers = list[tuple[bytes, bytes]]

STATUS_LINES = {status.value: f"HTTP/1.1 {status.value} {status.phrase}\r\n".encode() for status in HTTPStatus}
BODILESS = (204, 304)
DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


class ParsedRequest:
    """One request as it came in, with its body."""

    __slots__ = ("body", "headers", "keep_alive", "method", "named", "old", "scheme", "started", "target")

    def __init__(self, scheme: str) -> None:
        self.scheme = scheme
        self.target = b""
        self.headers: Headers = []
        self.named: dict[bytes, bytes] = {}
        self.body = bytearray()
        self.method = b""
        self.keep_alive = True
        self.old = False
        """Whether the client speaks HTTP/1.0, which has no chunks."""
        self.started = 0.0


def head(status: int, headers: Headers, asked: ParsedRequest) -> tuple[bytes, bool]:
    """Return the head of an answer up to its date, and whether its body goes in chunks."""
    named = {name for name, _ in headers}
    line = STATUS_LINES.get(status) or b"HTTP/1.1 %d Status\r\n" % status
    lines = [line, *(name + b": " + value + b"\r\n" for name, value in headers)]
    chunked = False
    if b"content-length" not in named and asked.method != b"HEAD" and status not in BODILESS:
        chunked = not asked.old
        asked.keep_alive = asked.keep_alive and chunked
        if chunked:
            lines.append(b"transfer-encoding: chunked\r\n")
    if not asked.keep_alive:
        lines.append(b"connection: close\r\n")
    return b"".join(lines), chunked


class Clock:
    """The end of a head: the date, formatted once a second."""

    def __init__(self) -> None:
        self._second = 0
        self._end = b""

    def end(self) -> bytes:
        """Return the date's line and the empty one below it."""
        now = int(time.time())
        if now != self._second:
            told = time.gmtime(now)
            day, month = (
                DAYS[told.tm_wday],
                MONTHS[told.tm_mon - 1],
            )  # in English, whatever the locale (RFC 9110, 5.6.7)
            date = time.strftime(f"{day}, %d {month} %Y %H:%M:%S GMT", told)
            self._second, self._end = now, f"date: {date}\r\n\r\n".encode()
        return self._end


CLOCK = Clock()


def chunk(data: bytes) -> bytes:
    """Return a piece of a body as chunks carry it; the empty one ends the body."""
    return b"%x\r\n" % len(data) + data + b"\r\n"
