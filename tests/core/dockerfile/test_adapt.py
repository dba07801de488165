"""What is changed in a Dockerfile that this machine cannot run as it is."""

import pytest

from uvmre.core.dockerfile.completion import ENV, ignoring, in_environment

VENV = "uv venv --seed /opt/venv && "


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("RUN npm ci", "RUN ( npm ci ) || true"),
        ("RUN --mount=type=cache,target=/x npm \\\n  ci", "RUN --mount=type=cache,target=/x ( npm   ci ) || true"),
        ('RUN ["npm", "ci"]', None),
        ("RUN <<EOF\nnpm ci\nEOF", None),
    ],
)
def test_a_failure_is_ignored(before: str, after: str | None) -> None:
    text = f"FROM x\nRUN uv sync\n{before}\nUSER y\n"
    expected = f"FROM x\nRUN uv sync\n{after or before}\nUSER y\n"
    run = "npm   ci" if "\\" in before else "npm ci" if after or "[" in before else "npm ci\n"
    assert ignoring(text, run) == expected
    assert ignoring(text, "another") == text


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("RUN uv pip install --system x", f"{ENV}\nRUN {VENV}uv pip install x"),
        ("RUN pip install uv && uv pip install --system x", f"{ENV}\nRUN pip install uv && {VENV}uv pip install x"),
        (
            "RUN /root/.local/bin/uv pip sync --system r.txt",
            f"{ENV}\nRUN /root/.local/bin/{VENV}/root/.local/bin/uv pip sync r.txt",
        ),
        ("RUN pip install -r r.txt", f"{ENV}\nRUN {VENV}pip install -r r.txt"),
        ("ENV UV_SYSTEM_PYTHON=1\nRUN uv pip install x", f"ENV UV_SYSTEM_PYTHON=0\n{ENV}\nRUN {VENV}uv pip install x"),
        (
            "RUN uv pip install --system x\nRUN uv pip install --system y",
            f"{ENV}\nRUN {VENV}uv pip install x\nRUN uv pip install y",
        ),
        ("RUN uv sync\nRUN pip install uv", "RUN uv sync\nRUN pip install uv"),
    ],
)
def test_an_environment_takes_the_place_of_the_system_s_python(before: str, after: str) -> None:
    assert in_environment(f"FROM x\n{before}\n") == f"FROM x\n{after}\n"


def test_a_stage_that_goes_on_with_another_has_its_environment() -> None:
    text = "FROM x AS a\nRUN uv pip install --system x\nFROM a AS b\nRUN uv pip install --system y\nFROM x\nRUN uv pip install --system z\n"
    after = in_environment(text).split("\n")
    assert [line for line in after if "uv venv" in line] == [
        f"RUN {VENV}uv pip install x",
        f"RUN {VENV}uv pip install z",
    ]
    assert "RUN uv pip install y" in after
