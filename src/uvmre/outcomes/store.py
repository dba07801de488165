"""Outcomes that a rerun would repeat, kept for all searches: the only sqlite3.

Several processes write at once, and any of them may be killed at any moment (WAL; every run is one statement). It is a
cache of runs: a file that cannot be read is set aside, one that cannot be written is done without, and each is said.
"""

import contextlib
import fcntl
import sqlite3
import threading
from collections.abc import Callable
from dataclasses import astuple, dataclass, fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from uvmre.core.outcome.symptom import Outcome, Word
from uvmre.errors import cause

FILE = "outcomes.sqlite"
VERSION = 1
"""Of the tables; a file with any other was written by another uvmre."""
LOCK_TIMEOUT = 30.0
"""Seconds to wait for another process that writes."""
SIDE_FILES = ("-wal", "-shm")

TABLES = f"""
CREATE TABLE IF NOT EXISTS outcome (
    digest TEXT, release TEXT, interpreter TEXT, variant TEXT, backend TEXT, network TEXT, platform TEXT,
    number INTEGER, word TEXT NOT NULL, reason TEXT NOT NULL, seconds REAL NOT NULL, came TEXT NOT NULL,
    PRIMARY KEY (digest, release, interpreter, variant, backend, network, platform, number)
) WITHOUT ROWID;
PRAGMA user_version = {VERSION};
"""
USED = "CREATE TABLE IF NOT EXISTS used (digest TEXT PRIMARY KEY, at TEXT NOT NULL) WITHOUT ROWID"
"""When what is kept under a digest was last asked for or added to."""
USE = "INSERT OR REPLACE INTO used VALUES (?, ?)"
WHERE = "digest=? AND release=? AND interpreter=? AND variant=? AND backend=? AND network=? AND platform=?"
GET = f"SELECT word, reason, seconds, came FROM outcome WHERE {WHERE} ORDER BY number"
ADD = f"""
INSERT INTO outcome SELECT ?,?,?,?,?,?,?, coalesce(max(number), 0) + 1, ?,?,?,? FROM outcome WHERE {WHERE}
"""
FORGET = f"DELETE FROM outcome WHERE {WHERE}"
BY_USE = """
SELECT outcome.digest, max(max(came), coalesce(max(used.at), '')) AS last, count(*)
FROM outcome LEFT JOIN used ON used.digest = outcome.digest GROUP BY outcome.digest ORDER BY last, outcome.digest
"""

Warn = Callable[[str], None]


@dataclass(frozen=True)
class OutcomeKey:
    """What an outcome is of; where all of this is the same, a rerun would repeat it."""

    digest: str
    """Of what is run: the variant of an MRE, or a script with its arguments."""
    release: str
    interpreter: str
    """Its full version; empty where a script takes what it finds."""
    variant: str
    backend: str
    network: str
    """Its mode, the day of one that may change, and the hosts that are let through."""
    platform: str


@dataclass(frozen=True)
class StoredOutcome:
    """One run that ended."""

    word: Word
    reason: str
    seconds: float
    finished: str = ""
    """When, in UTC; now where it is empty."""

    @property
    def outcome(self) -> Outcome:
        """Return what it came to."""
        return Outcome(self.word, self.reason)


class OutcomeStore:
    """Open from `with` to the end of it; every method may be called from any thread."""

    def __init__(self, cache: Path, told: Warn) -> None:
        """Make ready.

        Args:
            cache: the folder of all that uvmre keeps.
            told: is told, in a sentence, what is wrong with what is kept.
        """
        self._path = cache / FILE
        self._warn = told
        self._lock = threading.Lock()
        self._connection: sqlite3.Connection | None = None
        self._used: set[str] = set()

    def __enter__(self) -> "OutcomeStore":
        """Open it; one that cannot be had is empty and stays so."""
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._connection = self._open_database()
        except (OSError, sqlite3.Error) as error:
            self._disable(error)
        return self

    def __exit__(self, *_: object) -> None:
        """Close it."""
        with self._lock:
            if self._connection:
                self._connection.close()
            self._connection = None

    def get(self, key: OutcomeKey) -> tuple[StoredOutcome, ...]:
        """Return the runs that are kept, oldest first."""
        found = tuple(StoredOutcome(*row) for row in self._do(GET, astuple(key)))
        if found and key.digest not in self._used:
            self._used.add(key.digest)
            self._do(USE, (key.digest, _now()))
        return found

    def add(self, key: OutcomeKey, kept: StoredOutcome) -> None:
        """Keep one more run."""
        came = kept.finished or _now()
        self._do(ADD, (*astuple(key), kept.word, kept.reason, round(kept.seconds, 3), came, *astuple(key)))

    def forget(self, key: OutcomeKey) -> None:
        """Drop what is kept."""
        self._do(FORGET, astuple(key))

    def _do(self, statement: str, values: tuple[object, ...]) -> list[Any]:
        with self._lock:
            if self._connection is None:
                return []
            try:
                return self._connection.execute(statement, values).fetchall()
            except sqlite3.Error as error:
                self._connection.close()
                self._connection = None
                self._disable(error)
                return []

    def _disable(self, error: Exception) -> None:
        self._warn(f"what is finished is not kept: {self._path} cannot be used ({cause(error)})")

    def _open_database(self) -> sqlite3.Connection:
        # One process at a time: who finds it broken must not set aside the sound one that another has just made.
        with self._path.with_name(f"{FILE}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            try:
                return _connect(self._path)
            except sqlite3.DatabaseError as error:
                # Being locked or full is no fault of what is in it.
                if isinstance(error, sqlite3.OperationalError) and not str(error).startswith("no such"):
                    raise
                why = str(error)
            except _OtherVersion as error:
                why = str(error)
            self._set_aside(why)
            return _connect(self._path)

    def _set_aside(self, why: str) -> None:
        aside = self._path.with_name(f"{FILE}.aside-{datetime.now(UTC):%Y%m%dT%H%M%S.%fZ}")
        for end in ("", *SIDE_FILES):
            with contextlib.suppress(FileNotFoundError):
                Path(f"{self._path}{end}").rename(f"{aside}{end}")
        self._warn(f"what was finished before cannot be read ({why}), so all is run anew; it was set aside as {aside}")


def prune(cache: Path, oldest: float, limit: float) -> tuple[int, int]:
    """Delete what was not used since `oldest` (seconds since 1970), and the least recently used beyond `limit` bytes.

    Returns how many outcomes went, and the bytes that this freed; none where the file is in use or cannot be read.
    """
    path = cache / FILE
    before = _size(path)
    if not before:
        return 0, 0
    then = datetime.fromtimestamp(max(oldest, 0.0), UTC).isoformat(timespec="seconds")
    gone = 0
    with contextlib.suppress(sqlite3.Error, _OtherVersion), contextlib.closing(_connect(path)) as opened:
        rows = opened.execute(BY_USE).fetchall()
        share = before / max(1, sum(count for _, _, count in rows))
        left = before
        for digest, last, count in rows:
            if last >= then and left <= limit:
                break
            for table in ("outcome", "used"):
                opened.execute(f"DELETE FROM {table} WHERE digest = ?", (digest,))
            gone, left = gone + count, left - count * share
        if gone:
            opened.execute("VACUUM")
            opened.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return gone, max(0, before - _size(path))


def _size(path: Path) -> int:
    return sum(each.stat().st_blocks * 512 for end in ("", *SIDE_FILES) if (each := Path(f"{path}{end}")).exists())


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


class _OtherVersion(Exception):
    """Another uvmre wrote it."""


def _connect(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=LOCK_TIMEOUT, isolation_level=None, check_same_thread=False)
    try:
        _prepare(connection)
    except BaseException:
        connection.close()
        raise
    return connection


def _prepare(connection: sqlite3.Connection) -> None:
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    (tables,) = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    if version != VERSION and (version or tables):
        raise _OtherVersion(f"its tables are of version {version}, not {VERSION}")
    if tables:
        connection.execute(GET, ("",) * len(fields(OutcomeKey))).fetchall()
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = NORMAL")
    if not tables:
        connection.executescript(f"BEGIN IMMEDIATE; {TABLES} COMMIT;")
    connection.execute(USED)
