"""A Dockerfile as the builder's own parser reads it, and what that leaves to the builder."""

import contextlib

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from uvmre.core.dockerfile.parser import Heredoc, called_programs, parse, run_instructions, stages
from uvmre.errors import InputError


def test_an_instruction_has_its_words_flags_and_lines_as_written() -> None:
    text = "# syntax=docker/dockerfile:1\nfrom --platform=linux/amd64 python:3.11 as Build\nRUN --network=none \\\n  # why\n  uv lock\n"
    first, run = parse(text)
    assert (first.name, first.value, first.flag("platform")) == ("FROM", ("python:3.11", "as", "Build"), "linux/amd64")
    assert (run.value, run.flags, run.first, run.last) == (("uv lock",), ("--network=none",), 3, 5)
    assert run.text == "RUN --network=none \\\n  # why\n  uv lock"
    assert run.flag("mount") is None


def test_names_and_values_come_in_pairs() -> None:
    pairs = [
        each.pairs for each in parse('FROM x\nENV A=b C="d e"\nENV old style value\nARG X="y z" Q\nLABEL a=b\n')[1:]
    ]
    assert pairs == [
        (("A", "b"), ("C", '"d e"')),
        (("old", "style value"),),
        (("X", '"y z"'), ("Q", None)),
        (("a", "b"),),
    ]


def test_stages_follow_the_args_that_are_for_all() -> None:
    heads, found = stages(parse("ARG V=1\nARG W\nFROM a:$V AS One\nRUN x\nFROM one\nRUN y\n"))
    assert [each.text for each in heads] == ["ARG V=1", "ARG W"]
    assert [(stage.number, stage.name, stage.image) for stage in found] == [(0, "one", "a:$V"), (1, "", "one")]
    assert [[each.text for each in stage.instructions] for stage in found] == [["RUN x"], ["RUN y"]]


def test_heredocs_know_what_the_parser_does_not_tell() -> None:
    text = "FROM x\nCOPY <<A <<'B' <<-\"C\" <<-D /x/\na\nA\nb\nB\n\tc\nC\n\t$d\n\tD\n"
    found = parse(text)[1].heredocs
    assert found == (
        Heredoc("A", "a\n", expand=True),
        Heredoc("B", "b\n", expand=False),
        Heredoc("C", "\tc\n", expand=False, chomp=True),
        Heredoc("D", "\t$d\n", expand=True, chomp=True),
    )
    assert [heredoc.data for heredoc in found] == ["a\n", "b\n", "c\n", "$d\n"]


@pytest.mark.parametrize(
    ("text", "command", "words"),
    [
        pytest.param("RUN uv lock", "uv lock", (), id="a shell's"),
        pytest.param('RUN ["uv", "run", "a b"]', "uv run 'a b'", ("uv", "run", "a b"), id="words that no shell sees"),
        pytest.param("RUN [uv, run]", "[uv, run]", (), id="no JSON after all"),
        pytest.param("RUN <<EOF\nuv lock\nuv sync $A\nEOF", "uv lock\nuv sync $A\n", (), id="a heredoc alone"),
        pytest.param("RUN <<-EOF\n\tuv lock\n\tEOF", "uv lock\n", (), id="a heredoc with tabs"),
        pytest.param(
            "RUN cat <<A >x && cat <<'B'\na\nA\nb\nB",
            "cat <<A >x && cat <<'B'\na\nA\nb\nB",
            (),
            id="heredocs that the shell reads",
        ),
        pytest.param(
            "RUN <<-EOF sh -x\n\tuv lock\nEOF", "<<-EOF sh -x\n\tuv lock\nEOF", (), id="a heredoc for another program"
        ),
        pytest.param(
            "RUN <<EOF\n#!/usr/bin/env python3\nprint()\nEOF",
            'f=$(mktemp) && cat >"$f" <<\'EOF\'\n#!/usr/bin/env python3\nprint()\nEOF\nchmod +x "$f" && "$f"\n',
            (),
            id="a heredoc that says what executes it",
        ),
        pytest.param("RUN --mount=type=secret,id=a uv lock", "uv lock", (), id="without its flags"),
    ],
)
def test_a_run_does(text: str, command: str, words: tuple[str, ...]) -> None:
    (run,) = run_instructions(parse(f"FROM x\n{text}\n"))
    assert (run.command, run.argv, run.instruction.first) == (command, words, 2)


@pytest.mark.parametrize(
    ("text", "faults"),
    [
        pytest.param("", ["it has no instructions"], id="nothing"),
        pytest.param("# only\n", ["it has no instructions"], id="only a comment"),
        pytest.param(
            "FROM x\nRUN a\n\nENV B",
            ["line 4: ENV must have two arguments"],
            id="what the parser refuses, with its line",
        ),
        pytest.param(
            "FROM x\nCOPY <<A /a\na\nA\nCOPY <<EOF /b\nx\n",
            ["line 5: unterminated heredoc"],
            id="a heredoc without an end",
        ),
        pytest.param(
            "RUN a\nFROM a b\nFOO x\nCOPY a\nSHELL x\nRUN",
            [
                "line 1: RUN before the first FROM, where only ARG is allowed",
                "line 2: FROM takes an image, or `image AS name`",
                "line 3: unknown instruction FOO",
                "line 4: COPY takes a source and a destination",
                'line 5: SHELL takes a JSON array, such as ["/bin/bash", "-c"]',
                "line 6: RUN has no arguments",
            ],
            id="what the parser lets through, all at once",
        ),
        pytest.param("ARG A=1", ["line 1: there is no FROM"], id="no FROM"),
        pytest.param("FROM x\nRUN a\0b", ["line 2: it contains a NUL byte or is not UTF-8"], id="a NUL"),
        pytest.param("FROM \ud800", ["line 1: it contains a NUL byte or is not UTF-8"], id="half a character"),
        pytest.param(
            "# escape=`\nFROM x",
            ["an escape character other than a backslash is for Windows and is not supported"],
            id="the escape of Windows",
        ),
    ],
)
def test_what_is_no_dockerfile_is_reported_with_its_lines(text: str, faults: list[str]) -> None:
    with pytest.raises(InputError) as raised:
        parse(text)
    assert list(raised.value.faults) == faults


@example("\\")
@given(st.text(st.sampled_from("FROMUNCPY axEO<>'\"\\\n\t$#[],-=:\0\ud800ä")) | st.text())
def test_no_text_ends_in_anything_but_instructions_or_an_input_error(text: str) -> None:
    with contextlib.suppress(InputError):
        found = parse(text)
        run_instructions(found)
        assert stages(found)[1]
        lines = text.removeprefix("\ufeff").split("\n")
        assert all(each.text == "\n".join(lines[each.first - 1 : each.last]) for each in found)


@pytest.mark.parametrize(
    ("text", "called"),
    [
        ("uv lock && A=1 B=2 uvx x; env C=1 exec pip install uv", {"uv", "uvx", "pip"}),
        ("if test -e x; then uv lock; fi", {"test", "uv", "fi"}),
        ("x=$(uv --version)\n(cd a && ./uv sync)", {"uv", "cd", "./uv"}),
        ("python3 -m uv sync | tee log", {"uv", "python3", "tee"}),
    ],
)
def test_what_a_shell_text_calls(text: str, called: set[str]) -> None:
    assert called_programs(text) == called
