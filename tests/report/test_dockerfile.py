"""An MRE as one Dockerfile, and back: the same files, the same steps."""

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from uvmre.core.dockerfile import parser as reader
from uvmre.core.dockerfile.interpret import interpret, with_steps
from uvmre.core.dockerfile.single_file import read_back
from uvmre.core.mre import manifest
from uvmre.core.mre.files import File
from uvmre.core.mre.model import Environment, Mre, Step
from uvmre.core.mre.symptom import FileSymptom, Symptom
from uvmre.core.text.visible import visible
from uvmre.errors import InputError
from uvmre.folder.read import read_mre
from uvmre.folder.write import write_mre
from uvmre.report.bundle import Bundle
from uvmre.report.dockerfile import dockerfile, read_dockerfile, write_dockerfile

MRE = Mre(
    "uv says too much",
    Environment("0.5.21", "3.11"),
    (Step("uv lock"), Step("uv sync", "observe")),
    Symptom("failure", ("No solution found",), (FileSymptom("uv.lock", "six = 1"),)),
    issue="https://github.com/astral-sh/uv/issues/1",
)
OWN = """\
ARG V=3.11
FROM python:$V-slim AS builder
COPY --from=ghcr.io/astral-sh/uv:0.5.21 /uv /uvx /bin/
WORKDIR /app
COPY pyproject.toml ./
RUN --mount=type=bind,source=conf,target=/conf uv lock
COPY . .
RUN uv sync
FROM python:$V-slim
COPY --from=0 /app /app
RUN uv run x
"""


def back(text: str) -> Mre:
    return with_steps(read_back(text, "Dockerfile", {}, lambda: ()))


def laid(mre: Mre) -> dict[str, tuple[bytes, bool]]:
    return {file.path: (file.content, file.executable) for file in mre.files if file.path != "Dockerfile"}


def before(step: Step) -> list[str]:
    """Return what comes before a RUN; a COPY of all brings the Dockerfile itself, which is another."""
    assert step.layer
    return sorted(repr(each) for each in step.layer.before if not getattr(each, "path", "").endswith("Dockerfile"))


def test_an_mre_without_a_dockerfile_is_written_as_uv_s_guide_has_it() -> None:
    files = (
        File("pyproject.toml", b'[project]\nname = "$x"\n'),
        File("bin/a b", b"#!/bin/sh", executable=True),
        File("EOF", b"EOF\nEOFF\r\n"),
        File("empty", b""),
    )
    environment = Environment("0.5.21", "3.11", variables={"A": 'b "$c\\'}, path=("bin",))
    text = dockerfile(replace(MRE, files=files, environment=environment))
    head, _, body = text.partition("\n\n")
    assert head.splitlines()[:4] == [
        "# syntax=docker/dockerfile:1",
        "# An MRE of a bug of uv, as uvmre writes it; `uvmre run FILE` makes it again, and runs its controls too.",
        "## 644 text mre.toml",
        "# schema = 1",
    ]
    assert body == (
        "FROM --platform=linux/amd64 ghcr.io/astral-sh/uv:0.5.21-python3.11-bookworm-slim\n"
        "WORKDIR /mre\n"
        'ENV PATH="/mre/bin:$PATH"\n'
        'ENV A="b \\"\\$c\\\\"\n'
        'ARG SPACE=" "\n'
        "COPY <<'EOF' pyproject.toml\n[project]\nname = \"$x\"\nEOF\n"
        "COPY --chmod=755 <<'EOF' bin/a${SPACE}b\n#!/bin/sh\nEOF\n"
        "COPY <<'EOFFF' EOF\nEOF\nEOFF\r\nEOFFF\n"
        "COPY <<'EOF' empty\nEOF\n"
        "RUN truncate -s -1 'bin/a b'\n"
        "RUN uv lock\n"
        "RUN uv sync\n"
    )


def test_a_release_that_has_no_image_of_its_own_is_installed() -> None:
    text = dockerfile(replace(MRE, environment=Environment("0.2.30", "3.9")))
    assert text.partition("\n\n")[2].splitlines()[:2] == [
        "FROM --platform=linux/amd64 python:3.9-slim",
        "RUN pip install uv==0.2.30",
    ]
    assert [step.run for step in back(text).steps] == ["uv lock", "uv sync"]


def test_an_own_dockerfile_keeps_its_layers_and_takes_its_files_from_a_stage() -> None:
    files = (
        File("Dockerfile", OWN.encode()),
        File(".dockerignore", b"secret*\n"),
        File("conf/a.toml", b"a = 1\n"),
        File("pyproject.toml", b"[project]\n"),
        File("secret.env", b"A=1\n"),
    )
    mre = with_steps(
        replace(MRE, files=files, steps=(), environment=Environment("0.5.21", "3.11", env_file="secret.env"))
    )
    text = dockerfile(mre)
    body = text.partition("\n\n")[2]
    assert body == (
        "ARG V=3.11\n"
        "FROM scratch AS mre-aside\n"
        "COPY <<'EOF' /.dockerignore\nsecret*\nEOF\n"
        "COPY <<'EOF' /secret.env\nA=1\nEOF\n\n"
        "FROM scratch AS mre-files\n"
        "COPY <<'EOF' /conf/a.toml\na = 1\nEOF\n"
        "COPY <<'EOF' /pyproject.toml\n[project]\nEOF\n\n"
        "FROM --platform=linux/amd64 python:$V-slim AS builder\n"
        "COPY --from=ghcr.io/astral-sh/uv:0.5.21 /uv /uvx /bin/\n"
        "WORKDIR /app\n"
        "COPY --from=mre-files pyproject.toml ./\n"
        "RUN --mount=type=bind,source=conf,target=/conf,from=mre-files uv lock\n"
        "COPY --from=mre-files . .\n"
        "RUN uv sync\n"
        "FROM --platform=linux/amd64 python:$V-slim\n"
        "COPY --from=2 /app /app\n"
        "RUN uv run x\n"
    )
    again = back(text)
    assert laid(again) == laid(mre)
    assert [step.run for step in again.steps] == [step.run for step in mre.steps]
    assert [before(step) for step in again.steps] == [before(step) for step in mre.steps]
    assert again.environment == mre.environment
    assert again.file("Dockerfile") == File(
        "Dockerfile",
        ("# syntax=docker/dockerfile:1\n" + OWN.replace("FROM", "FROM --platform=linux/amd64")).encode(),
    )


@pytest.mark.parametrize(
    ("file", "why"),
    [
        pytest.param(File("a", b"a\n" * 40_000), "is too large (80000 bytes)", id="large"),
        pytest.param(File("a", b"a" * 65_100), "has a line that is too long for a Dockerfile", id="a line too long"),
        pytest.param(File("a\tb", b""), "has a name that a Dockerfile cannot contain", id="a tab in its name"),
    ],
)
def test_a_file_that_cannot_be_in_it_is_refused_with_a_reason(file: File, why: str) -> None:
    with pytest.raises(InputError) as raised:
        dockerfile(replace(MRE, files=(file, File("b\n", b""))))
    assert raised.value.faults == (f"{file.path!r} {why}", "'b\\n' has a name that a Dockerfile cannot contain")


@pytest.mark.parametrize("content", [b"PK\xff", b"a\0b", b"\x1b[2J", b"a\rb", b"\r", "\u202e".encode()])
def test_a_file_that_is_no_text_is_decoded_by_a_run(content: bytes) -> None:
    files = (File("a", b"1\n"), File("b c/d", content, executable=True))
    text = dockerfile(replace(MRE, files=files))
    assert "RUN mkdir -p 'b c' && base64 -d >'b c/d' <<'EOF' && chmod 755 'b c/d'\n" in text
    assert visible(text) == text
    assert laid(back(text)) == {"a": (b"1\n", False), "b c/d": (content, True)}
    assert [step.run for step in back(text).steps] == ["uv lock", "uv sync"]
    own = File("Dockerfile", b"FROM x\nCOPY . .\nRUN uv lock\n")
    text = dockerfile(with_steps(replace(MRE, steps=(), files=(*files, own))))
    assert laid(back(text)) == {"a": (b"1\n", False), "b c/d": (content, True)}


def written(mre: Mre) -> str:
    return write_dockerfile(Bundle(mre, None, f"# é\n{manifest.dump(mre)}"))


def test_a_dockerfile_that_was_changed_is_no_longer_the_mre() -> None:
    text = written(replace(MRE, files=(File("a", b"1\n"),)))
    assert [file.path for file in read_dockerfile(text, "D")] == ["mre.toml", "a"]
    assert read_dockerfile(text.replace("\n1\n", "\n2\n"), "D")[1] == File("a", b"2\n")
    for changed in (text.replace("RUN uv lock", "RUN uv lock -v"), text + "RUN true\n"):
        with pytest.raises(InputError, match="`D` is not as uvmre wrote it"):
            read_dockerfile(changed, "D")
    assert [step.run for step in back(text.replace("RUN uv lock", "RUN uv lock -v")).steps] == ["uv lock -v", "uv sync"]


def test_what_no_instruction_has_is_in_the_comment() -> None:
    own = File("Dockerfile", b"FROM x\nCOPY <<EOF /x\n$A\nEOF\nCOPY a .\nRUN uv lock\n\n\n")
    mre = with_steps(replace(MRE, steps=(), files=(own, File("a", b"1\n"), File("aside", b"\xff", executable=True))))
    text = written(mre)
    assert "## 755 base64 aside\n# /w==\n" in text
    assert set(read_dockerfile(text, "D")[1:]) == set(mre.files)


def test_a_stage_of_files_has_nothing_else_also_where_a_line_break_is_accepted_off() -> None:
    own = File("Dockerfile", b"FROM x AS a\nCOPY . .\nRUN uv lock\nFROM x\nCOPY --from=0 /a /a\nRUN uv sync\n")
    mre = with_steps(replace(MRE, steps=(), files=(own, File("a", b"1"))))
    text = dockerfile(mre)
    assert text.partition("\n\n")[2].startswith(
        "FROM --platform=linux/amd64 x AS mre-files-cut\nWORKDIR /mre-files-cut\nCOPY <<'EOF' a\n1\nEOF\n"
        "RUN truncate -s -1 a\nFROM scratch AS mre-files\nCOPY --from=mre-files-cut /mre-files-cut/ /\n\n"
    )
    assert "COPY --from=2 /a /a" in text
    assert laid(back(text)) == {"a": (b"1", False)}
    assert "COPY --from=0 /a /a" in _own(back(text))


def test_a_file_that_no_copy_takes_is_not_refused() -> None:
    own = File("Dockerfile", b"FROM x\nCOPY a /a\nRUN uv lock\n")
    mre = with_steps(replace(MRE, steps=(), files=(own, File("a", b"1\n"), File("b.whl", b"\xff"))))
    assert laid(back(dockerfile(mre))) == {"a": (b"1\n", False)}


def test_a_secret_does_not_come_along() -> None:
    text = dockerfile(replace(MRE, environment=Environment("0.5.21", variables={"UV_TOKEN": "s3cr3t-s3cr3t"})))
    assert "s3cr3t" not in text
    assert 'ENV UV_TOKEN="****"' in text


NAMES = st.text(st.sampled_from("ab .-_+$'\"\\[]{}*?#=ä"), min_size=1, max_size=8).filter(
    lambda name: name.strip(". ") == name and name not in ("Dockerfile", "mre.toml")
)
PATHS = st.lists(NAMES, min_size=1, max_size=3).map("/".join)
TEXTS = st.text(st.sampled_from("EOF\n\r\t $\\'\"ab#<-ä"), max_size=60) | st.text(
    st.characters(exclude_categories=("Cs",), exclude_characters="\0"), max_size=40
)
TEXTS = TEXTS.filter(lambda text: visible(text) == text)
FILES = st.dictionaries(PATHS, st.tuples(TEXTS, st.booleans()), max_size=5).filter(
    lambda files: not any(other.startswith(f"{path}/") for path in files for other in files)
)
RUNS = st.lists(
    st.text(st.sampled_from("uv sync\n\t\\'\"$#<[]-EOF&;ä"), min_size=1, max_size=30).filter(
        lambda run: run.strip() and not run.startswith("\ufeff")
    ),
    min_size=1,
    max_size=3,
)


@given(FILES, RUNS)
@example({"=": ("", False), "--": ("", False)}, [";"])
@example({"a": ("x", False), "b": ("x", True), "c c/$d": ("EOF\nEOF\r\n\\", False)}, ["[uv]", "--x", "a \\", "cat <<X"])
def test_files_and_steps_come_back_as_they_were(files: dict[str, tuple[str, bool]], runs: list[str]) -> None:
    given_files = tuple(File(path, text.encode(), executable) for path, (text, executable) in files.items())
    mre = replace(MRE, files=given_files, steps=tuple(Step(run, "observe") for run in runs))
    again = back(dockerfile(mre))
    assert laid(again) == laid(mre)
    assert [run.command.strip("\n") for run in reader.run_instructions(reader.parse(_own(again)))] == [
        r.strip("\n") for r in runs
    ]
    assert (again.title, again.issue, again.environment, again.symptom) == (
        mre.title,
        mre.issue,
        mre.environment,
        mre.symptom,
    )


@given(FILES.filter(bool))
def test_files_that_an_own_dockerfile_copies_come_back_as_they_were(files: dict[str, tuple[str, bool]]) -> None:
    own = File(
        "Dockerfile", b"FROM x AS a\nCOPY . /mre/\nWORKDIR /mre\nRUN uv lock\nFROM a\nCOPY --from=0 /x y\nRUN uv sync\n"
    )
    laid_out = (File(path, text.encode(), executable) for path, (text, executable) in files.items())
    mre = with_steps(replace(MRE, steps=(), files=(own, *laid_out)))
    again = back(dockerfile(mre))
    assert laid(again) == laid(mre)
    assert [step.run for step in again.steps] == ["uv lock", "uv sync"]
    assert [before(step) for step in again.steps] == [before(step) for step in mre.steps]


def _own(mre: Mre) -> str:
    file = mre.file("Dockerfile")
    assert file
    return file.content.decode()


def test_what_comes_back_is_an_mre_on_disk(tmp_path: Path) -> None:
    mre = back(dockerfile(replace(MRE, files=(File("a b", b"x", executable=True),))))
    write_mre(mre, tmp_path / "mre", force=False)
    again = read_mre(tmp_path / "mre")
    assert laid(again) == {"a b": (b"x", True)}
    assert again.steps == interpret(mre).steps


@pytest.mark.parametrize("text", ["\x1b[2J", "\x9b2J", "a\rb", "\u202e", "\0"])
def test_control_characters_are_refused_wherever_they_are(text: str) -> None:
    for mre in (
        replace(MRE, steps=(Step(f"echo {text}", "observe"),)),
        replace(MRE, environment=Environment("0.5.21", variables={"A": text})),
    ):
        with pytest.raises(InputError):
            dockerfile(mre)


def test_a_variable_cannot_become_an_instruction() -> None:
    with pytest.raises(InputError) as raised:
        dockerfile(replace(MRE, environment=Environment("0.5.21", variables={"A": "x\nRUN evil"})))
    assert raised.value.faults == ("it has control characters, or a variable of more than one line",)


def test_line_ends_of_windows_and_tabs_stay() -> None:
    assert "a\r\n\tb\r\n" in dockerfile(replace(MRE, files=(File("a", b"a\r\n\tb\r\n"),)))
