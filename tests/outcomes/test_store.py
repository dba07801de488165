"""What is kept of one search for the next: sound whoever writes, however they end, and whatever was there before."""

import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest

from uvmre.outcomes import store
from uvmre.outcomes.store import OutcomeKey, OutcomeStore, StoredOutcome

KEY = OutcomeKey("d" * 64, "0.5.21", "3.11.7", "as reported", "local", "auto", "manylinux_x86_64")
SHOWS = StoredOutcome("shows", "it is there", 1.25, "2026-01-02T03:04:05+00:00")
ABSENT = StoredOutcome("absent", "it is not", 0.5, "2026-01-02T03:04:06+00:00")


class Messages(list[str]):
    def __call__(self, sentence: str) -> None:
        self.append(sentence)


@pytest.fixture
def messages() -> Messages:
    return Messages()


def test_what_was_kept_is_there_the_next_time(tmp_path: Path, messages: Messages) -> None:
    with OutcomeStore(tmp_path / "cache", messages) as first:
        assert first.get(KEY) == ()
        first.add(KEY, SHOWS)
    with OutcomeStore(tmp_path / "cache", messages) as second:
        assert second.get(KEY) == (SHOWS,)
    assert messages == []


def test_runs_of_one_cell_add_up_in_their_order(tmp_path: Path, messages: Messages) -> None:
    with OutcomeStore(tmp_path, messages) as kept:
        for run in (SHOWS, ABSENT, ABSENT):
            kept.add(KEY, run)
        assert kept.get(KEY) == (SHOWS, ABSENT, ABSENT)
        kept.forget(KEY)
        assert kept.get(KEY) == ()


def test_the_time_defaults_to_now(tmp_path: Path, messages: Messages) -> None:
    with OutcomeStore(tmp_path, messages) as kept:
        kept.add(KEY, StoredOutcome("different", "otherwise", 0.1))
        (run,) = kept.get(KEY)
    assert run.finished.startswith("20")
    assert run.finished.endswith("+00:00")


@pytest.mark.parametrize("field", ["digest", "release", "interpreter", "variant", "backend", "network", "platform"])
def test_nothing_is_kept_for_what_differs_in(tmp_path: Path, messages: Messages, field: str) -> None:
    with OutcomeStore(tmp_path, messages) as kept:
        kept.add(KEY, SHOWS)
        assert kept.get(replace(KEY, **{field: "other"})) == ()


def test_several_threads_write_at_once(tmp_path: Path, messages: Messages) -> None:
    with OutcomeStore(tmp_path, messages) as kept:
        threads = [threading.Thread(target=lambda: [kept.add(KEY, SHOWS) for _ in range(20)]) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(kept.get(KEY)) == 160
    assert messages == []


WRITER = """
import sys
from pathlib import Path
from uvmre.outcomes.store import OutcomeKey, OutcomeStore, StoredOutcome
key = OutcomeKey("d", "0.5.21", "", "as reported", "local", "auto", "here")
with OutcomeStore(Path(sys.argv[1]), lambda sentence: sys.exit(sentence)) as store:
    print("open", flush=True)
    for number in range(int(sys.argv[2])):
        store.add(key, StoredOutcome("shows", str(number), 0.0))
"""


def writer(cache: Path, times: int) -> "subprocess.Popen[str]":
    words = [sys.executable, "-c", WRITER, str(cache), str(times)]
    return subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_several_processes_begin_and_write_at_once(tmp_path: Path, messages: Messages) -> None:
    writers = [writer(tmp_path, 50) for _ in range(4)]
    ended = [(each.communicate(timeout=60)[1], each.returncode) for each in writers]
    assert ended == [("", 0)] * 4
    with OutcomeStore(tmp_path, messages) as kept:
        assert len(kept.get(OutcomeKey("d", "0.5.21", "", "as reported", "local", "auto", "here"))) == 200


def test_a_process_that_is_killed_leaves_it_sound(tmp_path: Path, messages: Messages) -> None:
    killed = writer(tmp_path, 1_000_000)
    assert killed.stdout
    assert killed.stdout.readline() == "open\n"
    time.sleep(0.3)
    killed.send_signal(signal.SIGKILL)
    killed.communicate(timeout=30)
    with OutcomeStore(tmp_path, messages) as kept:
        runs = kept.get(OutcomeKey("d", "0.5.21", "", "as reported", "local", "auto", "here"))
        assert [run.reason for run in runs] == [str(number) for number in range(len(runs))]
        assert runs
        kept.add(KEY, SHOWS)
        assert kept.get(KEY) == (SHOWS,)
    assert messages == []


def foreign(path: Path) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE outcome (other TEXT)")
        connection.execute("PRAGMA user_version = 99")
    connection.close()


def altered(path: Path) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE outcome (other TEXT)")
        connection.execute(f"PRAGMA user_version = {store.VERSION}")
    connection.close()


@pytest.mark.parametrize(
    ("spoil", "why"),
    [
        pytest.param(lambda path: path.write_bytes(b"no database at all" * 100), "not a database", id="no database"),
        pytest.param(foreign, "version is 99, not 2", id="of another version"),
        pytest.param(altered, "no such column", id="with other tables"),
    ],
)
def test_what_cannot_be_read_is_set_aside_and_reported(tmp_path: Path, messages: Messages, spoil, why: str) -> None:
    spoil(tmp_path / store.FILE)
    before = (tmp_path / store.FILE).read_bytes()
    with OutcomeStore(tmp_path, messages) as kept:
        kept.add(KEY, SHOWS)
        assert kept.get(KEY) == (SHOWS,)
    (sentence,) = messages
    assert why in sentence
    (aside,) = tmp_path.glob(f"{store.FILE}.aside-*Z")
    assert str(aside) in sentence
    assert aside.read_bytes() == before
    with OutcomeStore(tmp_path, messages) as again:
        assert again.get(KEY) == (SHOWS,)
    assert len(messages) == 1


def test_a_broken_page_found_later_is_reported_and_done_without(tmp_path: Path, messages: Messages) -> None:
    with OutcomeStore(tmp_path, messages) as kept:
        for number in range(2000):
            kept.add(replace(KEY, release=str(number)), SHOWS)
    path = tmp_path / store.FILE
    whole = path.read_bytes()
    path.write_bytes(whole[:8192] + os.urandom(len(whole) - 8192))
    with OutcomeStore(tmp_path, messages) as kept:
        for number in range(2000):
            kept.get(replace(KEY, release=str(number)))
        kept.add(KEY, SHOWS)
    assert len(messages) == 1


def test_two_that_find_it_broken_do_not_set_each_other_aside(tmp_path: Path, messages: Messages) -> None:
    (tmp_path / store.FILE).write_bytes(b"no database at all" * 100)
    with OutcomeStore(tmp_path, messages) as first, OutcomeStore(tmp_path, messages) as second:
        first.add(KEY, SHOWS)
        assert second.get(KEY) == (SHOWS,)
    assert len(list(tmp_path.glob(f"{store.FILE}.aside-*"))) == 1
    assert len(messages) == 1


def test_a_cache_that_cannot_be_written_is_done_without(tmp_path: Path, messages: Messages) -> None:
    (tmp_path / "cache").write_text("a file where the folder should be")
    with OutcomeStore(tmp_path / "cache", messages) as kept:
        kept.add(KEY, SHOWS)
        assert kept.get(KEY) == ()
    (sentence,) = messages
    assert sentence.startswith("outcomes are not stored: ")
