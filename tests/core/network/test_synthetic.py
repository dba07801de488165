"""Made-up packages in the manifest: every mistake with its place, and what is written is what is read."""

import subprocess
import sys
import tomllib
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
import tomli_w
from hypothesis import given, settings
from hypothesis import strategies as st
from packaging.utils import canonicalize_name
from packaging.version import Version

from uvmre.core.mre.manifest import dump, parse
from uvmre.core.network.synthetic import SyntheticPackage, check_packages, dump_packages, read_packages
from uvmre.errors import InputError

WHOLE = """\
[foo-bar.versions."1.0.0"]
requires = ["b>=1", "c; sys_platform == 'win32'"]
requires-python = ">=3.8"
extras = { x = ["d", "e @ https://example.com/e.whl"], nothing = [] }
wheel-tags = ["cp39-abi3-linux_x86_64", "py2.py3-none-any"]
build-backend = "setuptools>=60"
yanked = "broken on Windows"
upload-time = 2024-01-01T00:00:00Z
description = "It does a foo"

[foo-bar.versions."2.0b1"]
wheel = false
yanked = true

[foo-bar.versions."3.0+local"]
file = "dist/foo_bar-3.0+local-py3-none-any.whl"
upload-time = 2024-01-01T02:00:00+02:00

[b.versions."1!0"]
sdist = false
"""


def mistakes(text: str) -> list[tuple[str, str]]:
    """Return each mistake's place, below the packages, and what is said of it."""
    found = check_packages(tomllib.loads(text), ("index", 0, "packages"))
    return [(" ".join(map(str, path[3:])), mistake) for path, mistake in found]


def test_every_key_is_read() -> None:
    table = tomllib.loads(WHOLE)
    assert list(check_packages(table, ())) == []
    assert read_packages(table) == (
        SyntheticPackage(
            "foo-bar",
            "1.0.0",
            requires=("b>=1", "c; sys_platform == 'win32'"),
            requires_python=">=3.8",
            extras={"x": ("d", "e @ https://example.com/e.whl"), "nothing": ()},
            wheel_tags=("cp39-abi3-linux_x86_64", "py2.py3-none-any"),
            build_backend="setuptools>=60",
            yanked="broken on Windows",
            uploaded=datetime(2024, 1, 1, tzinfo=UTC),
            description="It does a foo",
        ),
        SyntheticPackage("foo-bar", "2.0b1", wheel=False, yanked=True),
        SyntheticPackage(
            "foo-bar",
            "3.0+local",
            file="dist/foo_bar-3.0+local-py3-none-any.whl",
            uploaded=datetime(2024, 1, 1, tzinfo=UTC),
        ),
        SyntheticPackage("b", "1!0", sdist=False),
    )


@pytest.mark.parametrize(
    ("line", "place", "mistake"),
    [
        pytest.param(
            "wheels = false",
            "wheels",
            "is not a known key: did you mean `wheel`?",
            id="an unknown key",
        ),
        pytest.param(
            'requires = ["b", "b >= "]',
            "requires",
            "item 2: is not a valid requirement, such as \"b>=1; sys_platform == 'win32'\" (PEP 508): 'b >= ': "
            "Expected semicolon (after name with no version specifier) or end",
            id="half a requirement",
        ),
        pytest.param(
            'requires = ["b\\n>=1"]',
            "requires",
            "item 1: must be a single line",
            id="a requirement that would be two headers",
        ),
        pytest.param('requires = "b"', "requires", "must be a list", id="a requirement without a list"),
        pytest.param(
            'requires-python = "3.8"',
            "requires-python",
            "is not a valid version specifier, such as \">=3.8,<4\" (PEP 440): '3.8'",
            id="a version instead of a range",
        ),
        pytest.param(
            'wheel-tags = ["py3-none"]',
            "wheel-tags",
            "item 1: must be a wheel tag, such as \"cp39-abi3-linux_x86_64\" (PEP 425), not 'py3-none'",
            id="a tag of two parts",
        ),
        pytest.param(
            'wheel-tags = ["1-py3-none-any"]',
            "wheel-tags",
            "item 1: must be a wheel tag, such as \"cp39-abi3-linux_x86_64\" (PEP 425), not '1-py3-none-any'",
            id="a build number before the tag",
        ),
        pytest.param("wheel-tags = []", "wheel-tags", "must have at least one tag", id="no tag"),
        pytest.param(
            'wheel-tags = ["py3-none-any", "py3-none-any"]',
            "wheel-tags",
            "has a duplicate tag",
            id="a tag twice",
        ),
        pytest.param(
            "wheel = false\nsdist = false",
            "",
            "has neither a wheel nor an sdist: enable one of them, or remove the version",
            id="nothing to serve",
        ),
        pytest.param(
            'wheel = false\nwheel-tags = ["py3-none-any"]',
            "wheel-tags",
            "need a wheel: remove them, or `wheel = false`",
            id="tags of no wheel",
        ),
        pytest.param('wheel = "no"', "wheel", "must be true or false, not 'no'", id="a wheel that is a text"),
        pytest.param(
            "upload-time = 2024-01-01T00:00:00",
            "upload-time",
            "must be a date and time with its zone, such as 2024-01-01T00:00:00Z without quotes, "
            "not datetime.datetime(2024, 1, 1, 0, 0)",
            id="a moment without its zone",
        ),
        pytest.param('yanked = ""', "yanked", "must be true, false or a one-line reason, not ''", id="an empty reason"),
        pytest.param(
            'description = "two\\nlines"',
            "description",
            "must be a single line",
            id="a description that would be two headers",
        ),
        pytest.param(
            'extras = ["x"]', "extras", 'must be a table, such as { x = ["b>=1"] }', id="extras without requirements"
        ),
        pytest.param(
            'extras = { "-x" = [] }',
            "extras -x",
            "is not a valid extra name: use letters and digits, with - _ . between them",
            id="an extra that nobody can ask for",
        ),
        pytest.param(
            "extras = { x_y = [], X-y = [] }",
            "extras X-y",
            "is the same extra as x_y (PEP 685): keep one",
            id="one extra written in two ways",
        ),
        pytest.param(
            'file = "../a-1.0.0.tar.gz"',
            "file",
            "is outside the folder ('../a-1.0.0.tar.gz'): use a relative path with `/`",
            id="a file outside the folder",
        ),
        pytest.param(
            'file = "a-1.0.1.tar.gz"',
            "file",
            "does not match the version: 'a-1.0.1.tar.gz' must be a-1.0.0-py3-none-any.whl or a-1.0.0.tar.gz",
            id="a file of another version",
        ),
        pytest.param(
            'file = "a-1.0.0.tar.gz"\nrequires = []',
            "requires",
            "is defined by the file itself: remove it, or `file`",
            id="requirements beside a file",
        ),
    ],
)
def test_a_mistake_of_a_version_is_reported(line: str, place: str, mistake: str) -> None:
    assert mistakes(f'[a.versions."1.0.0"]\n{line}\n') == [(f"a versions 1.0.0 {place}".strip(), mistake)]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        pytest.param(
            '["a b".versions."1"]',
            ("a b", "is not a valid package name: use letters and digits, with - _ . between them (PEP 508)"),
            id="a name with a space",
        ),
        pytest.param(
            '[a-b.versions."1"]\n[A_b.versions."2"]',
            ("A_b", "is the same package as a-b (PEP 503): merge their versions"),
            id="one package written in two ways",
        ),
        pytest.param(
            '[a.versions."1.0"]\n[a.versions."1.0.0"]',
            ("a versions 1.0.0", "is the same version as 1.0 (PEP 440): keep one"),
            id="one version written in two ways",
        ),
        pytest.param(
            '[a.versions."one"]',
            ("a versions one", 'is not a valid version, such as "1.0.0" or "2.0b1.post1+local" (PEP 440)'),
            id="a version that is none",
        ),
        pytest.param("[a]", ("a versions", 'is missing: add a table, such as versions."1.0.0"'), id="no version"),
        pytest.param(
            "a = 1", ("a", 'must be a table; write [….versions."1.0.0"] below it'.replace(";", ":")), id="a number"
        ),
        pytest.param(
            'a.versions."1" = true',
            ("a versions 1", "must be a table: an empty one makes a wheel and an sdist without requirements"),
            id="a version that is no table",
        ),
    ],
)
def test_a_mistake_of_a_package_is_reported(text: str, found: tuple[str, str]) -> None:
    assert mistakes(text) == [found]


def test_all_mistakes_of_a_manifest_are_reported_at_once_with_their_lines() -> None:
    text = """\
schema = 1
title = "x"
environment.uv = "0.5.21"
step = [{ role = "observe", run = "uv lock" }]
symptom.exit = 1

[[index]]
url = "https://pypi.org/simple"

[index.packages.a.versions."1"]
requires = ["?"]

[index.packages.b.versions."1"]
yanked = 1
sdist = 0
"""
    with pytest.raises(InputError) as raised:
        parse(text)
    assert [fault.partition(" is not ")[0] for fault in raised.value.faults] == [
        "line 11: index[1].packages.a.versions.1.requires item 1:",
        "line 14: index[1].packages.b.versions.1.yanked must be true, false or a one-line reason, not 1",
        "line 15: index[1].packages.b.versions.1.sdist must be true or false, not 0",
    ]


def test_what_no_interpreter_has_is_allowed_for_some_reports_are_about_it() -> None:
    tags = ["foo-none-any", "graalpy310-none-any", "py3-any-macosx_10_0_ppc64", "cp311-cp311-any"]
    assert mistakes(tomli_w.dumps({"a": {"versions": {"1": {"wheel-tags": tags, "requires-python": ">=3.30"}}}})) == []


def test_a_manifest_without_packages_does_not_pay_for_those_who_have_some() -> None:
    code = "import sys; from uvmre.core.network.synthetic import *; list(check_packages({}, ())); print('packaging' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "False\n"


NAMES = st.from_regex(r"[A-Za-z0-9]([A-Za-z0-9._-]{0,4}[A-Za-z0-9])?", fullmatch=True)
VERSIONS = st.from_regex(
    r"([1-9]!)?[0-9]\.[0-9]{1,2}((a|b|rc)[0-9])?(\.post[0-9])?(\.dev[0-9])?(\+[a-z]{1,3})?", fullmatch=True
)
REQUIREMENTS = st.lists(
    st.sampled_from(["b", "b[x]>=1,<2", "c; sys_platform == 'win32'", "d @ https://example.com/d.whl ; extra == 'q'"]),
    max_size=2,
).map(tuple)
LINES = st.text(st.characters(exclude_categories=("Cc", "Cs", "Zl", "Zp")), min_size=1).filter(str.strip)
MOMENTS = st.datetimes(timezones=st.sampled_from([UTC, timezone(timedelta(hours=2)), timezone(-timedelta(minutes=90))]))
TAGS = st.sampled_from(["py3-none-any", "cp39-abi3-linux_x86_64", "py2.py3-none-any", "foo-none-any"])


@st.composite
def made(draw: st.DrawFn, name: str, version: str) -> SyntheticPackage:
    yanked = draw(st.one_of(st.booleans(), LINES))
    uploaded = draw(st.one_of(st.none(), MOMENTS))
    if draw(st.integers(0, 9)) == 0:
        stem = f"{canonicalize_name(name).replace('-', '_')}-{version}"
        file = draw(st.sampled_from([f"dist/{stem}.tar.gz", f"{stem}-py3-none-any.whl"]))
        return SyntheticPackage(name, version, yanked=yanked, uploaded=uploaded, file=file)
    wheel = draw(st.booleans())
    return SyntheticPackage(
        name,
        version,
        draw(REQUIREMENTS),
        draw(st.sampled_from([None, ">=3.8", ">=3.9,!=3.10.*"])),
        draw(st.dictionaries(st.sampled_from(["x", "y_z", "Q"]), REQUIREMENTS, max_size=2)),
        wheel,
        tuple(draw(st.lists(TAGS, min_size=1, max_size=3, unique=True))) if wheel else ("py3-none-any",),
        draw(st.booleans()) if wheel else True,
        draw(st.sampled_from(["", "hatchling", "uv_build>=0.5,<1"])),
        yanked,
        uploaded,
        draw(st.one_of(st.just(""), LINES)),
    )


@st.composite
def packages(draw: st.DrawFn) -> tuple[SyntheticPackage, ...]:
    names = draw(st.lists(NAMES, max_size=3, unique_by=canonicalize_name))
    return tuple(
        draw(made(name, version))
        for name in names
        for version in draw(st.lists(VERSIONS, min_size=1, max_size=3, unique_by=Version))
    )


@given(packages())
@settings(deadline=None, max_examples=60)
def test_what_is_written_is_what_is_read(given_packages: tuple[SyntheticPackage, ...]) -> None:
    table: dict[str, Any] = tomllib.loads(tomli_w.dumps(dump_packages(given_packages)))
    assert list(check_packages(table, ())) == []
    assert read_packages(table) == given_packages


def test_packages_are_written_into_a_manifest_as_they_are_read_from_it() -> None:
    text = f"""\
schema = 1
title = "x"
environment.uv = "0.5.21"
step = [{{ role = "observe", run = "uv lock" }}]
symptom.exit = 1
[[index]]
url = "https://pypi.org/simple"
synthetic = "merge"
{WHOLE.replace("[foo", "[index.packages.foo").replace("[b.", "[index.packages.b.")}
"""
    mre = parse(text)
    assert len(mre.indexes[0].packages) == 4
    assert parse(dump(mre)) == mre
