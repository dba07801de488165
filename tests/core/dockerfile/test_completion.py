"""What a Dockerfile needs of a missing build context, and what is inferred of it."""

import tomllib

import pytest

from uvmre.core.dockerfile.completion import needs_of, requested_release, skeletons
from uvmre.core.dockerfile.parser import parse

HEAD = "FROM python:3.12-slim\nWORKDIR /app\n"


@pytest.mark.parametrize(
    ("text", "paths"),
    [
        pytest.param(
            "COPY pyproject.toml uv.lock ./\nCOPY src ./src\n", {"pyproject.toml", "uv.lock", "src/"}, id="COPY"
        ),
        pytest.param("ADD ./requirements.txt .\n", {"requirements.txt"}, id="ADD"),
        pytest.param(
            "COPY README* .python-version LICENSE ./\n", {"README", ".python-version", "LICENSE"}, id="patterns"
        ),
        pytest.param("COPY *.py ./\n", {"main.py"}, id="a pattern of an extension"),
        pytest.param(
            "COPY --from=builder /app /app\nADD https://x.org/y /y\nCOPY ../x $Y ./\n", set(), id="from elsewhere"
        ),
        pytest.param("COPY . .\nRUN uv sync --frozen\n", {"pyproject.toml", "uv.lock"}, id="what uv reads of all"),
        pytest.param(
            "ENV UV_LOCKED=1\nCOPY server ./\nRUN uv sync\n",
            {"server/", "server/pyproject.toml", "server/uv.lock"},
            id="of a folder",
        ),
        pytest.param("COPY . /srv\nRUN cd /srv && uv pip install -r reqs/dev.txt\n", {"reqs/dev.txt"}, id="after cd"),
        pytest.param("COPY . .\nRUN uv sync --project api\n", {"api/pyproject.toml"}, id="another project"),
        pytest.param("COPY . .\nRUN uv run --no-project x.py\n", {"x.py"}, id="without a project"),
        pytest.param('COPY . /app\nENTRYPOINT ["/app/start.sh"]\n', {"start.sh"}, id="an entrypoint"),
        pytest.param("COPY src .\nRUN sed -i s/x/y/ go.sh\n", {"src/", "src/go.sh"}, id="a script of a copied folder"),
        pytest.param(
            "RUN --mount=type=bind,source=uv.lock,target=uv.lock uv sync --frozen\n", {"uv.lock"}, id="a bind mount"
        ),
        pytest.param("RUN uv sync --frozen\n", set(), id="nothing is copied"),
        pytest.param("COPY . .\nRUN uv pip install -e '.[dev]'\n", {"pyproject.toml"}, id="an install of itself"),
        pytest.param("COPY . .\nRUN <<EOF\nuv sync\nEOF\n", {"pyproject.toml"}, id="a heredoc"),
    ],
)
def test_the_paths_that_are_needed(text: str, paths: set[str]) -> None:
    assert set(needs_of(parse(HEAD + text)).paths) == paths


def test_a_stage_goes_on_with_the_image_of_another_one() -> None:
    text = f"{HEAD.replace('slim', 'slim AS base')}COPY . .\nFROM base\nRUN uv sync\n"
    assert needs_of(parse(text)).paths == {"pyproject.toml": "`uv sync` reads"}


def inferred(text: str) -> dict[str, str]:
    needs = needs_of(parse(HEAD + text))
    return {file.path: file.content.decode() for file in skeletons(needs, list(needs.paths), "3.12").values()}


def test_a_project_has_what_the_commands_name() -> None:
    project = tomllib.loads(
        inferred(
            "COPY pyproject.toml uv.lock ./\nRUN uv sync --extra web --group ci --package my-api && uv run pytest\n"
        )["pyproject.toml"]
    )
    assert project["project"]["name"] == "my-api"
    assert project["project"]["requires-python"] == ">=3.12"
    assert project["project"]["dependencies"] == ["pytest"]
    assert project["project"]["optional-dependencies"] == {"web": []}
    assert project["dependency-groups"] == {"ci": []}
    assert "workspace" not in project["tool"].get("uv", {})


def test_projects_below_another_are_its_members() -> None:
    found = inferred("COPY pyproject.toml ./\nCOPY libs/a_b/pyproject.toml libs/a_b/\nRUN uv sync --package a-b\n")
    assert tomllib.loads(found["pyproject.toml"])["tool"]["uv"] == {"workspace": {"members": ["libs/a_b"]}}
    assert tomllib.loads(found["libs/a_b/pyproject.toml"])["project"]["name"] == "a-b"


def test_other_files_have_what_keeps_commands_from_failing() -> None:
    found = inferred("COPY uv.lock requirements.in run.sh a.json .python-version ./\nCOPY src app static-files ./\n")
    assert found == {
        "requirements.in": "iniconfig\n",
        "run.sh": "#!/bin/sh\n",
        "a.json": "{}\n",
        ".python-version": "3.12\n",
        "src/project/__init__.py": "",
        "app/__init__.py": "",
        "static-files/.gitkeep": "",
    }


@pytest.mark.parametrize(
    ("text", "release"),
    [
        ("FROM ghcr.io/astral-sh/uv:latest\n", ("ghcr.io/astral-sh/uv:latest", "latest")),
        (
            "FROM ghcr.io/astral-sh/uv:python3.12-bookworm-slim\n",
            ("ghcr.io/astral-sh/uv:python3.12-bookworm-slim", "latest"),
        ),
        ("FROM ghcr.io/astral-sh/uv:0.5-alpine\n", ("ghcr.io/astral-sh/uv:0.5-alpine", "0.5")),
        ("ARG V=0.8\nFROM ghcr.io/astral-sh/uv:$V AS uv\n", ("ghcr.io/astral-sh/uv:0.8", "0.8")),
        ("FROM x\nCOPY --from=ghcr.io/astral-sh/uv:0.5 /uv /bin/\n", ("ghcr.io/astral-sh/uv:0.5", "0.5")),
        (
            "FROM x\nRUN --mount=from=ghcr.io/astral-sh/uv:0.7,source=/uv,target=/bin/uv uv sync\n",
            ("ghcr.io/astral-sh/uv:0.7", "0.7"),
        ),
        ("FROM x\nRUN pip install --no-cache-dir uv\n", ("uv", "latest")),
        ("FROM x\nRUN pip install pip 'uv>=0.4,<0.5' && uv sync\n", ("uv>=0.4,<0.5", ">=0.4,<0.5")),
        ("FROM x\nRUN curl -LsSf https://astral.sh/uv/install.sh | sh\n", ("uv", "latest")),
        ("FROM x\nRUN pip install uvicorn\n", ("uv", "latest")),
    ],
)
def test_the_release_of_a_dockerfile_without_one(text: str, release: tuple[str, str]) -> None:
    assert requested_release(parse(text)) == release
