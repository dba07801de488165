"""The picture of the terminal: the same each time, fetching nothing, with the MRE inside."""

import time
from xml.etree import ElementTree

import pytest

from tests.report.sample import HOSTILE, hostile, sample
from uvmre.report.bundle import Bundle
from uvmre.report.page.embedded import read_page
from uvmre.report.page.svg import svg

BUNDLES = [sample(), hostile(), sample(output="\x1b[31mred\x1b[0m \x1b[2J\ufffe\u202e {x} \x07\n")]


def shown(text: str) -> str:
    """Return the texts of a picture as one, with plain spaces."""
    return "".join(ElementTree.fromstring(text).itertext()).replace("\xa0", " ")


@pytest.mark.parametrize("bundle", BUNDLES, ids=["ordinary", "hostile", "control characters"])
def test_it_is_xml_with_the_mre_inside_and_the_same_each_time(bundle: Bundle) -> None:
    text = svg(bundle)
    assert text == svg(bundle)
    assert read_page(text, "x") == bundle.files
    names = {element.tag.rpartition("}")[2] for element in ElementTree.fromstring(text).iter()}
    assert names <= {"svg", "title", "metadata", "style", "defs", "clipPath", "rect", "g", "text", "circle"}
    assert "url(" not in text.replace("url(#mre-", "")
    assert "@import" not in text
    assert "@font-face" not in text


def test_it_shows_the_commands_their_output_and_their_ends() -> None:
    text = shown(svg(sample()))
    for each in ("uv 0.5.21, Python 3.11.7", "$ ", "uv sync --extra 'a b'", "╰─▶", "(401 Unauthorized)", "exit code 2"):
        assert each in text
    assert HOSTILE[:40] in shown(svg(hostile()))


def test_a_long_output_is_cut_and_quick() -> None:
    bundle = sample(output="\x1b[31mline\x1b[0m\n" * 1_300_000)
    started = time.process_time()
    text = svg(bundle)
    assert time.process_time() - started < 1
    assert "lines left out" in shown(text)
    assert len(text) < 200_000
