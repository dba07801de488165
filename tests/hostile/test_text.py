"""Text that a stranger wrote: at a terminal, in JSON, in Markdown to paste, and in generated scripts."""

import fcntl
import json
import os
import pty
import re
import shutil
import struct
import subprocess
import sys
import termios
from pathlib import Path

import pytest
from markdown_it import MarkdownIt

from tests.hostile.outside import MANIFEST, UV, Stranger, stranger
from uvmre.core.text.visible import visible
from uvmre.report.markdown import code, prose

__all__ = ["stranger"]

CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]")
ATTACKS = {
    "clear": "\x1b[2J\x1b[H",
    "colour": "\x1b[31m",
    "title": "\x1b]0;title\x07",
    "link": "\x1b]8;;http://evil.example\x1b\\x\x1b]8;;\x1b\\",
    "clipboard": "\x1b]52;c;ZXZpbA==\x07",
    "unfinished": "\x1b]52;c;ZXZpbA==",
    "device control": "\x1bP$q q\x1b\\",
    "C1": "\x9b2J\x9d52;c;ZXZpbA==\x9c",
    "return": "hidden\rshown",
    "backspace": "hidden\b\b\b\b\b\bshown",
    "bidi": "\u202egnp.exe\u202c \u2066x\u2069",
    "two bytes": "\x1bc\x1b(0\x1b#8",
    "bell and NUL": "\x07\x0e\x7f",
}
ATTACKS["all at once"] = " ".join(ATTACKS.values())
attacks = pytest.mark.parametrize("attack", ATTACKS.values(), ids=ATTACKS.keys())
some_attacks = pytest.mark.parametrize("name", ["colour", "C1", "all at once"])


def quoted(text: str) -> str:
    return json.dumps(text).replace("\x7f", "\\u007f")


def manifest(text: str, run: str = "uv fail") -> str:
    """Return a manifest with a text in every field that is shown; some must be a single line."""
    line = text.replace("\r", "")
    changed = MANIFEST.replace('"t"', quoted(f"t {line}")).replace('"uv fail"', quoted(f"{run} '{text}'"))
    return f'{changed}[[control]]\nname = {quoted(f"c {line}")}\nexpect = "absent"\nwhy = {quoted(f"w {line}")}\n'


def own(text: str) -> str:
    """Return what was printed without the line ends of a terminal."""
    return text.replace("\r\n", "\n")


@attacks
@pytest.mark.few(3)
def test_run_and_report_print_no_control_character_and_keep_them_in_the_evidence(
    stranger: Stranger, attack: str
) -> None:
    (stranger.mre(manifest(attack)) / "print.sh").write_text(f"printf '%s\\n' '{attack}'\nuv fail\n")
    (stranger.folder / "mre.toml").write_text(manifest(attack, run="sh print.sh"))
    for arguments in (("run",), ("run", "-v"), ("lint",), ("report",)):
        ended = stranger.uvmre(*arguments, stranger.folder, *(["--backend", "local"] * (arguments[0] == "run")))
        assert ended.exit != 2, ended.stderr
        assert not CONTROL.search(own(ended.stdout)), arguments
        assert not CONTROL.search(own(ended.stderr)), arguments
    evidence = stranger.folder / ".uvmre" / "runs"
    assert any(path.read_bytes().startswith(attack.encode()) for path in evidence.rglob("*.stdout"))


@some_attacks
def test_json_has_every_character_and_prints_none(stranger: Stranger, name: str) -> None:
    attack = ATTACKS[name]
    stranger.mre(manifest(attack))
    ended = stranger.uvmre("run", stranger.folder, "--backend", "local", "--json")
    assert not CONTROL.search(own(ended.stdout))
    assert json.loads(ended.stdout)["title"] == f"t {attack}".replace("\r", "")
    for arguments in (("report", "--json"), ("report", "--format", "json")):
        ended = stranger.uvmre(*arguments, stranger.folder)
        assert not CONTROL.search(own(ended.stdout))
        assert json.loads(ended.stdout)["title"] == f"t {attack}".replace("\r", "")


@some_attacks
def test_triage_and_errors_print_no_control_character(stranger: Stranger, name: str) -> None:
    attack = ATTACKS[name]
    text = f"# It breaks {attack}\nuv {UV}\n\n```console\n$ uv fail\nerror: it broke in two {attack}\n```\n"
    (stranger.folder / "issue.md").write_text(text, newline="")
    unknown = stranger.folder / "mre.toml"
    unknown.write_text(f"{MANIFEST}{quoted(attack)} = 1\n")
    for arguments in (
        ("triage", "--dry-run", stranger.folder / "issue.md"),
        ("triage", "--dry-run", "--json", stranger.folder / "issue.md"),
        ("new", "made", "--from-issue", stranger.folder / "issue.md"),
        ("lint", stranger.folder),
        ("lint", "--json", stranger.folder),
        ("lint", f"none{attack}".replace("\0", "")),
    ):
        ended = stranger.uvmre(*arguments)
        assert not CONTROL.search(own(ended.stdout)), arguments
        assert not CONTROL.search(own(ended.stderr)), arguments
    if (stranger.root / "made").exists():
        for path in (path for path in (stranger.root / "made").iterdir() if path.is_file()):
            assert not CONTROL.search(path.read_text()), path


def at_terminal(stranger: Stranger, *arguments: str | Path) -> str:
    """Run the command line at a terminal, and return what it shows."""
    pid, terminal = pty.fork()
    if pid == 0:  # pragma: no cover - another process
        fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 200, 0, 0))
        variables = {**os.environ, "TERM": "xterm", "XDG_CACHE_HOME": str(stranger.root / "cache")}
        variables.pop("NO_COLOR", None)
        os.execve(sys.executable, [sys.executable, "-m", "uvmre", *map(str, arguments)], variables)
    shown = bytearray()
    try:
        while block := os.read(terminal, 65536):
            shown += block
    except OSError:
        pass
    os.waitpid(pid, 0)
    os.close(terminal)
    return shown.decode(errors="replace")


@some_attacks
def test_a_terminal_gets_our_colours_and_no_escape_of_a_stranger(stranger: Stranger, name: str) -> None:
    attack = ATTACKS[name]
    stranger.mre(manifest(f"{attack}[bold]x[/bold][/nope]"))
    shown = at_terminal(stranger, "run", stranger.folder, "--backend", "local")
    assert "Traceback" not in shown
    rest = re.sub(r"\x1b\[(?:\?25[lh]|[0-9;]*[mAK]|[12]K|\?2026[hl])|\r", "", shown)  # colours, and the live table
    assert not CONTROL.search(rest)
    assert "\x1b[33minconclusive\x1b[0m" in shown
    assert "c \x1b[31m" not in shown
    assert "[bold]x[/bold]" in shown


def test_a_name_of_two_lines_cannot_look_like_a_verdict(stranger: Stranger) -> None:
    stranger.mre(MANIFEST + '[[control]]\nname = "x\\nreproducible: fake"\nexpect = "absent"\n')
    ended = stranger.uvmre("run", stranger.folder)
    assert ended.exit == 2
    assert "control[1].name must be a single line" in ended.stderr


@pytest.mark.parametrize("text", ["plain", "a\n\tb\r\nc", "café 中文 👩‍💻", "العربية"])
def test_text_that_hides_nothing_is_shown_as_it_is(text: str) -> None:
    assert visible(text) == text


INERT = MarkdownIt("commonmark", {"linkify": False}).enable(["table", "strikethrough"])
PINGS = re.compile(
    r"(?<!\w)@(?=\w)|#(?=\d)|\bGH-(?=\d)|https?://(?=\w)|\bwww\.(?=\w)|\b[0-9a-f]{7,40}\b", re.IGNORECASE
)
"""What GitHub turns into something outside of code."""
MARKDOWN = {
    "a mention": "thanks @octocat and @astral-sh/team",
    "a mention in marks": "*@octocat* _@octocat_ (@octocat) \\@octocat",
    "an issue": "fixes #12, closes astral-sh/uv#12, resolves GH-12",
    "a link to an issue": "fixes https://github.com/astral-sh/uv/issues/12 and www.example.com",
    "a commit": "see 0123456789abcdef0123456789abcdef01234567 and abcdef0",
    "HTML": "<img src=x onerror=alert(1)><details><!-- <script>",
    "an entity": "&#64;octocat &commat;octocat &#35;12",
    "a link": "[x](javascript:alert(1)) ![x](https://evil.example/x.png) <https://evil.example>",
    "a reference": "[x]: https://evil.example\n\n[x]",
    "a table": "| a | b |\n|---|---|\n| @octocat | c |",
    "a fence": "```\n@octocat\n```\n~~~\n@octocat\n~~~~~",
    "an open code span": "`@octocat",
    "uneven code spans": "`` a ` @octocat ` b ``` @octocat",
    "an escaped code span": "\\`@octocat\\`",
    "blocks": "# @octocat\n> #12\n- x\n1. x\n\n    @octocat\n---\n===",
}


def outside_of_code(text: str) -> tuple[str, list[str]]:
    """Return the text that is not code, and the kinds of everything that is neither text nor code."""
    texts, kinds = [], []
    for token in INERT.parse(text):
        for child in token.children or ([] if token.type in ("fence", "code_block") else [token]):
            if child.type in ("text", "text_special"):
                texts.append(child.content)
            elif child.type not in ("code_inline", "inline", "paragraph_open", "paragraph_close", "fence", "softbreak"):
                kinds.append(child.type)
    return "".join(texts), kinds


@pytest.mark.parametrize("text", MARKDOWN.values(), ids=MARKDOWN.keys())
def test_text_in_markdown_pings_closes_and_links_nothing(text: str) -> None:
    shown, kinds = outside_of_code(prose(text))
    assert kinds == []
    assert not PINGS.search(shown)
    _, kinds = outside_of_code(code(text))
    assert kinds == []
    assert outside_of_code(code(text))[0] == ""


def test_prose_reads_as_before() -> None:
    assert prose("`uv sync` exits with code 2, as uv 0.5.21 does (see a_b, 3 < 4).") == (
        "`uv sync` exits with code 2, as uv 0.5.21 does (see a_b, 3 &lt; 4)."
    )
    assert prose("thanks @octocat").replace("\u200b", "") == "thanks @octocat"


MARKDOWN["all at once"] = "\n".join(MARKDOWN.values())
some_markdown = pytest.mark.parametrize("name", ["a mention", "HTML", "a fence", "uneven code spans", "all at once"])


@some_markdown
@pytest.mark.few(2)
def test_a_report_to_paste_pings_closes_and_links_nothing(stranger: Stranger, name: str) -> None:
    text = MARKDOWN[name]
    line = " ".join(text.split())
    (stranger.mre(manifest(line.replace("'", ""))) / "print.sh").write_text(f"cat <<'X'\n{text}\nX\nuv fail\n")
    (stranger.folder / "mre.toml").write_text(manifest(line, run="sh print.sh"))
    (stranger.folder / f"{line.replace('/', '-')[:200]}.md".replace("\\", "")).write_text(text)
    assert stranger.uvmre("run", stranger.folder, "--backend", "local").exit == 125
    shown, kinds = outside_of_code(stranger.uvmre("report", stranger.folder).stdout)
    assert not PINGS.search(shown)
    assert not {"link_open", "image", "html_inline"} & set(kinds)
    assert kinds.count("heading_open") == 4
    blocks = [token.content for token in INERT.parse(stranger.uvmre("report", stranger.folder).stdout)]
    assert text.rstrip("\n") in "\n".join(blocks)


@some_markdown
@pytest.mark.few(2)
def test_a_comment_to_paste_pings_closes_and_links_nothing(stranger: Stranger, name: str) -> None:
    text = MARKDOWN[name]
    line = " ".join(text.split())
    issue = f"# {line}\nuv {UV}\n\nI expected: {line}\n\n~~~~~~~~console\n$ uv fail\nerror: {line}\n{text}\n~~~~~~~~\n"
    (stranger.folder / "issue.md").write_text(issue)
    ended = stranger.uvmre("triage", "--trust", "--comment", "--replay", stranger.folder / "issue.md")
    shown, kinds = outside_of_code(ended.stdout)
    assert ended.stdout.startswith("**")
    assert not PINGS.search(shown)
    assert not {"link_open", "image", "html_inline", "heading_open"} & set(kinds)


SHELL = ["x\ntouch made\n", "$(touch made)", "`touch made`", "'; touch made; '", "EOF\nEND-OF-JUDGE\ntouch made", "\\"]


@pytest.mark.parametrize("text", SHELL)
def test_text_in_a_generated_script_is_no_command(stranger: Stranger, text: str) -> None:
    from uvmre.core.generated.run_script import generated_files
    from uvmre.core.mre.manifest import parse

    changed = MANIFEST.replace('"t"', quoted(" ".join(text.split()))).replace("it broke in two", "it broke in two …")
    changed = changed.replace('"it broke in two …"', quoted(f"it broke in two {text}"))
    variables = f"[environment.variables]\nA = {quoted(text)}\n[[step]]"
    mre = parse(changed.replace('"uv fail"', '"true"').replace("[[step]]", variables))
    script, dockerfile = (file.content.decode() for file in generated_files(mre))
    (stranger.folder / "run.sh").write_text(script)
    (stranger.folder / "mre.toml").write_text("")
    tools = stranger.folder / "tools"
    tools.mkdir()
    for name, body in (("uv", f"echo 'uv {UV}'"), ("uvx", "true")):
        (tools / name).write_text(f"#!/bin/sh\n{body}\n")
        (tools / name).chmod(0o755)
    path = os.pathsep.join([str(tools), str(Path(shutil.which("python3") or "").parent), os.environ["PATH"]])
    subprocess.run(
        ["sh", stranger.folder / "run.sh"],
        cwd=stranger.folder,
        env={"PATH": path, "TMPDIR": str(stranger.folder)},
        capture_output=True,
        timeout=60,
    )
    assert not list(stranger.root.rglob("made"))
    starts = ("#", "FROM ", "COPY ", "WORKDIR ", "CMD ", "RUN pip install uv==")
    assert all(line.startswith(starts) for line in dockerfile.splitlines())


@pytest.mark.parametrize("text", SHELL)
def test_text_in_a_dockerfile_is_no_instruction(stranger: Stranger, text: str) -> None:
    variables = f"[environment.variables]\nA = {quoted(text)}\n[[step]]"
    stranger.mre(MANIFEST.replace("[[step]]", variables).replace('"t"', quoted(" ".join(text.split()))))
    (stranger.folder / "a.txt").write_text(f"{text}\nEOF\nEOFF\nRUN touch made\n")
    ended = stranger.uvmre("report", stranger.folder, "--format", "dockerfile")
    if "\n" in text:
        assert ended.exit == 2
        assert "a variable of more than one line" in ended.stderr
        return
    assert ended.exit == 0
    from uvmre.core.dockerfile.parser import parse

    found = [(each.name, each.value) for each in parse(ended.stdout)]
    assert [name for name, _ in found] == ["FROM", *["RUN"] * (found[1][0] == "RUN"), "WORKDIR", "ENV", "COPY", "RUN"]
    assert found[-1][1] == ("uv fail",) or found[-1][1] == ["uv fail"]


def test_the_report_of_a_crash_is_one_block(tmp_path: Path) -> None:
    program = (
        "import sys; from uvmre.cli import crash\n"
        "try: raise ValueError('```\\n~~~\\n@octocat fixes #12\\r@octocat <img> \\x1b[2J')\n"
        "except ValueError: sys.exit(crash.report_internal_error())"
    )
    variables = {**os.environ, "XDG_CACHE_HOME": str(tmp_path)}
    assert subprocess.run([sys.executable, "-c", program], env=variables, capture_output=True).returncode == 3
    text = next(tmp_path.rglob("crash-*.md")).read_text()
    assert "@octocat" in text
    assert "\x1b" not in text
    assert not PINGS.search(outside_of_code(text)[0])
