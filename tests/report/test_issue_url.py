"""A link that opens a new issue."""

import time
from dataclasses import replace
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.report.sample import MRE, hostile, sample
from uvmre.core.mre.files import File
from uvmre.errors import InputError
from uvmre.report.bundle import Bundle
from uvmre.report.file_blocks import read_blocks
from uvmre.report.github import write_github
from uvmre.report.issue_url import LIMIT, write_url


@pytest.mark.parametrize("bundle", [sample(), hostile()], ids=["ordinary", "hostile"])
def test_it_has_the_report_and_the_mre(bundle: Bundle) -> None:
    link = write_url(bundle)
    assert link.isascii()
    assert len(link) <= LIMIT
    assert not set(link) & set(" <>\"'`{}|\\^")
    parts = urlsplit(link)
    assert (parts.scheme, parts.netloc, parts.path) == ("https", "github.com", "/astral-sh/uv/issues/new")
    query = parse_qs(parts.query, strict_parsing=True)
    assert query == {"title": [bundle.mre.title], "body": [write_github(bundle)]}
    assert tuple(read_blocks(query["body"][0], "a link")) == bundle.files


def test_a_long_output_is_cut_until_it_fits() -> None:
    bundle = sample(output="a line of output\n" * 1_200_000)
    started = time.process_time()
    link = write_url(bundle)
    assert time.process_time() - started < 1
    assert len(link) <= LIMIT
    assert tuple(read_blocks(parse_qs(urlsplit(link).query)["body"][0], "a link")) == bundle.files


def test_one_that_does_not_fit_is_refused_with_its_size() -> None:
    with pytest.raises(InputError) as raised:
        write_url(sample(replace(MRE, files=(File("a", b"ab\n" * 4_000),))))
    (fault,) = raised.value.faults
    assert fault.startswith("the link would have ")
    assert 12_000 < int(fault.split()[4].replace(",", "")) < 40_000
