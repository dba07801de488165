"""Real processes: their limits, and that nothing of them is left behind."""

import signal
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from hypothesis import given
from hypothesis import strategies as st

from uvmre.run import process, process_tree
from uvmre.run.process import Capped, Finished

PATH = {"PATH": "/usr/local/bin:/usr/bin:/bin"}


@pytest.fixture
def mark() -> Iterator[str]:
    """Return seconds for `sleep` that no other process on this machine sleeps, and end whoever still does."""
    mark = f"3{uuid.uuid4().int % 10**3:03}.{uuid.uuid4().int % 10**15:015}"
    yield mark
    for left in asleep(mark):
        left.kill()


def asleep(mark: str) -> list[psutil.Process]:
    """Return the processes that have `mark` among their words, but shells, which only talk of it."""
    found = []
    for running in psutil.process_iter():
        try:
            if mark in running.cmdline() and running.status() != psutil.STATUS_ZOMBIE:
                found.append(running)
        except psutil.Error:
            continue
    return found


def wait_for(mark: str, count: int = 1) -> list[psutil.Process]:
    """Wait until `count` processes sleep `mark`."""
    deadline = time.monotonic() + 20
    while len(found := asleep(mark)) < count and time.monotonic() < deadline:
        time.sleep(0.02)
    assert len(found) == count
    return found


def sh(
    script: str,
    cwd: Path,
    *,
    timeout: float = 60,
    limit: int = process.OUTPUT_LIMIT,
    stop: threading.Event | None = None,
    **variables: str,
) -> Finished:
    return process.run(
        ["/bin/sh", "-c", script],
        cwd=cwd,
        environment=PATH | variables,
        timeout=timeout,
        stop=stop or threading.Event(),
        output_limit=limit,
    )


def python(code: str, cwd: Path, *, limit: int) -> Finished:
    command = [sys.executable, "-c", code]
    return process.run(command, cwd=cwd, environment={}, timeout=60, stop=threading.Event(), output_limit=limit)


@pytest.mark.parametrize("code", [0, 1, 2, 125, 255], ids=lambda code: f"exit {code} is told as {code}")
def test_an_exit_code_is_reported_as_it_is(tmp_path: Path, code: int) -> None:
    done = sh(f"exit {code}", tmp_path)
    assert (done.exit, done.timed_out, done.truncated) == (code, False, False)


@pytest.mark.parametrize(
    "number",
    [signal.SIGTERM, signal.SIGKILL, signal.SIGSEGV, signal.SIGPIPE, signal.SIGABRT],
    ids=lambda number: f"{number.name} is told as 128 and its number",
)
def test_a_signal_is_reported_as_in_a_shell(tmp_path: Path, number: signal.Signals) -> None:
    assert sh(f"ulimit -c 0; kill -{number.value} $$", tmp_path).exit == 128 + number


def test_the_streams_are_kept_apart(tmp_path: Path) -> None:
    done = sh("echo out; echo err >&2; printf '\\377'", tmp_path)
    assert (done.stdout, done.stderr) == (b"out\n\xff", b"err\n")


def test_it_runs_in_its_folder(tmp_path: Path) -> None:
    sh("echo here > file", tmp_path)
    assert (tmp_path / "file").read_text() == "here\n"


def test_its_time_is_reported(tmp_path: Path) -> None:
    assert 0.5 <= sh("sleep 0.5", tmp_path).seconds < 30


def test_the_time_limit_ends_the_whole_group(tmp_path: Path, mark: str) -> None:
    done = sh(f"echo early; sleep {mark} & sleep {mark}", tmp_path, timeout=1.5)
    assert (done.timed_out, done.exit, done.stdout) == (True, 128 + signal.SIGTERM, b"early\n")
    assert asleep(mark) == []


def test_who_does_not_heed_a_term_is_killed(tmp_path: Path, mark: str) -> None:
    done = sh(f"trap '' TERM; sleep {mark}; sleep {mark}", tmp_path, timeout=1.5)
    assert (done.timed_out, done.exit) == (True, 128 + signal.SIGKILL)
    assert asleep(mark) == []


def test_a_term_may_be_answered_with_an_exit_code(tmp_path: Path, mark: str) -> None:
    done = sh(f"trap 'exit 7' TERM; sleep {mark} & wait", tmp_path, timeout=1.5)
    assert (done.timed_out, done.exit) == (True, 7)


def test_what_a_command_leaves_in_the_background_ends_with_it(tmp_path: Path, mark: str) -> None:
    done = sh(f"sleep {mark} & sleep {mark} >/dev/null 2>&1 & echo done", tmp_path)
    assert (done.exit, done.timed_out, done.stdout) == (0, False, b"done\n")
    assert asleep(mark) == []


def test_a_talkative_background_child_does_not_hold_up_the_end(tmp_path: Path) -> None:
    done = sh("yes & yes >&2 & sleep 0.5", tmp_path)
    assert (done.exit, done.timed_out, done.truncated) == (0, False, True)


def test_a_background_child_that_does_not_heed_a_term_is_killed(tmp_path: Path, mark: str) -> None:
    done = sh(f"trap '' TERM; sleep {mark} & exit 3", tmp_path)
    assert done.exit == 3
    assert asleep(mark) == []


def test_stop_ends_it_early(tmp_path: Path, mark: str) -> None:
    stop = threading.Event()
    ended: list[Finished] = []
    thread = threading.Thread(
        target=lambda: ended.append(sh(f"sleep {mark} & sleep {mark}", tmp_path, timeout=300, stop=stop))
    )
    thread.start()
    wait_for(mark, 2)
    stop.set()
    thread.join(30)
    assert [(done.exit, done.timed_out) for done in ended] == [(128 + signal.SIGTERM, False)]
    assert asleep(mark) == []


def test_stop_set_before_it_starts_ends_it_at_once(tmp_path: Path, mark: str) -> None:
    stop = threading.Event()
    stop.set()
    assert sh(f"sleep {mark}", tmp_path, stop=stop).exit == 128 + signal.SIGTERM
    assert asleep(mark) == []


@pytest.mark.parametrize("stream", ["stdout", "stderr"])
def test_too_much_output_keeps_both_ends_and_says_how_much_is_left_out(tmp_path: Path, stream: str) -> None:
    done = python(f"import sys; sys.{stream}.write('a' * 3000 + 'b' * 200_000 + 'c' * 3000)", tmp_path, limit=6000)
    expected = b"a" * 3000 + b"\n[uvmre: 200000 bytes omitted]\n" + b"c" * 3000
    assert getattr(done, stream) == expected
    assert (done.truncated, done.exit) == (True, 0)


def test_output_at_the_limit_is_whole(tmp_path: Path) -> None:
    done = python("print('x' * 999)", tmp_path, limit=1000)
    assert (done.stdout, done.truncated) == (b"x" * 999 + b"\n", False)


def test_the_last_output_of_a_long_stream_is_there(tmp_path: Path) -> None:
    done = python("print('x' * 5_000_000 + 'end')", tmp_path, limit=process.OUTPUT_LIMIT)
    assert done.stdout.endswith(b"xend\n")
    assert len(done.stdout) < process.OUTPUT_LIMIT + 100


@given(chunks=st.lists(st.binary(max_size=40)), half=st.integers(1, 30))
def test_the_cap_keeps_all_or_two_ends(chunks: list[bytes], half: int) -> None:
    capped, whole = Capped(2 * half), b"".join(chunks)
    for chunk in chunks:
        capped.add(chunk)
    if len(whole) <= 2 * half:
        assert (capped.value(), capped.omitted) == (whole, 0)
    else:
        gap = f"\n[uvmre: {len(whole) - 2 * half} bytes omitted]\n".encode()
        assert capped.value() == whole[:half] + gap + whole[-half:]


def test_there_is_no_standard_input(tmp_path: Path) -> None:
    done = sh("cat; read line || echo nothing", tmp_path, timeout=30)
    assert (done.stdout, done.timed_out) == (b"nothing\n", False)


def test_it_has_no_terminal_of_ours(tmp_path: Path) -> None:
    done = python("import os; print(os.getsid(0) == os.getpid() == os.getpgrp())", tmp_path, limit=1000)
    assert done.stdout == b"True\n"


def test_nothing_is_inherited_in_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UV_INDEX_FOO_PASSWORD", "of the one who runs it")
    done = sh("env", tmp_path, GIVEN="1")
    output = dict(line.split("=", 1) for line in done.stdout.decode().splitlines())
    assert {name: value for name, value in output.items() if name not in ("PWD", "SHLVL", "_", "OLDPWD")} == {
        **PATH,
        "GIVEN": "1",
    }


def test_without_a_shell_the_environment_is_exactly_what_was_given(tmp_path: Path) -> None:
    given = {"A": "1", "B": "two words"}
    done = process.run(["/usr/bin/env"], cwd=tmp_path, environment=given, timeout=60, stop=threading.Event())
    assert sorted(done.stdout.decode().splitlines()) == ["A=1", "B=two words"]


DAEMON = (
    "import subprocess, sys; "
    "subprocess.Popen(['sleep', sys.argv[1]], start_new_session=True, **"
    "({} if len(sys.argv) > 2 else dict.fromkeys(('stdout', 'stderr'), subprocess.DEVNULL)))"
)


@pytest.mark.parametrize(
    "holding", ["", "streams"], ids=["a daemon that let go of its streams", "a daemon that holds its streams"]
)
def test_a_daemon_is_ended_as_a_stray(tmp_path: Path, mark: str, holding: str) -> None:
    home = tmp_path / "run" / "base" / "home"
    done = sh(f"'{sys.executable}' -c \"{DAEMON}\" {mark} {holding}", tmp_path, HOME=str(home))
    assert (done.exit, done.timed_out, done.stderr) == (0, False, b"")
    wait_for(mark)
    process_tree.end_strays(tmp_path / "run")
    assert asleep(mark) == []


@pytest.mark.parametrize(
    "home",
    [
        pytest.param("elsewhere/home", id="a home elsewhere"),
        pytest.param("run-2/home", id="a home in a folder whose name only begins the same"),
    ],
)
def test_others_are_no_strays(tmp_path: Path, mark: str, home: str) -> None:
    with subprocess.Popen(["sleep", mark], env=PATH | {"HOME": str(tmp_path / home)}) as other:
        try:
            wait_for(mark)
            process_tree.end_strays(tmp_path / "run")
            assert other.poll() is None
        finally:
            other.kill()


@pytest.mark.parametrize(
    ("command", "fault"),
    [
        pytest.param("no-such-command-of-uvmre", FileNotFoundError, id="a command that is not there"),
        pytest.param("./plain", PermissionError, id="a file that is not executable"),
        pytest.param("./empty", OSError, id="an executable that is none"),
    ],
)
def test_a_command_that_cannot_be_started_raises(tmp_path: Path, command: str, fault: type[OSError]) -> None:
    (tmp_path / "plain").write_text("#!/bin/sh\n")
    (tmp_path / "empty").touch(mode=0o755)
    with pytest.raises(fault):
        process.run([command], cwd=tmp_path, environment=PATH, timeout=60, stop=threading.Event())


def test_a_folder_that_is_not_there_raises(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        sh("true", tmp_path / "missing")


def test_many_at_once_do_not_disturb_each_other(tmp_path: Path) -> None:
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(20) as pool:
        done = list(pool.map(lambda i: sh(f"echo {i}; exit {i}", tmp_path), range(60)))
    assert [(finished.exit, finished.stdout) for finished in done] == [(i, f"{i}\n".encode()) for i in range(60)]
