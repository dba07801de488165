"""Steps that use more than a step may: what they exceed is named, and the machine stays usable."""

import tempfile
import textwrap
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import tomli_w

from tests.hostile.conftest import PRELUDE, SYMPTOM, UV, Host, RunAttack
from uvmre.core.outcome.matching import Outcome
from uvmre.core.outcome.result import Result
from uvmre.flows.options import RunOptions
from uvmre.flows.run import run
from uvmre.run import backends, process_tree
from uvmre.run.cgroups import control_group
from uvmre.run.limits import MB, StepLimits
from uvmre.run.sandbox.backend import Sandbox

OUTPUT = {
    "lines": "yes",
    "lines of errors": "yes >&2",
    "no lines": "tr '\\0' x < /dev/zero",
    "zeros": "cat /dev/zero",
    "both streams": "yes & yes >&2",
    "a daemon's": "setsid yes & sleep 100",
}


@pytest.mark.parametrize("command", OUTPUT.values(), ids=OUTPUT.keys())
def test_endless_output_is_ended(attack: RunAttack, command: str) -> None:
    found = attack(f"$ {command}")
    assert found.outcome == "broken"
    assert found.reason == "`attack 0` exceeds the limit of 100 MB of output"
    assert found.steps[0]["limit"] == "100 MB of output"
    assert len(found.steps[0]["stdout"]) < 2_000_000
    assert found.seconds < 30


HUGE_FILES = {
    "a sparse file": "$ exec truncate -s 10G sparse",
    "a file of 10 GB": "$ exec dd if=/dev/zero of=big bs=1 count=1 seek=10G",
    "a file of 10 GB in /tmp": "$ exec truncate -s 10G /tmp/sparse",
    "a file of 10 GB in shared memory": "$ exec truncate -s 10G /dev/shm/sparse",
    "a file with space reserved": "$ exec fallocate -l 10G big",
}


@pytest.mark.parametrize("command", HUGE_FILES.values(), ids=HUGE_FILES.keys())
def test_a_file_of_10_gb_is_not_written(attack: RunAttack, command: str) -> None:
    found = attack(command)
    assert found.outcome == "broken"
    assert found.reason == "`attack 0` exceeds the limit of 4 GB per file"


def test_a_huge_file_fails_where_its_signal_is_ignored(attack: RunAttack) -> None:
    found = attack("signal.signal(signal.SIGXFSZ, signal.SIG_IGN); os.truncate('attack0.py', 10**10)")
    assert found.printed == "stopped by EFBIG"
    assert found.outcome == "different"


BOMBS = {
    "of a shell": "$ bomb() { bomb | bomb & }; bomb; sleep 100",
    "of Python": "while True: os.fork()",
    "that goes on where forks fail": """
        while True:
            try:
                os.fork()
            except OSError:
                pass
    """,
    "of threads": """
        import threading
        while True:
            try:
                threading.Thread(target=time.sleep, args=(100,)).start()
            except RuntimeError:
                time.sleep(0.01)
    """,
}


@pytest.mark.parametrize("body", BOMBS.values(), ids=BOMBS.keys())
def test_a_fork_bomb_ends_and_the_machine_stays_usable(attack: RunAttack, body: str) -> None:
    found = attack(body, timeout=4)
    assert found.outcome in ("broken", "different")
    # Memory that processes share counts for each of them.
    named = ("exceeds its time limit", "512 processes", "4 GB of memory", "CPU time", "not as reported")
    assert any(each in found.reason for each in named), found.reason
    assert found.seconds < 40


RunLimited = Callable[..., tuple[Outcome, float]]


@pytest.fixture
def run_limited(host: Host, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RunLimited:
    """Return a function that runs a step in the sandbox with other limits than the default ones."""
    monkeypatch.setattr(tempfile, "tempdir", str(host.temp))

    def execute(body: str, *, timeout: int = 30, before: str = "", **limits: int) -> tuple[Outcome, float]:
        sandbox = Sandbox(limits=StepLimits(**limits))
        monkeypatch.setitem(backends.BACKENDS, "sandbox", sandbox)  # type: ignore[index]
        script = PRELUDE + textwrap.dedent(body)
        (tmp_path / "attack.py").write_text(script)
        steps = [*([before] if before else []), "exec python attack.py"]
        data = {
            "schema": 1,
            "title": "attack",
            "environment": {"uv": UV},
            "step": [{"role": "observe", "run": each, "name": "attack", "timeout": timeout} for each in steps],
            "symptom": SYMPTOM,
        }
        (tmp_path / "mre.toml").write_text(tomli_w.dumps(data))
        started = time.perf_counter()
        result: Result = run(tmp_path, RunOptions(cache=host.cache / "uvmre", backend="sandbox"))
        assert list(host.temp.iterdir()) == []
        return result.variants[0].outcome, time.perf_counter() - started

    return execute


MEMORY = {
    "one process": """
        kept = []
        while True:
            kept.append(bytearray(10**7))
            time.sleep(0.01)
    """,
    "many processes": """
        for _ in range(8):
            if not os.fork():
                break
        kept = bytearray(8 * 10**7)
        time.sleep(60)
    """,
    "shared memory without a file": """
        kept = mmap.mmap(-1, 10**9)
        for start in range(0, 10**9, 4096):
            kept[start] = 1
        time.sleep(60)
    """,
    "a mapped file": """
        with open("mapped", "wb") as file:
            file.truncate(10**9)
        kept = mmap.mmap(os.open("mapped", os.O_RDWR), 10**9)
        for start in range(0, 10**9, 4096):
            kept[start] = 1
        time.sleep(60)
    """,
    "the memory of a daemon": """
        if os.fork():
            time.sleep(60)
        os.setsid()
        if os.fork():
            os._exit(0)
        kept = bytearray(5 * 10**8)
        time.sleep(60)
    """,
}


@pytest.mark.parametrize(
    "body",
    [pytest.param(body, id=name, marks=pytest.mark.slow if "map" in name else ()) for name, body in MEMORY.items()],
)
def test_memory_is_that_of_all_processes_together(run_limited: RunLimited, body: str) -> None:
    outcome, seconds = run_limited(body, memory=300 * MB, timeout=15)
    assert outcome.word == "broken"
    # Where the kernel keeps the limit, it writes a mapped file to the disk.
    slower = ("`attack` exceeds its time limit (15 s)",) if "mapped" in body else ()
    assert outcome.reason in ("`attack` exceeds the limit of 300 MB of memory", *slower)
    assert seconds < 30


def test_a_step_ends_where_the_kernel_killed_one_of_its_processes(
    run_limited: RunLimited, monkeypatch: pytest.MonkeyPatch
) -> None:
    with control_group({"memory": 300 * MB}) as group:
        if not group.folders:
            pytest.skip("no control groups here: THE KERNEL'S LIMIT IS NOT TESTED")
    monkeypatch.setattr(process_tree, "usage", lambda _pid: (1, 0))  # the kernel is faster than the watch
    outcome, seconds = run_limited(MEMORY["many processes"], memory=300 * MB, timeout=15)
    assert outcome.reason == "`attack` exceeds the limit of 300 MB of memory"
    assert seconds < 15


def test_many_processes_are_named(run_limited: RunLimited) -> None:
    outcome, seconds = run_limited(
        """
        for _ in range(60):
            if not os.fork():
                time.sleep(60)
        time.sleep(60)
        """,
        processes=50,
        timeout=5,
    )
    assert outcome.word in ("broken", "different")
    assert "`attack` exceeds" in outcome.reason or "fails (1)" in outcome.reason
    assert seconds < 25


FILES = {
    "many files": ("'.'", ""),
    "many files in /tmp": ("'/tmp'", ""),
    "many files in the folder for temporary files": ("os.environ['TMPDIR']", ""),
    "many files in shared memory": ("'/dev/shm'", ""),
    "many files at home": ("os.environ['HOME']", ""),
    "files in a folder without permissions": ("'hidden'", "os.chmod('hidden', 0o300)"),
    "files without a name": ("'.'", "unlink = True"),
}


@pytest.mark.parametrize(("folder", "more"), FILES.values(), ids=FILES.keys())
def test_the_size_of_all_files_is_limited_while_a_step_runs(run_limited: RunLimited, folder: str, more: str) -> None:
    outcome, seconds = run_limited(
        f"""
        unlink, kept = False, []
        os.mkdir("hidden")
        folder = {folder}
        opened = os.open(folder, os.O_RDONLY)
        {more}
        for number in range(100):
            file = os.open(f"big{{number}}", os.O_CREAT | os.O_WRONLY, dir_fd=opened)
            os.posix_fallocate(file, 0, 20 * 10**6)
            os.write(file, b"x" * 10**6)
            kept.append(file)
            if unlink:
                os.unlink(f"big{{number}}", dir_fd=opened)
            time.sleep(0.05)
        time.sleep(60)
        """,
        folder_size=400 * MB,
        timeout=20,
    )
    assert outcome == Outcome("broken", "`attack` exceeds the limit of 400 MB of files")
    assert seconds < 18


@pytest.mark.slow
def test_a_million_small_files_are_limited(run_limited: RunLimited) -> None:
    outcome, seconds = run_limited(
        """
        for number in range(10**6):
            os.close(os.open(f"{number}", os.O_CREAT))
        """,
        files=20_000,
        timeout=60,
    )
    assert outcome == Outcome("broken", "`attack` exceeds the limit of 20,000 files")
    assert seconds < 40


def test_the_files_of_all_steps_count_together(run_limited: RunLimited) -> None:
    outcome, _ = run_limited("sys.exit(42)", before="mkdir a; fallocate -l 300M a/big; exit 0", folder_size=200 * MB)
    assert outcome.word in ("broken", "different")


def test_the_time_of_all_threads_counts(run_limited: RunLimited) -> None:
    outcome, seconds = run_limited(
        """
        import hashlib, threading
        data = bytes(10**7)
        def work():
            while True:
                hashlib.sha256(data)
        for _ in range(8):
            threading.Thread(target=work).start()
        """,
        timeout=3,
    )
    assert outcome.word == "broken"
    assert "3 s of CPU time" in outcome.reason or "time limit (3 s)" in outcome.reason
    assert seconds < 15


def test_open_files_are_limited(attack: RunAttack) -> None:
    found = attack("""
        kept = []
        while len(kept) < 100_000:
            kept.append(os.open("/dev/null", os.O_RDONLY))
        return len(kept)
    """)
    assert found.printed == "stopped by EMFILE"


def test_no_core_is_dumped(attack: RunAttack) -> None:
    found = attack("$ ulimit -c unlimited; sh -c 'kill -SEGV $$'; ls; exit 7")
    assert "core" not in found.printed.splitlines()
