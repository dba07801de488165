"""The Dockerfile that is built for a variant, and what its RUNs are to the manifest."""

from collections.abc import Mapping

import pytest

from uvmre.core.dockerfile.build_plan import VERSION_COMMAND, BuildPlan, plan_build
from uvmre.core.mre.files import File
from uvmre.core.mre.model import Control, Environment, Mre, Step
from uvmre.core.mre.symptom import FileSymptom, Symptom
from uvmre.errors import UsageError

SYNC = Step("uv sync", "observe", "the sync", 7)
SETUP = (Step("uv lock"), Step("export A=1"))
BODY = """\
# syntax=docker/dockerfile:1
FROM python:3.11-slim
COPY --from=ghcr.io/astral-sh/uv:0.5.21 /uv /uvx /bin/
WORKDIR /app
COPY . .
RUN uv lock
RUN export A=1
RUN uv sync
"""
LABELS = {"org.uvmre": "run"}


def mre(text: str = BODY, *steps: Step, symptom: Symptom | None = None, home: str = "") -> Mre:
    files = (File("Dockerfile", text.encode()),)
    return Mre("t", Environment("0.5.21", home=home), steps or (*SETUP, SYNC), symptom or Symptom(), files=files)


def planned(
    text: str = BODY,
    *steps: Step,
    control: Control | None = None,
    uv: str = "0.5.21",
    labels: Mapping[str, str] | None = None,
    home: str = "",
) -> BuildPlan:
    return plan_build(mre(text, *steps, home=home), control, uv=uv, labels=labels)


def changed(made: BuildPlan, text: str = BODY) -> list[str]:
    """Return the lines that are not the MRE's own, and with a minus those that are gone."""
    before, after = text.splitlines(), made.text.splitlines()
    gone = [f"-{line}" for line in before if line not in after]
    return gone + [line for line in after if line not in before]


def test_nothing_is_changed_without_a_reason() -> None:
    assert planned().text == BODY


def test_a_run_that_is_a_step_has_its_name_role_and_time_limit() -> None:
    assert planned().steps == (*SETUP, SYNC)


@pytest.mark.parametrize(
    "run",
    [
        "uv  sync",
        "uv \\\n    sync",
        "set -a && . /run/secrets/mre && uv sync",
        "--mount=type=cache,target=/root/.cache uv sync",
        "cd /app; uv sync",
    ],
)
def test_a_run_is_a_step_whatever_prepares_it(run: str) -> None:
    (step,) = planned(f"FROM a\nRUN {run}\n", SYNC).steps
    assert (step.role, step.title) == ("observe", "the sync")


def test_what_only_begins_like_a_step_is_none() -> None:
    made = planned("FROM a\nRUN uv sync --frozen\nRUN uv sync\n", SYNC)
    assert [step.role for step in made.steps] == ["setup", "observe"]


def test_where_no_run_is_what_is_observed_whatever_prepares_nothing_is() -> None:
    made = planned("FROM a\nRUN uv lock\nRUN uv add flask\n", *SETUP, SYNC)
    assert [step.role for step in made.steps] == ["setup", "observe"]


def test_images_arguments_and_secrets_are_reported() -> None:
    made = planned(
        "ARG V=1\nFROM python:3.12 AS one\nARG TOKEN\nRUN --mount=type=secret,id=mre true\n"
        "FROM scratch\nCOPY --from=one /a /b\nCOPY --from=ghcr.io/astral-sh/uv:0.5.21 /uv /\n"
    )
    assert made.images == ("python:3.12", "ghcr.io/astral-sh/uv:0.5.21")
    assert made.arguments == ("V", "TOKEN")
    assert made.secrets == ("mre",)
    assert made.python == "3.12"
    assert made.uv == "0.5.21"


@pytest.mark.parametrize(
    ("line", "after"),
    [
        ("FROM ghcr.io/astral-sh/uv:0.5.21-python3.12-bookworm", "FROM ghcr.io/astral-sh/uv:0.8.0-python3.12-bookworm"),
        (f"FROM ghcr.io/astral-sh/uv:0.5.21@sha256:{'a' * 64}", "FROM ghcr.io/astral-sh/uv:0.8.0"),
        ("FROM a\nRUN pip install uv==0.5.21", "FROM a\nRUN pip install uv==0.8.0"),
        ("ARG UV_VERSION=0.5.21\nFROM a", "ARG UV_VERSION=0.8.0\nFROM a"),
        (
            "FROM a\nRUN curl -LsSf https://astral.sh/uv/0.5.21/install.sh | sh",
            "FROM a\nRUN curl -LsSf https://astral.sh/uv/0.8.0/install.sh | sh",
        ),
    ],
)
def test_another_release_takes_the_place_of_the_one_that_is_pinned(line: str, after: str) -> None:
    made = planned(f"{line}\nRUN uv sync\n", SYNC, uv="0.8.0")
    assert made.text == f"{after}\nRUN uv sync\n"
    assert (made.uv, made.repinned) == ("0.8.0", True)


def test_uv_comes_from_the_context_where_its_image_is_not_to_be_had() -> None:
    made = plan_build(mre(), None, uv="0.8.0", uv_from_context=True)
    assert changed(made) == [
        "-COPY --from=ghcr.io/astral-sh/uv:0.5.21 /uv /uvx /bin/",
        "COPY .uvmre/uv .uvmre/uvx /bin/",
    ]
    assert made.uv == "0.8.0"


def test_a_dockerfile_that_pins_nothing_is_requested_for_its_release() -> None:
    made = planned("FROM a\nRUN pip install uv\nRUN uv lock\nRUN uv sync\n", *SETUP, SYNC, labels=LABELS)
    runs = [line for line in made.text.splitlines() if line.startswith("RUN")]
    assert runs == ["RUN pip install uv", f"RUN {VERSION_COMMAND}", "RUN uv lock", "RUN uv sync"]
    assert [step.role for step in made.steps] == ["setup", "setup", "setup", "observe"]
    assert made.uv == ""


def test_the_gateway_is_trusted_in_every_stage_that_has_an_image() -> None:
    text = "FROM a AS one\nRUN x\nFROM scratch\nFROM one\nRUN uv==0.5.21\n"
    made = planned(text, labels=LABELS).text.splitlines()
    added = ["COPY .uvmre/authority.pem /.uvmre/authority.pem", 'LABEL org.uvmre="run"']
    for line in added:
        assert made.count(line) == 2
    assert made[made.index("FROM scratch") + 1] == "FROM one"


def test_the_image_of_the_parser_is_not_fetched_behind_the_gateway() -> None:
    assert "syntax=" not in planned(labels=LABELS).text
    labs = BODY.replace("dockerfile:1", "dockerfile:1-labs")
    assert "# syntax=docker/dockerfile:1-labs\n" in planned(labs, labels=LABELS).text


@pytest.mark.parametrize(
    ("steps", "difference"),
    [
        pytest.param((Step("uv lock"), SYNC), ["-RUN export A=1"], id="one less"),
        pytest.param((*SETUP, Step("uv sync -v", "observe")), ["-RUN uv sync", "RUN uv sync -v"], id="another one"),
        pytest.param(
            (Step("uv lock"), Step("uv sync -v", "observe")),
            ["-RUN export A=1", "-RUN uv sync", "RUN uv sync -v"],
            id="one for two",
        ),
        pytest.param((*SETUP, Step("touch a"), SYNC), ["RUN touch a"], id="one more"),
        pytest.param((*SETUP, SYNC, Step("touch a")), ["RUN touch a"], id="one more at the end"),
    ],
)
def test_a_control_s_steps_stand_where_those_of_the_mre_stood(steps: tuple[Step, ...], difference: list[str]) -> None:
    made = planned(control=Control("c", "absent", steps=steps))
    assert changed(made) == difference
    assert [step.run for step in made.steps] == [step.run for step in steps]


def test_a_control_s_step_keeps_what_the_run_does_before_it() -> None:
    text = "FROM a\nRUN --mount=type=secret,id=mre . /run/secrets/mre && uv sync\n"
    made = planned(text, SYNC, control=Control("c", "absent", steps=(Step("uv sync -v", "observe"),)))
    assert made.text == "FROM a\nRUN --mount=type=secret,id=mre . /run/secrets/mre && uv sync -v\n"


def test_a_control_s_other_command_of_a_step_is_that_of_its_run() -> None:
    lock = Step("uv lock", "setup", "lock")
    text = "FROM a\nRUN uv lock\nRUN --mount=type=cache,target=/c uv sync\n"
    made = planned(text, lock, SYNC, control=Control("c", "absent", replace={SYNC.title: "uv sync -v"}))
    assert made.text == "FROM a\nRUN uv lock\nRUN --mount=type=cache,target=/c uv sync -v\n"
    assert [step.run for step in made.steps] == ["uv lock", "uv sync -v"]


def test_a_control_s_own_steps_come_after_the_shared_ones() -> None:
    first = Step("uv venv", "setup", shared=True)
    text = "FROM a\nRUN uv venv\nRUN uv sync\n"
    made = planned(text, first, SYNC, control=Control("c", "absent", steps=(Step("uv lock", "observe"),)))
    assert made.text == "FROM a\nRUN uv venv\nRUN uv lock\n"


def test_a_step_that_no_run_is_cannot_be_changed_by_a_control() -> None:
    with pytest.raises(UsageError, match="no RUN of the Dockerfile matches"):
        planned(BODY, Step("uv pip"), SYNC, control=Control("c", "absent", steps=(SYNC,)))


def test_a_control_s_variables_replace_those_of_the_dockerfile() -> None:
    text = "FROM a\nENV A=1 B=2\nARG C=3\nRUN uv sync\n"
    made = planned(text, SYNC, control=Control("c", "absent", variables={"A": 'x"$y'}, unset=("C",)))
    assert made.text == 'FROM a\nENV A="x\\"\\$y"\nENV B=2\nRUN uv sync\n'


def test_a_control_s_home_is_laid_into_the_image_where_the_dockerfile_does_not() -> None:
    control = Control("c", "absent", files={"home/.netrc": "machine x"})
    assert changed(planned(control=control, home="home")) == ["COPY home/ /root/"]
    own = BODY.replace("WORKDIR", "COPY home/ /root/\nWORKDIR")
    assert planned(own, control=control, home="home").text == own


def test_what_the_symptom_looks_at_is_shown_at_the_end() -> None:
    symptom = Symptom(0, files=(FileSymptom("uv.lock", "x"),))
    made = plan_build(mre(symptom=symptom), None, uv="0.5.21", labels=LABELS)
    (look,) = made.shown_files
    assert made.shown_files[look] == "uv.lock"
    assert made.text.endswith(f"RUN uv sync\nRUN {look}\n")
    assert plan_build(mre(symptom=symptom), None, uv="0.5.21").text == BODY


def test_an_mre_without_a_dockerfile_is_reported_what_to_take() -> None:
    with pytest.raises(UsageError, match="needs a Dockerfile"):
        plan_build(Mre("t", Environment("0.5.21"), (SYNC,), Symptom()), None, uv="0.5.21")


def test_another_python_takes_the_place_of_the_image_s() -> None:
    made = plan_build(mre(), None, uv="0.5.21", python="3.13")
    assert changed(made) == ["-FROM python:3.11-slim", "FROM python:3.13-slim"]
    assert made.python == "3.13"
    with pytest.raises(UsageError, match="Python version"):
        plan_build(mre("FROM a\nRUN uv sync\n"), None, uv="0.5.21", python="3.13")
