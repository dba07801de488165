"""Dockerfiles whose RUNs leave links where uvmre itself works next, outside the sandbox."""

import pytest

from tests.hostile.conftest import CANARY, Attack, Host, RunAttack

FROM = "FROM python:3.11-slim"
DOCKERFILES = {
    "WORKDIR through a link": """
        WORKDIR /app
        RUN rm -rf /app/sub; ln -s {home} /app/sub
        WORKDIR /app/sub/made-by-workdir
        RUN uv; exit 7
    """,
    "COPY through a link": """
        WORKDIR /app
        RUN rm -rf /app/sub; ln -s {home} /app/sub
        COPY notes.txt /app/sub/made-by-copy
        RUN uv; exit 7
    """,
    "COPY onto a link": """
        WORKDIR /app
        RUN ln -s {secret} /app/notes.txt
        COPY notes.txt /app/notes.txt
        RUN uv; exit 7
    """,
    "COPY of a folder with a link in its place": """
        WORKDIR /app
        RUN ln -s {home} /app/tree
        COPY tree /app/tree
        RUN uv; exit 7
    """,
    "COPY --from of a link to a secret": """
        WORKDIR /app
        RUN ln -s {secret} /app/leak
        FROM python:3.11-slim
        COPY --from=0 /app/leak /app/leak
        RUN uv; cat /app/leak; exit 7
    """,
    "COPY --from of a link to a folder with a secret": """
        WORKDIR /app
        RUN ln -s {home} /app/leak
        FROM python:3.11-slim
        COPY --from=0 /app/leak/.ssh /app/leak
        RUN uv; cat /app/leak/id_rsa; exit 7
    """,
    "COPY --from of a pattern through a link": """
        WORKDIR /app
        RUN ln -s {home} /app/leak
        FROM python:3.11-slim
        COPY --from=0 /app/leak/.* /app/leak/
        RUN uv; cat /app/leak/*; exit 7
    """,
    "COPY --from of a folder into one with a link": """
        WORKDIR /app
        RUN mkdir -p /app/source/sub && echo attack > /app/source/sub/made-by-copy
        FROM python:3.11-slim
        WORKDIR /app
        RUN mkdir -p /app/target && ln -s {home} /app/target/sub
        COPY --from=0 /app/source /app/target
        RUN uv; exit 7
    """,
    "COPY --from of a folder onto a link to a secret": """
        WORKDIR /app
        RUN mkdir -p /app/source && echo attack > /app/source/file
        FROM python:3.11-slim
        WORKDIR /app
        RUN mkdir -p /app/target && ln -s {secret} /app/target/file
        COPY --from=0 /app/source /app/target
        RUN uv; exit 7
    """,
    "COPY --from of a file into a folder with a link": """
        WORKDIR /app
        RUN echo attack > /app/file
        FROM python:3.11-slim
        WORKDIR /app
        RUN mkdir -p /app/target && ln -s {secret} /app/target/file
        COPY --from=0 /app/file /app/target/
        RUN uv; exit 7
    """,
    "COPY --from of a FIFO": """
        WORKDIR /app
        RUN mkfifo /app/fifo
        FROM python:3.11-slim
        COPY --from=0 /app/fifo /app/fifo
        RUN uv; exit 7
    """,
    "a mount whose folder becomes a link": """
        WORKDIR /app
        RUN --mount=type=bind,source=notes.txt,target=/app/sub/notes.txt rm -rf /app/sub; ln -s {home}/.ssh /app/sub; mv /app/sub/x /app/y; uv; exit 0
        RUN uv; exit 7
    """,
    "a mount over a link to a secret": """
        WORKDIR /app
        RUN ln -s {secret} /app/notes.txt
        RUN --mount=type=bind,source=notes.txt,target=/app/notes.txt uv; cat /app/notes.txt
        RUN uv; exit 7
    """,
    "a secret that becomes a link": """
        WORKDIR /app
        RUN --mount=type=bind,source=notes.txt,target=/app/notes.txt rm /app/notes.txt; ln -s {secret} /app/notes.txt; uv
        RUN uv; exit 7
    """,
    "the number of the stage": """
        WORKDIR /app
        RUN echo ../../../{home} > ../../.stage; echo x > /.stage; echo x > .stage
        FROM python:3.11-slim
        RUN uv; exit 7
    """,
    "folders nested too deeply to be copied": """
        WORKDIR /app
        COPY deep.py /app/deep.py
        RUN python /app/deep.py
        FROM python:3.11-slim
        COPY --from=0 /app /app
        RUN uv; exit 7
    """,
    "a stage on folders nested too deeply": """
        FROM python:3.11-slim AS first
        WORKDIR /app
        COPY deep.py /app/deep.py
        RUN python /app/deep.py
        FROM first
        RUN uv; exit 7
    """,
}
DEEP = "import os\nfor _ in range(2000):\n    os.mkdir('d')\n    os.chdir('d')\n"


def run_dockerfile(attack: RunAttack, host: Host, lines: str) -> Attack:
    # With one slash, a path below /tmp would be that of the image.
    lines = lines.format(home=f"/{host.home}", secret=f"/{host.secret}")
    dockerfile = "\n".join(
        [*([] if lines.strip().startswith("FROM") else [FROM]), *map(str.strip, lines.strip().splitlines())]
    )
    files = {"Dockerfile": dockerfile + "\n", "notes.txt": "harmless\n", "tree/made-by-copy": "x\n", "deep.py": DEEP}
    return attack(files=files, symptom={"exit": 7, "output": [CANARY]})


@pytest.mark.parametrize("lines", DOCKERFILES.values(), ids=DOCKERFILES.keys())
@pytest.mark.few(4)
def test_what_uvmre_does_between_two_runs_stays_in_the_image(attack: RunAttack, host: Host, lines: str) -> None:
    before = sorted(str(path) for path in host.home.rglob("*"))
    found = run_dockerfile(attack, host, lines)
    assert sorted(str(path) for path in host.home.rglob("*")) == before
    assert host.secret.read_text() == CANARY
    assert found.outcome in ("broken", "different", "absent"), found.reason
    assert found.steps or "leads out of the image" in found.reason


def test_a_symptoms_file_in_an_image_is_never_one_of_the_host(attack: RunAttack, host: Host) -> None:
    dockerfile = f"{FROM}\nWORKDIR /app\nRUN ln -s /{host.home}/.ssh /app/sub; uv --version; exit 0\n"
    symptom = {"exit": 0, "output": ["uv 0.4"], "file": [{"path": "sub/id_rsa", "contains": CANARY}]}
    found = attack(files={"Dockerfile": dockerfile}, symptom=symptom)
    assert [(file["path"], file["content"]) for file in found.base["files"]] == [("sub/id_rsa", None)]
