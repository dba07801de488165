"""The MRE as a value: a control laid over it, its env file, and what a step is called."""

import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from uvmre.core.mre.files import File
from uvmre.core.mre.model import Control, Environment, Mre, Step, overlay, read_env_file, slug
from uvmre.core.mre.symptom import Symptom

MRE = Mre(
    title="t",
    environment=Environment("0.5.21", variables={"A": "manifest", "B": "manifest"}, env_file="mre.env"),
    steps=(Step("uv lock"), Step("uv sync", "observe")),
    symptom=Symptom(output=("401",)),
    controls=(Control("other", "absent"),),
    files=(
        File("mre.env", b"A=file\nC=file\n"),
        File("pyproject.toml", b"[project]\n"),
        File("bin/keyring", b"#!/bin/sh\n", executable=True),
    ),
)


def test_the_variables_are_those_of_the_env_file_and_the_manifest_over_them() -> None:
    assert MRE.variables == {"A": "manifest", "B": "manifest", "C": "file"}


def test_without_an_env_file_the_variables_are_the_manifest_s() -> None:
    assert replace(MRE, environment=replace(MRE.environment, env_file="")).variables == {
        "A": "manifest",
        "B": "manifest",
    }


def test_a_file_is_found_by_its_whole_path() -> None:
    assert MRE.file("bin/keyring") == File("bin/keyring", b"#!/bin/sh\n", executable=True)
    assert MRE.file("keyring") is None


@pytest.mark.parametrize(
    ("control", "variables"),
    [
        pytest.param(
            Control("c", "absent"), {"A": "manifest", "B": "manifest", "C": "file"}, id="nothing is laid over"
        ),
        pytest.param(
            Control("c", "absent", variables={"A": "control", "D": "control"}),
            {"A": "control", "B": "manifest", "C": "file", "D": "control"},
            id="a variable is replaced and another added",
        ),
        pytest.param(
            Control("c", "absent", unset=("A", "C", "Z")),
            {"B": "manifest"},
            id="variables of the manifest and of the env file are unset",
        ),
        pytest.param(
            Control("c", "absent", variables={"A": "control"}, unset=("A",)),
            {"B": "manifest", "C": "file"},
            id="a variable that is given and unset is unset",
        ),
    ],
)
def test_a_control_s_variables_are_laid_over(control: Control, variables: dict[str, str]) -> None:
    variant = overlay(MRE, control)
    assert variant.variables == variables


def test_the_env_file_stays_one_in_a_variant_without_what_is_unset_there() -> None:
    # A build of the MRE's Dockerfile takes its secrets from it.
    variant = overlay(MRE, Control("c", "absent", variables={"D": "control"}, unset=("A", "B")))
    assert variant.file("mre.env") == File("mre.env", b"C=file\n")
    assert (variant.environment.env_file, variant.environment.variables) == ("mre.env", {"D": "control"})


def test_a_control_s_files_are_laid_over_and_stay_executable() -> None:
    control = Control("c", "absent", files={"bin/keyring": "#!/bin/false\n", "home/.netrc": "machine ä\n"})
    assert overlay(MRE, control).files == (
        File("mre.env", b"A=file\nC=file\n"),
        File("pyproject.toml", b"[project]\n"),
        File("bin/keyring", b"#!/bin/false\n", executable=True),
        File("home/.netrc", b"machine \xc3\xa4\n"),
    )


def test_a_control_s_steps_stand_instead_of_the_mre_s() -> None:
    steps = (Step("uv sync --frozen", "observe"),)
    assert overlay(MRE, Control("c", "absent", steps=steps)).steps == steps
    assert overlay(MRE, Control("c", "absent")).steps == MRE.steps


def test_what_a_control_does_not_name_stays_and_the_variant_has_no_controls() -> None:
    variant = overlay(MRE, Control("c", "absent"))
    assert variant == replace(MRE, controls=())


@pytest.mark.parametrize(
    ("text", "variables"),
    [
        pytest.param("A=1\nB=2\n", {"A": "1", "B": "2"}, id="one a line"),
        pytest.param("A=1", {"A": "1"}, id="no line break at the end"),
        pytest.param("A=1\r\nB=2\r\n", {"A": "1", "B": "2"}, id="line breaks of Windows"),
        pytest.param("A=\"1\"\nB='2'\n", {"A": '"1"', "B": "'2'"}, id="quotes are part of the value"),
        pytest.param("A=$HOME\nB=${A}\n", {"A": "$HOME", "B": "${A}"}, id="nothing is expanded"),
        pytest.param("# A=1\n  # B=2\nC=3 # c\n", {"C": "3 # c"}, id="a comment only at a line's start"),
        pytest.param("\n  \nA=1\n\n", {"A": "1"}, id="blank lines"),
        pytest.param("A=b=c\n", {"A": "b=c"}, id="an equals sign in the value"),
        pytest.param("A=\n", {"A": ""}, id="an empty value"),
        pytest.param("  A= b \n", {"A": " b "}, id="white space before the name goes and in the value stays"),
        pytest.param("A=1\nA=2\n", {"A": "2"}, id="the last of two wins"),
        pytest.param("", {}, id="an empty file"),
    ],
)
def test_an_env_file_is_read_as_docker_reads_it(text: str, variables: dict[str, str]) -> None:
    assert read_env_file(text) == variables


@given(
    st.dictionaries(
        st.from_regex(r"[A-Za-z_][A-Za-z0-9_]*", fullmatch=True),
        st.text(st.characters(exclude_categories=("Cc", "Cs", "Zl", "Zp"))),
    )
)
def test_any_value_of_one_line_comes_out_of_an_env_file_as_it_went_in(variables: dict[str, str]) -> None:
    assert read_env_file("".join(f"{name}={value}\n" for name, value in variables.items())) == variables


@pytest.mark.parametrize(
    ("step", "title"),
    [
        pytest.param(Step("uv sync", name="the sync"), "the sync", id="its name where it has one"),
        pytest.param(Step("uv sync"), "uv sync", id="its command where it has none"),
        pytest.param(Step("\n  uv lock \nuv sync\n"), "uv lock ", id="the first line of a long command"),
    ],
)
def test_a_step_is_called(step: Step, title: str) -> None:
    assert step.title == title


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("uv sync --frozen", "uv-sync-frozen"),
        (".netrc", "netrc"),
        ("../../etc/passwd", "etc-passwd"),
        ("…", "step"),
        ("a" * 50, "a" * 40),
    ],
)
def test_a_name_for_a_file_is_recognised(text: str, name: str) -> None:
    assert slug(text) == name


@given(st.text())
def test_a_name_for_a_file_is_safe_whatever_it_is_made_of(text: str) -> None:
    assert re.fullmatch(r"[a-z0-9][a-z0-9-]{0,39}", slug(text))
