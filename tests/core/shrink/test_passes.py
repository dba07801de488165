"""The passes: which units they find, and what is left without them."""

import tomllib

import pytest

from uvmre.core.mre.manifest import parse
from uvmre.core.mre.model import MANIFEST
from uvmre.core.search.shrink import ShrinkPass
from uvmre.core.shrink.edits import Subject
from uvmre.core.shrink.passes import folder_shrink_passes, mre_passes, subject_of
from uvmre.core.shrink.requirements import parse_requirement, parse_specifier

MRE = """\
title = "foo-bar breaks"
issue = "https://github.com/astral-sh/uv/issues/1"

[environment]
uv = "0.5.21"
python = "3.11"
home = "home"

[[step]]
run = "uv sync --frozen --extra foo_bar && A=1 uv pip install -q foo-bar==1.2.3 > out"

[symptom]
output = ["foo_bar 1.2.3 is broken"]

[[control]]
name = "other"
variables = { A = "1" }

[[index]]
url = "https://private.example.com/simple"

[index.packages.foo-bar.versions."1.2.3"]
requires = ["other>=1,<2"]
[index.packages.foo-bar.versions."1.10.0"]
"""


def passes(subject: Subject) -> dict[str, list[ShrinkPass[Subject]]]:
    """Return the passes over an MRE, by name."""
    found: dict[str, list[ShrinkPass[Subject]]] = {}
    for each in mre_passes(parse(subject[MANIFEST].decode()), lambda subject: subject):
        found.setdefault(each.name, []).append(each)
    return found


def titles(name: str, subject: Subject) -> list[str]:
    return [unit.title for each in passes(subject)[name] for unit in each.units(subject)]


def without(name: str, title: str, subject: Subject) -> Subject:
    """Return a subject without the one unit whose title contains a text."""
    ((found, unit),) = [
        (each, unit) for each in passes(subject)[name] for unit in each.units(subject) if title in unit.title
    ]
    left = found.without(subject, [unit])
    assert left is not None
    return left


def test_the_words_of_an_mre_and_its_controls_stay() -> None:
    subject = {MANIFEST: MRE.encode()}
    found = titles("TOML", subject)
    for held in ("title", "issue", "symptom", "environment.uv", "environment.python", "control.0", "control.0.name"):
        assert f"{MANIFEST}: {held}" not in found
    for free in ("environment.home", "step.0", "control.0.variables", "index.0.packages.foo-bar.versions.1.10.0"):
        assert f"{MANIFEST}: {free}" in found
    assert MANIFEST not in titles("files", {**subject, "a.txt": b""})
    assert "a.txt" in titles("files", {**subject, "a.txt": b""})


@pytest.mark.parametrize(
    ("name", "title", "expected"),
    [
        ("words", "--extra foo_bar", "uv sync --frozen && A=1 uv pip install -q foo-bar==1.2.3 > out"),
        ("words", "--frozen", "uv sync --extra foo_bar && A=1 uv pip install -q foo-bar==1.2.3 > out"),
        ("words", "A=1", "uv sync --frozen --extra foo_bar && uv pip install -q foo-bar==1.2.3 > out"),
        ("words", "> out", "uv sync --frozen --extra foo_bar && A=1 uv pip install -q foo-bar==1.2.3"),
        ("words", "foo-bar==", "uv sync --frozen --extra foo_bar && A=1 uv pip install -q > out"),
        ("statements", "uv sync", "A=1 uv pip install -q foo-bar==1.2.3 > out"),
        ("statements", "A=1", "uv sync --frozen --extra foo_bar"),
        ("names", "foo-bar → a", "uv sync --frozen --extra a && A=1 uv pip install -q a==1.2.3 > out"),
        ("versions", "1.2.3 → 1.0.0", "uv sync --frozen --extra foo_bar && A=1 uv pip install -q foo-bar==1.0.0 > out"),
    ],
)
def test_a_command_without_a_part(name: str, title: str, expected: str) -> None:
    assert parse(without(name, title, {MANIFEST: MRE.encode()})[MANIFEST].decode()).steps[0].run == expected


def test_a_name_is_the_same_everywhere() -> None:
    subject = {MANIFEST: MRE.encode(), "src/foo_bar/x.py": b"import foo_bar, foobar, foo_bars\n"}
    left = without("names", "foo-bar", subject)
    assert left["src/a/x.py"] == b"import a, foobar, foo_bars\n"
    data = tomllib.loads(left[MANIFEST].decode())
    assert data["title"] == "foo-bar breaks"
    assert data["symptom"]["output"] == ["a 1.2.3 is broken"]
    assert list(data["index"][0]["packages"]) == ["a"]


def test_a_name_or_a_version_that_is_taken_is_not_used() -> None:
    subject = {MANIFEST: MRE.encode(), "x.txt": b"a and b\n"}
    assert titles("names", subject) == ["foo-bar → c"]
    assert titles("names", {**subject, "pyproject.toml": b'[project]\nname = "requests-like"\n'}) == [
        "foo-bar → c",
        "requests-like → d",
    ]
    assert titles("versions", {MANIFEST: MRE.replace("1.2.3", "1.0.0").replace("1.10.0", "2.0.0").encode()}) == []


def test_a_lock_becomes_a_step() -> None:
    subject = {MANIFEST: MRE.encode(), "uv.lock": b"version = 1\n"}
    left = without("lock", "uv.lock", subject)
    assert parse(left[MANIFEST].decode()).steps[0].run == "uv lock"
    assert sorted(left) == [MANIFEST]
    assert titles("lock", {MANIFEST: MRE.encode()}) == []


def test_a_member_goes_with_its_mentions() -> None:
    subject = {
        MANIFEST: MRE.encode(),
        "pyproject.toml": b'[project]\ndependencies = ["my_lib>=1", "my-library"]\n[tool.uv.sources]\n'
        b'my-lib = { workspace = true }\n[tool.uv.workspace]\nmembers = ["libs/lib", "libs/other"]\n',
        "libs/lib/pyproject.toml": b'[project]\nname = "my-lib"\n',
        "libs/lib/src/x.py": b"",
    }
    left = without("members", "libs/lib/", subject)
    assert sorted(left) == [MANIFEST, "pyproject.toml"]
    data = tomllib.loads(left["pyproject.toml"].decode())
    assert data["project"]["dependencies"] == ["my-library"]
    assert data["tool"]["uv"] == {"sources": {}, "workspace": {"members": ["libs/other"]}}


@pytest.mark.parametrize(
    ("path", "content", "left"),
    [
        ("a.toml", "# one\na = '# two' # three\n\n", "a = '# two'\n"),
        ("requirements.txt", "# one\na>=1 # two\nb @ file:///x#c\n", "a>=1\nb @ file:///x#c\n"),
        ("Dockerfile", "# one\nFROM x\nRUN echo '# two'\n", "FROM x\nRUN echo '# two'\n"),
        ("x.sh", "#!/bin/sh\n# one\necho '# two'\n", "#!/bin/sh\necho '# two'\n"),
        ("x.md", "# Title\n", "# Title\n"),
    ],
)
def test_comments_go_at_once(path: str, content: str, left: str) -> None:
    first = folder_shrink_passes()[0]
    subject = {path: content.encode()}
    assert first.easy
    assert first.without(subject, first.units(subject)) == {path: left.encode()}


@pytest.mark.parametrize(
    ("text", "gone", "expected"),
    [
        ("a[x,y]>=1.2,<2; python_version < '3.13'", {0}, "a[x,y]>=1.2,<2"),
        ("a[x,y]>=1.2,<2; python_version < '3.13'", {1, 3}, "a[y]<2; python_version < '3.13'"),
        ("a[x]>=1.2,<2", {0, 1, 2}, "a"),
        ("a @ https://x.example/a.whl ; os_name == 'nt'", {0}, "a @ https://x.example/a.whl"),
        ("a @ https://x.example/a.whl", {0}, "a"),
    ],
)
def test_a_requirement_without_parts(text: str, gone: set[int], expected: str) -> None:
    parts = parse_requirement(text)
    assert parts
    assert parts.without(gone) == expected
    assert parts.without(set()).replace(" ", "") == text.replace(" ", "")


@pytest.mark.parametrize("text", ["", "not a requirement", "a>>1", "Framework :: Django", "https://x.example"])
def test_what_is_no_requirement_has_no_parts(text: str) -> None:
    assert parse_requirement(text) is None


def test_a_specifier_keeps_a_bound() -> None:
    found = parse_specifier(">=3.8,<4")
    assert found
    assert found.without({0}) == "<4"
    assert parse_specifier(">=3.8") is None
    assert parse_specifier("x") is None


def test_a_dockerfile_loses_instructions_and_words() -> None:
    subject = {
        MANIFEST: MRE.encode(),
        "Dockerfile": b"FROM python:3.12\nENV A=1\nRUN --mount=type=cache,target=/x uv sync \\\n  --frozen\n",
    }
    assert b"ENV" not in without("instructions", "ENV A=1", subject)["Dockerfile"]
    left = without("words", "Dockerfile: --frozen", subject)["Dockerfile"]
    assert left.endswith(b"RUN --mount=type=cache,target=/x uv sync\n") or b"--frozen" not in left


def test_the_subject_of_an_mre_is_its_folder() -> None:
    mre = parse(MRE)
    assert parse(subject_of(mre)[MANIFEST].decode()) == mre
