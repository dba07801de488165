"""An MRE as a test of uv: Rust that parses, in rustfmt's layout, with the files byte for byte."""

import re
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
import tree_sitter
import tree_sitter_rust
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.report.sample import MRE, sample
from tests.report.test_dockerfile import PATHS
from uvmre.core.mre.files import File
from uvmre.core.mre.model import Environment, Mre, Step
from uvmre.errors import InputError
from uvmre.report.upstream.rust import indoc, raw, string
from uvmre.report.upstream.uv_test import uv_test

RUST = tree_sitter.Parser(tree_sitter.Language(tree_sitter_rust.language()))
RUSTFMT = shutil.which("rustfmt") or shutil.which("rustfmt", path=Path.home() / ".cargo" / "bin")
# That of rustup is there without any toolchain too.
HAS_RUSTFMT = bool(RUSTFMT) and subprocess.run([str(RUSTFMT), "--version"], capture_output=True).returncode == 0
ESCAPE = re.compile(r"\\(?:u\{([0-9a-f]+)\}|(.))", re.DOTALL)


def value(literal: str) -> str:
    """Return the text of a literal, as the reference of Rust defines it."""
    if literal.startswith("r"):
        found = re.fullmatch(r'r(#*)"(.*)"\1', literal, re.DOTALL)
        assert found
        assert '"' + found[1] not in found[2]
        assert "\r" not in found[2]
        return found[2]
    assert not re.search(r'(?<!\\)(?:\\\\)*"', literal[1:-1])
    return ESCAPE.sub(
        lambda each: (
            chr(int(each[1], 16)) if each[1] else {"n": "\n", "r": "\r", "t": "\t", "0": "\0"}.get(each[2], each[2])
        ),
        literal[1:-1],
    )


def unindented(call: str) -> str:
    """Return the text of `indoc! {…}`, as its documentation defines it: on the source, before escapes count."""
    literal = call.removeprefix("indoc! {").removesuffix("}").strip()
    start = literal.index('"') + 1
    end = literal.rindex('"')
    first, *others = literal[start:end].split("\n")
    indents = [len(line) - len(line.lstrip(" \t")) for line in others if line.strip(" \t")]
    cut = min(indents, default=0) if others else 0
    lines = [*([first] if first else []), *(line[cut:] for line in others)]
    return value(literal[:start] + "\n".join(lines) + literal[end:])


TEXTS = st.text(st.sampled_from('ab \t\n"#\\{}$é\r\u202e\0r'), max_size=40) | st.text(
    st.characters(exclude_categories=("Cs",)), max_size=30
)


@given(TEXTS)
def test_a_literal_has_its_text(text: str) -> None:
    assert value(string(text)) == text
    assert unindented(indoc(text)) == text
    if "\r" not in text:
        assert value(raw(text)) == text


@pytest.mark.parametrize(
    ("run", "code"),
    [
        ("uv lock", "context.lock()"),
        (
            "uv pip install 'foo[bar]>=1' -r \"a b.txt\"",
            'context.pip_install()\n        .arg("foo[bar]>=1")\n        .arg("-r")\n        .arg("a b.txt")',
        ),
        (
            "UV_X='1 2' uv --offline sync",
            'context.command()\n        .arg("--offline")\n        .arg("sync")\n        .env("UV_X", "1 2")',
        ),
        ("uvx ruff check", 'context.tool_run()\n        .arg("ruff")\n        .arg("check")'),
        ("uv cache prune", 'context.command()\n        .arg("cache")\n        .arg("prune")'),
        *(
            (run, "command")
            for run in (
                "uv lock && uv sync",
                "uv lock > out",
                "cd a; uv lock",
                "uv run $X",
                "uv lock # x",
                "uv run *.py",
                "pip install uv",
                "uv lock\nuv sync",
                "uv run 'a",
                'uv run "$X"',
                "uv run a\\ b",
                "! uv lock",
                "uv run ~/a",
                "exec uv lock",
            )
        ),
    ],
)
def test_a_command_is_a_method_of_the_context_only_if_it_means_the_same(run: str, code: str) -> None:
    text = uv_test(sample(replace(MRE, environment=Environment("0.5.21"), steps=(Step(run, "observe"),))))
    assert f"uv_snapshot!(context.filters(), {code}, @" in text
    assert ("sh" in re.findall(r'Command::new\("(\w+)"\)', text)) == (code == "command")


def test_an_mre_as_a_test() -> None:
    output = "Using CPython 3.11.7 interpreter at: /bin/python3\nerror: `/mre/a` is not `/mre/.venv` \nuv 0.5.21 (x 1)\nDone in 1.5s (12ms)\n"
    text = uv_test(sample(output=output))
    assert text.startswith(
        "// For the module of `crates/uv/tests` that is closest to it; `cargo insta test --accept` updates its snapshots.\n"
        "// They are the output of uv 0.5.21.\n// Not in this test: the file `data.bin`, which is not text.\n\nuse anyhow::Result;\n"
    )
    assert text.endswith(
        '    context\n        .lock()\n        .env("UV_LINK_MODE", "copy")\n        .assert()\n        .success();\n\n'
        '    uv_snapshot!(context.filters(), context.sync()\n        .arg("--extra")\n        .arg("a b")\n        .env("UV_LINK_MODE", "copy"), @"\n'
        "    exit_code: 2 (failure)\n    ----- stderr -----\n    Using CPython 3.11.[X] interpreter at: [PYTHON-3.11]\n"
        "    error: `[TEMP_DIR]/a` is not `[VENV]/`\n    uv [VERSION] ([COMMIT] DATE)\n    Done in [TIME] ([TIME])\n"
        '    ");\n\n    Ok(())\n}\n'
    )
    for line in (
        "/// See astral-sh/uv#1.",
        '#[cfg(feature = "test-pypi")]',
        "#[cfg(unix)]",
        'test_context!("3.11").with_exclude_newer("2025-01-23T12:00:00Z");',
    ):
        assert line in text


def test_without_a_run_the_snapshots_are_empty() -> None:
    text = uv_test(sample(run=False))
    assert "// They are empty, because the MRE was not run." in text
    assert '.env("UV_LINK_MODE", "copy"), @"");' in text


def test_an_mre_with_a_dockerfile_only_is_refused() -> None:
    with pytest.raises(InputError) as raised:
        uv_test(sample(replace(MRE, steps=(Step("uv lock", "observe"),))).__class__(replace(MRE, steps=()), None, ""))
    assert raised.value.faults == ("its steps are those of its Dockerfile",)


RUNS = st.sampled_from(
    [
        "uv lock",
        "uv sync --extra " + "x" * 40,
        "uv pip install 'a b' \"c\" " + "y " * 20,
        "uv lock && uv sync",
        "uv run - <<'E'\nprint('#\"')\nE",
        "UV_A=1 uv lock --quiet",
    ]
) | st.text(max_size=30).filter(str.strip)
PATHS_OF_ANY_LENGTH = PATHS | st.integers(1, 120).map(lambda size: "p" * size)


@st.composite
def mres(draw: st.DrawFn) -> Mre:
    files = draw(
        st.dictionaries(
            PATHS_OF_ANY_LENGTH,
            st.tuples(TEXTS | st.integers(1, 130).map(lambda n: "x" * n), st.booleans()),
            max_size=4,
        )
    )
    return replace(
        MRE,
        title=draw(st.text(max_size=80)),
        files=tuple(File(path, text.encode(), executable) for path, (text, executable) in files.items()),
        steps=(*(Step(run) for run in draw(st.lists(RUNS, max_size=2))), Step(draw(RUNS), "observe")),
        environment=Environment(
            "0.5.21",
            draw(st.sampled_from(["", "3.8", "3.12.1"])),
            variables=draw(st.dictionaries(st.sampled_from(["UV_A", "B"]), TEXTS)),
        ),
    )


@settings(max_examples=100, deadline=None)
@given(mres(), TEXTS, st.booleans())
def test_any_mre_is_rust_that_parses(mre: Mre, output: str, run: bool) -> None:
    text = uv_test(sample(mre, output=output, run=run))
    assert not RUST.parse(text.encode()).root_node.has_error, text


@pytest.mark.skipif(not HAS_RUSTFMT, reason="NOT CHECKED: there is no rustfmt")
@settings(max_examples=60, deadline=None)
@given(mres(), TEXTS, st.booleans())
def test_any_mre_has_rustfmts_layout(mre: Mre, output: str, run: bool) -> None:
    text = uv_test(sample(mre, output=output, run=run))
    done = subprocess.run(
        [str(RUSTFMT), "--edition", "2024", "--config", "style_edition=2024"],
        input=text,
        capture_output=True,
        text=True,
    )
    assert done.stdout.splitlines() == text.splitlines(), done.stderr
