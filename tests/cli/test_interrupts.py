"""TERM and ^C at any moment, and a kill: a command ends soon, and neither a process nor a folder of it stays."""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

TIMES = int(os.environ.get("UVMRE_INTERRUPTS", "20"))
"""How often; more by hand: `UVMRE_INTERRUPTS=200 pytest -m slow tests/cli/test_interrupts.py`."""
SOON = 15.0
"""Seconds, on a machine that does much else. The product's own limit for what does not end is longer."""
SCRIPT = """\
#!/bin/sh
sleep 0.05
case "$UVMRE_UV" in 0.4.7|0.4.8|0.4.9|0.4.10|0.4.11) exit 0 ;; esac
exit 1
"""
VERBS = {
    "bisect": ("bisect", "--uv", "0.4.9", "--again", "--repeat", "3"),
    "matrix": ("matrix", "--uv", "all", "--again", "--jobs", "1"),
}


def left(folder: Path) -> list[psutil.Process]:
    """Return the processes that were started for a test: their environment names its folder."""
    found = []
    for process in psutil.process_iter():
        try:
            if any(str(folder) in value for value in process.environ().values()) and process.pid != os.getpid():
                found.append(process)
        except psutil.Error:
            continue
    return found


@pytest.mark.slow
@pytest.mark.parametrize("verb", VERBS)
def test_a_signal_at_any_moment_ends_a_search(home: Path, tmp_path: Path, verb: str) -> None:
    script, temp = tmp_path / "ask.sh", tmp_path / "temp"
    script.write_text(SCRIPT)
    script.chmod(0o755)
    temp.mkdir()
    command = [sys.executable, "-m", "uvmre", *VERBS[verb], "--command", str(script)]
    environment = {**os.environ, "XDG_CACHE_HOME": str(home), "TMPDIR": str(temp)}
    chance = random.Random(TIMES)
    exits = []
    for _ in range(TIMES):
        after, again = chance.uniform(0.0, 2.5), chance.choice([None, 0.0, chance.uniform(0.0, 0.003)])
        search = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        time.sleep(after)
        search.send_signal(signal.SIGTERM)
        if again is not None:  # `timeout` sends two: one to its child, and one to the group that its child is in
            time.sleep(again)
            search.send_signal(signal.SIGTERM)
        sent = time.monotonic()
        try:
            _, talk = search.communicate(timeout=SOON)
        except subprocess.TimeoutExpired:
            stuck = subprocess.run(["ps", "-T", "-o", "stat,wchan:20,args", "-p", str(search.pid)], capture_output=True)
            search.kill()
            pytest.fail(f"after {after:.3f} s, again {again}: still there\n{stuck.stdout.decode()}")
        exits.append(search.returncode)
        context = f"after {after:.3f} s, again {again}: {time.monotonic() - sent:.1f} s\n{talk.decode()}"
        # Python itself has no answer to a signal before it has read the first line of ours.
        assert search.returncode in (130, -signal.SIGTERM, 0, 125), context
        assert search.returncode >= 0 or not talk, context
        assert not left(tmp_path), context
        assert not list(temp.iterdir()), context
    assert exits.count(130) > TIMES / 2, exits


MRE = """\
schema = 1
title = "It waits"

[environment]
uv = "0.4.9"

[environment.variables]
HOME = "/nonexistent"

[[step]]
role = "observe"
run = "echo begun; (setsid sleep {unique} &); sleep {unique} & sleep {unique}"

[symptom]
output = ["it broke in two"]
"""
QUICK = MRE.partition("[environment.variables]")[0] + MRE.partition('HOME = "/nonexistent"\n')[2]


def written(folder: Path, text: str) -> Path:
    folder.mkdir()
    (folder / "mre.toml").write_text(text)
    return folder


def sleepers(unique: str) -> list[psutil.Process]:
    return [each for each in psutil.process_iter(["cmdline"]) if each.info["cmdline"] == ["sleep", unique]]


def wait_for(unique: str, count: int) -> None:
    deadline = time.monotonic() + 60
    while len(sleepers(unique)) < count and time.monotonic() < deadline:
        time.sleep(0.05)
    assert len(sleepers(unique)) == count


def test_the_next_command_cleans_up_after_one_that_was_killed(home: Path, tmp_path: Path) -> None:
    temp = tmp_path / "temp"
    temp.mkdir()
    environment = {**os.environ, "XDG_CACHE_HOME": str(home), "TMPDIR": str(temp)}
    killed_s, living_s = f"62.{os.getpid()}", f"63.{os.getpid()}"

    def start(unique: str, name: str) -> "subprocess.Popen[bytes]":
        mre = written(tmp_path / name, MRE.format(unique=unique))
        command = [sys.executable, "-m", "uvmre", "run", str(mre)]
        return subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    killed, living = start(killed_s, "killed"), start(living_s, "living")
    try:
        wait_for(killed_s, 3)
        wait_for(living_s, 3)
        killed.kill()
        killed.wait()
        assert len(list(temp.iterdir())) == 2
        assert len(sleepers(killed_s)) == 3
        quick = written(tmp_path / "quick", QUICK.replace("{unique}", "0"))
        ended = subprocess.run([sys.executable, "-m", "uvmre", "run", str(quick)], env=environment, capture_output=True)
        assert ended.returncode == 1, ended.stderr
        assert sleepers(killed_s) == []
        assert len(sleepers(living_s)) == 3
        assert len(list(temp.iterdir())) == 1
    finally:
        living.terminate()
        living.wait(timeout=60)
        for left in (*sleepers(killed_s), *sleepers(living_s)):
            left.kill()
    assert list(temp.iterdir()) == []


POOL = """\
import os, signal, sys, threading
from uvmre.cli import interrupts
from uvmre.flows.thread_pool import Pool
{extra}
stop = threading.Event()
interrupts.install()
try:
    with Pool(2, "test", stop) as pool:
        waiting = {first}
        print("up", flush=True)
        {body}
except KeyboardInterrupt:
    interrupts.over()
    print("ended", flush=True)
"""


def program(body: str, extra: str = "", first: str = "None") -> "subprocess.Popen[str]":
    process = subprocess.Popen(
        [sys.executable, "-c", POOL.format(body=body, extra=extra, first=first)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout
    assert process.stdout.readline() == "up\n"
    return process


def test_who_waits_for_a_thread_is_interrupted_at_once() -> None:
    process = program("pool.result(waiting)", first="pool.submit(stop.wait, 60)")
    process.send_signal(signal.SIGTERM)
    assert process.communicate(timeout=SOON) == ("ended\n", None)


def test_a_clean_up_that_has_begun_is_finished_first() -> None:
    extra = """
class Slow:
    def __enter__(self): pass
    def __exit__(self, *_):
        print("cleaning", flush=True)
        for _ in range(10):
            stop.wait(0.1)
        print("clean", flush=True)
"""
    process = program("with Slow(): pass\n        stop.wait(60)", extra)
    assert process.stdout
    assert process.stdout.readline() == "cleaning\n"
    process.send_signal(signal.SIGTERM)
    assert process.communicate(timeout=SOON) == ("clean\nended\n", None)


def test_what_does_not_end_is_ended_by_force() -> None:
    process = program(
        "pool.result(waiting)", "import time\ninterrupts.FORCED_AFTER = 0.5", "pool.submit(time.sleep, 60)"
    )
    process.send_signal(signal.SIGTERM)
    assert process.communicate(timeout=SOON) == ("", None)
    assert process.returncode == 130


def test_a_second_interrupt_ends_at_once_and_a_second_term_changes_nothing() -> None:
    process = program("pool.result(waiting)", "import time", "pool.submit(time.sleep, 60)")
    process.send_signal(signal.SIGINT)
    time.sleep(1.2)
    process.send_signal(signal.SIGTERM)
    time.sleep(0.3)
    assert process.poll() is None
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=SOON)
    assert process.returncode == 130


def test_signals_sent_twice_never_leave_a_lock_accepted() -> None:
    """Each of these hung one time in a hundred while the handler raised wherever it was called."""
    chance = random.Random(1)
    extra = "import random"
    body = (
        "while True: [pool.result(each) for each in [pool.submit(stop.wait, random.random() / 500) for _ in range(3)]]"
    )
    for _ in range(max(10, TIMES // 2)):
        process = program(body, extra)
        time.sleep(chance.uniform(0.0, 0.05))
        process.send_signal(signal.SIGTERM)
        until = time.perf_counter() + chance.uniform(0.0, 0.0004)
        while time.perf_counter() < until:
            pass
        process.send_signal(signal.SIGTERM)
        assert process.communicate(timeout=SOON) == ("ended\n", None)
