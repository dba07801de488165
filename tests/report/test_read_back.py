"""Whatever goes out comes back: generated MREs through every two-way format."""

import contextlib
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.mre_strategies import bundles
from tests.report.test_github import result
from uvmre.core.mre.files import File
from uvmre.errors import InputError, UsageError
from uvmre.folder.read import read_files
from uvmre.report import formats
from uvmre.report.bundle import Bundle
from uvmre.report.formats import FORMATS
from uvmre.report.read_back import read_back
from uvmre.report.repository import write_repository

TWO_WAY = sorted(name for name, each in FORMATS.items() if each.two_way)
MOST_REFUSED = {"url": 75}
"""Of 300: a link has 8,000 bytes; every other format has any MRE that is generated here."""


def written(name: str, made: Bundle, where: Path) -> Callable[[], tuple[File, ...]]:
    """Write an MRE, and return a function that reads it back."""
    if not FORMATS[name].folder:
        content = formats.write(name, made)
        return lambda: read_back(content, f"x.{name}")
    write_repository(made, where)
    return lambda: (File("mre.toml", (where / "mre.toml").read_bytes()), *read_files(where))


def check(name: str, given: Bundle, refused: Counter[str]) -> None:
    made = replace(given, result=result(given.mre))
    with TemporaryDirectory() as where:
        try:
            read = written(name, made, Path(where))
        except InputError as error:
            refused[f"{error.message}: {error.faults}"] += 1
            return
        found = read()
    assert found[0] == made.files[0]
    assert sorted(found[1:], key=lambda file: file.path) == list(made.files[1:])


@settings(max_examples=60, suppress_health_check=list(HealthCheck), deadline=None)
@given(bundles())
def test_an_mre_comes_back_through_every_format(made: Bundle) -> None:
    for name in TWO_WAY:
        check(name, made, Counter())


@settings(max_examples=60, suppress_health_check=list(HealthCheck), deadline=None)
@given(bundles(), st.sampled_from([name for name in TWO_WAY if not FORMATS[name].folder]), st.data())
def test_what_is_damaged_is_an_error_or_another_mre(given: Bundle, name: str, data: st.DataObject) -> None:
    made = replace(given, result=result(given.mre))
    try:
        content = formats.write(name, made)
    except InputError:
        return
    at = data.draw(st.integers(0, len(content)))
    size, new = (
        data.draw(st.integers(0, 40)),
        data.draw(st.sampled_from([b"", b"\n", b"'", b"\xff", b"```", b"EOF\n", b"%", b"<"])),
    )
    with contextlib.suppress(UsageError):
        found = read_back(content[:at] + new + content[at + size :], "x")
        assert found[0].path == "mre.toml"


@pytest.mark.slow
@pytest.mark.parametrize("name", TWO_WAY)
def test_300_mres_come_back(name: str, record_property: Callable[[str, object], None]) -> None:
    refused: Counter[str] = Counter()

    @settings(max_examples=300, suppress_health_check=list(HealthCheck), deadline=None)
    @given(bundles())
    def law(made: Bundle) -> None:
        check(name, made, refused)

    law()
    record_property("refused", f"{sum(refused.values())}: {refused.most_common(9)}")
    assert sum(refused.values()) <= MOST_REFUSED.get(name, 0), refused
