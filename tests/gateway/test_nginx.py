"""A real nginx with the rules of the public test index, asked the same bytes as the gateway: every answer is the same."""

import base64
import contextlib
import gzip
import http.client
import io
import re
import shutil
import socket
import ssl
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import pytest

from tests.gateway.side_by_side import INDEX, JSON, SDIST, WHEEL, Both, side_by_side

pytestmark = pytest.mark.skipif(
    not shutil.which("nginx"),
    reason="there is no nginx here (apt install nginx-light): the stand-in was compared with nothing",
)

# What a client can hardly tell, and no client of an index looks at: who answers, when, and how long they hold the line.
NOT_COMPARED = {"server", "date", "connection", "keep-alive"}


def credentials(pair: str) -> str:
    return base64.b64encode(pair.encode()).decode()


HERON = {"Authorization": f"Basic {credentials('public:heron')}"}
EAGLE = {"Authorization": f"Basic {credentials('public:eagle')}"}


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Both]:
    with side_by_side(tmp_path_factory.mktemp("nginx")) as both:
        yield both


@dataclass(frozen=True)
class Ask:
    """One request, to the byte."""

    path: str
    method: str = "GET"
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    version: str = "1.1"
    host: str = INDEX
    keeps: bool = False
    """The connection, for what comes next."""

    def wire(self, *, over_tls: bool) -> bytes:
        target = self.path if over_tls or not self.path.startswith("/") else f"http://{self.host}{self.path}"
        headers = {"Host": self.host, "Accept": JSON, "Connection": "" if self.keeps else "close", **self.headers}
        if self.body:
            headers["Content-Length"] = str(len(self.body))
        lines = [f"{name}: {value}" for name, value in headers.items() if value]
        return (
            "\r\n".join([f"{self.method} {target} HTTP/{self.version}", *lines, "", ""]).encode("latin-1") + self.body
        )


@dataclass(frozen=True)
class Received:
    """What a client can tell of an answer."""

    status: int
    headers: dict[str, str]
    body: bytes


def ask(connection: socket.socket, *requests: Ask, over_tls: bool) -> list[Received]:
    """Send all requests at once, as they are, and read their answers."""
    with connection, connection.makefile("rb") as stream:
        with contextlib.suppress(ConnectionError, ssl.SSLError):  # who has read enough may hang up on the rest
            connection.sendall(b"".join(request.wire(over_tls=over_tls) for request in requests))
        return [read(Stream(stream), request.method) for request in requests]


class Stream:
    """Lets `http.client` read one answer after the other from one stream."""

    def __init__(self, stream: io.BufferedReader) -> None:
        self._stream = stream

    def makefile(self, _: str) -> "Stream":
        return self

    def __getattr__(self, name: str) -> object:
        return getattr(self._stream, name)

    def close(self) -> None:
        """The next answer comes from the same stream."""


def read(stream: Stream, method: str) -> Received:
    with http.client.HTTPResponse(stream, method=method) as answer:  # type: ignore[arg-type]
        answer.begin()
        body = answer.read()
    headers = {name.lower(): value for name, value in answer.getheaders() if name.lower() not in NOT_COMPARED}
    if headers.get("content-encoding") == "gzip":
        body = gzip.decompress(body) if body else body
        # How well it was compressed is its server's affair, and so is the tag that goes with that.
        headers |= {name: "that of the compressed" for name in ("content-length", "etag") if name in headers}
    if b"<center>nginx" in body:  # nginx's own pages name its version
        body = re.sub(rb"<center>nginx.*</center>", b"<center>nginx</center>", body)
        headers |= {"content-length": "that of nginx's page"} if "content-length" in headers else {}
    if answer.status == 416:  # what else it carries is its server's own style, of which no client knows
        return Received(416, {"content-range": headers.get("content-range", "")}, b"")
    return Received(answer.status, headers, body)


PAGES: dict[str, dict[str, str]] = {
    "/": {},
    "/relative/": {},
    "/basic-auth/": HERON,
    "/basic-auth/relative/": HERON,
    "/basic-auth-heron/": HERON,
    "/basic-auth-eagle/": EAGLE,
}
FOLDERS: dict[str, dict[str, str]] = {
    "/files/": {},
    "/basic-auth/files/": HERON,
    "/basic-auth-heron/files/": HERON,
    "/basic-auth-eagle/files/": EAGLE,
}
BROWSER = {"Accept": "text/html"}
GZIP = {"Accept-Encoding": "gzip"}
LOGIN = "/basic-auth/simple/egret/"


def requests() -> dict[str, Ask]:
    requested: dict[str, Ask] = {}
    for prefix, opens in PAGES.items():
        page = f"{prefix}simple/egret/"
        requested |= {
            f"{prefix} page as JSON": Ask(page, headers=opens),
            f"{prefix} page as HTML": Ask(page, headers=opens | BROWSER),
            f"{prefix} page as JSON, gzip": Ask(page, headers=opens | GZIP),
            f"{prefix} page as HTML, gzip": Ask(page, headers=opens | BROWSER | GZIP),
            f"{prefix} page as HTML, many encodings": Ask(
                page, headers=opens | BROWSER | {"Accept-Encoding": "gzip, deflate, br, zstd"}
            ),
            f"{prefix} HEAD of a page": Ask(page, "HEAD", opens),
            f"{prefix} HEAD of a page as HTML, gzip": Ask(page, "HEAD", opens | BROWSER | GZIP),
            f"{prefix} page, nothing accepted in particular": Ask(page, headers=opens | {"Accept": "*/*"}),
            f"{prefix} page without its slash": Ask(page[:-1], headers=opens),
            f"{prefix} page that moved, absolute": Ask(f"{prefix}simple/elsewhere/", headers=opens),
            f"{prefix} missing project": Ask(f"{prefix}simple/no-such-bird/", headers=opens),
            f"{prefix} missing project, gzip": Ask(f"{prefix}simple/no-such-bird/", headers=opens | GZIP),
            f"{prefix} HEAD of a missing project": Ask(f"{prefix}simple/no-such-bird/", "HEAD", opens),
            f"{prefix} a range of a page": Ask(page, headers=opens | {"Range": "bytes=0-99"}),
            f"{prefix} a query": Ask(f"{prefix}echo/a?b=c&d=%20%2f", headers=opens),
            f"{prefix} an empty query": Ask(f"{prefix}echo/a?", headers=opens),
            f"{prefix} two slashes": Ask(f"{prefix}echo//a//b", headers=opens),
            f"{prefix} dots": Ask(f"{prefix}echo/a/../b/./c", headers=opens),
            f"{prefix} escapes": Ask(f"{prefix}echo/%61%2Bb+c%20d%2Fe%25", headers=opens),
            f"{prefix} POST": Ask(page, "POST", opens, b"a=b"),
            f"{prefix} PUT": Ask(page, "PUT", opens, b"a=b"),
            f"{prefix} DELETE": Ask(page, "DELETE", opens),
            f"{prefix} If-None-Match of another": Ask(page, headers=opens | {"If-None-Match": '"another"'}),
            f"{prefix} HTTP/1.0": Ask(page, headers=opens, version="1.0"),
            f"{prefix} HTTP/1.0, as HTML, gzip": Ask(page, headers=opens | BROWSER | GZIP, version="1.0"),
        }
    for prefix, opens in FOLDERS.items():
        requested |= {
            f"{prefix} wheel": Ask(prefix + WHEEL, headers=opens),
            f"{prefix} wheel, gzip": Ask(prefix + WHEEL, headers=opens | GZIP),
            f"{prefix} empty file": Ask(prefix + SDIST, headers=opens),
            f"{prefix} metadata": Ask(f"{prefix}{WHEEL}.metadata", headers=opens),
            f"{prefix} HEAD of a wheel": Ask(prefix + WHEEL, "HEAD", opens),
            f"{prefix} first bytes": Ask(prefix + WHEEL, headers=opens | {"Range": "bytes=0-99"}),
            f"{prefix} last bytes": Ask(prefix + WHEEL, headers=opens | {"Range": "bytes=-100"}),
            f"{prefix} bytes that are not there": Ask(prefix + WHEEL, headers=opens | {"Range": "bytes=99999999-"}),
            f"{prefix} missing file": Ask(f"{prefix}packages/none.whl", headers=opens),
            f"{prefix} escapes": Ask(f"{prefix}echo/%61%2Bb+c%20d%2Fe%25", headers=opens),
            f"{prefix} a query": Ask(f"{prefix}echo/a?b=c", headers=opens),
            f"{prefix} POST": Ask(prefix + WHEEL, "POST", opens, b"a=b"),
        }
    for prefix in [prefix for prefix, opens in (PAGES | FOLDERS).items() if opens]:
        wrong = EAGLE if "eagle" not in prefix else HERON
        requested |= {
            f"{prefix} no credentials": Ask(prefix),
            f"{prefix} no credentials, HEAD": Ask(prefix, "HEAD"),
            f"{prefix} no credentials, POST": Ask(prefix, "POST", body=b"a=b"),
            f"{prefix} no credentials, gzip": Ask(prefix, headers=GZIP),
            f"{prefix} the wrong password": Ask(prefix, headers=wrong),
            f"{prefix} no slash": Ask(prefix[:-1]),
            f"{prefix} no slash, credentials": Ask(prefix[:-1], headers=HERON),
        }
    return requested | LOGINS | PATHS | ODD


def login(header: str) -> Ask:
    return Ask(LOGIN, headers={"Authorization": header})


RIGHT = credentials("public:heron")
LOGINS = {
    "login: lower-case scheme": login(f"basic {RIGHT}"),
    "login: upper-case scheme": login(f"BASIC {RIGHT}"),
    "login: two spaces": login(f"Basic  {RIGHT}"),
    "login: a tab": login(f"Basic\t{RIGHT}"),
    "login: spaces after": login(f"Basic {RIGHT}  "),
    "login: no scheme": login(RIGHT),
    "login: scheme only": login("Basic"),
    "login: scheme and a space": login("Basic "),
    "login: Bearer": login(f"Bearer {RIGHT}"),
    "login: not base64": login("Basic !!!"),
    "login: padding too much": login(f"Basic {RIGHT}=="),
    "login: something after the padding": login(f"Basic {RIGHT}=x"),
    "login: one letter too much": login(f"Basic {RIGHT}x"),
    "login: two words": login(f"Basic {RIGHT} {RIGHT}"),
    "login: no colon": login(f"Basic {credentials('public')}"),
    "login: no password": login(f"Basic {credentials('public:')}"),
    "login: no user": login(f"Basic {credentials(':heron')}"),
    "login: another user": login(f"Basic {credentials('private:heron')}"),
    "login: User in capitals": login(f"Basic {credentials('Public:heron')}"),
    "login: more password": login(f"Basic {credentials('public:heron:more')}"),
    "login: a line's end after the password": login(f"Basic {credentials(chr(10).join(('public:heron', '')))}"),
    "login: a zero after the password": login(f"Basic {credentials('public:heron' + chr(0))}"),
    "login: empty": login(""),
    "login: for an open page": Ask("/simple/egret/", headers=EAGLE),
    "login: twice, right then wrong": Ask(
        LOGIN, headers={"Authorization": HERON["Authorization"], "authorization": EAGLE["Authorization"]}
    ),
    "login: twice, wrong then right": Ask(
        LOGIN, headers={"Authorization": EAGLE["Authorization"], "authorization": HERON["Authorization"]}
    ),
}
PATHS = {
    "path: /": Ask("/"),
    "path: //": Ask("//"),
    "path: //simple/egret/": Ask("//simple/egret/"),
    "path: up and out": Ask("/../../etc/passwd"),
    "path: up and out, below a password": Ask("/basic-auth/../../etc/passwd", headers=HERON),
    "path: out of the password": Ask("/basic-auth/../simple/egret/"),
    "path: into the password": Ask("/simple/../basic-auth/simple/egret/"),
    "path: into the password, let in": Ask("/simple/../basic-auth/simple/egret/", headers=HERON),
    "path: escaped dots": Ask("/basic-auth/%2e%2e/simple/egret/"),
    "path: escaped letters": Ask("/%62asic-auth/simple/egret/"),
    "path: escaped letters, let in": Ask("/%62asic-auth/simple/egret/", headers=HERON),
    "path: escaped slash": Ask("/basic-auth%2Fsimple/egret/"),
    "path: two slashes after the prefix": Ask("/basic-auth//simple/egret/", headers=HERON),
    "path: two slashes before the prefix": Ask("//basic-auth/simple/egret/"),
    "path: two slashes in front of files": Ask("/basic-auth//files/" + WHEEL, headers=HERON),
    "path: open prefix without slash": Ask("/relative"),
    "path: open files without slash": Ask("/files"),
    "path: up and out, as it came": Ask("/simple/../../egret/"),
    "path: up and to the root": Ask("/simple/.."),
    "path: prefix only": Ask("/basic-auth/", headers=HERON),
    "path: prefix and more letters": Ask("/basic-authority/simple/egret/"),
    "path: another prefix of the like": Ask("/basic-auth-hawk/simple/egret/"),
    "path: prefix in capitals": Ask("/BASIC-AUTH/simple/egret/"),
    "path: prefix without slash, query": Ask("/basic-auth?a=b"),
    "path: a zero": Ask("/simple/%00/"),
    "path: a bad escape": Ask("/simple/%zz/"),
    "path: a half escape": Ask("/simple/%2"),
    "path: a letter with an accent": Ask("/echo/\xc3\xa9"),
    "path: a letter with an accent, replaced": Ask("/relative/echo/\xc3\xa9"),
    "path: an escaped accent, replaced": Ask("/relative/echo/%C3%A9"),
    "path: a fragment": Ask("/relative/echo/a#b"),
    "path: quotes and brackets": Ask('/relative/echo/"[]{}|\\^`<>'),
    "path: quotes and brackets, not replaced": Ask('/echo/"[]{}|\\^`<>'),
    "path: colon and at": Ask("/relative/echo/a:b@c;d,e=f!g$h&i'(j)*"),
    "path: a space": Ask("/echo/a b"),
    "path: in the query only": Ask("/relative/echo/?../../basic-auth/%zz//"),
}
ODD = {
    "odd: a long URL": Ask("/simple/" + "a" * 10_000 + "/"),
    "odd: a long URL, below a password": Ask("/basic-auth/simple/" + "a" * 10_000 + "/"),
    "odd: a URL of 7000": Ask("/relative/echo/" + "a" * 7000),
    "odd: a header of 7 kB": Ask(LOGIN, headers=HERON | {"X": "x" * 7_000}),
    "odd: a header of 10 kB": Ask(LOGIN, headers=HERON | {"X": "x" * 10_000}),
    "odd: a header of 1 MB": Ask(LOGIN, headers=HERON | {"X": "x" * 1_000_000}),
    "odd: 1 MB of headers": Ask(LOGIN, headers=HERON | {f"X-{n}": "x" * 1000 for n in range(1000)}),
    "odd: 20 kB of headers": Ask(LOGIN, headers=HERON | {f"X-{n}": "x" * 1000 for n in range(20)}),
    "odd: a body of 2 MB": Ask("/simple/egret/", "POST", body=b"x" * 2_000_000),
    "odd: a body of 2 MB, no credentials": Ask(LOGIN, "POST", body=b"x" * 2_000_000),
    "odd: a GET with a body": Ask("/simple/egret/", body=b"a=b"),
    "odd: OPTIONS": Ask("/relative/simple/egret/", "OPTIONS"),
    "odd: PATCH": Ask("/relative/simple/egret/", "PATCH", body=b"a"),
    "odd: TRACE": Ask("/relative/simple/egret/", "TRACE"),
    "odd: a method of nobody": Ask("/simple/egret/", "BREW"),
    "odd: a method in small letters": Ask("/simple/egret/", "get"),
    "odd: HTTP/1.1 without Host": Ask("/simple/egret/", headers={"Host": ""}),
    "odd: HTTP/1.0 without Host": Ask("/relative/simple/egret/", headers={"Host": ""}, version="1.0"),
    "odd: HTTP/2.0": Ask("/simple/egret/", version="2.0"),
    "odd: HTTP/1.2": Ask("/simple/egret/", version="1.2"),
    "odd: Host in capitals": Ask(LOGIN, headers=HERON, host=INDEX.upper()),
    "odd: Host with the port": Ask(LOGIN, headers=HERON, host=f"{INDEX}:443"),
    "odd: Host with a dot": Ask(LOGIN, headers=HERON, host=f"{INDEX}."),
    "odd: a header without a colon": Ask("/simple/egret/", headers={"X\r\nY": "z"}),
    "odd: a header with a space in its name": Ask("/simple/egret/", headers={"X Y": "z"}),
    "odd: If-Modified-Since long ago": Ask(
        "/basic-auth/simple/egret/", headers=HERON | {"If-Modified-Since": "Thu, 01 Jan 1970 00:00:00 GMT"}
    ),
    "odd: If-Modified-Since far ahead": Ask(
        "/basic-auth/simple/egret/", headers=HERON | {"If-Modified-Since": "Thu, 01 Jan 2099 00:00:00 GMT"}
    ),
    "odd: If-Range": Ask("/files/" + WHEEL, headers={"Range": "bytes=0-9", "If-Range": '"another"'}),
    "odd: two ranges": Ask("/files/" + WHEEL, headers={"Range": "bytes=0-9,20-29"}),
    "odd: a range of another unit": Ask("/files/" + WHEEL, headers={"Range": "lines=0-9"}),
    "odd: gzip refused": Ask(LOGIN, headers=HERON | BROWSER | {"Accept-Encoding": "gzip;q=0"}),
    "odd: any encoding": Ask(LOGIN, headers=HERON | BROWSER | {"Accept-Encoding": "*"}),
    "odd: gzip behind a proxy": Ask(LOGIN, headers=HERON | BROWSER | GZIP | {"Via": "1.1 another"}),
    "odd: no Accept": Ask(LOGIN, headers=HERON | {"Accept": ""}),
    "odd: what newer uv accepts": Ask(
        LOGIN, headers=HERON | {"Accept": f"{JSON}, application/vnd.pypi.simple.v1+html;q=0.2, text/html;q=0.01"}
    ),
}

REQUESTED = requests()


@pytest.mark.parametrize("over_tls", [False, True], ids=["plain", "TLS"])
@pytest.mark.parametrize("name", REQUESTED)
def test_the_gateway_answers_as_nginx_does(
    request: pytest.FixtureRequest, both: Both, name: str, over_tls: bool
) -> None:
    if why := EXPECTED_DIFFERENCES.get(name) or (over_tls and EXPECTED_OVER_TLS.get(name)):
        request.applymarker(pytest.mark.xfail(reason=why, raises=AssertionError, strict=True))
    assert_same(both, REQUESTED[name], over_tls=over_tls)


@pytest.mark.parametrize("over_tls", [False, True], ids=["plain", "TLS"])
@pytest.mark.parametrize("prefix", PAGES | FOLDERS)
def test_who_has_the_newest_gets_304(both: Both, prefix: str, over_tls: bool) -> None:
    opens, path = (PAGES | FOLDERS)[prefix], "simple/egret/" if prefix in PAGES else WHEEL
    whole = Ask(f"/{path}" if prefix in PAGES else f"/files/{path}")
    [known] = ask(both.nginx(over_tls=over_tls), whole, over_tls=over_tls)
    validators = {"If-None-Match": known.headers["etag"]}, {"If-Modified-Since": known.headers["last-modified"]}
    for validator in validators:
        assert_same(both, Ask(prefix + path, headers=opens | validator), over_tls=over_tls)
        assert_same(both, Ask(prefix + path, "HEAD", opens | validator), over_tls=over_tls)


@pytest.mark.parametrize("over_tls", [False, True], ids=["plain", "TLS"])
def test_requests_at_once_on_one_connection_are_answered_one_after_the_other(both: Both, over_tls: bool) -> None:
    names = ["no credentials", "page as JSON", "HEAD of a page", "missing project", "POST", "page as HTML, gzip"]
    kept = [replace(REQUESTED[f"/basic-auth/ {name}"], keeps=True) for name in names]
    assert_same(both, *kept, Ask("/files/" + WHEEL), over_tls=over_tls)


def assert_same(both: Both, *requests: Ask, over_tls: bool) -> None:
    theirs = ask(both.nginx(over_tls=over_tls), *requests, over_tls=over_tls)
    ours = ask(both.gateway(over_tls=over_tls), *requests, over_tls=over_tls)
    again = ask(both.gateway(over_tls=over_tls), *requests, over_tls=over_tls)  # what it kept is no different
    for answers in (ours, again):
        for answer, expected in zip(answers, theirs, strict=True):
            assert (answer.status, answer.headers) == (expected.status, expected.headers)
            assert answer.body == expected.body


# Why the gateway may differ, case by case; a case that is the same after all fails, and leaves the table.
UNPADDED = "base64 beyond its padding: what encodes credentials pads them rightly"
PARSER = "llhttp refuses it, as most servers do; no client of packages sends it"
EXPECTED_DIFFERENCES = {
    **{
        f"{prefix} an empty query": "a `?` with nothing behind it means the same upstream"
        for prefix in PAGES
        if prefix != "/"
    },
    "/ HEAD of a page as HTML, gzip": "the head of the plain page: the body that would be compressed is not read",
    "/ missing project, gzip": "PyPI compresses its pages; an error of a few bytes goes as it is",
    "odd: gzip behind a proxy": "nothing stands between a step and the gateway that says `Via`",
    "login: padding too much": UNPADDED,
    "login: something after the padding": UNPADDED,
    "login: a zero after the password": "a C string's end: no password has one",
    "path: a letter with an accent": PARSER,
    "path: a letter with an accent, replaced": PARSER,
    "path: quotes and brackets": "escaped upstream, which means the same; raw they are in no URL (RFC 3986)",
    "path: a fragment": "a client keeps a fragment to itself (RFC 9110, 7.1)",
    "odd: a header of 10 kB": "the limit of one line would hold for all hosts; that of the whole head does already",
    "odd: a body of 2 MB, no credentials": "refused in both; who is let in is decided before the body is looked at",
    "odd: a method of nobody": PARSER,
    "odd: HTTP/1.1 without Host": "every client says it; the gateway goes by the host that is named in the target, or refuses",
    "odd: HTTP/2.0": "no client says so in a request's line: HTTP/2 has none",
    "odd: HTTP/1.2": PARSER,
    "odd: Host with a dot": "the listener knows hosts by their plain names, and refuses this one as unknown",
    "odd: a header without a colon": PARSER,
}
EXPECTED_OVER_TLS = {
    "odd: HTTP/1.0 without Host": "the gateway stands for many hosts, and this request names none",
}
