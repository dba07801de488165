"""What an error says of its cause."""

import errno
import os

import httpcore
import httpx
import pytest

from uvmre.errors import cause


def chained(outer: Exception, inner: Exception) -> Exception:
    outer.__cause__ = inner
    return outer


@pytest.mark.parametrize(
    ("error", "text"),
    [
        pytest.param(ValueError("the page lists no wheel"), "the page lists no wheel", id="its own text"),
        pytest.param(httpcore.ConnectTimeout(), "connect timeout", id="none"),
        pytest.param(httpx.ReadTimeout(""), "read timeout", id="an empty one"),
        pytest.param(httpcore.ConnectError(" \n"), "connect error", id="only blanks"),
        pytest.param(TimeoutError(), "timeout error", id="asyncio's"),
        pytest.param(ConnectionResetError(), "connection reset error", id="the system's, without a number"),
        pytest.param(chained(httpcore.ReadError(), OSError(errno.EPIPE, os.strerror(errno.EPIPE))),
                     "[Errno 32] Broken pipe", id="that of what caused it"),
        pytest.param(chained(httpcore.ReadError(), TimeoutError()), "read error", id="none of both"),
    ],
)  # fmt: skip
def test_every_error_names_its_cause(error: Exception, text: str) -> None:
    assert cause(error) == text
