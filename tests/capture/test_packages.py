import pytest

from uvmre.capture.packages import by_version, from_metadata, locked_packages
from uvmre.core.network.synthetic import SyntheticPackage
from uvmre.core.text.parse_toml import parse_toml

LOCK = """
version = 1
[[package]]
name = "corp-a"
version = "1.2"
source = { registry = "https://corp.io/simple" }
dependencies = [{ name = "six" }, { name = "b", extra = ["x"], marker = "sys_platform == 'win32'" }]
sdist = { url = "https://corp.io/corp_a-1.2.tar.gz" }
wheels = [{ url = "https://corp.io/corp_a-1.2-cp39-abi3-linux_x86_64.whl" }, { url = "https://corp.io/corp_a-1.2-cp39-abi3-win32.whl" }]
[package.optional-dependencies]
fast = [{ name = "c" }]
[[package]]
name = "app"
source = { editable = "." }
[[package]]
name = "tool"
version = "3"
source = { git = "https://git.corp.io/t?rev=main#1234" }
"""
METADATA = """Metadata-Version: 2.1
Name: Corp_A
Version: 1.2
Requires-Python: >=3.8
Requires-Dist: six>=1.10
Requires-Dist: c (<2) ; extra == 'fast'
Requires-Dist: not a requirement !
Provides-Extra: fast

A private description.
"""


def test_a_lock_file_has_versions_requirements_extras_and_files() -> None:
    first, app, tool = locked_packages(parse_toml(LOCK))
    assert first.package == SyntheticPackage(
        "corp-a",
        "1.2",
        requires=("six", "b[x] ; sys_platform == 'win32'"),
        extras={"fast": ("c",)},
        wheel_tags=("cp39-abi3-linux_x86_64", "cp39-abi3-win32"),
    )
    assert (first.kind, first.source) == ("registry", "https://corp.io/simple")
    assert (app.kind, app.version, tool.kind, tool.source) == (
        "editable",
        "0",
        "git",
        "https://git.corp.io/t?rev=main#1234",
    )


def test_metadata_has_requirements_and_extras_and_no_description() -> None:
    package = from_metadata(METADATA, ["corp_a-1.2.tar.gz"], yanked="broken")
    assert package == SyntheticPackage(
        "corp-a",
        "1.2",
        requires=("six>=1.10", "c (<2) ; extra == 'fast'"),
        requires_python=">=3.8",
        extras={"fast": ()},
        wheel=False,
        yanked="broken",
    )


@pytest.mark.parametrize("text", ["", "Name: a\n", "<html>"])
def test_what_is_no_metadata_is_no_package(text: str) -> None:
    assert from_metadata(text, []) is None


def test_files_are_grouped_by_version_newest_first() -> None:
    names = ["a-1.0.tar.gz", "a-1.10-py3-none-any.whl", "a-1.9.tar.gz", "a-1.0-py3-none-any.whl", "notes.txt"]
    found = by_version({"filename": name} for name in names)
    assert {version: len(files) for version, files in found.items()} == {"1.10": 1, "1.9": 1, "1.0": 2}
    assert list(found) == ["1.10", "1.9", "1.0"]
