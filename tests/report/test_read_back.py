"""Whatever goes out comes back: generated MREs through every two-way format."""

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, given, settings

from tests.mre_strategies import bundles
from tests.report.test_github import result
from uvmre.core.mre.files import File
from uvmre.errors import InputError
from uvmre.folder.read import read_files
from uvmre.report import formats
from uvmre.report.bundle import Bundle
from uvmre.report.formats import FORMATS
from uvmre.report.read_back import read_back
from uvmre.report.repository import write_repository

TWO_WAY = sorted(name for name, each in FORMATS.items() if each.two_way)


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


@pytest.mark.parametrize(
    ("name", "examples"),
    [
        *(pytest.param(name, 60, id=name) for name in TWO_WAY),
        *(pytest.param(name, 300, id=f"{name}, 300", marks=pytest.mark.slow) for name in TWO_WAY),
    ],
)
def test_an_mre_comes_back(name: str, examples: int, record_property: Callable[[str, object], None]) -> None:
    refused: Counter[str] = Counter()

    @settings(max_examples=examples, suppress_health_check=list(HealthCheck), deadline=None)
    @given(bundles())
    def law(made: Bundle) -> None:
        check(name, made, refused)

    law()
    record_property("refused", sum(refused.values()))
    assert sum(refused.values()) <= examples * 0.1, refused
