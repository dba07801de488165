"""All formats of the table: a run with 20 MB of output takes less than a second, and no secret gets out."""

import time
from dataclasses import replace

import pytest

from tests.report.sample import MRE, SEARCH, sample
from uvmre.core.mre.model import Environment
from uvmre.core.secrets.redact import secrets
from uvmre.errors import InputError
from uvmre.report import formats
from uvmre.report.bundle import bundle
from uvmre.report.formats import FORMATS

OUTPUTS = {
    "one line": "x" * 20_000_000,
    "lines": "error: a line\n" * 1_430_000,
    "colours": "\x1b[31mä\x1b[0m\r\n" * 1_250_000,
}
TEXTS = sorted(name for name, each in FORMATS.items() if not each.folder and name not in ("json", "packse"))


@pytest.mark.parametrize("output", OUTPUTS)
@pytest.mark.parametrize("name", TEXTS)
def test_a_long_run_is_quick(name: str, output: str) -> None:
    made = sample(output=OUTPUTS[output], search=SEARCH)
    formats.write(name, sample())  # what is imported and compiled once
    started = time.process_time()
    written = formats.write(name, made)
    assert time.process_time() - started < 1
    assert len(written) < 500_000


@pytest.mark.parametrize("name", TEXTS)
def test_no_secret_gets_out(name: str) -> None:
    token = "s3cr3t-t0ken-0123456789"
    mre = replace(MRE, environment=Environment("0.5.21", variables={"UV_INDEX_A_PASSWORD": token}))
    given = sample(mre, output=f"error: {token} is refused\n")
    made = bundle(mre, given.manifest, given.result, secrets(mre), {**SEARCH, "sentences": [token]})
    try:
        assert token not in formats.write(name, made).decode(errors="replace")
    except InputError:
        assert name == "url"
