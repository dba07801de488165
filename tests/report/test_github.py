"""The report: uv's form, and enough in it to build the MRE again."""

import time
from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

from tests.report.sample import finished_run
from uvmre.core.mre.files import File
from uvmre.core.mre.manifest import parse
from uvmre.core.mre.model import Control, Deviation, Environment, Mre, Step
from uvmre.core.mre.symptom import Symptom
from uvmre.core.network.request import Request
from uvmre.core.outcome.matching import Outcome
from uvmre.core.outcome.observation import Observation, StepResult
from uvmre.core.outcome.result import Result, Variant
from uvmre.core.text.visible import visible
from uvmre.errors import InputError
from uvmre.report.file_blocks import read_blocks
from uvmre.report.github import github

MRE = Mre(
    title="uv sync does not ask for the password",
    environment=Environment("0.5.21", "3.11", variables={"UV_LINK_MODE": "copy"}),
    steps=(Step("uv lock"), Step("uv sync", "observe")),
    symptom=Symptom("failure", ("401 Unauthorized",)),
    controls=(Control("a | b", "absent", why="With the password it works.", files={"a": 'say """x"""\n```\n'}),),
    issue="https://github.com/astral-sh/uv/issues/1",
    files=(
        File("README.md", b"# Read\n\n````console\n$ ls\n```\n````\n\n</details>\n### Platform\n~~~\n"),
        File("bin/keyring", b"#!/bin/sh\n\techo heron\n", executable=True),
        File("packages/foo/__init__.py", b""),
        File("pyproject.toml", b'[project]\nname = "foo"'),
        File("blank", b"\n"),
        File("blanks", b"\n\n\n"),
        File("notes with spaces.txt", "    ärger…\n\n".encode()),
        File("run.sh", b"#!/bin/sh", executable=True),
    ),
)


def result(mre: Mre = MRE, *steps: StepResult, obstacle: str = "", requests: tuple[Request, ...] = ()) -> Result:
    ran = steps or (step("uv lock", 0), step("uv sync", 2, "error: 401 Unauthorized\n"))
    place = ("0.5.21", "3.11.7", "local", "Linux 6.1 x86_64")
    base = Observation("as reported", *place, () if obstacle else ran, requests, obstacle=obstacle)
    variants = [Variant("as reported", "", base, Outcome("shows", "`uv sync` ended so"))]
    for control in mre.controls:
        variants.append(
            Variant(control.name, control.expect, Observation(control.name, *place, ()), Outcome("absent", "it worked"))
        )
    return finished_run(mre, variants)


def step(run: str, code: int, err: str = "", *, out: str = "", timed_out: bool = False) -> StepResult:
    return StepResult(run, run, "observe", code, out, err, 1.25, timed_out)


def tokens(text: str) -> list[Token]:
    return MarkdownIt("commonmark").parse(text)


def headings(text: str) -> list[str]:
    found = tokens(text)
    return [f"{token.markup} {found[i + 1].content}" for i, token in enumerate(found) if token.type == "heading_open"]


def rebuild(text: str) -> dict[str, File]:
    return {file.path: file for file in read_blocks(text, "issue.md")}


def rest(text: str) -> dict[str, File]:
    """Return the files of a report that says which ones it lacks."""
    found: dict[str, File] = {}
    with pytest.raises(InputError, match="does not have all files"):
        found.update((file.path, file) for file in read_blocks(text, "issue.md"))
    return found


def consoles(text: str) -> list[str]:
    return [token.content for token in tokens(text) if token.type == "fence" and token.info == "console"]


def test_the_report_has_the_fields_of_uv_s_form() -> None:
    assert headings(github(MRE, result())) == ["### Summary", "### Platform", "### Version", "### Python version"]
    assert github(MRE, result()).endswith(
        "### Platform\n\nLinux 6.1 x86_64\n\n### Version\n\nuv 0.5.21\n\n### Python version\n\nPython 3.11.7\n"
    )


def test_the_summary_says_what_it_is_about_and_what_came_of_it() -> None:
    assert github(MRE, result()).startswith(
        "### Summary\n\n"
        "uv sync does not ask for the password (`https://github.com/astral-sh/uv/issues/1`)\n\n"
        "**reproducible**: The symptom shows.\n\n"
        "With these variables:\n\n```sh\nUV_LINK_MODE=copy\n```\n\n"
        "```console\n$ uv lock\n```\nexit code 0, 1.2 s\n\n"
        "```console\n$ uv sync\nerror: 401 Unauthorized\n```\nexit code 2, 1.2 s\n\n"
    )


def test_the_mre_can_be_built_again() -> None:
    rebuilt = rebuild(github(MRE, result()))
    manifest = rebuilt.pop("mre.toml")
    assert rebuilt == {file.path: file for file in MRE.files}
    assert replace(parse(manifest.content.decode()), files=MRE.files) == MRE


@pytest.mark.parametrize(
    "line",
    [
        "`packages/foo/__init__.py` (empty):",
        "`pyproject.toml` (no newline at its end):",
        "`bin/keyring` (executable):",
        "`run.sh` (executable, no newline at its end):",
        "`blank`:",
    ],
)
def test_what_a_block_cannot_show_is_reported_before_it(line: str) -> None:
    assert f"\n{line}\n\n```" in github(MRE, result())


@given(
    st.one_of(
        st.text(st.characters(codec="utf-8", exclude_characters="\0\r")).filter(lambda text: visible(text) == text),
        st.lists(
            st.sampled_from(
                ["```", "~~~", "````toml", "`", "</details>", "### Platform", "    x", "- a", "> b", "\t", ""]
            )
        ).map("\n".join),
    ),
    st.booleans(),
)
@settings(deadline=None)
def test_any_text_survives(text: str, executable: bool) -> None:
    file = File("a.md", text.encode(), executable)
    mre = replace(MRE, files=(file,))
    assert rebuild(github(mre, result(mre)))["a.md"] == file


@pytest.mark.parametrize(
    ("content", "line"),
    [
        pytest.param(b"PK\x03\x04\xff", "`a` (base64):\n\n```\nUEsDBP8=\n```\n", id="no text"),
        pytest.param(b"a\0b", "`a` (base64):\n\n```\nYQBi\n```\n", id="a control character"),
        pytest.param(b"a\r\nb\n", "`a` (base64):\n\n```\nYQ0KYgo=\n```\n", id="line ends of both kinds"),
        pytest.param(b"a\r\n\r\n", "`a` (CRLF line ends):\n\n```\na\n\n```\n", id="CRLF"),
        pytest.param(b"a\r\nb", "`a` (CRLF line ends, no newline at its end):\n\n```\na\nb\n```\n", id="CRLF, cut"),
    ],
)
def test_what_a_block_cannot_show_is_encoded(content: bytes, line: str) -> None:
    mre = replace(MRE, files=(File("a", content),))
    text = github(mre, result(mre))
    assert line in text
    assert rebuild(text)["a"].content == content


@pytest.mark.parametrize("path", ["a  b", " a", 'a"b', '"a"', "a`b", "`a``", "a *b*", "ä &amp; <b>", "a\\b"])
def test_any_path_survives(path: str) -> None:
    mre = replace(MRE, files=(File(path, b"x\n"),))
    assert set(rebuild(github(mre, result(mre)))) == {"mre.toml", path}


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda text: text.replace("\n", "\r\n"), id="line ends of GitHub"),
        pytest.param(lambda text: "".join(f"> {line}\n" for line in text.split("\n")), id="quoted"),
        pytest.param(
            lambda text: f"I see the same.\n\n{text}\n\n`uv`:\n\nthanks\n\n```\nx\n```\n", id="between other text"
        ),
    ],
)
def test_a_pasted_report_is_the_same(change: Callable[[str], str]) -> None:
    assert rebuild(change(github(MRE, result()))) == rebuild(github(MRE, result()))


def test_a_long_log_and_a_long_file_keep_it_within_what_github_takes() -> None:
    log = "".join(f"line {i} of a long log × \n" for i in range(190_000))
    assert len(log.encode()) > 5_000_000
    mre = replace(MRE, files=(*MRE.files, File("uv.lock", b"# a lock\n" * 33_334)))
    text = github(mre, result(mre, step("uv sync", 2, log)))
    assert len(text.encode()) <= 65_536
    assert "`uv.lock` is omitted: it is too long for an issue (300006 bytes)." in text
    rebuilt = rest(text)
    assert rebuilt.pop("mre.toml").content.startswith(b"schema = 1\n")
    assert rebuilt == {file.path: file for file in MRE.files}
    assert headings(text) == ["### Summary", "### Platform", "### Version", "### Python version"]


def test_of_a_long_log_the_beginning_and_the_end_are_kept() -> None:
    log = "".join(f"line {i} of a long log\n" for i in range(10_000))
    (console,) = consoles(github(MRE, result(MRE, step("uv sync", 2, log))))
    assert console.startswith("$ uv sync\nline 0 of a long log\n")
    assert console.endswith("line 9999 of a long log\n")
    assert " characters left out …]\n" in console


def test_a_log_of_many_bytes_a_character_is_cut_until_it_fits() -> None:
    text = github(MRE, result(MRE, *[step("uv sync", 2, "×" * 19_000)] * 4))
    assert len(text.encode()) <= 65_536
    assert len(consoles(text)) == 4


def test_what_is_too_long_in_itself_is_cut_and_reported() -> None:
    mre = replace(MRE, steps=(Step("true " * 20_000, "observe"),))
    text = github(mre, result(mre))
    assert len(text.encode()) <= 65_536
    assert "\n\n(cut: the steps alone are too long for an issue)\n\n### Platform\n" in text


@pytest.mark.parametrize(
    ("rows", "folded"),
    [pytest.param(30, False, id="30 lines stand open"), pytest.param(31, True, id="31 lines are folded")],
)
def test_long_output_is_folded(rows: int, folded: bool) -> None:
    text = github(MRE, result(MRE, step("uv <sync>", 2, "a line\n" * rows)))
    summary = "<details>\n<summary><code>uv &lt;sync></code>: exit code 2</summary>\n\n```console\n$ uv <sync>\n"
    assert (summary in text) == folded
    assert ("exit code 2, 1.2 s" in text) == (not folded)
    assert text.count("<details>") == text.count("</details>") - MRE.files[0].content.count(b"</details>")


def test_a_step_that_was_ended_is_reported() -> None:
    assert "\nexit code 143, ended at its time limit, 1.2 s\n" in github(
        MRE, result(MRE, step("uv sync", 143, timed_out=True))
    )


def test_output_is_shown_as_a_terminal_leaves_it() -> None:
    text = github(MRE, result(MRE, step("uv sync", 2, "\x1b[31m10 %\r100 %\x1b[0m\n", out="first\n")))
    assert consoles(text) == ["$ uv sync\nfirst\n100 %\n"]


def test_a_secret_across_a_cut_is_masked_whole() -> None:
    mre = replace(MRE, environment=replace(MRE.environment, variables={"A_PASSWORD": "topsecretvalue"}))
    output = "x" * 9_983 + "topsecretvalue" + "y" * 30_000
    assert "topsecret" not in github(mre, result(mre, step("uv sync", 2, output)))


def test_secrets_are_masked_everywhere() -> None:
    mre = replace(
        MRE,
        environment=replace(MRE.environment, variables={"UV_INDEX_MINE_PASSWORD": "s3cr3t-1"}),
        steps=(Step("A_TOKEN=s3cr3t-2 uv sync", "observe"),),
        files=(
            File("home/.netrc", b"machine example.com login me password s3cr3t-3\n"),
            File("pyproject.toml", b'url = "https://me:s3cr3t-4@example.com/"\n'),
        ),
    )
    output = "asked https://me:s3cr3t-4@example.com/ with s3cr3t-1, s3cr3t-2 and s3cr3t-3, not public:heron"
    text = github(mre, result(mre, step("A_TOKEN=s3cr3t-2 uv sync", 2, output)))
    assert "s3cr3t" not in text
    assert consoles(text) == [
        "$ A_TOKEN=**** uv sync\nasked https://me:****@example.com/ with ****, **** and ****, not public:heron\n"
    ]
    assert "```sh\nUV_INDEX_MINE_PASSWORD=****\n```" in text
    assert rebuild(text)["home/.netrc"].content == b"machine example.com login me password ****\n"


SECRETS = (
    "ghp_" + "0123456789abcdef" * 3,
    "glpat-" + "0123456789abcdef",
    "eyJ0123456789abcdef.eyJ0123456789abcdef.0123456789",
)


@given(st.sampled_from(SECRETS), st.integers(9_900, 10_050), st.sampled_from(["", "\x1b[31m"]), st.integers(0, 40))
@settings(deadline=None, max_examples=60)
def test_no_part_of_a_secret_survives_a_cut(secret: str, at: int, color: str, split: int) -> None:
    output = "x" * at + f" {color}{secret[:split]}{color}{secret[split:]} " + "y" * 30_000
    mre = replace(MRE, title=f"A title with {secret}", files=(File("a.txt", f"see {secret}\n".encode()),))
    text = github(mre, result(mre, step(f"uv sync {secret}; true", 2, output, out=f"{secret}\n")))
    assert "0123456789" not in text
    assert "$ uv sync ****; true\n" in text


def test_an_mre_of_many_files_keeps_what_fits_and_says_what_does_not() -> None:
    files = tuple(File(f"src/f{i:05}.py", b"x = 1\n" * (i // 100 + 1)) for i in range(10_000))
    mre = replace(MRE, files=files)
    began = time.process_time()
    text = github(mre, result(mre, step("uv sync", 2, "a line\n" * 1_000)))
    assert time.process_time() - began < 5
    assert 60_000 < len(text.encode()) <= 65_536
    kept = rest(text)
    kept.pop("mre.toml")
    assert kept == {file.path: file for file in files[: len(kept)]}
    left = files[len(kept) :]
    size = sum(len(file.content) for file in left)
    assert f"{len(left)} files are omitted: together they are too long for an issue ({size} bytes)." in text
    assert headings(text) == ["### Summary", "### Platform", "### Version", "### Python version"]


def test_the_variants_stand_in_a_table() -> None:
    assert (
        "| variant | symptom | expected | |\n|---|---|---|---|\n"
        "| as reported | shows |  | `uv sync` ended so |\n"
        "| a \\| b | absent | absent | With the password it works. |\n\n"
    ) in github(MRE, result())


def test_without_controls_there_is_no_table() -> None:
    mre = replace(MRE, controls=())
    assert "| variant |" not in github(mre, result(mre))


@pytest.mark.parametrize("answered_by", ["stand-in", "upstream"])
def test_a_stand_in_is_reported_where_one_answered(answered_by: str) -> None:
    request = Request("GET", "pypi-proxy.fly.dev", "/", 401, False, answered_by, 0.1)  # type: ignore[arg-type]
    output = "A local stand-in with the same rules answered for the public test index." in github(
        MRE, result(requests=(request,))
    )
    assert output == (answered_by == "stand-in")


def test_another_release_than_the_reported_one_is_reported() -> None:
    text = github(MRE, replace(result(), uv="0.13.9"))
    assert "\nThis is a run on uv 0.13.9; the report is about uv 0.5.21.\n" in text
    assert "\n### Version\n\nuv 0.13.9\n" in text


def test_steps_that_could_not_be_run_are_reported() -> None:
    assert "\nThe steps could not be run: no shell.\n" in github(MRE, result(obstacle="no shell"))


@pytest.mark.parametrize(
    ("backend", "platform"),
    [
        pytest.param("local", "Linux 6.1 x86_64", id="this machine"),
        pytest.param("sandbox", "Linux 6.1 x86_64", id="this machine, in the sandbox"),
        pytest.param("podman 4.3.1", "Linux 6.1 x86_64, in a container (podman 4.3.1)", id="a container"),
    ],
)
def test_the_platform_names_the_container(backend: str, platform: str) -> None:
    lines = github(replace(MRE, files=()), replace(result(), backend=backend)).splitlines()
    assert lines[lines.index("### Platform") + 2] == platform


def test_what_departs_from_the_report_is_not_in_its_words() -> None:
    mre = replace(
        MRE,
        environment=replace(MRE.environment, reported_platform="Windows 11"),
        deviations=(Deviation("a private index", "PyPI", "it is private"), Deviation("three members", "one")),
    )
    text = github(mre, result())
    assert "- “a private index” is “PyPI” here (it is private)\n- “three members” is “one” here\n" in text
    assert "### Platform\n\nWindows 11 (run on Linux 6.1 x86_64)" in text.replace("\\", "")
    assert "departs" not in github(MRE, result())
