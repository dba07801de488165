"""Made-up MREs for property tests: several steps, controls, indexes with packages, and files of every shape."""

from dataclasses import replace

from hypothesis import strategies as st

from uvmre.core.dockerfile.interpret import with_steps
from uvmre.core.generated.names import is_generated
from uvmre.core.mre import manifest
from uvmre.core.mre.files import File
from uvmre.core.mre.model import Control, Deviation, Environment, Mre, Step
from uvmre.core.mre.portable_names import is_reserved, name_faults
from uvmre.core.mre.symptom import FileSymptom, Symptom
from uvmre.core.network.index import Index
from uvmre.core.network.synthetic import SyntheticPackage
from uvmre.errors import InputError
from uvmre.report.bundle import Bundle, bundle

LINES = (
    "", "a", "EOF", "EOFF", "'@", "  '@", "\u2019@", "```", "````toml", "~~~", "</script>", "</details>", "<!-- -->", "# mre.toml", "#", "> q",
    "\ttab", "    four", "trailing  ", "$HOME `x` \\", "\\", "%41", "é 日本 😀", "- `a`:", "`a`:", "1. x", "'", '"', "## 644 text a", "a\rb",
    "\x1b[31mred", "\u2028", "\ufeffx", "&amp; &#64;", "{{ title }}", "TITLE", "COPY . .", "RUN uv lock", "]]>", "--", "a\x00b",
)  # fmt: skip
NAMES = (
    *(
        "a",
        "b c",
        "it's",
        '"q"',
        "$x",
        "é",
        "日本",
        "x.toml",
        "pyproject.toml",
        "a  b",
        "[x]",
        "x*",
        "#h",
        "`t`",
        "-o",
        "~",
        "a&b",
        "a;b",
    ),
    *(
        "%41",
        "(p)",
        "EOF",
        "a,b",
        "a=b",
        "!x",
        "run.sh",
        ".hidden",
        "Dockerfile.x",
        "a:b",
        "{y}",
        "<t>",
        "a|b",
        "x@y",
        "^",
        "+",
    ),
)
TEXT = st.one_of(
    st.lists(st.sampled_from(LINES), max_size=6).map("\n".join),
    st.lists(st.sampled_from(LINES), max_size=6).map(lambda lines: "".join(f"{line}\n" for line in lines)),
    st.lists(st.sampled_from(["a", "", "x y"]), min_size=1, max_size=4).map(lambda lines: "\r\n".join([*lines, ""])),
    st.text(max_size=40),
)
CONTENTS = st.one_of(TEXT.map(lambda text: text.encode(errors="replace")), st.binary(max_size=120))
PATHS = st.lists(st.sampled_from(NAMES), min_size=1, max_size=3).map("/".join)
FILES = st.lists(st.builds(File, PATHS, CONTENTS, st.booleans()), max_size=7).map(tuple)
WORDS = st.text("abc é\"'\\$`<>&#|*_[]{}@:…", min_size=1, max_size=12).map(lambda text: f"x{text}x")
RUNS = st.sampled_from([
    *("uv lock", "uv sync --frozen", "uv pip compile a.in -o 'b c'", "echo \"$A\" '`x`' && uv lock", "cat <<'EOF'\na\n\nEOF", "uv run x |\n  cat"),
    *("echo '@\n'@\n", "#!/bin/sh\nuv lock", "printf '%s\\n' é", "A=1 uv lock", " uv lock", "export A=1"),
])  # fmt: skip
DOCKERFILES = st.sampled_from([
    "FROM python:3.12-slim\nWORKDIR /app\nCOPY . .\nRUN uv lock\nRUN uv sync\n",
    "# syntax=docker/dockerfile:1\nARG V=3.12\n\nFROM python:$V AS a\nCOPY [\"a\", \"/b c/\"]\nRUN --mount=type=bind,source=x.toml,target=/x uv lock\n"
    "FROM python:$V\nCOPY --from=0 /b /b\nRUN uv sync",
    "FROM scratch\nCOPY --from=ghcr.io/astral-sh/uv:0.5.21 /uv /bin/\nCOPY <<EOF /x\ny\nEOF\nRUN uv lock\n\n\n",
])  # fmt: skip
PACKAGES = st.builds(
    SyntheticPackage,
    st.sampled_from(["alpha", "beta", "gamma-x"]),
    st.sampled_from(["1.0.0", "2.0", "3.0a1"]),
    requires=st.lists(st.sampled_from(["alpha>=1", "beta ; python_version < '3.9'"]), max_size=2, unique=True).map(
        tuple
    ),
    sdist=st.booleans(),
    description=WORDS,
)
INDEXES = st.builds(
    Index,
    st.sampled_from(["https://example.com/simple/", "https://one.example.org/a/simple"]),
    synthetic=st.sampled_from(["override", "merge", "replace"]),
    packages=st.lists(PACKAGES, max_size=3, unique_by=lambda each: (each.name, each.version)).map(
        lambda found: tuple(sorted(found, key=lambda each: each.name))
    ),
)
SYMPTOMS = st.builds(
    Symptom,
    st.sampled_from([None, 1, 2, "failure", "success"]),
    st.lists(WORDS, min_size=1, max_size=3).map(tuple),
    st.lists(st.builds(FileSymptom, st.just("uv.lock"), WORDS), max_size=1).map(tuple),
)
VARIABLES = st.dictionaries(st.sampled_from(["A", "UV_LINK_MODE", "B_C"]), WORDS, max_size=2)


@st.composite
def mres(draw: st.DrawFn) -> Mre:
    """Return an MRE that a manifest can say, whose files every system can have."""
    drawn = draw(FILES)
    if draw(st.integers(0, 3)) == 0:
        drawn = (*drawn, File("Dockerfile", draw(DOCKERFILES).encode()))
    files: dict[str, File] = {}
    for file in drawn:
        parents = {path for each in files for path in _parents(each)} | set(files)
        bad = (
            is_reserved(file.path)
            or file.path.startswith("run.sh/")
            or is_generated(file.path, file.content)
            or [*name_faults([*files, file.path])]
        )
        if not bad and file.path not in parents and not set(_parents(file.path)) & set(files):
            files[file.path] = file
    runs = draw(st.lists(RUNS, min_size=1, max_size=3, unique=True))
    steps = tuple(Step(run, name=f"step {n}", shared=n == 0 and len(runs) > 2) for n, run in enumerate(runs))
    steps = (*steps[:-1], replace(steps[-1], role="observe"))
    controls = st.builds(
        Control, WORDS, st.sampled_from(["absent", "present"]), WORDS, variables=VARIABLES,
        files=st.dictionaries(st.sampled_from(["a.txt", "new/b"]), TEXT.filter(lambda text: "\r" not in text), max_size=2),
        replace=st.sampled_from([{}, {"step 0": "uv --version"}]), uv=st.sampled_from(["", "0.5.22"]),
    )  # fmt: skip
    mre = Mre(
        draw(WORDS),
        Environment("0.5.21", draw(st.sampled_from(["", "3.12"])), variables=draw(VARIABLES)),
        () if "Dockerfile" in files else steps,
        draw(SYMPTOMS),
        tuple({each.name: each for each in draw(st.lists(controls, max_size=2))}.values()),
        issue=draw(st.sampled_from(["", "https://github.com/astral-sh/uv/issues/1"])),
        indexes=tuple({each.url: each for each in draw(st.lists(INDEXES, max_size=2))}.values()),
        deviations=draw(st.lists(st.builds(Deviation, WORDS, WORDS), max_size=1).map(tuple)),
        files=tuple(files.values()),
    )
    if "Dockerfile" in files:
        mre = replace(mre, controls=tuple(replace(each, replace={}) for each in mre.controls))
    return mre


@st.composite
def bundles(draw: st.DrawFn) -> Bundle:
    """Return an MRE with the text of its manifest, which has comments, as others may see it."""
    mre = draw(mres())
    text = manifest.dump(mre)
    text = draw(st.sampled_from(["", "# a comment, ```é```\n\n", "#\ttab  \n"])) + text
    text = draw(st.sampled_from([text, text.rstrip("\n"), text + "\n\n", text.replace("\n", "\r\n")]))
    try:
        parsed = manifest.parse(text, dockerfile=mre.file("Dockerfile") is not None)
        whole = with_steps(replace(parsed, files=mre.files))
    except (InputError, ValueError):
        reject_mre()
    return bundle(whole, text, None, frozenset())


def reject_mre() -> None:
    """Discard the example; how often that may be, hypothesis' own health check says."""
    from hypothesis import reject

    reject()


def _parents(path: str) -> list[str]:
    return [path[:at] for at, char in enumerate(path) if char == "/"]
