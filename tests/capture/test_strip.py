"""Texts that no tool reads are dropped; what remains is valid and the same for tools."""

import tomllib

import pytest

from uvmre.capture.private.strip import strip_file, strip_shell, strip_toml
from uvmre.core.mre.files import File


def stripped(path: str, text: str) -> str:
    return strip_file(File(path, text.encode())).content.decode()


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("a = 1  # why\n# alone\nb = 2\n", "a = 1\nb = 2\n"),
        ('a = "# no comment" # one\n', 'a = "# no comment"\n'),
        ("a = [\n  1, # one\n  # two\n  2,\n]\n", "a = [\n  1,\n  2,\n]\n"),
        ('[project]\nname = "x"\ndescription = "d"\n', '[project]\nname = "x"\ndescription = ""\n'),
        ('[project]\nauthors = [\n  { name = "x" }, # y\n]\nname = "x"\n', '[project]\nname = "x"\n'),
        (
            '[project]\nname = "x"\nlicense = { text = "x" }\nreadme = "R.md"\n',
            '[project]\nname = "x"\nreadme = "R.md"\n',
        ),
        (
            '[project]\nname = "x"\n[project.urls]\nx = "y"\n[tool.uv]\nz = 1\n',
            '[project]\nname = "x"\n[tool.uv]\nz = 1\n',
        ),
        ('[project]\nname = "x"\nurls.home = "y"\n', '[project]\nname = "x"\n'),
        ("[tool.ruff]\nx = 1\n[tool.ruff.lint]\ny = 1\n[tool.hatch.x]\nz = 1\n", "[tool.hatch.x]\nz = 1\n"),
        ("[tool]\nruff.x = 1\nuv.y = 2\n", "[tool]\nuv.y = 2\n"),
        ('[tool.poetry]\nauthors = ["x"]\nname = "y"\nhomepage = "z"\n', '[tool.poetry]\nauthors = []\nname = "y"\n'),
        ('[[tool.uv.index]]\nname = "x" # y\n', '[[tool.uv.index]]\nname = "x"\n'),
        ('[[tool.mypy.overrides]]\nx = 1\n[[tool.uv.index]]\nname = "x"\n', '[[tool.uv.index]]\nname = "x"\n'),
        ('description = "d"\n[tool.uv]\ndescription = "d"\n', 'description = "d"\n[tool.uv]\ndescription = "d"\n'),
    ],
)
def test_toml(before: str, after: str) -> None:
    assert strip_toml(before) == after
    tomllib.loads(after)


def test_broken_toml_keeps_what_is_broken() -> None:
    assert "[project" in strip_toml('# why\n[project\nname = "x"\n')


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("uv sync # why\n# alone\nuv lock\n", "uv sync\nuv lock\n"),
        ("#!/bin/sh\n# why\nuv sync\n", "#!/bin/sh\nuv sync\n"),
        ("echo '# no comment' x#y\n", "echo '# no comment' x#y\n"),
        ("uv sync # don't\n", "uv sync\n"),
    ],
)
def test_shell(before: str, after: str) -> None:
    assert strip_shell(before) == after


@pytest.mark.parametrize(
    ("path", "before", "after"),
    [
        ("requirements.txt", "# why\nx>=1  # y\n-r z.txt\n", "x>=1\n-r z.txt\n"),
        ("requirements.txt", "git+https://x.y/z#egg=w\n", "git+https://x.y/z#egg=w\n"),
        ("deps.txt", "x>=1\ny\n", "x>=1\ny\n"),
        ("notes.txt", "Ask Jane Doe about this.\n", ""),
        ("requirements-dev.txt", "not a requirement at all\n", "not a requirement at all\n"),
        ("Dockerfile", "# syntax=docker/dockerfile:1\n# why\nFROM x\n", "# syntax=docker/dockerfile:1\nFROM x\n"),
        ("Dockerfile", 'FROM x\nLABEL a="b" \\\n  c="d"\nRUN uv sync\n', "FROM x\nRUN uv sync\n"),
        ("docker/Dockerfile.dev", "FROM x\nRUN a && \\\n    # why\n    b\n", "FROM x\nRUN a && \\\n    b\n"),
        (".env", "# why\nA=b#c\n", "A=b#c\n"),
        ("home/.netrc", "machine x login y password z\n", "machine x login y password z\n"),
        ("home/.config/pip/pip.conf", "; why\n[global]\nindex-url = x\n", "[global]\nindex-url = x\n"),
        (".dockerignore", "# why\n.venv\n", ".venv\n"),
        (".python-version", "3.12\n", "3.12\n"),
        ("README.md", "# Acme\n", ""),
        ("LICENSE", "Acme\n", ""),
        ("data.csv", "x;1\n", ""),
        ("src/x/__init__.py", "import x\n", ""),
        ("src/x/__init__.py", '# why\n"""Acme."""\nimport x\n', '"""Module."""\n'),
        ("src/x/version.py", 'import x\n__version__ = "1.0"  # why\nx = "y"\n', '"""Module."""\n__version__ = "1.0"\n'),
        ("setup.py", '"""Doc."""\n# why\nimport x\ndef f():\n    """Doc."""\n', "import x\n\ndef f():\n    pass\n"),
        ("setup.py", "setup(name='x', author='y', description='z')\n", "setup(name='x')\n"),
        ("setup.py", "def f(:  # why\n    pass\n", "def f(:\n    pass\n"),
        ("setup.cfg", "[metadata]\nname = x\nauthor = y\nclassifiers =\n  a\n  b\nversion = 1\n", "[metadata]\nname = x\nversion = 1\n"),
        ("job.py", "# /// script\n# # why\n# dependencies = ['x']\n# ///\nimport x\n", "# /// script\n# dependencies = ['x']\n# ///\n"),
    ],
)  # fmt: skip
def test_a_file(path: str, before: str, after: str) -> None:
    assert stripped(path, before) == after


def test_a_binary_file_is_emptied() -> None:
    assert strip_file(File("x.whl", b"PK\xff\x00")).content == b""
    assert strip_file(File("uv.toml", b"a = '\xff'")).content == b""


CODE = '"""Of Ann."""\nimport os  # why\n\n\ndef run():\n    return os.sep\n'


@pytest.mark.parametrize(
    ("path", "text", "code", "expected"),
    [
        ("src/a/core.py", CODE, True, "import os\n\ndef run():\n    return os.sep\n"),
        ("src/a/core.py", CODE, False, '"""Module."""\n'),
        ("VERSION", "1.2.3\n", False, "1.2.3\n"),
        ("VERSION", "Ann 1.2.3\n", False, ""),
        ("notes.md", "Of Ann", True, ""),
        (
            "PKG-INFO",
            "Metadata-Version: 2.1\nName: a\nVersion: 1\nAuthor: Ann\n",
            False,
            "Metadata-Version: 2.1\nName: a\nVersion: 1\n",
        ),
    ],
)
def test_code_is_kept_only_where_it_is_needed(path: str, text: str, code: bool, expected: str) -> None:
    assert strip_file(File(path, text.encode()), code=code).content.decode() == expected
