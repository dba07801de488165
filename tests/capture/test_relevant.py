from collections.abc import Mapping

import pytest

from uvmre.capture.relevant import select

HATCH = '[project]\nname = "a"\ndynamic = ["version"]\nreadme = "README.md"\n[tool.hatch.version]\npath = "src/a/about.py"\n'


def selected(files: Mapping[str, str], *commands: str) -> tuple[str, ...]:
    return select(files, commands, lambda path: files[path])


@pytest.mark.parametrize(
    "path",
    [
        "pyproject.toml",
        "libs/内部/pyproject.toml",
        "uv.lock",
        "uv.toml",
        ".python-version",
        "setup.py",
        "setup.cfg",
        "MANIFEST.in",
        "hatch_build.py",
        "requirements.txt",
        "requirements/dev-requirements.in",
        "constraints.txt",
        "Dockerfile",
        "docker/prod.Dockerfile",
        "Dockerfile.dev",
        ".dockerignore",
        "pylock.toml",
        "PKG-INFO",
    ],
)
def test_configuration_is_kept_whole(path: str) -> None:
    assert selected({path: ""}) == (path,)


@pytest.mark.parametrize("path", ["notes.txt", "src/a/core.py", "data/secret.json", "README.md", "Makefile", ".env"])
def test_other_files_are_left_out(path: str) -> None:
    assert selected({"pyproject.toml": "[project]\nname = 'b'", path: "x"}) == ("pyproject.toml",)


def test_files_that_a_command_names_are_kept() -> None:
    files = {"run me.py": "", "tool.py": "", "deps.txt": "", "other.py": ""}
    assert selected(files, "uv run ./tool.py --with-requirements=deps.txt") == ("deps.txt", "tool.py")


def test_requirement_files_bring_those_that_they_include() -> None:
    files = {
        "requirements.txt": "-r base/all.txt\n-c limits.lst\n# -r never.lst\n",
        "base/all.txt": "-r ../more.lst",
        "more.lst": "",
        "limits.lst": "",
        "never.lst": "",
    }
    assert selected(files) == ("base/all.txt", "limits.lst", "more.lst", "requirements.txt")


def test_a_build_finds_its_modules_and_its_version() -> None:
    files = {
        "pyproject.toml": HATCH,
        "README.md": "hello",
        "src/a/__init__.py": "secret = 1",
        "src/a/about.py": "__version__ = '1'",
        "src/a/deep/er/__init__.py": "",
        "src/a/core.py": "secret = 2",
    }
    assert selected(files) == ("README.md", "pyproject.toml", "src/a/__init__.py", "src/a/about.py")


def test_what_a_dockerfile_copies_exists() -> None:
    files = {
        "Dockerfile": "FROM x\nCOPY README.md conf ./\nCOPY gone /\n",
        "README.md": "",
        "conf/b.ini": "",
        "conf/a.ini": "",
    }
    assert selected(files) == ("Dockerfile", "README.md", "conf/a.ini")


def test_toml_that_cannot_be_read_is_kept_as_it_is() -> None:
    assert selected({"pyproject.toml": "[project", "src/a/__init__.py": ""}) == ("pyproject.toml", "src/a/__init__.py")
