"""What a run says about what to change next, by the real command line and a real uv."""

import json
from typing import Any

import pytest

from tests.conftest import CommandLine, WriteMre
from uvmre.core.mre.manifest import parse
from uvmre.core.outcome.near_miss import near_misses
from uvmre.folder import evidence

pytestmark = pytest.mark.network
HEAD = 'title = "t"\n[environment]\nuv = "0.5.21"\nexclude-newer = 2025-01-23\n'
PROJECT = '[project]\\nname = "a"\\nversion = "1"\\nrequires-python = ">=3.9"\\ndependencies = ["six==%s"]\\n'
LOCK = f"printf '{PROJECT}' > pyproject.toml; uv lock"


def step(run: str, **keys: str) -> str:
    return "[[step]]\n" + "".join(f"{key} = {json.dumps(value)}\n" for key, value in {**keys, "run": run}.items())


def symptom(*texts: str, code: int | str = 1) -> str:
    return f"[symptom]\nexit = {json.dumps(code)}\noutput = {json.dumps(texts, ensure_ascii=False)}\n"


def test_a_reworded_text_and_the_versions_of_a_control(uvmre: CommandLine, write_mre: WriteMre) -> None:
    control = f'[[control]]\nname = "six 1.16"\nreplace = {{ lock = {json.dumps(LOCK % "1.16.0")} }}\n'
    texts = ("there is no wheel of six==99", "your project's requirements are unsatisfiable")
    mre = write_mre(HEAD + step(LOCK % "99", name="lock", role="observe") + symptom(*texts) + control)
    found = uvmre("run", mre, "--json").json("run")["feedback"]
    near, met, code = found["near_miss"]
    assert (near["met"], near["step"], near["stream"], met["met"], code["met"]) == (False, "lock", "stderr", True, True)
    assert near["line"].startswith("Because there is no version of six==99")
    assert near["similarity"] > 0.6
    assert found["resolved"] == [{"variant": "six 1.16", "added": ["six==1.16.0"], "removed": []}]
    assert found["next_edit"].startswith(
        "drop “there is no wheel of six==99”, or replace it with what is there: “Because"
    )
    result = evidence.latest_result(mre)
    assert result
    assert result.feedback == found
    shown = uvmre("run", mre, NO_COLOR="1").stdout.splitlines()
    assert shown[-1] == f"next edit: {found['next_edit']}"
    assert "\x1b" not in "".join(shown)


def test_a_symptom_that_shows_with_a_sound_control_has_only_facts(uvmre: CommandLine, write_mre: WriteMre) -> None:
    project = json.dumps(PROJECT.encode().decode("unicode_escape") % "1.16.0")
    control = f'[[control]]\nname = "with a project"\nfiles = {{ "pyproject.toml" = {project} }}\n'
    mre = write_mre(HEAD + step("uv lock") + symptom("No `pyproject.toml` found", code=2) + control)
    ended = uvmre("run", mre, "--json")
    assert ended.json("run")["verdict"] == "reproducible"
    assert ended.json("run")["feedback"].keys() == {"resolved"}
    assert "next edit" not in uvmre("run", mre).stdout


def test_a_hidden_error(uvmre: CommandLine, write_mre: WriteMre) -> None:
    mre = write_mre(HEAD + step("uv lock || true", name="lock") + symptom("something else", code=0))
    ended = uvmre("run", mre, "--json").json("run")
    assert ended["verdict"] == "not_reproducible"
    line = "No `pyproject.toml` found in current directory or any parent directory"
    assert ended["feedback"]["swallowed"] == [{"variant": "as reported", "step": "lock", "line": line}]
    assert ended["feedback"]["next_edit"] == f"end `lock` with the exit code of uv, whose error it hides: “{line}”"


def test_a_refused_host_and_what_answers_for_it(uvmre: CommandLine, write_mre: WriteMre) -> None:
    run = "uv pip install --target t --index-url https://pkg.example.com/simple six==99"
    manifest = HEAD + step(run, name="install") + symptom("no version of six==99")
    found = uvmre("run", write_mre(manifest), "--json").json("run")["feedback"]
    (remedy,) = found["remedy"]
    assert remedy["toml"] == '[[index]]\nurl = "https://pkg.example.com/simple"'
    assert found["next_edit"].endswith(remedy["toml"])
    ended = uvmre("run", write_mre(f"{manifest}\n{remedy['toml']}\n"), "--json").json("run")
    assert ended["verdict"] == "reproducible"
    assert ended["feedback"]["weakness"] == ["there is no control"]
    assert ended["feedback"]["next_edit"].startswith("add a `[[control]]`")


STEPS = {
    "no project": "uv lock",
    "no venv": "uv pip install six",
    "bad requirement": "uv venv -q; uv pip install 'flask=>1'",
    "no file": "uv pip install -r missing.txt",
    "no version": "uv pip install six==99 iniconfig",
    "no package": "uv pip install no-such-package-4711",
    "no command": "uv run --no-project no-such-command",
    "broken TOML": "printf '[project]\\nname = 1\\n' > pyproject.toml; uv lock",
    "no interpreter": "rm pyproject.toml; uv venv --python 3.2 other",
}
WRONG = [
    ("no project", "No `pyproject.toml` found in this directory", "No `pyproject.toml` found in current directory"),
    ("no venv", "No conda environment found", "No virtual environment found"),
    ("no venv", "pass `--user` to install into a non-virtual environment", "pass `--system` to install"),
    ("bad requirement", "no such boolean operator", "no such comparison operator"),
    ("no file", "File not readable: `missing.txt`", "File not found: `missing.txt`"),
    ("no version", "there is no wheel of six==99 and you require six==99", "there is no version of six==99 and"),
    ("no package", "no-such-package-4711 was not found in the cache", "was not found in the package registry"),
    ("no command", "Failed to start: `no-such-command`", "Failed to spawn: `no-such-command`"),
    ("broken TOML", "invalid type: float `1`, expected a string", "invalid type: integer `1`, expected a string"),
    ("no interpreter", "Python <3.7 is not available but 3.2 was requested", "is not supported but 3.2 was requested"),
]


@pytest.fixture(scope="module")
def errors() -> dict[str, Any]:
    """Return what is kept of the one run whose output all manifests are about."""
    return {}


@pytest.mark.parametrize(("name", "text", "line"), WRONG)
def test_one_wrong_word_in_a_manifest(
    uvmre: CommandLine, write_mre: WriteMre, errors: dict[str, Any], name: str, text: str, line: str
) -> None:
    steps = "".join(step(run, name=title, role="observe") for title, run in STEPS.items())
    if not errors:
        mre = write_mre(HEAD + steps + symptom("it is only run for its output"))
        uvmre("run", mre, "--json").json("run")
        errors["result"] = evidence.latest_result(mre)
    observation = errors["result"].base.observation
    (near,) = near_misses(parse(HEAD + steps + symptom(text)).symptom, observation)
    assert (near["met"], near["step"], near["stream"]) == (False, name, "stderr")
    assert line in near["line"]
    assert near["similarity"] >= 0.6
