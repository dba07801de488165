"""How each engine is told to build, and what a build's lines are cut into."""

from pathlib import Path

import pytest

from uvmre.core.dockerfile.build_log import MARKS, LogLine
from uvmre.run.backends import BACKENDS, choose
from uvmre.run.engines import build_commands
from uvmre.run.engines.availability import Engine
from uvmre.run.engines.build_commands import Build
from uvmre.run.engines.container import MAX_LINE, _lines
from uvmre.run.process import Capped

BUILT = Build(
    name="n",
    context=Path("/c"),
    dockerfile=Path("/d"),
    image=Path("/i"),
    labels={"org.uvmre": "run"},
    arguments={"A": "1"},
    secrets={"s": Path("/s")},
)
ENGINES = {
    "buildkit": Engine("docker", "docker", "26", "26", buildkit=True),
    "buildkit of old": Engine("docker", "docker", "20.10", "20.10.24", buildkit=True),
    "classic": Engine("docker", "docker", "20.10", "28"),
    "podman": Engine("podman", "podman", "4.3"),
    "buildah": Engine("buildah", "buildah", "1.28"),
}


@pytest.mark.parametrize("name", ENGINES)
def test_every_engine_reaches_the_gateway_and_uses_no_cache(name: str) -> None:
    words = list(build_commands.builder(ENGINES[name]).arguments(ENGINES[name], BUILT))
    output = " ".join(words)
    assert words[-1] == "/c"
    for expected in ("--network host", "--no-cache", "--file /d", "--build-arg A=1", "--label org.uvmre=run"):
        assert expected in output
    assert "--secret id=s,src=/s" in output


@pytest.mark.parametrize(("name", "writes"), [("buildkit", False), *((name, True) for name in list(ENGINES)[1:])])
def test_an_image_that_is_written_can_be_removed(name: str, writes: bool) -> None:
    words = build_commands.builder(ENGINES[name]).arguments(ENGINES[name], BUILT)
    assert ("--iidfile" in words) is writes
    assert ("type=cacheonly" in words) is not writes


def cut(*chunks: bytes, reader: str = "buildah") -> list[str]:
    return [line.text for line in _lines(chunks, Capped(100), MARKS.get(reader)) if isinstance(line, LogLine)]


def test_what_an_engine_says_of_its_own_comes_in_lines() -> None:
    assert cut(b"STEP 1/2: FROM a\nSTEP 2", b"/2: RUN x\nrest") == ["STEP 1/2: FROM a\n", "STEP 2/2: RUN x\n", "rest"]


def test_what_a_run_says_comes_as_it_does() -> None:
    assert cut(b"a\nb\nc") == ["a\nb\n", "c"]
    assert cut(b"#1 a\n#1 b\n", reader="buildkit") == ["#1 a\n", "#1 b\n"]


def test_a_line_without_an_end_is_not_kept_whole() -> None:
    pieces = cut(*[b"x" * 10_000] * 20)
    assert max(map(len, pieces)) < 2 * MAX_LINE
    assert sum(map(len, pieces)) == 200_000


def test_every_backend_has_its_name() -> None:
    assert list(BACKENDS) == ["docker", "podman", "buildah", "local", "sandbox"]
    assert choose("local").describe() == "local"
