"""The outcomes of past runs, shared by all searches, in sqlite3.

Several processes may write at once, and each may be killed at any time (WAL; one statement per run). A file that cannot
be read is renamed, and one that cannot be written is not used; both give a warning.
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

from uvmre.core.outcome.matching import Outcome, Word
from uvmre.errors import cause

FILE = "outcomes.sqlite"
VERSION = 2
"""Of the tables."""
LOCK_TIMEOUT = 30.0
"""Seconds to wait for another writer."""
SIDE_FILES = ("-wal", "-shm")

TABLES = f"""
CREATE TABLE IF NOT EXISTS outcome (
    digest TEXT, release TEXT, interpreter TEXT, variant TEXT, backend TEXT, network TEXT, platform TEXT,
    number INTEGER, word TEXT NOT NULL, reason TEXT NOT NULL, seconds REAL NOT NULL, came TEXT NOT NULL,
    observed BLOB NOT NULL,
    PRIMARY KEY (digest, release, interpreter, variant, backend, network, platform, number)
) WITHOUT ROWID;
PRAGMA user_version = {VERSION};
"""
USED = "CREATE TABLE IF NOT EXISTS used (digest TEXT PRIMARY KEY, at TEXT NOT NULL) WITHOUT ROWID"
"""When a digest was last read or added to."""
USE = "INSERT OR REPLACE INTO used VALUES (?, ?)"
WHERE = "digest=? AND release=? AND interpreter=? AND variant=? AND backend=? AND network=? AND platform=?"
GET = f"SELECT word, reason, seconds, came, observed FROM outcome WHERE {WHERE} ORDER BY number"
ADD = f"""
INSERT INTO outcome SELECT ?,?,?,?,?,?,?, coalesce(max(number), 0) + 1, ?,?,?,?,? FROM outcome WHERE {WHERE}
"""
FORGET = f"DELETE FROM outcome WHERE {WHERE}"
BY_USE = """
SELECT outcome.digest, max(max(came), coalesce(max(used.at), '')) AS last, count(*)
FROM outcome LEFT JOIN used ON used.digest = outcome.digest GROUP BY outcome.digest ORDER BY last, outcome.digest
"""

Warn = Callable[[str], None]


@dataclass(frozen=True)
class OutcomeKey:
    """All that decides an outcome."""

    digest: str
    """Of the variant of an MRE, or of a script with its arguments."""
    release: str
    interpreter: str
    """Its full version; empty for a script."""
    variant: str
    backend: str
    network: str
    """Its mode, the day where the network may change, and the allowed hosts."""
    platform: str


@dataclass(frozen=True)
class StoredOutcome:
    """One finished run."""

    word: Word
    reason: str
    seconds: float
    finished: str = ""
    """In UTC; now where empty."""
    observed: bytes = b""
    """What the run left, as `core.outcome.result.pack` has it."""

    @property
    def outcome(self) -> Outcome:
        """Return the outcome."""
        return Outcome(self.word, self.reason)


class OutcomeStore:
    """A context manager whose methods may be called from any thread."""

    def __init__(self, cache: Path, warn: Warn) -> None:
        self._path = cache / FILE
        self._warn = warn
        self._lock = threading.Lock()
        self._connection: sqlite3.Connection | None = None
        self._used: set[str] = set()

    def __enter__(self) -> "OutcomeStore":
        """Open the database; where that fails, the store stays empty."""
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._connection = self._open_database()
        except (OSError, sqlite3.Error) as error:
            self._disable(error)
        return self

    def __exit__(self, *_: object) -> None:
        """Close the database."""
        with self._lock:
            if self._connection:
                self._connection.close()
            self._connection = None

    def get(self, key: OutcomeKey) -> tuple[StoredOutcome, ...]:
        """Return the stored runs, oldest first."""
        found = tuple(StoredOutcome(*row) for row in self._do(GET, astuple(key)))
        if found and key.digest not in self._used:
            self._used.add(key.digest)
            self._do(USE, (key.digest, _now()))
        return found

    def add(self, key: OutcomeKey, run: StoredOutcome) -> None:
        """Add a run."""
        came = run.finished or _now()
        values = (run.word, run.reason, round(run.seconds, 3), came, run.observed)
        self._do(ADD, (*astuple(key), *values, *astuple(key)))

    def forget(self, key: OutcomeKey) -> None:
        """Delete the stored runs."""
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
        self._warn(f"outcomes are not stored: `{self._path}` cannot be used ({cause(error)})")

    def _open_database(self) -> sqlite3.Connection:
        # One process at a time, so that none renames a database that another has just created.
        with self._path.with_name(f"{FILE}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            try:
                return _connect(self._path)
            except sqlite3.DatabaseError as error:
                # A locked database or a full disk is no reason to rename it.
                is_file = not any(Path(f"{self._path}{end}").is_dir() for end in ("", *SIDE_FILES))
                if is_file and isinstance(error, sqlite3.OperationalError) and not str(error).startswith("no such"):
                    raise
                why = str(error)
            except _OtherVersion as error:
                why = str(error)
            self._set_aside(why)
            return _connect(self._path)

    def _set_aside(self, why: str) -> None:
        renamed = self._path.with_name(f"{FILE}.aside-{datetime.now(UTC):%Y%m%dT%H%M%S.%fZ}")
        for end in ("", *SIDE_FILES):
            with contextlib.suppress(FileNotFoundError):
                Path(f"{self._path}{end}").rename(f"{renamed}{end}")
        self._warn(f"stored outcomes cannot be read ({why}) and are not reused; the file is now `{renamed}`")


def prune(cache: Path, oldest: float, limit: float) -> tuple[int, int]:
    """Delete what was not used since `oldest` (seconds since 1970), and the least recently used beyond `limit` bytes.

    Returns the number of outcomes and of bytes; 0 where the file is in use or cannot be read.
    """
    path = cache / FILE
    before = _size(path)
    if not before:
        return 0, 0
    limit_date = datetime.fromtimestamp(max(oldest, 0.0), UTC).isoformat(timespec="seconds")
    deleted = 0
    with contextlib.suppress(sqlite3.Error, _OtherVersion), contextlib.closing(_connect(path)) as opened:
        rows = opened.execute(BY_USE).fetchall()
        share = before / max(1, sum(count for _, _, count in rows))
        left = before
        for digest, last, count in rows:
            if last >= limit_date and left <= limit:
                break
            for table in ("outcome", "used"):
                opened.execute(f"DELETE FROM {table} WHERE digest = ?", (digest,))
            deleted, left = deleted + count, left - count * share
        if deleted:
            opened.execute("VACUUM")
            opened.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return deleted, max(0, before - _size(path))


def _size(path: Path) -> int:
    return sum(each.stat().st_blocks * 512 for end in ("", *SIDE_FILES) if (each := Path(f"{path}{end}")).exists())


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


class _OtherVersion(Exception):
    """The database is of another version."""


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
        raise _OtherVersion(f"its version is {version}, not {VERSION}")
    if tables:
        (fault,) = connection.execute("PRAGMA quick_check(1)").fetchone()
        if fault != "ok":
            raise sqlite3.DatabaseError(fault)
        connection.execute(GET, ("",) * len(fields(OutcomeKey))).fetchall()
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = NORMAL")
    if not tables:
        connection.executescript(f"BEGIN IMMEDIATE; {TABLES} COMMIT;")
    connection.execute(USED)
