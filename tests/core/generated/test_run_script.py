"""`run.sh` of an MRE, really run: the same outcome as `matching.match` on the same steps, and 125 where it cannot know."""

import ast
import inspect
import os
import shutil
import subprocess
import sys
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from uvmre.core.generated.names import is_generated
from uvmre.core.generated.run_script import EMBEDDED, dockerfile, generated_files, run_script
from uvmre.core.mre.files import File
from uvmre.core.mre.model import BackgroundService, Environment, Mre, Role, Step
from uvmre.core.mre.symptom import FileSymptom, Symptom
from uvmre.core.network.index import Fault, Index
from uvmre.core.network.synthetic import SyntheticPackage
from uvmre.core.outcome.matching import match
from uvmre.core.outcome.observation import Observation, StepResult
from uvmre.folder.read import read_mre
from uvmre.folder.write import write_mre

UV = '#!/bin/sh\n[ "$1" = --version ] && echo "uv 0.5.21 (abc)"\n[ "$1" = fail ] && echo "error: it broke in two" >&2 && exit 2\nexit 0\n'
PYTHON = ".".join(map(str, sys.version_info[:2]))
CODES = {"shows": 0, "absent": 1, "different": 125, "broken": 125}
LOGS = Path(__file__).parents[1] / "dockerfile" / "data" / "build_log"


def mre(*steps: tuple[Role, str], shows: Symptom | None = None, **environment: object) -> Mre:
    made = Environment("0.5.21", python=PYTHON)
    return Mre(
        "It breaks",
        replace(made, **environment),  # type: ignore[arg-type]
        tuple(Step(run, role) for role, run in steps),
        shows or Symptom(exit="failure", output=("it broke in two",)),
    )


def run(folder: Path, **variables: str) -> "subprocess.CompletedProcess[str]":
    """Run the script with a uv, and with a docker, that are shell scripts."""
    tools = folder.parent / "tools"
    tools.mkdir(exist_ok=True)
    (tools / "uv").write_text(UV)
    (tools / "uv").chmod(0o755)
    path = f"{tools}:{Path(sys.executable).parent}:{os.environ['PATH']}"
    return subprocess.run(
        [folder / "run.sh"],
        env={"PATH": path, "HOME": "/nowhere", "LEAKS": "yes", **variables},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


FAIL = ("observe", "uv fail")
MULTI = 'uv fail\n# it\'s "quoted" $HOME `x` \\'


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        pytest.param(mre(FAIL), 0, id="it shows"),
        pytest.param(mre(("observe", MULTI)), 0, id="quotes stay as they are"),
        pytest.param(mre(("observe", "uv fine")), 1, id="it succeeds"),
        pytest.param(
            mre(("observe", "uv fine"), shows=Symptom("failure", ("it broke in two",), guess=True)),
            125,
            id="a guess is absent",
        ),
        pytest.param(mre(("setup", "uv fail"), FAIL), 125, id="a set-up step fails"),
        pytest.param(mre(("setup", "uv fail; true"), FAIL), 125, id="the first command of a set-up step fails"),
        pytest.param(mre(("observe", "uv fail && x"), ("observe", "uv fine")), 0, id="the first of two shows it"),
        pytest.param(mre(("observe", "echo no >&2; false")), 125, id="it fails otherwise"),
        pytest.param(
            mre(("observe", "echo \"error: unrecognized subcommand 'fail'\" >&2; exit 2")), 125, id="unknown to uv"
        ),
        pytest.param(
            mre(("observe", "printf '  × it broke\\n  │ in two\\n' >&2; false")), 0, id="the layout does not count"
        ),
        pytest.param(
            mre(
                ("observe", "echo flask==1.5; false"),
                shows=Symptom(exit="failure", output=("flask==1",)),
            ),
            125,
            id="a version counts in whole",
        ),
        pytest.param(mre(("setup", "export A=1; cd /"), ("observe", '[ -z "$A" ] && uv fail')), 0, id="own shells"),
        pytest.param(mre(("observe", '[ -n "$LEAKS" ] || uv fail')), 0, id="nothing is inherited"),
        pytest.param(
            mre(("observe", '[ "$A" = "it\'s \\"1\\"" ] && uv fail'), variables={"A": 'it\'s "1"'}), 0, id="variables"
        ),
        pytest.param(
            mre(("observe", "echo x >x; ls -A; ls | wc -l | grep -q 1 && uv fail")), 0, id="a folder of its own"
        ),
        pytest.param(
            mre(("observe", f"python{PYTHON} -c 'import sys; print(sys.version)' && uv fail")), 0, id="the interpreter"
        ),
        pytest.param(
            mre(
                ("observe", "mkdir d; echo 'a = \"1\"' >d/x.lock"),
                shows=Symptom(exit=0, files=(FileSymptom("d/x.lock", "a = 1"),)),
            ),
            0,
            id="a file",
        ),
        pytest.param(mre(("observe", "cd $TMPDIR && pwd && cd $HOME && uv fail")), 0, id="home and temp"),
        pytest.param(mre(("observe", "uv fail; echo 'No space left on device' >&2; false")), 125, id="disk full"),
    ],
)
@pytest.mark.few(7)
def test_it_answers_as_uvmre_does(tmp_path: Path, state: Mre, expected: int) -> None:
    write_mre(state, tmp_path / "mre", force=False)
    ended = run(tmp_path / "mre")
    assert ended.returncode == expected, ended.stderr
    assert run(tmp_path / "mre").returncode == expected
    assert sorted(path.name for path in (tmp_path / "mre").iterdir()) == [".uvmre", "Dockerfile", "mre.toml", "run.sh"]


def test_a_time_limit_is_no_answer(tmp_path: Path) -> None:
    if not shutil.which("timeout"):
        pytest.skip("there is no `timeout` here: nothing of this was tested")
    state = mre(FAIL)
    write_mre(replace(state, steps=(Step("uv fail; sleep 30", "observe", timeout=1),)), tmp_path / "mre", force=False)
    ended = run(tmp_path / "mre")
    assert (ended.returncode, "its time limit" in ended.stderr) == (125, True), ended.stderr


SAID = [
    "it broke in two",
    "error: it  broke\n  in two",
    "  × it broke\n  ╰─▶ in two",
    "it broke in twofold",
    "it broke",
    "unexpected argument '--x' found",
    "No space left on device",
    "\x1b[31merror\x1b[0m: `it` broke in two.",
]


@pytest.mark.parametrize("code", [0, 2])
@pytest.mark.parametrize("said", SAID)
def test_its_judge_is_that_of_uvmre(tmp_path: Path, said: str, code: int) -> None:
    state = mre(("observe", f"cat said >&2; exit {code}"))
    state = replace(state, files=(File("said", said.encode()),))
    write_mre(state, tmp_path / "mre", force=False)
    step = StepResult(state.steps[0].title, "", "observe", code, "", said, 0.0)
    outcome = match(state.symptom, Observation("", "0.5.21", PYTHON, "local", "", (step,)))
    ended = run(tmp_path / "mre")
    assert ended.returncode == CODES[outcome.word], ended.stderr
    assert outcome.reason in ended.stderr


@pytest.mark.parametrize("module", EMBEDDED)
def test_its_judge_can_be_accepted_out_of_the_package(module: object) -> None:
    """Its source is copied into the script, so it imports nothing but types of ours, and runs on Python 3.8."""
    tree = ast.parse(inspect.getsource(module), feature_version=(3, 8))  # type: ignore[arg-type]
    imported = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert {name for name in imported if name and name.startswith("uvmre.")} <= {
        "uvmre.core.mre.model",
        "uvmre.core.mre.symptom",
        "uvmre.core.outcome.observation",
        "uvmre.core.outcome.parts",
        "uvmre.core.text.normalize",
        "uvmre.core.network.request",
    }
    others = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    assert all(name in sys.stdlib_module_names for name in others)
    assert "strict=" not in inspect.getsource(module)  # type: ignore[arg-type]


INDEX = Index("https://user:pw@pypi.acme.test/simple", packages=(SyntheticPackage("tea", "1.0"),))


@pytest.mark.parametrize(
    ("state", "told"),
    [
        pytest.param(replace(mre(FAIL), indexes=(INDEX,)), "the index https://pypi.acme.test/simple", id="an index"),
        pytest.param(replace(mre(FAIL), faults=(Fault("https://pypi.org/*", status=500),)), "faults of", id="a fault"),
    ],
)
def test_what_only_the_gateway_answers_is_reported_and_requested_for(tmp_path: Path, state: Mre, told: str) -> None:
    folder = tmp_path / "mre"
    write_mre(state, folder, force=False)
    assert f"# Needs the gateway of uvmre for {told}" in (folder / "run.sh").read_text()
    assert "gateway" in (folder / "Dockerfile").read_text()
    without = run(folder)
    assert without.returncode == 125
    assert f"hint: run uvmre gateway '{folder}'" in without.stderr
    assert run(folder, UVMRE_GATEWAY=str(folder)).returncode == 0
    other = run(folder, UVMRE_GATEWAY="/elsewhere")
    assert (other.returncode, "is that of /elsewhere" in other.stderr) == (125, True)


def test_what_is_absent_today_was_not_so_on_its_day(tmp_path: Path) -> None:
    for name, run_, alone, served in (("shows", "uv fail", 0, 0), ("absent", "uv fine", 125, 1)):
        folder = tmp_path / name
        write_mre(mre(("observe", run_), exclude_newer=date(2024, 3, 1)), folder, force=False)
        assert "at the end of 2024-03-01" in (folder / "run.sh").read_text()
        assert run(folder).returncode == alone
        assert run(folder, UVMRE_GATEWAY=str(folder)).returncode == served


@pytest.mark.parametrize(
    "said", ["dns error: failed to lookup address information", "tunnel error: unsuccessful", "Connection refused"]
)
def test_a_host_that_does_not_answer_is_no_answer(tmp_path: Path, said: str) -> None:
    weak = Symptom(exit="failure")
    write_mre(mre(("observe", f"echo '{said}' >&2; exit 2"), shows=weak), tmp_path / "a", force=False)
    ended = run(tmp_path / "a")
    assert (ended.returncode, "no response from a host" in ended.stderr) == (125, True)
    reported = Symptom(exit="failure", output=(said,))
    write_mre(mre(("observe", f"echo '{said}' >&2; exit 2"), shows=reported), tmp_path / "b", force=False)
    assert run(tmp_path / "b").returncode == 0


def test_a_release_or_an_interpreter_that_is_not_there_is_no_answer(tmp_path: Path) -> None:
    write_mre(mre(FAIL, python="3.2"), tmp_path / "a", force=False)
    ended = run(tmp_path / "a")
    assert (ended.returncode, "Python 3.2 is not in PATH" in ended.stderr) == (125, True)
    state = mre(FAIL)
    state = replace(state, environment=replace(state.environment, uv="0.0.7"))
    write_mre(state, tmp_path / "b", force=False)
    ended = run(tmp_path / "b", PIP_INDEX_URL="http://127.0.0.1:9/", PIP_RETRIES="0")
    assert (ended.returncode, "uv 0.0.7 is not in PATH" in ended.stderr) == (125, True)


def test_the_home_and_the_path_of_the_mre_are_laid(tmp_path: Path) -> None:
    state = mre(("observe", 'tool && [ "$(cat ~/.netrc)" = secret ] && uv fail'), home="home", path=("my bin",))
    files = (File("home/.netrc", b"secret\n"), File("my bin/tool", b"#!/bin/sh\n", executable=True))
    write_mre(replace(state, files=files), tmp_path / "mre", force=False)
    assert run(tmp_path / "mre").returncode == 0


def test_what_is_generated_is_no_part_of_the_mre(tmp_path: Path) -> None:
    own = (File("run.sh", b"#!/bin/sh\nuv fail\n", executable=True), File("Dockerfile", b"FROM scratch\n"))
    for number, files in enumerate(((), own)):
        folder = tmp_path / f"{number}"
        state = replace(
            mre(("observe", "sh run.sh" if files else "uv fail")), files=tuple(sorted(files, key=lambda f: f.path))
        )
        write_mre(state, folder, force=False)
        names = [file.path for file in generated_files(state)]
        assert names == (["run-mre.sh"] if files else ["run.sh", "Dockerfile"])
        assert all((folder / name).is_file() for name in names)
        assert read_mre(folder) == state
        assert not any(is_generated(file.path, file.content) for file in state.files)


def test_a_changed_script_that_still_says_so_is_not_read_either(tmp_path: Path) -> None:
    write_mre(mre(FAIL), tmp_path / "mre", force=False)
    with (tmp_path / "mre" / "run.sh").open("a") as script:
        script.write("echo mine\n")
    assert read_mre(tmp_path / "mre") == mre(FAIL)


def test_the_dockerfile_has_the_release_and_runs_the_script() -> None:
    text = dockerfile(mre(FAIL, python="3.12.4"))
    assert "FROM python:3.12\n" in text
    assert "COPY --from=ghcr.io/astral-sh/uv:0.5.21 /uv /uvx /bin/\n" in text
    assert text.endswith('COPY . .\nCMD ["sh", "run.sh"]\n')
    old = replace(mre(FAIL), environment=Environment("0.1.5"))
    assert "FROM python:3\nRUN pip install uv==0.1.5\n" in dockerfile(old)


DOCKER = '#!/bin/sh\necho "$@" >>"$LOGGED"\ncat "$BUILD_LOG"\nexit "$BUILD_CODE"\n'
FILE = """\
FROM base:bookworm AS first
WORKDIR /app
ENV A=1
COPY . .
RUN echo out; echo err >&2; printf 'no newline'
RUN echo one && \\
    echo two
FROM base:bookworm
COPY --from=first /app /app
RUN ["/bin/echo", "exec form"]
RUN echo "STEP 9/9: RUN fake"; echo "Step 99/99 : RUN fake"; printf 'half a line' >&2; exit {code}
"""
LAST = "RUN echo last; printf end\n"


@pytest.mark.parametrize(
    ("log", "text", "shows", "expected"),
    [
        pytest.param("buildkit-26.1-bad", FILE.format(code=3), "half a line", 0, id="the last RUN shows it"),
        pytest.param("buildkit-26.1-bad", FILE.format(code=3), "exec form", 125, id="another RUN said so"),
        pytest.param("buildkit-26.1-bad", FILE.format(code=3), "RUN echo", 125, id="the log shows a command"),
        pytest.param("buildkit-26.1-bad", FILE.format(code=3) + LAST, "half a line", 125, id="a set-up RUN fails"),
        pytest.param("buildkit-26.1-bad", FILE.format(code=4), "half a line", 125, id="a RUN that is not in the file"),
        pytest.param("buildkit-26.1-good", FILE.format(code=0) + LAST, "half a line", 1, id="all succeed"),
        pytest.param("buildkit-26.1-good", FILE.format(code=0) + "RUN uv x\n", "end", 125, id="one was not built"),
        pytest.param("buildkit-26.1-missing", FILE.format(code=3), "half a line", 125, id="no base image"),
        pytest.param("podman-4.3-bad", FILE.format(code=3), "half a line", 125, id="another builder"),
    ],
)
def test_a_dockerfile_is_built_and_its_runs_are_judged(
    tmp_path: Path, log: str, text: str, shows: str, expected: int
) -> None:
    """By logs of real builds; the engine itself is not run."""
    state = replace(mre(shows=Symptom(exit="failure", output=(shows,)), variables={"A": "b c"}, env_file="mre.env"))
    files = (File("Dockerfile", text.encode()), File("mre.env", b"B=2\n"))
    folder = tmp_path / "mre"
    write_mre(replace(state, files=files), folder, force=False)
    assert (folder / "Dockerfile").read_text() == text
    (tmp_path / "tools").mkdir()
    (tmp_path / "tools" / "docker").write_text(DOCKER)
    (tmp_path / "tools" / "docker").chmod(0o755)
    code = "0" if log.endswith("good") else "1"
    logged = tmp_path / "logged"
    ended = run(folder, BUILD_LOG=str(LOGS / f"{log}.txt"), BUILD_CODE=code, LOGGED=str(logged))
    assert ended.returncode == expected, ended.stderr
    assert "--build-arg B=2 --build-arg A=b c --secret id=mre,src=/" in logged.read_text()


def test_without_docker_a_dockerfile_is_no_answer(tmp_path: Path) -> None:
    state = mre(shows=Symptom(exit="failure"))
    write_mre(replace(state, files=(File("Dockerfile", b"FROM a\nRUN uv fail\n"),)), tmp_path / "mre", force=False)
    tools = tmp_path / "tools"
    tools.mkdir()
    (tools / "docker").write_text("#!/bin/sh\nexit 127\n")
    (tools / "docker").chmod(0o755)
    assert run(tmp_path / "mre").returncode == 125


@pytest.mark.parametrize(
    ("change", "key"),
    [
        ({"services": (BackgroundService("a", "serve"),)}, "service"),
        ({"environment": Environment("0.5.21", pythons=("3.8",))}, "pythons"),
        ({"environment": Environment("latest")}, "uv"),
    ],
)
def test_a_script_for_what_only_uvmre_can_do_says_so(tmp_path: Path, change: dict[str, Any], key: str) -> None:
    whole = replace(mre(("observe", "true")), **change)
    (tmp_path / "run.sh").write_text(run_script(whole))
    ended = subprocess.run(["sh", "run.sh"], cwd=tmp_path, capture_output=True, text=True)
    assert (ended.returncode, f"the key {key} asks for" in ended.stderr) == (125, True), ended
