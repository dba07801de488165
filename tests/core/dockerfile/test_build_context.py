"""What of a folder a Dockerfile can copy."""

import pytest

from uvmre.core.dockerfile.build_context import build_context, copy_sources
from uvmre.core.mre.files import File

PATHS = ("a.txt", "b.txt", "c/a.txt", "c/d/e.py", "c/d/.venv/x", ".env", "docs/README.md")
FILES = tuple(File(path, b"") for path in PATHS)


@pytest.mark.parametrize(
    ("lines", "kept"),
    [
        ("", PATHS),
        ("# a.txt\n\n", PATHS),
        ("a.txt\n", PATHS[1:]),
        ("/a.txt\n", PATHS[1:]),
        ("*.txt\n", PATHS[2:]),
        ("**/*.txt\n", PATHS[3:]),
        ("c\n", ("a.txt", "b.txt", ".env", "docs/README.md")),
        ("c/d/\n", ("a.txt", "b.txt", "c/a.txt", ".env", "docs/README.md")),
        ("**/.venv\n", ("a.txt", "b.txt", "c/a.txt", "c/d/e.py", ".env", "docs/README.md")),
        ("*\n!c\n", ("c/a.txt", "c/d/e.py", "c/d/.venv/x")),
        ("*\n!c\nc/d\n", ("c/a.txt",)),
        ("[ab].txt\n?env\n", ("c/a.txt", "c/d/e.py", "c/d/.venv/x", "docs/README.md")),
        ("**\n!**/*.md\n", ("docs/README.md",)),
        ("[\n", PATHS),
    ],
)
def test_what_dockerignore_leaves(lines: str, kept: tuple[str, ...]) -> None:
    ignore = File(".dockerignore", lines.encode())
    assert tuple(file.path for file in build_context((*FILES, ignore)) if file is not ignore) == kept


def test_the_ignore_file_of_the_dockerfile_itself_goes_first() -> None:
    files = (*FILES, File(".dockerignore", b"a.txt"), File("Dockerfile.dockerignore", b"b.txt"))
    assert {"a.txt", "b.txt"} & {file.path for file in build_context(files)} == {"a.txt"}


@pytest.mark.parametrize(
    ("source", "found"),
    [
        (".", [("", True, PATHS)]),
        ("/", [("", True, PATHS)]),
        ("./a.txt", [("a.txt", False, ("a.txt",))]),
        ("c", [("c", True, PATHS[2:5])]),
        ("c/d/", [("c/d", True, PATHS[3:5])]),
        ("*.txt", [("a.txt", False, ("a.txt",)), ("b.txt", False, ("b.txt",))]),
        ("*/d", [("c/d", True, PATHS[3:5])]),
        ("nothing", []),
        ("a.txt/b", []),
    ],
)
def test_what_a_source_brings(source: str, found: list[tuple[str, bool, tuple[str, ...]]]) -> None:
    assert [
        (each.path, each.folder, tuple(file.path for file in each.files)) for each in copy_sources(source, FILES)
    ] == found
