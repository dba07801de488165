"""An MRE whose steps are those of its Dockerfile: followed on this machine, written as one file, read back."""

import json
import tomllib
from pathlib import Path

import pytest
import tomli_w

from tests.conftest import CommandLine
from uvmre.core.text.normalize import normalize


def of_its_dockerfile(uvmre: CommandLine, folder: Path, *answers: str) -> None:
    """Make the seed's workspace, without the steps of its manifest, and with one control."""
    arguments = [word for answer in answers for word in ("-d", answer)]
    assert uvmre("new", folder, "-t", "workspace-index", "--defaults", *arguments).exit == 0
    path = folder / "mre.toml"
    data = tomllib.loads(path.read_text())
    del data["step"]
    data["control"] = [
        {
            "name": "environment",
            "expect": "absent",
            "variables": {"UV_INDEX_FOO_USERNAME": "public", "UV_INDEX_FOO_PASSWORD": "heron"},
        }
    ]
    path.write_text(tomli_w.dumps(data))


@pytest.mark.slow
@pytest.mark.network
@pytest.mark.parametrize(
    ("answers", "outcome", "exits"),
    [
        pytest.param(["dockerfile=run-export"], "shows", [0, 0, 1], id="an export of another RUN is gone"),
        pytest.param(["dockerfile=env"], "absent", [0, 0], id="ENV stays"),
        pytest.param(["dockerfile=same-run"], "absent", [0, 0], id="variables of the same RUN"),
        pytest.param(["dockerfile=secret"], "absent", [0, 0], id="a build secret"),
        pytest.param(["dockerfile=arg"], "absent", [0, 0], id="ARG with a build argument"),
        pytest.param(
            ["credentials=none", "layers=dependencies-first", "all_packages=false"],
            "absent",
            [0, 0, 0],
            id="without --all-packages the first sync passes without credentials",
        ),
        pytest.param(
            ["credentials=none", "layers=dependencies-first"], "shows", [0, 0, 1], id="with it the last one does not"
        ),
        pytest.param(["credentials=netrc"], "absent", [0, 0], id="a .netrc that is copied"),
        pytest.param(["credentials=keyring"], "absent", [0, 0], id="a program that is copied"),
    ],
)
def test_the_seed_s_dockerfile_is_followed(
    uvmre: CommandLine, tmp_path: Path, answers: list[str], outcome: str, exits: list[int]
) -> None:
    of_its_dockerfile(uvmre, tmp_path / "mre", *answers)
    done = uvmre("run", "mre", "--json")
    base, control = json.loads(done.stdout)["variants"]
    assert (base["outcome"], [step["exit"] for step in base["steps"]]) == (outcome, exits), done.stderr
    if outcome == "shows":
        assert normalize("valid authentication credentials (401 Unauthorized)") in normalize(
            base["steps"][-1]["stderr"]
        )
    assert control["outcome"] == "absent"
    assert "line 3: skipped: the uv of the run" in done.stderr


@pytest.mark.network
def test_what_was_written_as_one_file_and_read_back_shows_the_same(uvmre: CommandLine, tmp_path: Path) -> None:
    of_its_dockerfile(uvmre, tmp_path / "mre")
    written = uvmre("report", "mre", "--format", "dockerfile")
    assert written.exit == 0, written.stderr
    (tmp_path / "Dockerfile").write_text(written.stdout)
    created = uvmre("new", "again", "--from-dockerfile", "Dockerfile", "--json")
    assert created.exit == 0, created.stderr
    assert "packages/foo-workspace-member/pyproject.toml" in json.loads(created.stdout)["files"]
    done = uvmre("run", "again", "--json")
    assert json.loads(done.stdout)["variants"][0]["outcome"] == "shows", done.stderr


STAGES = """\
ARG V=0.5.21
FROM ghcr.io/astral-sh/uv:$V AS uv
FROM python:3.11-slim AS builder
COPY --from=uv /uv /uvx /bin/
WORKDIR /app
RUN --mount=type=cache,target=/root/.cache/uv \\
    --mount=type=bind,source=pyproject.toml,target=pyproject.toml \\
    uv sync --no-install-project
RUN test ! -e pyproject.toml && .venv/bin/python -c "import six"
ADD . /app
RUN <<EOF
#!/usr/bin/env python3
import os
print("in", os.getcwd())
EOF
FROM python:3.11-slim
SHELL ["/bin/bash", "-o", "pipefail", "-c"]
COPY --from=builder --chown=app:app /app/.venv /app/.venv
ENV PATH="/app/.venv/bin:$PATH"
USER nobody
WORKDIR /app
RUN [[ ! -e pyproject.toml ]] && pwd | tee said
RUN ["python", "-c", "import six, nothing"]
"""


@pytest.mark.network
def test_stages_mounts_shells_and_exec_forms_are_followed(uvmre: CommandLine, tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text('[project]\nname = "x"\nversion = "1"\ndependencies = ["six"]\n')
    (tmp_path / "Dockerfile").write_text(STAGES)
    answers = ("-d", "output=No module named 'nothing'", "-d", "title=A stage")
    created = uvmre("new", "mre", "--from-dockerfile", "Dockerfile", *answers)
    assert created.exit == 0, created.stderr
    data = json.loads(uvmre("run", "mre", "--json").stdout)
    steps = data["variants"][0]["steps"]
    assert (data["title"], data["uv"], data["variants"][0]["outcome"]) == ("A stage", "0.5.21", "shows")
    assert [step["exit"] for step in steps] == [0, 0, 0, 0, 1]
    assert [step["stdout"] for step in steps[2:4]] == ["in /app\n", "/app\n"]
    assert steps[2]["title"] == "RUN <<EOF"


def test_what_only_an_engine_can_do_is_an_outcome_with_its_line(uvmre: CommandLine, tmp_path: Path) -> None:
    mre = tmp_path / "mre"
    mre.mkdir()
    (mre / "mre.toml").write_text('schema = 1\ntitle = "t"\n[environment]\nuv = "0.5.21"\n[symptom]\nexit = 1\n')
    (mre / "Dockerfile").write_text("FROM x\nRUN echo hi\nUSER me\nADD https://example.com/x /x\nRUN uv lock\n")
    done = uvmre("run", "mre", "--json")
    outcome = json.loads(done.stdout)["variants"][0]
    assert (done.exit, outcome["outcome"]) == (125, "broken")
    assert "line 4 of the Dockerfile needs a container engine: it fetches https://example.com/x" in outcome["reason"]
    assert "Dockerfile, line 3: USER is ignored" in done.stderr


@pytest.mark.parametrize(
    ("text", "arguments", "faults"),
    [
        pytest.param(
            "FROM ghcr.io/astral-sh/uv:0.5.21\nCOPY ../nothing.toml x\n",
            ["-d", "exit=1", "-d", "colour=red"],
            [
                "colour is not a known answer: use one of uv, python, title, issue, exit, output",
                "line 2: ../nothing.toml is not in the Dockerfile's folder: add it",
                "it has no RUN to observe: add the command as one",
            ],
            id="what is not there",
        ),
        pytest.param(
            "FROM ghcr.io/astral-sh/uv:0.5.21\nRUN uv lock\n",
            ["-d", "exit=often"],
            ['symptom.exit must be an exit code from 0 to 255, "failure"'],
            id="an answer that is none",
        ),
        pytest.param("FROM x\nFOO\n", [], ["line 2: unknown instruction FOO"], id="no Dockerfile"),
    ],
)
def test_a_dockerfile_that_cannot_be_accepted_is_reported_all_at_once(
    uvmre: CommandLine, tmp_path: Path, text: str, arguments: list[str], faults: list[str]
) -> None:
    (tmp_path / "D").write_text(text)
    done = uvmre("new", "mre", "--from-dockerfile", "D", *arguments, "--json")
    assert done.exit == 2
    data = json.loads(done.stdout)["faults"] if done.stdout else done.stderr
    assert all(any(fault in line for line in data) for fault in faults), data
    assert not (tmp_path / "mre").exists()


def test_a_file_that_cannot_be_in_one_is_refused(uvmre: CommandLine, tmp_path: Path) -> None:
    assert uvmre("new", "mre", "-t", "workspace-index", "--defaults").exit == 0
    (tmp_path / "mre" / "pyproject.toml").write_bytes(b"# a\n" * 20_000)
    done = uvmre("report", "mre", "--format", "dockerfile")
    assert (done.exit, done.stdout) == (2, "")
    assert "'pyproject.toml' is too large (80000 bytes)" in done.stderr


@pytest.mark.parametrize(
    "arguments", [["--from-packse", "x"], ["--uv", "0.5.21"], ["-t", "workspace-index"], ["--defaults"]]
)
def test_an_mre_is_made_from_one_thing(uvmre: CommandLine, tmp_path: Path, arguments: list[str]) -> None:
    (tmp_path / "D").write_text("FROM ghcr.io/astral-sh/uv:0.5.21\nRUN uv lock\n")
    done = uvmre("new", "mre", "--from-dockerfile", "D", *arguments)
    assert done.exit == 2
    assert "Traceback" not in done.stderr
