"""`uvmre new --from-dockerfile` for a Dockerfile that somebody has: what is missing, the release, and the symptom."""

import contextlib
import functools
import os
import pty
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import CommandLine, Ended

HEAD = "FROM ghcr.io/astral-sh/uv:0.5.21-python3.12-bookworm-slim\nWORKDIR /app\n"
PROJECT = '[project]\nname = "x"\nversion = "1"\nrequires-python = ">=3.12"\ndependencies = [{}]\n'
pytestmark = pytest.mark.network


def made(uvmre: CommandLine, folder: Path, text: str, *arguments: str, **files: str) -> tuple[Ended, dict[str, Any]]:
    """Make an MRE, and return what was printed and its manifest."""
    (folder / "Dockerfile").write_text(text)
    for name, content in files.items():
        (folder / name.replace("_", ".")).write_text(content)
    done = uvmre("new", "mre", "--from-dockerfile", "Dockerfile", *arguments)
    manifest = folder / "mre" / "mre.toml"
    return done, tomllib.loads(manifest.read_text()) if manifest.exists() else {}


def outcome(uvmre: CommandLine) -> str:
    found: str = uvmre("run", "mre", "--json").json()["variants"][0]["outcome"]
    return found


@pytest.mark.slow
def test_missing_files_are_inferred_and_nothing_fails(uvmre: CommandLine, tmp_path: Path) -> None:
    text = f"{HEAD}RUN chown -R app /app\nRUN no-such-program\nCOPY pyproject.toml uv.lock ./\nRUN uv sync --frozen --extra web\n"
    done, manifest = made(uvmre, tmp_path, text)
    assert done.exit == 0, done.stderr
    assert "nothing fails: the symptom is to be filled in\n" in done.stderr
    assert "`COPY` names `uv.lock`: one that `uv lock` makes with uv 0.5.21" in done.stderr
    assert (tmp_path / "mre" / "uv.lock").read_text().startswith("version = 1\n")
    assert [each["to"] for each in manifest["deviation"]] == [
        "one that `uv lock` makes with uv 0.5.21",
        "the skeleton `pyproject.toml`",
        "its failure is ignored",
    ]
    assert "|| true\n" in (tmp_path / "mre" / "Dockerfile").read_text()
    assert manifest["symptom"]["guess"] is True
    assert outcome(uvmre) == "absent"


def test_what_fails_becomes_the_symptom(uvmre: CommandLine, tmp_path: Path) -> None:
    text = f"{HEAD}COPY pyproject.toml ./\nRUN uv sync\n"
    done, manifest = made(uvmre, tmp_path, text, pyproject_toml=PROJECT.format('"six==99"'))
    assert done.exit == 0, done.stderr
    assert "the symptom: `uv sync` fails: Because there is no version of six==99" in done.stderr
    assert manifest["symptom"]["exit"] == "failure"
    assert "guess" not in manifest["symptom"]
    assert "deviation" not in manifest
    assert outcome(uvmre) == "shows"


def test_a_wrong_option_is_a_symptom_whatever_is_inferred(uvmre: CommandLine, tmp_path: Path) -> None:
    done, manifest = made(uvmre, tmp_path, f"{HEAD}COPY pyproject.toml ./\nRUN uv sync --no-such-option\n")
    assert (done.exit, manifest["symptom"]["output"]) == (0, ["unexpected argument '--no-such-option' found"]), (
        done.stderr
    )


def test_a_lock_file_that_cannot_be_made_is_made_by_a_run(uvmre: CommandLine, tmp_path: Path) -> None:
    text = f"{HEAD}# uv sync\nCOPY pyproject.toml uv.lock ./\nRUN uv sync --frozen\n"
    done, manifest = made(uvmre, tmp_path, text, pyproject_toml=PROJECT.format('"six==99"'))
    assert done.exit == 0, done.stderr
    assert "# uv sync\n" in (tmp_path / "mre" / "Dockerfile").read_text()
    assert "RUN uv lock && uv sync --frozen\n" in (tmp_path / "mre" / "Dockerfile").read_text()
    assert "no version of six==99" in manifest["symptom"]["output"][0]


def test_a_terminal_prompts_for_the_path_of_a_missing_file(cache: Path, tmp_path: Path) -> None:
    (tmp_path / "D").write_text(f"{HEAD}COPY pyproject.toml README.md ./\nRUN uv lock\n")
    (tmp_path / "real").write_text(PROJECT.format(""))
    pid, terminal = pty.fork()
    if pid == 0:  # pragma: no cover - another process
        os.chdir(tmp_path)
        arguments = ["new", "mre", "--from-dockerfile", "D", "-d", "output=It broke in two"]
        os.execve(
            sys.executable, [sys.executable, "-m", "uvmre", *arguments], {**os.environ, "XDG_CACHE_HOME": str(cache)}
        )
    os.write(terminal, b"no-such-file\nreal\n\n")
    shown = bytearray()
    with contextlib.suppress(OSError):  # how Linux says that the other end is closed
        while block := os.read(terminal, 65536):
            shown += block
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0, shown.decode()
    os.close(terminal)
    assert shown.decode().count("`COPY` names `pyproject.toml`: path of it, or Enter for a skeleton") == 2
    assert (tmp_path / "mre" / "pyproject.toml").read_text() == PROJECT.format("")
    assert (tmp_path / "mre" / "README.md").read_text() == ""
    (deviation,) = tomllib.loads((tmp_path / "mre" / "mre.toml").read_text())["deviation"]
    assert deviation["to"] == "the skeleton `README.md`"


@pytest.mark.parametrize(
    ("run", "why"),
    [
        pytest.param(
            "uv run no-such-program",
            "perhaps because of what is inferred: `uv run no-such-program` fails",
            id="inferred",
        ),
        pytest.param("uv lock && exit 1", "perhaps because of what is inferred", id="no error of uv"),
        pytest.param(
            "uv venv && uv pip install nothing-of-ours --index-url https://no.invalid/simple",
            "was stopped: no response from no.invalid",
            id="network",
        ),
        pytest.param(
            "uv venv --python 3.99",
            "because of this machine: `uv venv --python 3.99` fails: No interpreter",
            id="interpreter",
        ),
    ],
)
def test_what_this_machine_or_a_skeleton_causes_is_no_symptom(
    uvmre: CommandLine, tmp_path: Path, run: str, why: str
) -> None:
    done, manifest = made(uvmre, tmp_path, f"{HEAD}COPY pyproject.toml check.py ./\nENV X=1\nRUN {run}\n")
    assert done.exit == 125
    assert why in done.stderr
    assert manifest["symptom"]["guess"] is True
    assert "The symptom" not in done.stderr
    assert "Traceback" not in done.stderr


def test_an_instruction_that_needs_an_engine_stops_the_run_and_not_the_mre(uvmre: CommandLine, tmp_path: Path) -> None:
    text = f"{HEAD}COPY --from=node:22 /usr/local/bin/node /usr/bin/\nCOPY pyproject.toml ./\nRUN uv sync\n"
    done, manifest = made(uvmre, tmp_path, text)
    assert done.exit == 125
    assert "was stopped: `COPY --from=node:22 /usr/local/bin/node /usr/bin/` cannot be run: line 3" in done.stderr
    assert manifest["symptom"]["guess"] is True


@pytest.mark.slow
def test_the_system_s_python_is_left_alone(uvmre: CommandLine, tmp_path: Path) -> None:
    text = (
        f"{HEAD}COPY requirements.txt .\nRUN uv pip install --system -r requirements.txt\nRUN python -c 'import six'\n"
    )
    done, manifest = made(uvmre, tmp_path, text, requirements_txt="six\n")
    assert done.exit == 0, done.stderr
    (deviation,) = manifest["deviation"]
    assert (deviation["from"], deviation["decides"]) == ("installs into the system's Python", True)
    assert outcome(uvmre) == "absent"


@pytest.mark.parametrize(
    ("text", "release"),
    [
        ("FROM ghcr.io/astral-sh/uv:latest\n", "0.5.23"),
        ("FROM python:3.12\nCOPY --from=ghcr.io/astral-sh/uv:0.4 /uv /bin/\n", "0.4.30"),
        ("FROM python:3.12\nRUN pip install uv\n", "0.5.23"),
    ],
)
def test_a_date_is_that_of_uv_and_of_pypi(uvmre: CommandLine, tmp_path: Path, text: str, release: str) -> None:
    done, manifest = made(
        uvmre, tmp_path, f"{text}RUN uv lock\n", "--date", "2025-01-23", "-d", "output=It broke in two"
    )
    assert done.exit == 0, done.stderr
    assert manifest["environment"]["uv"] == release
    assert str(manifest["environment"]["exclude-newer"]) == "2025-01-23"
    assert manifest["deviation"][0]["why"] == "the newest of 2025-01-23 (UTC)"


def test_without_a_network_the_mre_is_written_nevertheless(offline_uvmre: CommandLine, tmp_path: Path) -> None:
    text = f"{HEAD}COPY pyproject.toml uv.lock ./\nRUN uv sync --frozen\n"
    # Another test may have fetched the release into the common cache.
    empty = functools.partial(offline_uvmre, XDG_CACHE_HOME=str(tmp_path / "cache"))
    done, manifest = made(empty, tmp_path, text.replace("0.5.21", "0.5.20"))
    assert (done.exit, manifest["environment"]["uv"]) == (125, "0.5.20")
    assert "was stopped: uv 0.5.20 is not in the cache" in done.stderr


def test_a_date_is_for_a_dockerfile(uvmre: CommandLine) -> None:
    done = uvmre("new", "mre", "-t", "workspace-index", "--defaults", "--date", "2025-01-23")
    assert done.exit == 2
    assert "`--date` is not supported" in done.stderr


def test_what_was_completed_goes_out_as_one_file_and_comes_back(uvmre: CommandLine, tmp_path: Path) -> None:
    made(uvmre, tmp_path, f"{HEAD}COPY pyproject.toml ./\nRUN uv sync --no-such-option\n")
    written = uvmre("report", "mre", "--format", "dockerfile")
    assert written.exit == 0, written.stderr
    (tmp_path / "D").write_text(written.stdout)
    assert uvmre("new", "again", "--from-dockerfile", "D").exit == 0
    assert (tmp_path / "again" / "pyproject.toml").read_bytes() == (tmp_path / "mre" / "pyproject.toml").read_bytes()
    assert "RUN uv sync --no-such-option\n" in (tmp_path / "again" / "Dockerfile").read_text()
    one, other = (tomllib.loads((tmp_path / name / "mre.toml").read_text()) for name in ("mre", "again"))
    assert one == other
