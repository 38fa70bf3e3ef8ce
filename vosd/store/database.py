# SPDX-License-Identifier: GPL-2.0-or-later
"""Opens the database: checks the file, sets the pragmas, brings the schema to its revision.

The only module that knows SQLite. The driver is put in autocommit mode and transactions are
begun and ended by `Session`, so that a failed statement never ends one behind our back.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import ArgumentError, DBAPIError

from vosd.store import schema
from vosd.store.errors import StoreError

MAGIC = b"SQLite format 3\0"
EXAMPLE = "sqlite:////var/lib/vosd/vosd.db"


def locate(url: str) -> Path:
    """The database file that `url` names; StoreError when it names none this version can use."""
    try:
        parsed = sa.make_url(url)
    except ArgumentError:
        shown = re.sub(r":[^:/@]*@", ":***@", url)
        raise StoreError(
            f"cannot read the database URL {shown!r}: write it like {EXAMPLE}"
        ) from None
    if parsed.get_backend_name() != "sqlite":
        raise StoreError(
            f"cannot use the database {parsed.render_as_string(hide_password=True)}: "
            f"this version stores in SQLite only, write {EXAMPLE}"
        )
    if not parsed.database or parsed.database == ":memory:":
        raise StoreError(f"cannot keep records in memory: name a file, like {EXAMPLE}")
    return Path(parsed.database).absolute()


def make_state_dir(path: Path) -> None:
    """Create the directory `path`, closed to others, when it is not there."""
    try:
        path.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise StoreError(f"cannot create the directory {path}: {error.strerror}") from error


def _check_file(path: Path) -> None:
    """Create `path` closed to others (it holds secrets), or see that it may be a database.

    The caller holds the state lock: closing a database file drops this process's SQLite locks.
    """
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except IsADirectoryError:
        raise StoreError(f"cannot use {path} as a database: it is a directory") from None
    except OSError as error:
        raise StoreError(
            f"cannot open the database {path} for writing: {error.strerror}"
        ) from error
    try:
        regular = stat.S_ISREG(os.fstat(descriptor).st_mode)
        head = os.read(descriptor, len(MAGIC)) if regular else b"?"
    finally:
        os.close(descriptor)
    if head not in (b"", MAGIC):
        raise StoreError(f"cannot use {path} as a database: it is no SQLite file")


class Pragmas:
    """What every connection is told; `checkpoint_pages` of 4 KiB is how long the log may grow."""

    def __init__(self, busy_ms: int, checkpoint_pages: int) -> None:
        self.lines = (
            f"PRAGMA busy_timeout = {busy_ms}",
            "PRAGMA journal_mode = WAL",
            "PRAGMA synchronous = FULL",
            f"PRAGMA wal_autocheckpoint = {checkpoint_pages}",
            "PRAGMA journal_size_limit = 67108864",
            "PRAGMA cache_size = -16000",
        )

    def __call__(self, driver: Any, _record: object) -> None:
        driver.isolation_level = None
        for line in self.lines:
            driver.execute(line).fetchall()


class Session:
    """The writing connection: transactions by hand, the driver's cursor for the hot rows.

    Outside `transaction` a statement is a transaction of its own.
    """

    def __init__(self, connection: sa.Connection) -> None:
        self.connection = connection
        driver: Any = connection.connection.dbapi_connection
        self._driver = driver
        self.cursor: Any = driver.cursor()
        errors = connection.dialect.loaded_dbapi
        self._outages = (errors.OperationalError, OSError)
        self._general = errors.DatabaseError

    @contextmanager
    def transaction(self) -> Iterator[Any]:
        """A transaction that may write, around the block; yields the cursor.

        It waits for the busy time-out at most. The commit fails when a full disk has already
        rolled the transaction back, so nothing is taken for durable that is not.
        """
        try:
            self.cursor.execute("BEGIN IMMEDIATE")
            yield self.cursor
            self.cursor.execute("COMMIT")
        except BaseException:
            if self.active:
                self.cursor.execute("ROLLBACK")
            raise
        finally:
            # the connection begins by itself what the driver, in autocommit, does not
            if self.connection.in_transaction():
                self.connection.rollback()

    @property
    def active(self) -> bool:
        """Inside a transaction: a full disk ends it without being asked."""
        return bool(self._driver.in_transaction)

    def is_outage(self, error: BaseException) -> bool:
        """The database is at fault (full, locked, damaged), not the row."""
        return isinstance(error, self._outages) or type(error) is self._general


def connect(path: Path, *, busy_ms: int, checkpoint_pages: int) -> sa.Engine:
    """Open `path`, creating or migrating its schema; StoreError when it cannot be used."""
    _check_file(path)
    engine = sa.create_engine(
        sa.URL.create("sqlite", database=str(path)),
        connect_args={"check_same_thread": False, "cached_statements": 256},
    )
    sa.event.listen(engine, "connect", Pragmas(busy_ms, checkpoint_pages))
    try:
        with engine.connect() as connection:
            _check_mode(connection, path)
            _bring_up(connection, path)
    except (DBAPIError, engine.dialect.loaded_dbapi.Error) as error:
        engine.dispose()
        cause = getattr(error, "orig", None) or error
        raise StoreError(f"cannot use the database {path}: {cause}") from error
    except StoreError:
        engine.dispose()
        raise
    return engine


def _check_mode(connection: sa.Connection, path: Path) -> None:
    mode = connection.exec_driver_sql("PRAGMA journal_mode").scalar()
    if mode != "wal":
        raise StoreError(
            f"cannot use the database {path}: its file system allows journal mode {mode} only, "
            "put it on a local disk"
        )


def _bring_up(connection: sa.Connection, path: Path) -> None:
    """Create the schema, or migrate it, in one transaction. Alembic is imported only to migrate."""
    with Session(connection).transaction():
        tables = sa.inspect(connection).get_table_names()
        if not tables:
            schema.metadata.create_all(connection)
            schema.versions.create(connection)
            connection.execute(schema.versions.insert().values(version_num=schema.HEAD))
        elif schema.versions.name not in tables:
            raise StoreError(
                f"cannot use the database {path}: it has tables of another program "
                f"({', '.join(tables[:3])})"
            )
        else:
            _migrate(connection, path)


def _migrate(connection: sa.Connection, path: Path) -> None:
    stored = connection.execute(sa.select(schema.versions.c.version_num)).scalar()
    if stored == schema.HEAD:
        return
    if stored is not None and stored not in schema.REVISIONS:
        raise StoreError(
            f"cannot use the database {path}: its revision {stored} is newer than {schema.HEAD}, "
            "the last one this vosd knows"
        )
    from vosd.store.migrate import upgrade

    upgrade(connection)
