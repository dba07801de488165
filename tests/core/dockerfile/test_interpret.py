"""The local reading of a Dockerfile: its RUNs as steps, by the builder's rules."""

from dataclasses import replace

import pytest

from uvmre.core.dockerfile.interpret import Interpreted, interpret, with_steps
from uvmre.core.mre.files import File
from uvmre.core.mre.layer import PATH, Layer, LayerFolder, StageFetch, StageStart
from uvmre.core.mre.model import Environment, Mre, Step
from uvmre.core.mre.symptom import Symptom
from uvmre.errors import InputError

MRE = Mre("t", Environment("0.5.21", env_file="mre.env"), (), Symptom(1))
HEAD = "FROM python:3.11\n"


def followed(text: str, *files: File, **given: str) -> Interpreted:
    env = File("mre.env", "".join(f"{name}={value}\n" for name, value in given.items()).encode())
    return interpret(replace(MRE, files=(File("Dockerfile", text.encode()), env, *files)))


def last(text: str, *files: File, **given: str) -> Layer:
    layer = followed(text, *files, **given).steps[-1].layer
    assert layer
    return layer


def variables(text: str, **given: str) -> dict[str, str]:
    return {name: value for name, value in last(text, **given).variables.items() if name != "PATH"}


@pytest.mark.parametrize(
    ("run", "left"),
    [
        ("apt-get update && apt-get install -y git && uv sync", ": && : && uv sync"),
        ("pip install uv && uv sync --frozen", ": && uv sync --frozen"),
        ("pip install --upgrade pip 'uv>=0.5' && uv lock", ": && uv lock"),
        ("curl -LsSf https://astral.sh/uv/install.sh | sh && uv sync", ": && uv sync"),
        ("mkdir -p /app/media && chown -R app:app /app", "mkdir -p /app/media && :"),
        ("/root/.cargo/bin/uv lock && $HOME/.local/bin/uvx x", "uv lock && uvx x"),
        ("echo 'pip install uv' && uv sync", "echo 'pip install uv' && uv sync"),
    ],
)
def test_parts_of_a_command_that_install_uv_or_change_the_system_are_skipped(run: str, left: str) -> None:
    found = followed(f"{HEAD}RUN {run}\n")
    assert (found.steps[-1].run, found.steps[-1].layer and found.steps[-1].layer.argv[-1]) == (run, left)
    assert any("skipped" in note for note in found.notes) == (": " in f"{left} " and ":" in left.split())


@pytest.mark.parametrize("run", ["pip install --upgrade pip", "pip install -U pip setuptools uv", "chown -R a /app"])
def test_a_command_of_nothing_else_is_skipped_as_a_whole(run: str) -> None:
    assert [step.run for step in followed(f"{HEAD}RUN {run}\nRUN uv lock\n").steps] == ["uv lock"]


VENV = "RUN python -m venv /opt/venv\n"
OWN_PATH = "ENV PATH=/opt/venv/bin:$PATH\n"


@pytest.mark.parametrize(
    ("text", "system"),
    [
        ("RUN uv venv && uv pip install x", False),
        ("ENV UV_SYSTEM_PYTHON=1\nRUN uv sync", False),
        ("RUN pip install uv requests && uv sync", True),
        ("RUN uv venv && uv pip install --system x", True),
        ("ENV VIRTUAL_ENV=/opt/venv\nRUN uv venv $VIRTUAL_ENV\nRUN uv pip install x", False),
        ("ENV VIRTUAL_ENV=/opt/venv\nRUN uv venv $VIRTUAL_ENV\nRUN UV_SYSTEM_PYTHON=1 uv pip install x", True),
        ("RUN uv venv /app/.venv\nRUN . /app/.venv/bin/activate && uv pip install x", False),
        ("RUN uv venv /app/.venv\nRUN . /app/.venv/bin/activate && uv pip sync --break-system-packages x", True),
        ("ENV V=/app/.venv\nRUN uv --quiet pip install --python $V x", False),
        ("RUN uv pip install --python .venv x", False),
        ("RUN uv pip install --python /usr/local/bin/python x", True),
        ("RUN uv pip install --python=3.12 x", True),
        ("RUN uv pip install -p $(which python3) x", True),
        ("ENV UV_PYTHON=3.12\nRUN uv pip install x", True),
        ("ENV UV_PYTHON=/app/.venv\nRUN uv pip install x", False),
        ("RUN uv pip install --target /app/lib x", False),
        ("RUN uv pip install --prefix=/install x", False),
        ("RUN uv pip install --prefix=/usr/local x", True),
        ("RUN cd /app && uv venv && uv pip install x", False),
        ("RUN cd /app && uv venv && pip install x", True),
        ("RUN python -m venv /opt/venv && . /opt/venv/bin/activate && pip install x", False),
        ("RUN uv venv /opt/venv && . /opt/venv/bin/activate && pip install x", True),
        (f"{VENV}{OWN_PATH}RUN pip install x", False),
        (f"{VENV}RUN pip install x", True),
        (f"RUN uv venv /opt/venv\n{OWN_PATH}RUN pip install x", True),
        (f"RUN uv venv --seed /opt/venv\n{OWN_PATH}RUN python -m pip install x", False),
        ("RUN pip install --target /app/lib x", False),
        ("RUN pip3 install --target /usr/lib/x x", True),
        ("RUN uv pip install x && pip install y", True),
    ],
)
def test_only_what_installs_outside_of_the_image_needs_an_engine(text: str, system: bool) -> None:
    layer = last(f"FROM python:3.12\n{text}")
    assert ("system's Python" in layer.refused) == system


@pytest.mark.parametrize(
    ("text", "given", "seen"),
    [
        pytest.param(f"{HEAD}ENV A=1 B=$A\nENV C=$A\nRUN x", {}, {"A": "1", "B": "", "C": "1"}, id="ENV stays"),
        pytest.param(f"{HEAD}RUN export A=1\nRUN x", {}, {}, id="what a RUN exports is gone"),
        pytest.param(f"{HEAD}ARG A\nRUN x", {"A": "given"}, {"A": "given"}, id="ARG takes what is given"),
        pytest.param(f"{HEAD}ARG A\nRUN x", {}, {}, id="an ARG that nobody gives is not set"),
        pytest.param(f"{HEAD}ARG A=1\nRUN x", {"A": "2"}, {"A": "2"}, id="what is given goes before a default"),
        pytest.param(f"{HEAD}RUN x", {"A": "1"}, {}, id="what no ARG asks for is not there"),
        pytest.param(f"ARG A=1\n{HEAD}RUN x", {"A": "2"}, {}, id="an ARG before FROM is for FROM alone"),
        pytest.param(f"ARG A=1\n{HEAD}ARG A\nRUN x", {}, {"A": "1"}, id="an ARG before FROM, asked for again"),
        pytest.param(f"ARG A=1\n{HEAD}ARG A=3\nRUN x", {}, {"A": "3"}, id="a default in the stage goes before it"),
        pytest.param(f"{HEAD}ARG A=1\nENV A=2\nARG A=3\nRUN x", {}, {"A": "2"}, id="ENV goes before ARG"),
        pytest.param(f"{HEAD}ARG A=1\nENV B=${{A}}0\nRUN x", {}, {"A": "1", "B": "10"}, id="ENV may take an ARG"),
        pytest.param(f"{HEAD}ARG TARGETARCH\nRUN x", {}, {"TARGETARCH": "amd64"}, id="an ARG of the builder's own"),
        pytest.param(
            f"FROM a AS one\nARG A=1\nENV B=2\nRUN x\n{HEAD}COPY --from=one /a /a\nRUN x",
            {},
            {},
            id="the next stage knows nothing of it",
        ),
        pytest.param(
            "FROM a AS one\nARG A=1\nENV B=2\nFROM one\nRUN x",
            {},
            {"A": "1", "B": "2"},
            id="a stage that is built on another knows all of it",
        ),
    ],
)
def test_a_run_sees_the_variables(text: str, given: dict[str, str], seen: dict[str, str]) -> None:
    assert variables(text, **given) == seen


def test_a_run_is_a_shell_of_its_own_in_the_folder_of_now() -> None:
    text = f'{HEAD}ENV D=app PATH="/x/bin:$PATH"\nWORKDIR /$D\nWORKDIR sub\nRUN uv lock\nSHELL ["/bin/bash", "-c"]\nRUN ["uv", "sync"]\nRUN <<EOF\nuv run x\nEOF\n'
    steps = followed(text).steps
    layers = [step.layer for step in steps if step.layer]
    assert [layer.argv for layer in layers] == [
        ("/bin/sh", "-c", "uv lock"),
        ("uv", "sync"),
        ("/bin/bash", "-c", "uv run x\n"),
    ]
    assert [step.run for step in steps] == ["uv lock", "uv sync", "uv run x\n"]
    assert {layer.cwd for layer in layers} == {"/app/sub"}
    assert layers[0].variables["PATH"] == f"/x/bin:{PATH}"
    assert layers[0].before == (StageStart(0, None), LayerFolder("/app"), LayerFolder("/app/sub"))
    assert layers[1].before == ()


def test_every_run_that_calls_uv_is_observed_and_the_last_one() -> None:
    text = f"{HEAD}RUN mkdir x\nRUN cd x && uv lock\nRUN echo uv sync\nRUN A=1 /bin/uvx ruff\nRUN python -m uv sync\nRUN ./run.sh\n"
    roles = [(step.run, step.role) for step in followed(text).steps]
    assert roles == [
        ("mkdir x", "setup"),
        ("cd x && uv lock", "observe"),
        ("echo uv sync", "setup"),
        ("A=1 /bin/uvx ruff", "observe"),
        ("python -m uv sync", "observe"),
        ("./run.sh", "observe"),
    ]


def laid(text: str, *files: File) -> dict[str, bytes]:
    return {f"/{each.path}": each.content for each in last(text, *files).before if isinstance(each, File)}


A, B, C = File("a", b"a"), File("d/b", b"b"), File("d/e/c", b"c", executable=True)


@pytest.mark.parametrize(
    ("copy", "paths"),
    [
        ("COPY a /x", {"/x": b"a"}),
        ("COPY a /x/", {"/x/a": b"a"}),
        ("COPY a .", {"/app/a": b"a"}),
        ("COPY a /app", {"/app/a": b"a"}),
        ("COPY a sub/b", {"/app/sub/b": b"a"}),
        ("COPY d /x", {"/x/b": b"b", "/x/e/c": b"c"}),
        ("COPY d/ x/", {"/app/x/b": b"b", "/app/x/e/c": b"c"}),
        ("COPY a d x/", {"/app/x/a": b"a", "/app/x/b": b"b", "/app/x/e/c": b"c"}),
        ("COPY d/* x/", {"/app/x/b": b"b", "/app/x/c": b"c"}),
        ('COPY ["a", "x y"]', {"/app/x y": b"a"}),
        ("ARG N=a\nCOPY $N ${N}2", {"/app/a2": b"a"}),
        ("ADD --chown=1:1 a /x", {"/x": b"a"}),
        ("COPY <<EOF x\n$N\nEOF", {"/app/x": b"\n"}),
        ("ENV N=1\nCOPY <<EOF <<'F' x/\n$N\nEOF\n$N\nF", {"/app/x/EOF": b"1\n", "/app/x/F": b"$N\n"}),
        ("COPY . .", {"/app/a": b"a", "/app/d/b": b"b", "/app/d/e/c": b"c"}),
    ],
)
def test_files_are_copied(copy: str, paths: dict[str, bytes]) -> None:
    ignore = File(".dockerignore", b"Dockerfile\n.dockerignore\nmre.env\n")
    assert laid(f"{HEAD}WORKDIR /app\n{copy}\nRUN x\n", A, B, C, ignore) == paths


def test_a_copy_may_make_a_file_executable() -> None:
    files = list(last(f"{HEAD}COPY --chmod=755 a /a\nCOPY --chmod=644 d/e/c /c\nCOPY d/e/c /d\nRUN x", A, C).before)
    assert [each.executable for each in files if isinstance(each, File)] == [True, False, True]


def test_stages_are_followed_where_the_last_one_needs_them() -> None:
    text = (
        "ARG V=3.11\nFROM a:$V AS one\nRUN uv lock\nFROM b AS skipped\nRUN exit 1\nFROM one AS three\nRUN uv sync\n"
        "FROM c\nCOPY --from=three /app/x /app/y /z/\nCOPY --from=0 /a /b\nRUN x\n"
    )
    steps = followed(text).steps
    assert [step.run for step in steps] == ["uv lock", "uv sync", "x"]
    assert [step.layer.before for step in steps if step.layer] == [
        (StageStart(0, None),),
        (StageStart(2, 0),),
        (
            StageStart(3, None),
            StageFetch(2, "/app/x", "/z/"),
            StageFetch(2, "/app/y", "/z/"),
            StageFetch(0, "/a", "/b"),
        ),
    ]


def test_mounts_are_there_for_one_run() -> None:
    text = (
        f"{HEAD}WORKDIR /app\n"
        "RUN --mount=type=secret,id=mre --mount=type=secret,id=T,env=TOKEN --mount=type=secret,id=no,target=/x"
        " --mount=type=bind,source=d,target=e --mount=target=f,source=a --mount=type=cache,target=/root/.cache/uv"
        " --mount=from=ghcr.io/astral-sh/uv,source=/uv,target=/bin/uv uv lock\nRUN uv sync\n"
    )
    one, two = (step.layer for step in followed(text, A, B, T="s3cr3t").steps)
    assert one
    assert two
    assert one.mounts == (File("run/secrets/mre", b"T=s3cr3t\n"), File("app/e/b", b"b"), File("app/f", b"a"))
    assert one.variables["TOKEN"] == "s3cr3t"
    assert two.mounts == ()
    assert "TOKEN" not in two.variables


def test_paths_are_the_image_s_where_an_instruction_names_them() -> None:
    owned = last(
        f"{HEAD}ENV UV_CACHE_DIR=/cachedir\nWORKDIR /usr/src/it\nCOPY a /etc/uv/uv.toml\nCOPY a /own/x\nRUN x", A
    ).owned
    assert {"/cachedir", "/usr/src/it", "/etc/uv/uv.toml", "/own", "/root", "/tmp"} <= set(owned)
    assert not {"/usr", "/etc", "/bin", "/usr/src"} & set(owned)


@pytest.mark.parametrize(
    ("text", "note"),
    [
        ("USER app", "line 2: USER is ignored"),
        ("VOLUME /x", "line 2: VOLUME is ignored"),
        ("ONBUILD RUN x", "line 2: ONBUILD is ignored"),
        (
            "COPY --from=ghcr.io/astral-sh/uv:0.5.21 /uv /uvx /bin/",
            "line 2: skipped: the uv of the run is already installed",
        ),
        ("RUN pip install uv==0.5.21", "line 2: skipped: the uv of the run is already installed"),
        ("RUN pip install --no-cache-dir 'uv'", "line 2: skipped: the uv of the run is already installed"),
        (
            "RUN curl -LsSf https://astral.sh/uv/0.5.21/install.sh | sh",
            "line 2: skipped: the uv of the run is already installed",
        ),
        (
            "RUN apt-get update && apt-get install -y git && rm -rf /var/lib/apt/lists/*",
            "line 2: skipped: `apt-get` would change this machine, which must already have what it installs",
        ),
    ],
)
def test_what_is_not_followed_is_noted(text: str, note: str) -> None:
    found = followed(f"{HEAD}{text}\nRUN uv lock\n")
    assert found.notes[1:] == (note,)
    assert [step.run for step in found.steps] == ["uv lock"]


def test_what_does_nothing_in_a_build_is_not_even_noted() -> None:
    found = followed(
        f'{HEAD}LABEL a=b\nEXPOSE 80\nHEALTHCHECK CMD x\nRUN uv lock\nCMD ["x"]\nENTRYPOINT x\nSTOPSIGNAL 9\n'
    )
    assert found.notes == (
        "line 1: the image python:3.11 is replaced by this machine, with the uv and Python of the run",
    )


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("ADD https://example.com/x /x", "it fetches https://example.com/x"),
        ("ADD a.tar.gz /x", "it unpacks a.tar.gz"),
        ("COPY --from=alpine /x /x", "it copies from the image alpine, which only an engine can pull"),
        ("COPY nothing /x", "nothing is not among the files (or `.dockerignore` excludes it)"),
        ("COPY --parents a /x", "`--parents` is not supported"),
        ("RUN --network=none uv sync", "`--network=none` is not supported"),
        ("RUN --mount=type=ssh uv sync", "a mount of type ssh needs an engine"),
        ("RUN --mount=from=alpine,target=/x uv sync", "it mounts from alpine"),
        (
            "RUN --mount=source=nothing,target=/x uv sync",
            "nothing is not among the files (or `.dockerignore` excludes it)",
        ),
        (
            "RUN --mount=type=secret,id=x,required=true uv sync",
            'the secret "x" is required, but no file or variable has that name',
        ),
        ("RUN uv pip install --system ruff", "it installs into the system's Python, which is that of this machine"),
        ("RUN pip install ruff", "it installs into the system's Python, which is that of this machine"),
        (
            "ENV UV_SYSTEM_PYTHON=1\nRUN uv pip install ruff",
            "it installs into the system's Python, which is that of this machine",
        ),
    ],
)
def test_what_needs_an_engine_ends_the_reading_there(text: str, why: str) -> None:
    found = followed(f"{HEAD}RUN uv lock\n{text}\nRUN uv sync\n", A, File("a.tar.gz", b""))
    assert [step.run for step in found.steps] == ["uv lock", text.splitlines()[-1]]
    refused = found.steps[-1].layer
    assert refused
    assert refused.refused == (f"line {2 + len(text.splitlines())} of the Dockerfile needs a container engine: {why}")
    assert found.steps[-1].role == "setup"


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("FROM x\n", "add the command as a RUN"),
        ("FROM x\nENV A='b\nRUN x", "line 2: a single quote is not closed"),
        ("FROM x\nCOPY <<EOF /x\n${\nEOF\nRUN x", "line 2: a `${` names no variable"),
        ("FROM x\nRUN --mount=type=bind,source=${A#b},target=/x uv", "line 2: `${A#…}` is not supported"),
        ("FROM ${A:?which}\nRUN x", "line 1: A must be set: which"),
    ],
)
def test_a_fault_is_reported_with_its_line(text: str, fault: str) -> None:
    with pytest.raises(InputError) as raised:
        followed(text)
    assert raised.value.faults == (fault,)


def test_only_an_mre_without_steps_of_its_own_takes_those_of_its_dockerfile() -> None:
    dockerfile = File("Dockerfile", b"FROM x\nRUN uv lock\n")
    own = replace(MRE, steps=(Step("uv sync", "observe"),), files=(dockerfile,))
    assert with_steps(own) is own
    bare = with_steps(replace(own, steps=()))
    assert [step.run for step in bare.steps] == ["uv lock"]
    other = replace(bare, files=(File("Dockerfile", b"FROM x\nRUN uv sync\n"),))
    assert [step.run for step in with_steps(other).steps] == ["uv sync"]


def test_a_variant_is_interpreted_once() -> None:
    mre = replace(MRE, steps=(), files=(File("Dockerfile", b"FROM x\nRUN uv lock\n"),))
    assert interpret(mre) is interpret(with_steps(replace(mre, title="another")))
    other = replace(mre, environment=replace(mre.environment, variables={"A": "1"}))
    assert interpret(mre) is not interpret(other)
