"""What real engines said while they built, read back as what each RUN did."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from uvmre.core.dockerfile.build_log import (
    READERS,
    BuilderNote,
    Event,
    ImageBuilt,
    LogLine,
    StepBegan,
    StepDropped,
    StepEnded,
    StepOutput,
    buildah,
    buildkit,
    classic,
)

DATA = Path(__file__).parent / "data" / "build_log"
LOGS = {
    "buildkit-26.1": buildkit,
    "classic-20.10": classic,
    "podman-4.3": buildah,
    "buildah-1.28": buildah,
}
FAKE = "STEP 9/9: RUN fake\nStep 99/99 : RUN fake\n"


def lines(text: str) -> list[LogLine]:
    return [LogLine(line, float(i)) for i, line in enumerate(text.splitlines(keepends=True))]


def events(engine: str, variant: str) -> list[Event]:
    return list(LOGS[engine](lines((DATA / f"{engine}-{variant}.txt").read_text())))


def runs(found: list[Event]) -> list[tuple[str, str, int | None]]:
    """Return what each RUN is, said and ended with; None where its end is left to that of the engine."""
    keys = {event.key: event.text for event in found if isinstance(event, StepBegan) and event.text.startswith("RUN ")}
    said = {key: "".join(e.text for e in found if isinstance(e, StepOutput) and e.key == key) for key in keys}
    ended = {event.key: event.exit for event in found if isinstance(event, StepEnded)}
    return [(text, said[key], ended.get(key)) for key, text in keys.items()]


def words(run: tuple[str, str, int | None]) -> tuple[str, str]:
    return " ".join(run[0].split()), "".join(sorted(run[1].replace("\n", "")))


@pytest.mark.parametrize("engine", LOGS)
def test_each_run_has_its_own_output_and_exit_code(engine: str) -> None:
    found = runs(events(engine, "bad"))
    assert [words(run) for run in found] == [
        ("RUN echo out; echo err >&2; printf 'no newline'", "".join(sorted("outerrno newline"))),
        ("RUN echo one && echo two", "".join(sorted("onetwo"))),
        ('RUN ["/bin/echo", "exec form"]', "".join(sorted("exec form"))),
        (
            'RUN echo "STEP 9/9: RUN fake"; echo "Step 99/99 : RUN fake"; printf \'half a line\' >&2; exit 3',
            "".join(sorted(FAKE.replace("\n", "") + "half a line")),
        ),
    ]
    assert [exit_code for _, _, exit_code in found] == [0, 0, 0, 3]


@pytest.mark.parametrize("engine", LOGS)
def test_a_build_that_succeeds_has_no_exit_code_but_zero(engine: str) -> None:
    found = runs(events(engine, "good"))
    assert [exit_code for _, _, exit_code in found] == [0] * 5
    assert found[-1][1].split() == ["last", "end"]


@pytest.mark.parametrize("engine", LOGS)
def test_an_image_that_is_missing_is_no_run_that_failed(engine: str) -> None:
    found = events(engine, "missing")
    assert not [run for run in runs(found) if run[2]]
    assert "nosuch" in "".join(event.text for event in found if isinstance(event, BuilderNote)) or engine.startswith(
        "classic"
    )


def test_the_images_that_the_classic_builder_leaves_are_named_and_its_base_is_not() -> None:
    made = [event.image for event in events("classic-20.10", "good") if isinstance(event, ImageBuilt)]
    text = (DATA / "classic-20.10-good.txt").read_text()
    base = text.partition("FROM base:bookworm AS first\n ---> ")[2].split()[0]
    assert len(made) == 10
    assert base not in made
    assert text.rstrip().endswith(made[-1])


def test_a_run_that_buildkit_shares_with_another_build_did_not_run() -> None:
    found = list(buildkit(lines("#4 [2/3] RUN uv lock\n#4 CACHED\n")))
    assert found == [StepBegan("4", "RUN uv lock", 0.0), StepDropped("4")]


@pytest.mark.parametrize("name", READERS)
@given(st.lists(st.text(alphabet="#[]0123456789 STEPstepRUN:/->.\n\"'"), max_size=20))
def test_whatever_is_reported_is_read_without_a_failure(name: str, said: list[str]) -> None:
    for event in READERS[name](LogLine(text, 0.0) for text in said):
        assert isinstance(event, Event)


@pytest.mark.parametrize(
    ("said", "exit_code"),
    [
        ('error building at STEP "RUN false": error while running runtime: exit status 1\n', 1),
        ('Error: building at STEP "RUN false": while running runtime: exit status 2\n', 2),
        ('Error: building at STEP "RUN false": exit status 137\n', 137),
    ],
)
def test_the_versions_of_buildah_say_in_their_own_words_how_a_run_ended(said: str, exit_code: int) -> None:
    found = runs(list(buildah(lines(f"STEP 1/2: FROM x\nSTEP 2/2: RUN false\n{said}"))))
    assert found == [("RUN false", "", exit_code)]
