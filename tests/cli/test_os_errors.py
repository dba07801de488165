"""Errors outside of uvmre: every verb reports them, and never exits as for a verdict or an internal error.

In one process where the streams allow it, for a process each would take a minute.
"""

import json
import os
import shlex
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import jsonschema
import pytest

from tests.releases.caches import stock
from uvmre.cli.main import main

SCHEMAS = Path(__file__).parents[2] / "docs" / "schemas"
MANIFEST = """\
schema = 1
title = "It breaks"
[environment]
uv = "0.4.9"
[[step]]
role = "observe"
run = "uv fail"
[symptom]
output = ["it broke in two"]
"""
OFFLINE = dict.fromkeys(("HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "ALL_PROXY"), "http://127.0.0.1:9")


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("home")
    stock(home)
    return home


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder of everything that a path can lead to and should not."""
    place = tmp_path_factory.mktemp("place")
    for name in ("mre", "folder", "of-fifo", "of-folder", "of-binary", "of-huge", "of-loop", "of-utf-16", "of-nothing",
                 "holds-nothing", "holds-loop", "holds-fifo", "holds-outside", "holds-huge", "named", "bad-dockerfile", "fifo-dockerfile",
                 "run-folder", "run-fifo"):  # fmt: skip
        (place / name).mkdir()
        if not name.startswith(("of-", "folder")):
            (place / name / "mre.toml").write_text(MANIFEST)
    os.mkfifo(place / "fifo")
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(os.path.relpath(place / "socket"))
    for one, other in (("loop", "pool"), ("pool", "loop"), ("dangling", "nothing"), ("of-loop/mre.toml", "mre.toml")):
        (place / one).symlink_to(other)
    (place / "empty").write_bytes(b"")
    (place / "blank").write_text("\n \n\t\n")
    (place / "binary").write_bytes(b"\x7fELF\x02\x01" + bytes(range(256)) * 40)
    with (place / "huge").open("wb") as file:
        file.truncate(33_000_000)
    os.mkfifo(place / "of-fifo/mre.toml")
    (place / "of-folder/mre.toml").mkdir()
    (place / "of-binary/mre.toml").write_bytes(bytes(range(256)))
    with (place / "of-huge/mre.toml").open("wb") as file:
        file.truncate(40_000_000)
    (place / "of-utf-16/mre.toml").write_bytes(MANIFEST.encode("utf-16"))
    (place / "of-nothing/mre.toml").write_bytes(b"")
    (place / "holds-loop/a").symlink_to("a")
    os.mkfifo(place / "holds-fifo/pipe")
    (place / "holds-outside/etc").symlink_to("/etc")
    with (place / "holds-huge/big").open("wb") as file:
        file.truncate(101_000_000)
    Path(os.fsdecode(os.fsencode(place / "named") + b"/\xff.txt")).write_text("")
    Path(os.fsdecode(os.fsencode(place) + b"/\xff.md")).write_bytes(b"\0\1\2")
    (place / "bad-dockerfile/Dockerfile").write_bytes(b"FROM \xff\0")
    os.mkfifo(place / "fifo-dockerfile/Dockerfile")
    for name in ("run-folder", "run-fifo"):
        (place / name / ".uvmre/runs/20240101T000000Z").mkdir(parents=True)
    (place / "run-folder/.uvmre/runs/20240101T000000Z/run.json").mkdir()
    os.mkfifo(place / "run-fifo/.uvmre/runs/20240101T000000Z/run.json")
    (place / "script").write_text("no script")
    (place / "a b.md").write_text("# uv lock fails\n\nuv 0.4.9\n\n```console\n$ uv lock\nerror: it broke in two\n```\n")
    return place


@dataclass(frozen=True)
class Row:
    """One command line that cannot come to anything."""

    arguments: str
    says: str
    exit: int = 2
    variables: dict[str, str] = field(default_factory=dict)


LONG = "x" * 300
NO_CACHE = {"XDG_CACHE_HOME": "/dev/null"}
NO_ROOM = {"XDG_CACHE_HOME": "/proc/self"}
ROWS = [
    # Every verb with a folder × what is no folder of an MRE.
    *(
        Row(f"{verb} {path}", says)
        for verb in ("run", "report", "lint", "matrix", "bisect --uv 0.4.9", "gateway", "recording verify", "recording ls", "recording rm",
                     "report --format dockerfile", "recording pack out.zip")
        for path, says in (
            ("nothing", "folder not found: `nothing`"),
            ("binary", "`binary` is not a folder" if verb.startswith(("gateway", "recording")) else "`binary` has no MRE"),
            ("folder", "`folder` is not an MRE"),
            ("loop", "`loop` is a broken symbolic link"),
        )
    ),
    *(
        Row(f"{verb} {path}", says)
        for verb in ("run", "lint", "report")
        for path, says in (
            ("fifo", "`fifo` is a named pipe, not a file"),
            ("socket", "`socket` is a socket, not a file"),
            ("/dev/zero", "`/dev/zero` is a device, not a file"),
            ("/proc/self", "`/proc/self` is not an MRE"),
            (LONG, "file name too long"),
            ("of-fifo", "`of-fifo/mre.toml` is a named pipe"),
            ("of-folder", "`of-folder/mre.toml` is a folder"),
            ("of-binary", "failed to read `of-binary/mre.toml`"),
            ("of-huge", "`of-huge/mre.toml` is larger than 32 MB"),
            ("of-utf-16", "it is not UTF-8, which TOML must be"),
            ("of-nothing", "of-nothing/mre.toml"),
            ("of-loop", "mre.toml"),
            ("holds-loop", "is a broken link"),
            ("holds-fifo", "pipe is neither a file nor a folder"),
            ("holds-outside", "etc is a link that leaves the folder"),
            ("holds-huge", "larger than 100 MB"),
            ("named", "its name is not UTF-8"),
        )
    ),
    Row("report holds-nothing", "has no finished run"),
    Row("report run-folder", "has no finished run"),
    Row("report run-fifo", "has no finished run"),
    # Files that a verb reads.
    *(
        Row(f"{verb}{path}", says)
        for verb in ("triage ", "triage --comment ", "new x --from-issue ", "new x --from-packse ", "new x --from-dockerfile ",
                     "new x -t workspace-index --defaults --data-file ")
        for path, says in (
            ("fifo", "`fifo` is a named pipe, not a file"),
            ("socket", "`socket` is a socket, not a file"),
            ("/dev/zero", "`/dev/zero` is a device, not a file"),
            ("huge", "`huge` is larger than 32 MB"),
            ("/proc/self/mem", "cannot read `/proc/self/mem`"),
        )
    ),
    *(
        Row(f"triage {form}{path}", says)
        for form in ("", "--comment ", "--label ", "--dry-run ")
        for path, says in (
            ("nothing.md", "`nothing.md` is neither a file nor an issue"),
            ("empty", "empty is empty"),
            ("blank", "blank is empty"),
            ("binary", "binary is not text"),
            ("loop", "`loop` is neither a file nor an issue"),
            ("folder", "no issue found in `folder`"),
        )
    ),
    Row(f"triage {LONG}", "file name too long"),
    Row("triage --comment owner/repo#1", "from GitHub", 125),
    Row("triage --comment --replay owner/repo#1", "`--replay` makes no requests", 125),
    Row("triage --comment https://github.com/owner/repo/issues/1", "from GitHub", 125),
    Row("triage --comment /etc/hostname", "not in the cache", 125, variables=NO_CACHE),
    Row("new x --from-packse binary", "`binary` is not UTF-8"),
    Row("new x --from-packse empty --uv 0.4.9", "`empty` is not a valid packse scenario"),
    Row("new x --from-dockerfile empty", "failed to parse `empty`"),
    Row("new x --from-dockerfile binary", "`binary` is not UTF-8"),
    Row("new x -t workspace-index --defaults --data-file binary", "`binary` is not UTF-8"),
    # Where something is to be written.
    Row("new /proc/x -t project --defaults", "/proc"),
    Row("new /dev/null/x -t project --defaults", "/dev/null"),
    Row("new binary -t project --defaults", "is a file, not a folder"),
    Row("new loop/x -t project --defaults", "loop"),
    Row(f"new {LONG} -t project --defaults", "file name too long"),
    Row("recording pack /proc/x.zip run-folder", "/proc"),
    Row("recording pack loop/x.zip mre", "loop"),
    Row("recording pack folder mre", "`folder` is a folder"),
    Row("recording pack binary mre", "`binary` already exists and is not a pack"),
    Row("recording pack /dev/null mre", "`/dev/null` already exists and is not a pack"),
    Row("demo binary", "is a file, not a folder"),
    Row("demo /proc/x", "/proc"),
    # What is asked of the network, and where it is kept.
    Row("run mre --uv 0.4.9", "/dev/null", 125, variables=NO_CACHE),
    Row("run mre --uv 0.4.9", "/proc/self", 125, variables=NO_ROOM),
    Row("matrix mre --uv latest", "not in the cache", 125, variables=NO_CACHE),
    Row("bisect mre", "not in the cache", 125, variables=NO_CACHE),
    Row("gateway", "/dev/null", 125, variables=NO_CACHE),
    Row("run mre --uv 0.5.23", "cannot be fetched from PyPI", 125),
    Row("run mre --uv 0.5.23 --replay", "`--replay` makes no requests", 125),
    Row("run mre --uv 0.5.23", "cannot be fetched from PyPI", 125, variables={"HTTPS_PROXY": "ftp://nowhere"}),
    Row("run mre --uv 0.5.23", "cannot be fetched from PyPI", 125, variables={"HTTPS_PROXY": "http://[nowhere"}),
    Row("run mre --uv 0.5.23 --replay", "`--replay` makes no requests", 125, variables={"XDG_CACHE_HOME": "NEW"}),
    Row("matrix mre --replay", "`--replay` makes no requests", 125, variables={"XDG_CACHE_HOME": "NEW"}),
    Row("bisect mre --replay", "`--replay` makes no requests", 125, variables={"XDG_CACHE_HOME": "NEW"}),
    Row("triage --replay --comment 'a b.md'", "`--replay` makes no requests", 125, variables={"XDG_CACHE_HOME": "NEW"}),
    Row("new x --from-packse empty", "cannot be fetched from PyPI", 125, variables={"XDG_CACHE_HOME": "NEW"}),
    # Values of options.
    *(
        Row(f"{verb} {wrong}", says)
        for verb in ("run mre", "matrix mre", "bisect mre", "gateway mre", "triage empty")
        for wrong, says in (
            ("--live --replay", "`--live` and `--replay` exclude each other"),
            ("--replay --live", "`--live` and `--replay` exclude each other"),
            ("--allow-host 'a b'", "`--allow-host` must be a host name"),
            ("--allow-host https://example.com", "`--allow-host` must be a host name"),
            ("--allow-host ''", "the value of `--allow-host` is empty"),
        )
    ),
    *(
        Row(f"{verb} {wrong}", says)
        for verb in ("run mre", "bisect mre", "demo x")
        for wrong, says in (
            ("--uv 0.4.9,0.4.10", "selects more than one release"),
            ("--uv all", "selects more than one release"),
            ("--uv 0.4.1..0.4.9", "selects more than one release"),
            ("--uv '>=0.4'", "selects more than one release"),
            ("--uv ''", "the value of `--uv` is empty"),
            ("--uv=", "the value of `--uv` is empty"),
        )
    ),
    Row("run mre --uv ./a,./b", "selects more than one release"),
    Row("run mre --uv all", "uvmre matrix"),
    Row("bisect mre --good all", "selects more than one release"),
    Row("bisect mre --uv ''", "the value of `--uv` is empty"),
    *(Row(f"{verb} mre --uv ''", "the value of `--uv` is empty") for verb in ("matrix", "new --defaults")),
    *(
        Row(f"{verb} mre --python {wrong}", says)
        for verb in ("run", "bisect", "matrix")
        for wrong, says in (("abc", "`abc` is not a version of Python"), ("''", "the value of `--python` is empty"))
    ),
    Row("run mre --python 3.99", "no interpreter found for Python 3.99", 125),
    Row("run ''", "an argument is empty"),
    Row("new ''", "an argument is empty"),
    Row("triage ''", "an argument is empty"),
    *(Row(f"{verb} --uv {path}", says) for verb in ("run mre", "matrix mre") for path, says in (
        ("./binary", "failed to run `binary`"),
        ("./folder", "failed to run `folder`"),
        ("./fifo", "failed to run `fifo`"),
        ("./loop", "failed to run `loop`"),
        ("/dev/zero", "failed to run `/dev/zero`"),
    )),
    *(Row(f"bisect --uv 0.4.9 --command {path}", says) for path, says in (
        ("nothing", "script `nothing` does not exist"),
        ("./folder", "script `./folder` does not exist"),
        ("./fifo", "script `./fifo` does not exist"),
        ("./loop", "script `./loop` does not exist"),
        ("./script", "is not executable"),
        ("/dev/zero", "script `/dev/zero` does not exist"),
    )),
    Row("images prepare folder", "`folder` has no Dockerfile"),
    Row("images prepare fifo-dockerfile", "is a named pipe, not a file"),
    Row("images prepare bad-dockerfile", "is not UTF-8"),
    Row("cache prune --keep -1", "invalid value for '--keep'"),
    Row("gateway --port 1", "failed to listen on port 1") if os.geteuid() else Row("gateway --port 99999", "invalid value"),
]  # fmt: skip


@pytest.fixture
def signals() -> Iterator[None]:
    """Put back what the command line sets for its own process."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.arguments[:60]!a} {' '.join(row.variables.values())}")
def test_an_error_is_reported(
    row: Row,
    place: Path,
    home: Path,
    tmp_path: Path,
    signals: None,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(place)
    for name, value in {**OFFLINE, "XDG_CACHE_HOME": str(home), **row.variables}.items():
        monkeypatch.setenv(name, value.replace("NEW", str(tmp_path)))
    code = main(shlex.split(row.arguments))
    out, err = capsys.readouterr()
    assert (code, out) == (row.exit, ""), err
    assert row.says in err
    assert "error: " in err
    assert "Traceback" not in err
    assert "bug in uvmre" not in err


def test_the_table_has_enough_rows() -> None:
    assert len(ROWS) >= 74


def shell(script: str, place: Path, home: Path, **variables: str) -> subprocess.CompletedProcess[bytes]:
    environment = {
        **os.environ,
        **OFFLINE,
        "XDG_CACHE_HOME": str(home),
        "UVMRE": f"{sys.executable} -m uvmre",
        **variables,
    }
    return subprocess.run(["bash", "-c", script], cwd=place, env=environment, capture_output=True, timeout=60)


STREAMS = [
    ("$UVMRE cache ls >&-", 2, "cause: it is closed"),
    ("$UVMRE run mre >&-", 2, "cause: it is closed"),
    ("$UVMRE run mre --json 1</dev/null", 2, "cause: it is open for reading only"),
    ("$UVMRE run mre >&- 2>&-", 2, ""),
    ("$UVMRE run mre --uv all 2>&-", 2, ""),
    ("$UVMRE report holds-nothing 2>/dev/full", 2, ""),
    ("$UVMRE cache ls >/dev/full", 125, "cause: no space left on device"),
    ("$UVMRE run mre --json >/dev/full", 125, "failed to write to stdout"),
    ("$UVMRE --help >/dev/full", 125, "failed to write to stdout"),
    ("$UVMRE triage - --comment <&-", 2, "standard input is empty"),
    ("$UVMRE triage - --comment 0>/dev/null", 2, "cause: bad file descriptor"),
    ("$UVMRE triage - </dev/zero", 2, "standard input is larger than 32 MB"),
    ("$UVMRE triage --comment $'\\xff.md'", 2, ".md is not text"),
    (
        "mkdir gone && cd gone && rmdir ../gone && $UVMRE new x -t project --defaults",
        2,
        "the current folder is unusable",
    ),
    ("mkdir gone && cd gone && rmdir ../gone && $UVMRE run", 2, "the current folder is unusable"),
    ("mkdir gone && cd gone && rmdir ../gone && $UVMRE triage --comment a.md", 2, "the current folder is unusable"),
    ("$UVMRE new x -t workspace-index --defaults --data-file <(printf 'uv: [')", 2, "failed to parse `/dev/fd/63`"),
]


@pytest.mark.parametrize(("script", "code", "says"), STREAMS, ids=[row[0] for row in STREAMS])
@pytest.mark.few(6)
def test_an_error_of_the_streams_is_reported(script: str, code: int, says: str, place: Path, home: Path) -> None:
    done = shell(script, place, home)
    data = (done.stdout + done.stderr).decode()
    assert (done.returncode, done.stdout) == (code, b""), data
    assert says in data
    assert "Traceback" not in data
    assert "bug in uvmre" not in data


@pytest.mark.parametrize("script", ["$UVMRE run mre 2>&-", "$UVMRE run mre <&-", "$UVMRE run mre 2>/dev/full"])
def test_a_run_needs_neither_stdin_nor_stderr(script: str, place: Path, home: Path) -> None:
    done = shell(script, place, home)
    assert (done.returncode, "\nreproducible: " in done.stdout.decode()) == (0, True), done.stderr


@pytest.mark.parametrize(
    "arguments", ["run mre", "run mre --json", "matrix mre --uv 0.4.1..0.4.3", "lint mre", "--help"]
)
def test_a_closed_pipe_is_no_verdict(arguments: str, place: Path, home: Path) -> None:
    """The reader of both streams is gone before anything is written: the exit code is as it would have been."""
    read, write = os.pipe()
    os.close(read)
    command = [sys.executable, "-m", "uvmre", *arguments.split()]
    environment = {**os.environ, **OFFLINE, "XDG_CACHE_HOME": str(home)}
    done = subprocess.run(command, cwd=place, env=environment, stdout=write, stderr=write, timeout=60)
    os.close(write)
    assert done.returncode == 0


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "utf-16", "cp437"])
def test_an_encoding_without_our_characters_gets_others(encoding: str, place: Path, home: Path) -> None:
    done = shell("$UVMRE matrix mre --uv 0.4.1..0.4.3 && $UVMRE run --help", place, home, PYTHONIOENCODING=encoding)
    out, err = done.stdout.decode(encoding), done.stderr.decode(encoding)
    assert done.returncode == 0, err
    whole = encoding == "utf-16"
    assert ("0.4.1 … 0.4.3 shows (3)" if whole else "0.4.1 ... 0.4.3 shows (3)") in out
    assert ("./uv …" if whole else "./uv ...") in " ".join(out.split())
    assert "?" not in out


def test_json_is_whole_in_every_encoding(place: Path, home: Path) -> None:
    arguments = f"{shlex.quote('a b.md')} --dry-run --json"
    plain, narrow = (
        json.loads(shell(f"$UVMRE triage {arguments}", place, home, PYTHONIOENCODING=encoding).stdout.decode(encoding))
        for encoding in ("utf-8", "ascii")
    )
    assert plain == narrow
    assert not json.dumps(plain, ensure_ascii=False).isascii()


@pytest.mark.parametrize(
    "arguments", ["report holds-nothing", "run nothing", "run mre --uv all", "triage --live --replay mre"]
)
def test_an_error_in_json_is_as_its_schema_says(arguments: str, place: Path, home: Path) -> None:
    done = shell(f"$UVMRE {arguments} --json", place, home)
    data = json.loads(done.stdout)
    jsonschema.validate(data, json.loads((SCHEMAS / "error.json").read_text()))
    assert (done.returncode, data["exit"]) == (2, 2)


def test_the_mre_as_a_dockerfile_in_json_is_as_its_schema_says(place: Path, home: Path) -> None:
    data = json.loads(shell("$UVMRE report mre --format dockerfile --json", place, home).stdout)
    jsonschema.validate(data, json.loads((SCHEMAS / "report.json").read_text()))
    assert data["text"].startswith("#")


ASKS = """#!/bin/sh
echo "error: nobody knows" >&2
python3 -c "import urllib.request as r; r.urlopen('https://pypi.org/simple/six/')" 2>/dev/null
exit 2
"""
POST = """\
# uv lock fails with a project
<!-- somebody/something#1 created 2024-10-10T00:00:00Z -->
uv 0.4.9

pyproject.toml:
```toml
[project]
name = "a"
version = "1"
dependencies = ["six"]
```
```console
$ uv lock
error: it broke in two
```
"""


@pytest.mark.parametrize("form", ["--comment", "--label", "", "--json"])
@pytest.mark.parametrize("network", ["", "--replay"])
@pytest.mark.few(3)
def test_without_a_network_nothing_is_requested_of_the_reporter(form: str, network: str, tmp_path: Path) -> None:
    stock(tmp_path)
    (tmp_path / "uvmre/uv/0.4.9/uv").write_text(ASKS)
    (tmp_path / "issue.md").write_text(POST)
    done = shell(f"$UVMRE triage issue.md {form} {network}", tmp_path, tmp_path)
    data = done.stderr.decode()
    assert done.returncode == 125, data
    assert "error: failed to run the MRE\ncause: no response from pypi.org" in data
    assert "hint:" in data
    if form == "--json":
        answer = json.loads(done.stdout)
        assert (answer["verdict"], answer["exit"], answer["questions"], answer["labels"]) == (
            "inconclusive",
            125,
            [],
            [],
        )
    else:
        assert done.stdout == b""


@pytest.mark.parametrize(
    "arguments",
    [
        "run mre --uv 0.5.23",
        "run mre --uv latest",
        "run mre --uv @2024-09-01",
        "matrix mre --uv 0.4.9,0.5.23",
        "matrix mre --uv latest --python 3.99",
        "bisect mre --uv 0.4.9",
        "triage owner/repo#1 --comment",
        "triage 'a b.md' --bisect",
    ],
)
def test_replay_connects_to_no_one(
    arguments: str, place: Path, tmp_path: Path, signals: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The catalogue is of long ago, and one release is not in the cache: both would be asked for."""
    cache = stock(tmp_path, gone=("0.4.3",))
    kept = json.loads((cache / "releases.json").read_text())
    (cache / "releases.json").write_text(json.dumps({**kept, "asked": "2024-12-24T00:00:00+00:00"}))
    monkeypatch.chdir(place)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    with socket.create_server(("127.0.0.1", 0)) as proxy:
        proxy.setblocking(False)
        for name in OFFLINE:
            monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.getsockname()[1]}")
        assert main([*shlex.split(arguments), "--replay"]) in (0, 2, 125)
        with pytest.raises(BlockingIOError):
            proxy.accept()
