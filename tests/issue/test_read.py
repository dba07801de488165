"""Parsing an issue's text: commands, files, the claim, gaps and stand-ins."""

import datetime

import pytest

from uvmre.core.triage.parsed_issue import ParsedIssue
from uvmre.issue.read import read_hypotheses, read_issue

HEAD = "# It goes wrong\n<!-- some/where#1 created 2025-01-20T10:00:00Z -->\n\n"
PROJECT = '[project]\nname = "thing"\nversion = "1"\nrequires-python = ">=3.11"\n'
FAILS = "$ uv sync\nerror: Failed\n  Caused by: The innermost cause of it all\n"


def parse(text: str, title: str = "It goes wrong") -> ParsedIssue:
    return read_issue(HEAD.replace("It goes wrong", title) + text)


def runs(text: str) -> list[str]:
    return [command.run for command in parse(text).commands]


def blocking(text: str) -> list[str]:
    return [gap.description for gap in parse(text).gaps if gap.blocking]


@pytest.mark.parametrize(
    ("command", "run"),
    [
        ("cargo run sync", "uv sync"),
        ("cargo run --release -- sync", "uv sync"),
        ("./target/debug/uv sync", "uv sync"),
        ("python -m uv sync", "uv sync"),
        ("~/.local/bin/uv sync", "uv sync"),
        ("uv.exe sync", "uv sync"),
        ("uvx uv@0.5.1 sync", "uv sync"),
        ("sudo uv sync", "uv sync"),
        ("time uv sync", "uv sync"),
        ("source .venv/bin/activate", ". ./.venv/bin/activate"),
        (".venv\\Scripts\\activate", ". ./.venv/bin/activate"),
        ('$env:UV_A = "1"', 'export UV_A="1"'),
        ("set UV_A=1", "export UV_A=1"),
        ("mkdir /tmp/a", "mkdir $TMPDIR/a"),
        ("rm uv.lock", "rm -f uv.lock"),
        ("rm -r .venv", "rm -f -r .venv"),
        ("rm -rf .venv", "rm -rf .venv"),
    ],
)
def test_a_command_is_rewritten_for_sh(command: str, run: str) -> None:
    assert run in runs(f"```\n$ {command}\n$ uv lock\n```")


@pytest.mark.parametrize(
    "command",
    [
        "uv --version",
        "curl -LsSf https://astral.sh/uv/install.sh | sh",
        "pip install uv",
        "uv self update 0.5.1",
        "pip install thing",
        "docker run -it a",
        "git clone https://example.org/a",
        "rm -rf ~",
        "rm -rf /home/me",
        "sudo rm -rf /",
        "rm -rf $NOWHERE/a",
        "rm -rf ~other/a",
        "bash -c 'rm -rf /home'",
        "echo a > /etc/hosts",
        "vim a.py",
        "cd ~/projects/thing",
    ],
)
def test_commands_that_are_not_run(command: str) -> None:
    assert runs(f"```\n$ {command}\n$ uv lock\n```") == ["uv lock"]


@pytest.mark.parametrize(
    ("text", "commands"),
    [
        ("```\n$ mkdir a && cd a; uv sync\n```", ["mkdir a", "cd a", "uv sync"]),
        ("```\n$ uv lock && uv tree\na v1\n```", ["uv lock && uv tree"]),
        ("if you run `uv add 'a>=2'` on `b, you get it", ["uv add 'a>=2'"]),
        ("`uv lock` fails here.", ["uv lock"]),
        ("1. `uv init a`\n2. `uv lock`", ["uv init a", "cd a", "uv lock"]),
        ("1. `uv init a`\n2. `uv lock --project a`", ["uv init a", "uv lock --project a"]),
        ("Repro steps:\nuv init\nuv add a", ["uv init", "uv add a"]),
        ("command: `uv tree --no-dev`", ["uv tree --no-dev"]),
        ("```dockerfile\nFROM a\nENV UV_A=1\nRUN uv sync\nCOPY . .\nRUN uv lock\n```", ["uv sync", "uv lock"]),
        ("```\n$ uv pip install a\n```", ["uv venv", "uv pip install a"]),
        ("```\n$ uv pip install --system a\n```", ["uv pip install --system a"]),
        ("```\n$ docker run --rm me/it uv sync\n```", ["uv sync"]),
        ("```\n$ uv tool list\nthing v1.2.3\n    thing\n```", ["uv tool install thing==1.2.3", "uv tool list"]),
        ("```\n$ uv sync --frozen\n```\n```toml\n[project]\nname = 'a'\n```", ["uv lock", "uv sync --frozen"]),
        (
            "Output:\n\n```\n$ uv x\n```\n\nIt warns the second time:\n```\n$ uv sync\nerror: The thing is wrong\n```",
            ["uv x", "uv sync", "uv sync"],
        ),
        (
            "```\n$ uv init\n$ uv pip install a\nCreating virtual environment at: .venv\nerror: b\n```",
            ["uv init", "uv add a"],
        ),
    ],
)
def test_commands_in_every_form(text: str, commands: list[str]) -> None:
    assert runs(text) == commands


def test_a_script_that_accesses_other_directories_is_not_run() -> None:
    found = parse("```bash\n#!/bin/bash\nuv init a\nrm -rf /opt/a\n```")
    assert not found.commands
    assert "`reproduce.sh` accesses files outside its directory and is not run" in [
        gap.description for gap in found.gaps if gap.blocking
    ]


def test_an_added_command_has_a_reason() -> None:
    added = [command for command in parse("```\n$ uv pip install a\n```").commands if command.added_because]
    assert [command.run for command in added] == ["uv venv"]


@pytest.mark.parametrize(
    ("text", "paths"),
    [
        (f"```toml\n{PROJECT}```\n```\n{FAILS}```", ["pyproject.toml"]),
        (f'```toml\n{PROJECT}readme = "README.md"\n```\n```\n{FAILS}```', ["pyproject.toml", "README.md"]),
        (
            f"```toml\n{PROJECT}[tool.uv.workspace]\nmembers = ['libs/a']\n```\n```\n{FAILS}```",
            ["pyproject.toml", "libs/a/pyproject.toml", "libs/a/src/a/__init__.py"],
        ),
        (
            f"```toml\n{PROJECT}[build-system]\nrequires = ['hatchling']\nbuild-backend = 'hatchling.build'\n```\n```\n{FAILS}```",
            ["pyproject.toml", "src/thing/__init__.py"],
        ),
        ("```\n$ cat a.in\nfoo\n$ uv pip compile a.in\nfoo==1\n```", ["a.in"]),
        ("```python\n# /// script\n# ///\n```\n```\n$ uv run it.py\n```", ["it.py"]),
        ("```\n$ uv add a\n```", ["pyproject.toml"]),
        ("```\n$ uv init a\nerror: The project is marked as unmanaged: `/b`\n```", ["pyproject.toml"]),
        ("Given this `.env` file:\n```shell\nA=1\n```\n`B=1 uv run --env-file=.env a` fails.", [".env"]),
        (
            f"```toml\n{PROJECT}[tool.uv.workspace]\nmembers = ['libs/*']\n```\n```toml\n[project]\nname = 'b'\nversion = '1'\n```\n```\n{FAILS}```",
            ["pyproject.toml", "libs/b/pyproject.toml"],
        ),
        (
            f"```\na\n├── pyproject.toml\n├── README.md\n└── src\n    └── thing\n        └── __init__.py\n```\n```toml\n{PROJECT}```\n```\n{FAILS}```",
            ["pyproject.toml", "README.md", "src/thing/__init__.py"],
        ),
        ("```\n$ uv sync\nerror: No `project` table found in: `/a/pyproject.toml`\n```", ["pyproject.toml"]),
        ("```\n$ touch pyproject.toml\n$ uv sync\nerror: No `project` table found in: `/a/pyproject.toml`\n```", []),
    ],
)
def test_files_that_are_posted_or_inferred(text: str, paths: list[str]) -> None:
    assert [file.path for file in parse(text).files] == paths


@pytest.mark.parametrize(
    ("text", "content"),
    [
        ("[project]\nname = 'a'\nversion = '1'\n...\n", "[project]\nname = 'a'\nversion = '1'\n"),
        (
            "[project]\nversion = '1'\ndependencies = ['...']\n",
            "[project]\nname = \"project\"\nversion = '1'\ndependencies = []\n",
        ),
        ("dependencies = ['b']\n", '[project]\nname = "project"\nversion = "0.1.0"\ndependencies = [\'b\']\n'),
    ],
)
def test_a_fragment_is_completed(text: str, content: str) -> None:
    assert parse(f"```toml\n{text}```\n```\n$ uv lock\n```").files[0].text == content


def test_a_fragment_is_appended_to_the_file_of_init() -> None:
    text = (
        "```\n$ uv init\n```\nAdd to `pyproject.toml`:\n```toml\n[tool.uv]\npackage = false\n```\n```\n$ uv sync\n```"
    )
    file = parse(text).files[0]
    assert (file.path, file.before, file.append) == ("pyproject.toml", 1, True)


def test_the_working_one_of_two_files_is_a_control() -> None:
    text = f"This works fine:\n```toml\n{PROJECT}```\nBut this fails:\n```toml\n{PROJECT}# b\n```\n`uv lock` fails."
    assert [(file.line, file.good) for file in parse(text).files] == [(13, False), (6, True)]


def test_a_file_may_be_edited_between_commands() -> None:
    text = (
        f"```toml\n{PROJECT}```\n```\n$ uv lock\n```\nThen I changed it to\n```toml\n{PROJECT}# b\n```\n```\n{FAILS}```"
    )
    assert [file.before for file in parse(text).files] == [0, 1]


@pytest.mark.parametrize(
    ("text", "kind", "command", "output"),
    [
        (f"```\n$ uv lock\n{FAILS}```", "failure", 1, ("The innermost cause of it all",)),
        ("`uv lock` fails.", "failure", 0, ()),
        (
            "`uv lock` says:\n```\nerror: The thing is of the wrong shape\n```",
            "failure",
            0,
            ("The thing is of the wrong shape",),
        ),
        (
            "`uv lock` fails with `error: The thing is of the wrong shape`",
            "failure",
            0,
            ("The thing is of the wrong shape",),
        ),
        (
            "I see `It goes all wrong here`.\n```\n$ uv lock\nwarning: It goes all wrong here\n```",
            "output",
            0,
            ("It goes all wrong here",),
        ),
        ("`uv tree` shows `a v1`:\n```\na v1\nb v2\n```", "output", 0, ("a v1",)),
        ("```\n$ uv lock\nResolved 1 package\n```\nIt silently does nothing.", "silence", 0, ()),
        ("```\n$ uv tree\n```\nI get `a v1.2` instead of `a v1.3`.", "output", 0, ("a v1.2",)),
        (
            "```bash\nuv lock\n# error: The thing is of the wrong shape\n```",
            "failure",
            0,
            ("The thing is of the wrong shape",),
        ),
        (
            "It works with b:\n```\n$ uv tree b\nx v1\ny v2\n```\nIt is wrong with c:\n```\n$ uv tree c\nx v1\nz v3\n```",
            "output",
            1,
            ("z v3",),
        ),
    ],
)
def test_the_claim(text: str, kind: str, command: int, output: tuple[str, ...]) -> None:
    claim = parse(text).claim
    assert (claim.kind, claim.command, claim.output) == (kind, command, output)


def test_the_claim_may_be_a_file() -> None:
    text = f"```toml\n{PROJECT}dependencies = [\n  # a\n]\n```\n```\n$ uv add b\n```\n```toml\n{PROJECT}dependencies = [\n  # a\n  'b',\n  # a\n]\n```"
    claim = parse(text).claim
    assert (claim.kind, claim.file, claim.unconfirmed) == ("file", "pyproject.toml", True)
    assert claim.contains == ("# a\n'b',\n# a\n]",)


def test_what_a_sentence_quotes_of_a_long_resulting_file() -> None:
    lines = "".join(f"    {{ name = 'p{i}', version = '1' }},\n" for i in range(20))
    lock = f"```toml\n[[package]]\nname = 'a'\nversion = '1'\ndependencies = [\n{lines}]\n```\n"
    post = f"```toml\n{PROJECT}```\n\nThis makes:\n\n{lock}\n"
    claim = parse(f"{post}Look at `{{ name = 'p7', version = '1' }}`.").claim
    assert (claim.kind, claim.file, claim.contains) == ("file", "uv.lock", ("{ name = 'p7', version = '1' }",))
    assert parse(f"{post}Look at `{{ name = 'q', version = '1' }}`.").claim.kind == "none"


def test_a_duration_is_no_difference_of_output() -> None:
    works = "It works with b:\n```\n$ uv tree b\nResolved 2 packages in 3ms\nx\n```\n"
    text = works + "It is wrong with c:\n```\n$ uv tree c\n{}\n```"
    rules = [each.claim.rule for each in read_hypotheses(HEAD + text.format("Resolved 2 packages in 1ms"))]
    assert "differing-output" not in rules
    assert parse(text.format("Resolved 5 packages in 1ms")).claim.rule == "differing-output"


def test_a_missing_final_newline() -> None:
    claim = parse("`uv python pin 3.12` makes a `.python-version` without a trailing newline.").claim
    assert claim.file == ".python-version"
    assert "tail -c 1 .python-version" in claim.test


def test_missing_output() -> None:
    claim = parse("1. `uv init a`\n2. Run `uv export` and see the empty output.").claim
    assert (claim.command, claim.test) == (2, "test -z \"$( uv export 2>/dev/null | grep -v '^ *#' )\"")


def test_a_repeated_command() -> None:
    text = "```\n$ uv sync\nerror: The thing is of the wrong shape\n```\nBut if you re-run it:\n```\n$ uv sync\nInstalled 1 package in 2ms\n + a==1\n```"
    claim = parse(f"```toml\n{PROJECT}```\n{text}").claim
    assert (claim.kind, claim.command, claim.output, claim.expected) == (
        "output",
        1,
        ("Installed 1 package", "+ a==1"),
        ("The thing is of the wrong shape",),
    )


def test_a_panic_is_confirmed() -> None:
    claim = parse("```\n$ uv lock\nthread 'main' panicked at a/b.rs:1:2:\nthe root was not found\n```").claim
    assert (claim.output, claim.unconfirmed) == (("panicked at", "the root was not found"), False)


def test_the_output_of_an_echo_sets_a_variable() -> None:
    assert parse("```\n$ echo $UV_A\n7\n$ uv lock\n```").variables == (("UV_A", "7"),)


def test_a_link_that_is_replaced() -> None:
    text = "We have\n```\na.txt -> b.txt\n```\n```\n$ uv pip compile a.in -o a.txt\n```\nIt removes the symlink."
    assert parse(text).claim.test == "test -e a.txt && test ! -L a.txt"


def test_an_error_of_an_incomplete_mre_is_unconfirmed() -> None:
    assert parse("```\n$ uv lock\nerror: The file was not found in there\n```").claim.unconfirmed
    assert not parse(f"```\n{FAILS}```").claim.unconfirmed


@pytest.mark.parametrize(
    ("text", "gap"),
    [
        ("It is broken.", "the post contains no uv command"),
        (f"```\n{FAILS}```", "`pyproject.toml` is not in the post"),
        ("```\n$ uv pip install -r a.txt\nerror: The thing is wrong\n```", "`a.txt` is not in the post"),
        ("```\n$ uv add $THING\nerror: The thing is wrong\n```", "`$THING` is not set in the post"),
        (
            "```\n$ uv add git+https://example.org/a\nerror: The thing is wrong\n```",
            "the git repository https://example.org/a is not available",
        ),
        (
            "```\n$ uv add <package>\nerror: The thing is wrong\n```",
            "“[package]” is a placeholder",
        ),
        (
            "```\n$ uv run --with a x.py\nerror: error sending request for url\n```",
            "“error sending request for url” depends on the network of the reporter, which is not available here",
        ),
        (
            "```\n$ uv sync --python pypy3.10\nerror: The thing is wrong\n```",
            "it requires an interpreter other than standard CPython",
        ),
        (
            "```\n$ uv python install 3.12\nerror: The thing is wrong\n```",
            "`uv python install 3.12` needs Python downloads from GitHub",
        ),
        ("It fails:\n```\nerror: The thing is wrong\n```", "the command that printed this output is unknown"),
        (
            "```\n$ uv tool install a\nerror: Failed to write `a`\n  Caused by: Permission denied (os error 13)\n```",
            "it depends on the permissions or the file system of the reporter's machine",
        ),
        ("```\n$ uv tool install ./tools/a\nerror: The thing is wrong\n```", "`./tools/a` is not in the post"),
        ("```\n$ uv pip install .\nerror: The thing is wrong\n```", "`pyproject.toml` is not in the post"),
        (
            "```\n$ uv sync\nerror: Access is denied. (os error 5)\n```",
            "it is specific to Windows, which is not available here",
        ),
        (
            "```\n$ uv add a --index https://pypi.acme.example/simple\nerror: a was not found in the package registry\n```",
            "it depends on the packages and the permissions of a private index",
        ),
    ],
)
def test_blocking_gaps(text: str, gap: str) -> None:
    assert gap in blocking(text)


@pytest.mark.parametrize(
    "text",
    [
        f"```toml\n{PROJECT}...\n```\n```\n{FAILS}```",
        f"The relevant part of `pyproject.toml`:\n```toml\n{PROJECT}```\n```\n{FAILS}```",
    ],
)
def test_a_file_posted_in_part_is_a_gap(text: str) -> None:
    found = [gap for gap in parse(text).gaps if gap.description == "`pyproject.toml` is posted only in part"]
    assert [(gap.blocking, bool(gap.question)) for gap in found] == [(False, True)]


def test_a_complete_post_has_no_blocking_gap() -> None:
    assert blocking(f"```toml\n{PROJECT}```\n```\n{FAILS}```") == []


def test_a_private_index_has_a_stand_in() -> None:
    text = (
        '```toml\n[project]\nname = "a"\nversion = "1"\n\n[[tool.uv.index]]\nname = "acme"\n'
        'url = "https://[account].d.codeartifact.eu.amazonaws.com/pypi/x/simple"\n```\n'
        "```\n$ export UV_INDEX_ACME_PASSWORD=secret\n$ uv lock\nerror: The thing is of the wrong shape\n```"
    )
    found = parse(text)
    assert [(i.url, i.registry, i.username, i.password) for i in found.indexes] == [
        ("https://account.d.codeartifact.eu.amazonaws.com/pypi/x/simple", "codeartifact", "aws", "secret")
    ]
    assert found.indexes[0].url in found.files[0].text
    assert len(found.stand_ins) == 1


def test_line_numbers() -> None:
    found = parse(f"```toml\n{PROJECT}```\n\n```\n{FAILS}```")
    assert (found.files[0].line, found.commands[0].line, found.claim.line) == (5, 12, 13)


def test_head() -> None:
    found = parse("nothing")
    assert (found.title, found.created, found.issue) == (
        "It goes wrong",
        datetime.datetime(2025, 1, 20, 10, tzinfo=datetime.UTC),
        "https://github.com/some/where/issues/1",
    )


def test_a_block_without_a_name_is_kept() -> None:
    text = "```toml\n[options]\nkey = 1\n```\n\n```\nnumpy==2.1\n```\n\nIt is all.\n\n" + FAILS
    assert [(file.path, file.text.strip()) for file in parse(text).unplaced] == [
        ("pyproject.toml", "[options]\nkey = 1"),
        ("requirements.txt", "numpy==2.1"),
    ]


def test_neither_a_file_nor_an_output_is_left() -> None:
    text = f"`pyproject.toml`:\n\n```toml\n{PROJECT}```\n\n```\n$ uv pip freeze\nnumpy==2.1\n```\n"
    assert not parse(text).unplaced


def test_requirements_in_sentences_have_a_version_or_an_extra() -> None:
    text = "With `numpy==2.1`, `httpx[http2]`, `Flask >= 3.0` and `thing`, on `python>=3.8` and `--extra`, it fails."
    assert parse(text).requirements == ("numpy==2.1", "httpx[http2]", "Flask >= 3.0")
