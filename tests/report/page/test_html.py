"""The page: everything is on it, nothing of a stranger is more than text, and a browser finds no fault."""

import functools
import json
import re
import shutil
import subprocess
import time
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest

from tests.report.sample import HOSTILE, MRE, SEARCH, hostile, sample
from uvmre.core.mre.files import File
from uvmre.report.bundle import Bundle
from uvmre.report.page.embedded import read_page
from uvmre.report.page.html import html


class Page(HTMLParser):
    """The elements and the texts of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


def test_everything_is_on_it() -> None:
    page = Page(html(sample(search=SEARCH)))
    for text in (
        *("reproducible", "The symptom shows.", "3.11.7", "Linux 6.1 x86_64", "UV_LINK_MODE=copy"),
        *(
            "$ uv sync --extra 'a b'\n  × Failed to fetch",
            "exit code 2",
            "2 requests",
            "GET pypi.org/simple/bar/",
            "with credentials",
        ),
        *("first bad: uv 0.5.21", "uv 0.5.20: absent", "uv 0.5.22: cannot tell", "uv 0.5.23: not run"),
        *("with a password", "With it, it works.", "pyproject.toml", "echo ä", "Not shown here; it is in the archive."),
    ):
        assert text in page.text, text
    marks = [
        attributes["class"] for tag, attributes in page.elements if (tag, attributes.get("width")) == ("rect", "6")
    ][:5]
    assert marks == ["not run", "absent", "shows", "cannot tell", "not run"]


def test_the_requests_are_a_timeline() -> None:
    elements = Page(html(sample())).elements
    bars = [
        (a["class"], a["x"], a["width"])
        for tag, a in elements
        if tag == "rect" and a.get("height") == "10" and "x" in a
    ]
    assert bars == [("upstream", "0", "25"), ("fault", "25", "75")]


def test_without_a_search_it_says_how_to_get_the_picture() -> None:
    page = Page(html(sample()))
    assert "uvmre bisect" in page.text
    assert not [tag for tag, attributes in page.elements if tag == "rect" and "y" in attributes and "x" in attributes]


def test_without_a_run_it_has_the_commands_and_no_verdict() -> None:
    page = Page(html(sample(run=False)))
    assert "not run yet" in page.text
    assert "$ uv sync --extra 'a b'" in page.text
    assert "The symptom shows." not in page.text


@pytest.mark.parametrize(
    "bundle", [sample(search=SEARCH), hostile(), sample(run=False)], ids=["run", "hostile", "no run"]
)
def test_the_mre_comes_back(bundle: Bundle) -> None:
    assert read_page(html(bundle), "x") == bundle.files


def test_what_a_stranger_writes_is_only_text() -> None:
    ordinary, page = Page(html(sample())), Page(html(hostile()))
    tags = ("script", "img", "iframe", "link", "meta", "style", "a", "form")
    expected = [tag for tag, _ in ordinary.elements if tag in tags and tag != "a"]
    assert [tag for tag, _ in page.elements if tag in tags] == expected, "and no link to `javascript:`"
    assert page.text.count(HOSTILE) >= 7
    assert not [attributes for _, attributes in page.elements if any(name.startswith("on") for name in attributes)]


def test_nothing_is_fetched_and_only_its_own_code_runs() -> None:
    page = Page(html(hostile()))
    (policy,) = [a["content"] for tag, a in page.elements if a.get("http-equiv") == "Content-Security-Policy"]
    assert policy
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert "unsafe" not in policy
    assert not [
        attributes for _, attributes in page.elements if {"src", "srcset", "style", "data", "action"} & set(attributes)
    ]


def test_colours_are_those_of_the_output() -> None:
    text = html(
        sample(output="\x1b[1;31merror\x1b[0m: \x1b]8;;https://x\x07a\x1b]8;;\x07 \x1b[38;2;1;2;3mb\x1b[0m\u202e\x07")
    )
    assert '<span class="b c1">error</span>: a b\ufffd\ufffd</pre>' in text


@pytest.mark.parametrize(
    "output", ["x" * 20_000_000, "\x1b[31mä\r\n" * 2_500_000, "<\n" * 10_000_000], ids=["line", "colours", "lines"]
)
def test_a_long_output_is_cut_and_quick(output: str) -> None:
    bundle = sample(output=output)
    html(sample())  # what is imported and compiled once
    started = time.process_time()
    page = html(bundle)
    assert time.process_time() - started < 1
    assert len(page) < 400_000
    assert "characters left out" in page


def test_a_file_that_is_not_shown_whole_has_no_copy_button() -> None:
    mre = replace(MRE, files=(File("long.txt", b"x" * 60_000), File("other.txt", b"a\xff"), File("whole.txt", b"a\n")))
    page = html(sample(mre))
    assert re.findall(r"<h3><code>(\S+)</code></h3><span[^>]*>[^<]*</span><button", page) == ["mre.toml", "whole.txt"]


CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
AXE = """<script>{axe}</script><script>axe.run({{resultTypes: ["violations"]}}).then((found) => {{
  const width = document.documentElement.scrollWidth > innerWidth ? [["wider than the window"]] : [];
  const faults = found.violations.map((each) => [each.id, each.help, each.nodes[0].html]).concat(width);
  document.body.textContent = "FAULTS" + JSON.stringify([matchMedia("(prefers-color-scheme: dark)").matches, innerWidth, faults]) + "END";
}});</script></body>"""


@functools.cache
def node_modules(folder: Path) -> Path:
    """Install what checks a page, or skip."""
    if not (CHROMIUM and shutil.which("npm")):
        pytest.skip("NOT CHECKED: a page is checked with Chromium and npm, and one of them is missing")
    done = subprocess.run(
        ["npm", "install", "--silent", "--prefix", folder, "axe-core@4", "html-validate@9"],
        capture_output=True,
        text=True,
    )
    if done.returncode:
        pytest.skip(f"NOT CHECKED: npm cannot install axe-core and html-validate: {done.stderr[:200]}")
    return folder / "node_modules"


BUNDLES = {"run": sample(search=SEARCH), "hostile": hostile(), "no run": sample(run=False)}


@pytest.mark.slow
@pytest.mark.network
@pytest.mark.parametrize("name", BUNDLES)
def test_a_browser_and_a_validator_find_no_fault(
    name: str, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    modules = node_modules(tmp_path_factory.getbasetemp())
    page = tmp_path / "page.html"
    page.write_text(html(BUNDLES[name]))
    (tmp_path / ".htmlvalidate.json").write_text('{"extends": ["html-validate:standard"], "root": true}')
    valid = subprocess.run([modules / ".bin" / "html-validate", page], capture_output=True, text=True)
    assert valid.returncode == 0, valid.stdout
    # The policy forbids other scripts, which axe is.
    text = re.sub(r"<meta http-equiv[^>]*>", "", page.read_text())
    page.write_text(text.replace("</body>", AXE.format(axe=(modules / "axe-core" / "axe.min.js").read_text())))
    for dark in (False, True):
        for width in (500, 1280):
            command = [
                CHROMIUM,
                "--headless",
                "--no-sandbox",
                "--disable-gpu",
                f"--window-size={width},900",
                "--virtual-time-budget=20000",
            ]
            command += [f"--blink-settings=preferredColorScheme={0 if dark else 1}", "--dump-dom", page.as_uri()]
            dumped = subprocess.run([str(each) for each in command], capture_output=True, text=True, timeout=120).stdout
            found = re.search(r"FAULTS(.*)END", dumped, re.DOTALL)
            assert found, dumped[-300:]
            assert json.loads(found[1].replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")) == [
                dark,
                width,
                [],
            ]
