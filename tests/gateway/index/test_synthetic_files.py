"""Made-up packages as files: what they say, that their bytes never change, and that real clients install them."""

import base64
import csv
import hashlib
import io
import os
import subprocess
import sys
import tarfile
import threading
import tomllib
import zipfile
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote

import pytest

from uvmre.core.network import simple_formats, simple_page
from uvmre.core.network.synthetic import SyntheticPackage
from uvmre.gateway.index.synthetic_files import SyntheticIndex
from uvmre.releases import binaries

RICH = SyntheticPackage(
    "Foo.Bar",
    "1.0-rc1",
    requires=("b>=1", "c; sys_platform == 'win32'"),
    requires_python=">=3.8",
    extras={"x": ("d>=1; os_name == 'posix' or os_name == 'nt'", "e @ https://example.com/e;f"), "no_thing": ()},
    description='It says "foo"',
)
OTHERS = (
    SyntheticPackage("b", "1.0+local", wheel_tags=("cp39-abi3-linux_x86_64", "py2.py3-none-any")),
    SyntheticPackage("d", "1!2.0.post1"),
)
METADATA = """\
Metadata-Version: 2.2
Name: Foo.Bar
Version: 1.0rc1
Summary: It says "foo"
Requires-Python: >=3.8
Requires-Dist: b>=1
Requires-Dist: c; sys_platform == 'win32'
Provides-Extra: x
Requires-Dist: d>=1 ; (os_name == 'posix' or os_name == 'nt') and extra == 'x'
Requires-Dist: e @ https://example.com/e;f ; extra == 'x'
Provides-Extra: no_thing
"""


def synthetic_index(*packages: SyntheticPackage, **files: bytes) -> SyntheticIndex:
    return SyntheticIndex(packages, {path.replace("__", "/"): content for path, content in files.items()})


def content(given: SyntheticIndex, filename: str) -> bytes:
    found = given.file(filename)
    assert found is not None
    return found


def wheel(created: SyntheticPackage, filename: str) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(content(synthetic_index(created), filename))) as archive:
        assert archive.testzip() is None
        return {name: archive.read(name) for name in archive.namelist()}


def sdist(created: SyntheticPackage, filename: str) -> dict[str, bytes]:
    files = {}
    with tarfile.open(fileobj=io.BytesIO(content(synthetic_index(created), filename))) as archive:
        for member in archive:
            file = archive.extractfile(member)
            assert file is not None
            files[member.name] = file.read()
    return files


def test_a_page_tells_all_that_the_files_are() -> None:
    moment = datetime(2024, 1, 1, 1, 30, tzinfo=timezone(timedelta(hours=2)))
    given = synthetic_index(
        SyntheticPackage("A_b", "1.0", requires_python=">=3.8", yanked="broken", uploaded=moment),
        SyntheticPackage("c", "1", wheel=False),
        SyntheticPackage("A_b", "2.0", wheel_tags=("py2-none-any", "py3-none-any"), sdist=False),
    )
    assert given.projects() == ["a-b", "c"]
    page = given.page("a.B")
    assert page is not None
    assert {key: page.data[key] for key in ("meta", "name", "versions")} == {
        "meta": {"api-version": "1.1"},
        "name": "a-b",
        "versions": ["1.0", "2.0"],
    }
    names = [file["filename"] for file in page.files]
    assert names == [
        "a_b-1.0-py3-none-any.whl",
        "a_b-1.0.tar.gz",
        "a_b-2.0-py2-none-any.whl",
        "a_b-2.0-py3-none-any.whl",
    ]
    for file in page.files:
        data = content(given, file["filename"])
        assert file["url"] == f"https://files.pythonhosted.org/packages/synthetic/{file['filename']}"
        assert (file["size"], file["hashes"]) == (len(data), {"sha256": hashlib.sha256(data).hexdigest()})
        actual = given.file(f"{file['filename']}.metadata")
        assert (actual is not None) == file["filename"].endswith(".whl")
        assert file.get("core-metadata") == (actual and {"sha256": hashlib.sha256(actual).hexdigest()})
    first, last = page.files[0], page.files[-1]
    assert (first["yanked"], first["requires-python"]) == ("broken", ">=3.8")
    assert first["upload-time"] == "2023-12-31T23:30:00.000000Z"
    assert (last["yanked"], "requires-python" in last, "upload-time" in last) == (False, False, False)


def test_what_is_not_there_is_not_there() -> None:
    given = synthetic_index(SyntheticPackage("a", "1", wheel=False))
    assert given.page("b") is None
    assert [given.file(name) for name in ("a-1-py3-none-any.whl", "a-1.tar.gz.metadata", ".metadata", "")] == [None] * 4


def test_a_page_can_be_written_as_html_and_read_back() -> None:
    page = synthetic_index(RICH, *OTHERS).page("b")
    assert page is not None
    read = simple_formats.parse_page(simple_page.HTML, simple_formats.as_html(page), "https://pypi.org/simple/b/")
    assert [(file["filename"], file["hashes"]) for file in read.files] == [
        (file["filename"], file["hashes"]) for file in page.files
    ]


def test_a_wheel_says_what_it_needs_and_what_it_is() -> None:
    files = wheel(RICH, "foo_bar-1.0rc1-py3-none-any.whl")
    info = "foo_bar-1.0rc1.dist-info"
    assert list(files) == ["foo_bar/__init__.py", f"{info}/METADATA", f"{info}/WHEEL", f"{info}/RECORD"]
    assert files[f"{info}/METADATA"].decode() == METADATA
    assert content(synthetic_index(RICH), "foo_bar-1.0rc1-py3-none-any.whl.metadata") == files[f"{info}/METADATA"]
    assert files["foo_bar/__init__.py"] == b'__version__ = "1.0rc1"\n'
    record = list(csv.reader(files[f"{info}/RECORD"].decode().splitlines()))
    assert record.pop() == [f"{info}/RECORD", "", ""]
    for name, digest, size in record:
        expected = base64.urlsafe_b64encode(hashlib.sha256(files[name]).digest()).rstrip(b"=").decode()
        assert (digest, size) == (f"sha256={expected}", str(len(files[name])))


@pytest.mark.parametrize(
    ("tag", "pure", "tags"),
    [
        pytest.param("py3-none-any", "true", ["py3-none-any"], id="anywhere"),
        pytest.param("py2.py3-none-any", "true", ["py2-none-any", "py3-none-any"], id="two Pythons"),
        pytest.param("cp39-abi3-linux_x86_64", "false", ["cp39-abi3-linux_x86_64"], id="one platform"),
        pytest.param("cp312-cp312-any", "false", ["cp312-cp312-any"], id="one ABI"),
        pytest.param(
            "cp312-cp312-manylinux_2_17_x86_64.manylinux2014_x86_64",
            "false",
            ["cp312-cp312-manylinux_2_17_x86_64", "cp312-cp312-manylinux2014_x86_64"],
            id="two names of one platform",
        ),
    ],
)
def test_a_wheel_has_each_tag_of_its_name(tag: str, pure: str, tags: list[str]) -> None:
    text = wheel(SyntheticPackage("a", "1", wheel_tags=(tag,)), f"a-1-{tag}.whl")["a-1.dist-info/WHEEL"].decode()
    actual = [line.split(": ") for line in text.splitlines()]
    assert [value for key, value in actual if key == "Tag"] == tags
    assert dict(actual)["Root-Is-Purelib"] == pure


def test_an_sdist_builds_with_a_backend_of_its_own() -> None:
    files = sdist(RICH, "foo_bar-1.0rc1.tar.gz")
    assert {name.partition("/")[0] for name in files} == {"foo_bar-1.0rc1"}
    assert files["foo_bar-1.0rc1/PKG-INFO"].decode() == METADATA
    actual = tomllib.loads(files["foo_bar-1.0rc1/pyproject.toml"].decode())
    assert actual["build-system"] == {"requires": [], "build-backend": "synthetic_backend", "backend-path": ["."]}
    assert actual["project"] == {
        "name": "Foo.Bar",
        "version": "1.0rc1",
        "description": 'It says "foo"',
        "requires-python": ">=3.8",
        "dependencies": list(RICH.requires),
        "optional-dependencies": {extra: list(requires) for extra, requires in RICH.extras.items()},
    }


@pytest.mark.parametrize(
    ("backend", "called"),
    [
        ("hatchling", "hatchling.build"),
        ("setuptools>=60", "setuptools.build_meta"),
        ("flit_core", "flit_core.buildapi"),
        ("poetry-core>=2", "poetry.core.masonry.api"),
        ("pdm-backend", "pdm.backend"),
        ("uv_build>=0.5,<1", "uv_build"),
        ("no-such-backend", "no_such_backend"),
    ],
)
def test_an_sdist_may_name_its_backend(backend: str, called: str) -> None:
    files = sdist(SyntheticPackage("a.b", "1", build_backend=backend), "a_b-1.tar.gz")
    actual = tomllib.loads(files["a_b-1/pyproject.toml"].decode())
    assert actual["build-system"] == {"requires": [backend], "build-backend": called}
    assert "a_b-1/synthetic_backend.py" not in files
    assert ("tool" in actual) == (backend == "flit_core")


def test_the_bytes_are_a_promise_to_lock_files() -> None:
    given = synthetic_index(RICH)
    digests = {
        name: hashlib.sha256(content(given, name)).hexdigest()
        for name in ("foo_bar-1.0rc1-py3-none-any.whl", "foo_bar-1.0rc1.tar.gz")
    }
    assert digests == {
        "foo_bar-1.0rc1-py3-none-any.whl": "6616ffd68d6a2bb37f733655ee8244d7031a98ef69c615a5a18e6e2877c9b38d",
        "foo_bar-1.0rc1.tar.gz": "2b2d2ec6e88f875b77fb96a6d7b0e7d126e289af6ad9cecbf1b3a316ab8434c2",
    }
    assert synthetic_index(RICH).page("foo-bar") == given.page("foo-bar")


def test_a_file_of_the_folder_is_served_as_it_is_and_the_page_says_what_it_says() -> None:
    built = content(
        synthetic_index(SyntheticPackage("a", "1", requires_python=">=3.7", sdist=False)), "a-1-py3-none-any.whl"
    )
    source = content(synthetic_index(SyntheticPackage("b", "1", requires_python=">=3.6")), "b-1.tar.gz")
    given = synthetic_index(
        SyntheticPackage("a", "1", file="dist/a-1-py3-none-any.whl", yanked=True),
        SyntheticPackage("b", "1", file="b-1.tar.gz"),
        **{"dist__a-1-py3-none-any.whl": built, "b-1.tar.gz": source},
    )
    first, second = given.page("a"), given.page("b")
    assert first is not None
    assert second is not None
    assert [(file["filename"], file["yanked"]) for file in first.files] == [("a-1-py3-none-any.whl", True)]
    assert [file["requires-python"] for file in (*first.files, *second.files)] == [">=3.7", ">=3.6"]
    assert content(given, "a-1-py3-none-any.whl") == built
    assert b"Requires-Python: >=3.7" in content(given, "a-1-py3-none-any.whl.metadata")
    assert given.file("b-1.tar.gz.metadata") is None


@pytest.mark.parametrize("name", ["a-1-py3-none-any.whl", "a-1.tar.gz"])
@pytest.mark.parametrize("broken", [b"", b"no archive", b"PK\x03\x04", b"\x1f\x8b\x08\x00"])
def test_a_broken_file_is_served_all_the_same(name: str, broken: bytes) -> None:
    given = synthetic_index(SyntheticPackage("a", "1", file=name), **{name: broken})
    page = given.page("a")
    assert page is not None
    [file] = page.files
    assert not {"core-metadata", "requires-python"} & set(file)
    assert (given.file(name), given.file(f"{name}.metadata")) == (broken, None)


class SyntheticFiles:
    """A synthetic packages behind a plain server."""

    def __init__(self, *packages: SyntheticPackage, html: bool) -> None:
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                status, kind, body = outer.answer(unquote(self.path))
                self.send_response(status)
                self.send_header("content-type", kind)
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self.html = html
        self.asked: list[str] = []
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self.server.server_port}"
        self.synthetic = SyntheticIndex(packages, {}, f"{self.address}/files")

    def answer(self, path: str) -> tuple[int, str, bytes]:
        self.asked.append(path)
        _, first, name = path.rstrip("/").split("/")
        if first == "simple" and (page := self.synthetic.page(name)):
            return (
                (200, simple_page.HTML, simple_formats.as_html(page).encode())
                if self.html
                else (200, simple_page.JSON, simple_formats.as_json(page).encode())
            )
        if first == "files" and (found := self.synthetic.file(name)) is not None:
            return 200, "application/octet-stream", found
        return 404, "text/plain", b""


@pytest.fixture(params=[False, True], ids=["JSON", "HTML"])
def origin(request: pytest.FixtureRequest) -> Iterator[SyntheticFiles]:
    needed = SyntheticPackage("foo.bar", "1.0", ("b>=1", "c; sys_platform == 'win32'"), ">=3.8", {"x": ("d",)})
    given = SyntheticFiles(needed, *OTHERS, html=request.param)
    thread = threading.Thread(target=given.server.serve_forever)
    thread.start()
    yield given
    given.server.shutdown()
    given.server.server_close()
    thread.join()


def shell(*argv: str | Path, **variables: str) -> str:
    kept = {
        key: value
        for key, value in os.environ.items()
        if not key.startswith(("PIP_", "UV_")) and "PROXY" not in key.upper()
    }
    done = subprocess.run(argv, env={**kept, **variables}, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def imported(folder: Path) -> str:
    code = "import foo_bar, b, d; print(foo_bar.__version__, b.__version__, d.__version__)"
    return shell(sys.executable, "-c", code, PYTHONPATH=str(folder)).strip()


@pytest.mark.parametrize("built", [False, True], ids=["wheels", "sdists"])
def test_pip_installs_them(origin: SyntheticFiles, built: bool, tmp_path: Path) -> None:
    argv = ["--no-binary", ":all:"] if built else ["--only-binary", ":all:"]
    pip = [sys.executable, "-m", "pip", "--isolated", "--disable-pip-version-check", "install", "--no-cache-dir"]
    index = ["--index-url", f"{origin.address}/simple/", "--target", str(tmp_path)]
    shell(*pip, *index, *argv, "foo-bar[x]", PIP_CONFIG_FILE=os.devnull)
    assert imported(tmp_path) == "1.0 1.0+local 1!2.0.post1"
    assert (
        "/files/foo_bar-1.0.tar.gz" in origin.asked if built else "/files/foo_bar-1.0-py3-none-any.whl" in origin.asked
    )


@pytest.mark.network
@pytest.mark.parametrize("built", [False, True], ids=["wheels", "sdists"])
def test_uv_installs_them(origin: SyntheticFiles, built: bool, cache: Path, tmp_path: Path) -> None:
    _, uv = binaries.get("0.13.9", cache, lambda *_: None)
    argv = ["--no-binary", ":all:"] if built else ["--only-binary", ":all:"]
    index = ["--no-cache", "--no-config", "--index-url", f"{origin.address}/simple/"]
    target = ["--python", sys.executable, "--target", str(tmp_path)]
    shell(uv, "pip", "install", *index, *target, *argv, "foo-bar[x]")
    assert imported(tmp_path) == "1.0 1.0+local 1!2.0.post1"
    # What an sdist needs stands in its PKG-INFO, so it was built for its wheel only.
    assert (
        "/files/foo_bar-1.0.tar.gz" in origin.asked
        if built
        else "/files/foo_bar-1.0-py3-none-any.whl.metadata" in origin.asked
    )
