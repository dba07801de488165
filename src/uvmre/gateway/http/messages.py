"""HTTP/1.1 messages: a parsed request, and how the head and the chunks of a response are written."""

import time
from http import HTTPStatus

Headers = list[tuple[bytes, bytes]]

STATUS_LINES = {status.value: f"HTTP/1.1 {status.value} {status.phrase}\r\n".encode() for status in HTTPStatus}
BODILESS = (204, 304)
DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


class ParsedRequest:
    """One request with its body."""

    __slots__ = ("body", "fields", "headers", "http_1_0", "keep_alive", "method", "scheme", "started", "target")

    def __init__(self, scheme: str) -> None:
        self.scheme = scheme
        self.target = b""
        self.headers: Headers = []
        self.fields: dict[bytes, bytes] = {}
        """The headers by name."""
        self.body = bytearray()
        self.method = b""
        self.keep_alive = True
        self.http_1_0 = False
        """HTTP/1.0 has no chunks."""
        self.started = 0.0


def head(status: int, headers: Headers, request: ParsedRequest) -> tuple[bytes, bool]:
    """Return the head of a response up to its date, and whether the body is sent in chunks."""
    names = {name for name, _ in headers}
    line = STATUS_LINES.get(status) or b"HTTP/1.1 %d Status\r\n" % status
    lines = [line, *(name + b": " + value + b"\r\n" for name, value in headers)]
    chunked = False
    if b"content-length" not in names and request.method != b"HEAD" and status not in BODILESS:
        chunked = not request.http_1_0
        request.keep_alive = request.keep_alive and chunked
        if chunked:
            lines.append(b"transfer-encoding: chunked\r\n")
    if not request.keep_alive:
        lines.append(b"connection: close\r\n")
    return b"".join(lines), chunked


class Clock:
    """The end of a head: the date, formatted once a second."""

    def __init__(self) -> None:
        self._second = 0
        self._end = b""

    def end(self) -> bytes:
        """Return the date header and the empty line after it."""
        now = int(time.time())
        if now != self._second:
            utc = time.gmtime(now)
            day, month = DAYS[utc.tm_wday], MONTHS[utc.tm_mon - 1]  # English in every locale (RFC 9110, 5.6.7)
            date = time.strftime(f"{day}, %d {month} %Y %H:%M:%S GMT", utc)
            self._second, self._end = now, f"date: {date}\r\n\r\n".encode()
        return self._end


CLOCK = Clock()


def chunk(data: bytes) -> bytes:
    """Return data as one chunk; the empty one ends the body."""
    return b"%x\r\n" % len(data) + data + b"\r\n"


def nginx_page(status: int, phrase: str, detail: str = "") -> bytes:
    """Return the error page of nginx."""
    title, heading = f"<title>{status} {detail or phrase}</title>", f"<h1>{status} {phrase}</h1>"
    lines = ["<html>", f"<head>{title}</head>", "<body>", f"<center>{heading}</center>"]
    lines += [f"<center>{detail}</center>"] if detail else []
    return "\r\n".join([*lines, "<hr><center>nginx/1.25.4</center>", "</body>", "</html>", ""]).encode()
