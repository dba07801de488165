"""Conditions and content codings of responses."""

import gzip

import pytest

from uvmre.gateway.http.exchange import Response, accepts_gzip, compress, etag_matches, is_fresh, not_modified, without
from uvmre.gateway.http.messages import ParsedRequest, chunk, head, nginx_page

PAGE = Response(200, ((b"etag", b'"a"'), (b"content-type", b"text/html")), b"x" * 2000, gzip_min_size=1000)
GZIP = {b"accept-encoding": b"gzip"}


@pytest.mark.parametrize(
    ("etag", "condition", "expected"),
    [
        pytest.param(b'"a"', b'"a"', True, id="the same"),
        pytest.param(b'"a"', b'W/"a"', True, id="weak"),
        pytest.param(b'W/"a"', b'"a"', True, id="weak on the server"),
        pytest.param(b'"a"', b'"b", "a"', True, id="one of two"),
        pytest.param(b'"a"', b"*", True, id="any"),
        pytest.param(b'"a"', b'"b"', False, id="another"),
        pytest.param(b'"a"', b"a", False, id="without quotes"),
    ],
)
def test_etags_are_compared_weakly(etag: bytes, condition: bytes, expected: bool) -> None:
    assert etag_matches(etag, condition) is expected


@pytest.mark.parametrize(
    ("method", "status", "condition", "expected"),
    [
        pytest.param("GET", 200, b'"a"', 304, id="a page that the client has"),
        pytest.param("HEAD", 200, b'"a"', 304, id="its head"),
        pytest.param("GET", 200, b'"b"', 200, id="another page"),
        pytest.param("GET", 200, b"", 200, id="no condition"),
        pytest.param("POST", 200, b'"a"', 200, id="a POST"),
        pytest.param("GET", 404, b'"a"', 404, id="an error"),
    ],
)
def test_what_the_client_has_is_not_sent_again(method: str, status: int, condition: bytes, expected: int) -> None:
    response = not_modified(PAGE._replace(status=status), method, {b"if-none-match": condition})
    assert response.status == expected
    assert (response.body == b"") is (expected == 304)
    assert expected != 304 or response.headers == ((b"etag", b'"a"'),)


@pytest.mark.parametrize(
    ("headers", "fields", "expected"),
    [
        pytest.param([(b"etag", b'"a"')], {b"if-none-match": b'"a"'}, True, id="by its tag"),
        pytest.param([(b"last-modified", b"x")], {b"if-modified-since": b"x"}, True, id="by its date"),
        pytest.param(
            [(b"etag", b'"a"'), (b"last-modified", b"x")],
            {b"if-none-match": b'"b"', b"if-modified-since": b"x"},
            False,
            id="the tag decides",
        ),
        pytest.param([], {b"if-none-match": b"*"}, False, id="no tag"),
        pytest.param([], {}, False, id="no condition"),
    ],
)
def test_a_response_is_fresh(headers: list[tuple[bytes, bytes]], fields: dict[bytes, bytes], expected: bool) -> None:
    assert is_fresh(headers, fields) is expected


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        pytest.param(b"gzip", True, id="alone"),
        pytest.param(b"br, gzip;q=0.5", True, id="one of two"),
        pytest.param(b"gzip; q=0", False, id="excluded"),
        pytest.param(b"identity", False, id="another"),
        pytest.param(b"x-gzip", False, id="a similar name"),
        pytest.param(b"", False, id="none"),
    ],
)
def test_a_client_accepts_gzip(header: bytes, expected: bool) -> None:
    assert accepts_gzip({b"accept-encoding": header}) is expected


@pytest.mark.parametrize(
    ("response", "fields"),
    [
        pytest.param(PAGE, {}, id="not accepted"),
        pytest.param(PAGE._replace(body=b"x"), GZIP, id="too small"),
        pytest.param(PAGE._replace(gzip_min_size=None), GZIP, id="never compressed"),
        pytest.param(PAGE._replace(status=304), GZIP, id="no body"),
    ],
)
def test_a_response_stays_as_it_is(response: Response, fields: dict[bytes, bytes]) -> None:
    assert compress(response, fields) is response


def test_a_compressed_response_has_a_weak_tag_and_varies() -> None:
    response = compress(PAGE, GZIP)
    headers = dict(response.headers)
    assert gzip.decompress(response.body) == PAGE.body
    assert (headers[b"etag"], headers[b"vary"], headers[b"content-encoding"]) == (b'W/"a"', b"Accept-Encoding", b"gzip")


def test_what_nginx_compresses_has_no_ranges() -> None:
    response = compress(PAGE._replace(sized=False, headers=((b"accept-ranges", b"bytes"),)), GZIP)
    assert response.headers == ((b"content-encoding", b"gzip"),)


def test_headers_are_left_out_by_name() -> None:
    assert without({b"a"}, [(b"a", b"1"), (b"b", b"2"), (b"a", b"3")]) == [(b"b", b"2")]


@pytest.mark.parametrize(
    ("status", "method", "http_1_0", "chunked", "keep_alive"),
    [
        pytest.param(200, b"GET", False, True, True, id="in chunks"),
        pytest.param(200, b"GET", True, False, False, id="HTTP/1.0 ends the connection"),
        pytest.param(200, b"HEAD", False, False, True, id="no body"),
        pytest.param(304, b"GET", False, False, True, id="not modified"),
    ],
)
def test_the_end_of_a_body_without_a_length(
    status: int, method: bytes, http_1_0: bool, chunked: bool, keep_alive: bool
) -> None:
    request = ParsedRequest("http")
    request.method, request.http_1_0 = method, http_1_0
    data, is_chunked = head(status, [], request)
    assert (is_chunked, request.keep_alive) == (chunked, keep_alive)
    assert (b"transfer-encoding: chunked" in data) is chunked
    assert (b"connection: close" in data) is not keep_alive


def test_an_unknown_status_has_a_line() -> None:
    assert head(299, [], ParsedRequest("http"))[0].startswith(b"HTTP/1.1 299 Status\r\n")


def test_chunks() -> None:
    assert (chunk(b"x" * 17), chunk(b"")) == (b"11\r\n" + b"x" * 17 + b"\r\n", b"0\r\n\r\n")


def test_the_error_page_of_nginx_has_a_detail() -> None:
    assert b"<center>Too Large</center>" in nginx_page(400, "Bad Request", "Too Large")
    assert b"<title>400 Bad Request</title>" in nginx_page(400, "Bad Request")
