# SPDX-License-Identifier: GPL-2.0-or-later
"""Opening the state: alone, with clear refusals, at the right revision, closed to others."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
import sqlalchemy as sa

from tests.store.conftest import url
from vosd.store import Store, StoreError, schema

NOBODY = 65534


def master(path: Path) -> list[tuple[str, str, str]]:
    with sqlite3.connect(path) as connection:
        rows = connection.execute("SELECT type, name, sql FROM sqlite_master").fetchall()
    connection.close()
    return sorted((kind, name, " ".join((sql or "").split())) for kind, name, sql in rows)


def refusal(path: Path, **options: object) -> str:
    with pytest.raises(StoreError) as failure:
        Store.open(url(path), node="edge-1", **options)  # type: ignore[arg-type]
    return str(failure.value)


def close_and_open(path: Path) -> None:
    Store.open(url(path), node="edge-1").close()


def test_state_is_closed_to_others(path: Path) -> None:
    store = Store.open(url(path), node="edge-1")
    modes = {file.name: oct(file.stat().st_mode & 0o777) for file in path.parent.iterdir()}
    store.close()
    assert oct(path.parent.stat().st_mode & 0o777) == "0o700"
    assert modes == dict.fromkeys(
        ("vosd.db", "vosd.db-wal", "vosd.db-shm", "vosd.db.lock", "vosd.db.spool.reserve"), "0o600"
    )


def test_second_opener_is_refused_by_name(path: Path) -> None:
    lock = path.parent / "vosd.lock"
    store = Store.open(url(path), node="edge-1", lock_path=lock)
    message = refusal(path, lock_path=lock)
    store.close()
    assert message == (
        f"cannot use the state of {lock}: vosd with process id {os.getpid()} holds it"
    )
    close_and_open(path)


def test_second_process_is_refused_and_exits(path: Path) -> None:
    store = Store.open(url(path), node="edge-1")
    code = f"from vosd.store import Store; Store.open({url(path)!r}, node='edge-1')"
    second = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    store.close()
    assert second.returncode == 1
    assert (
        f"StoreError: cannot use the state of {path}.lock: vosd with process id {os.getpid()}"
        in second.stderr
    )


def test_lock_that_is_a_link_is_refused(path: Path, tmp_path: Path) -> None:
    path.parent.mkdir()
    (tmp_path / "precious").write_text("keep")
    lock = path.with_name("vosd.db.lock")
    lock.symlink_to(tmp_path / "precious")
    assert refusal(path).startswith(f"cannot open the state lock {lock}: ")
    assert (tmp_path / "precious").read_text() == "keep"


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("nonsense", "cannot read the database URL 'nonsense': write it like sqlite:////var"),
        ("pg//u:secret@h/db", "cannot read the database URL 'pg//u:***@h/db': write it like"),
        (
            "postgresql+psycopg://u:secret@h/vos",
            "cannot use the database postgresql+psycopg://u:***@h/vos: this version stores in SQL",
        ),
        ("sqlite://", "cannot keep records in memory: name a file"),
        ("sqlite:///:memory:", "cannot keep records in memory: name a file"),
    ],
)
def test_url_that_names_no_file(given: str, message: str) -> None:
    with pytest.raises(StoreError) as failure:
        Store.open(given, node="edge-1")
    assert str(failure.value).startswith(message)


def test_directory_in_place_of_the_file(path: Path) -> None:
    path.mkdir(parents=True)
    assert refusal(path) == f"cannot use {path} as a database: it is a directory"


def test_file_in_place_of_the_directory(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("")
    path = tmp_path / "state" / "vosd.db"
    assert refusal(path) == f"cannot create the directory {path.parent}: File exists"


def test_file_that_is_no_database(path: Path) -> None:
    path.parent.mkdir()
    path.write_text("node = 'edge-1'\n" * 100)
    assert refusal(path) == f"cannot use {path} as a database: it is no SQLite file"
    assert path.read_text() == "node = 'edge-1'\n" * 100


def test_damaged_database(path: Path) -> None:
    close_and_open(path)
    path.write_bytes(path.read_bytes()[:100] + b"\xff" * 4000)
    assert refusal(path).startswith(f"cannot use the database {path}: ")


def test_database_of_another_program(path: Path) -> None:
    path.parent.mkdir()
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE recipes (name)")
    connection.close()
    before = master(path)
    assert refusal(path) == (
        f"cannot use the database {path}: it has tables of another program (recipes)"
    )
    assert master(path) == before


def test_newer_revision(path: Path) -> None:
    close_and_open(path)
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.close()
    assert refusal(path) == (
        f"cannot use the database {path}: its revision 9999 is newer than {schema.HEAD}, "
        "the last one this vosd knows"
    )


def test_database_that_may_only_be_read() -> None:
    """As nobody where the test is root: root writes through any mode."""
    where = Path(tempfile.mkdtemp(dir="/tmp"))
    try:
        path = where / "vosd.db"
        close_and_open(path)
        where.chmod(0o777)
        path.chmod(0o444)
        (where / "vosd.db.lock").chmod(0o666)
        code = (
            "import os, vosd.store\n"
            f"if os.geteuid() == 0: os.setresuid({NOBODY}, {NOBODY}, {NOBODY})\n"
            f"vosd.store.Store.open({url(path)!r}, node='edge-1')"
        )
        second = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
        assert f"cannot open the database {path} for writing: Permission denied" in second.stderr
    finally:
        shutil.rmtree(where)


def test_fresh_and_current_databases_do_without_alembic(path: Path) -> None:
    code = (
        "import sys; from vosd.store import Store\n"
        f"for _ in range(2): Store.open({url(path)!r}, node='edge-1').close()\n"
        "print('alembic' in sys.modules)"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout == "False\n"


def test_migrations_lead_to_the_schema_of_a_fresh_database(path: Path, tmp_path: Path) -> None:
    """An empty `alembic_version` is a database before its first revision."""
    close_and_open(path)
    old = tmp_path / "old.db"
    with sqlite3.connect(old) as connection:
        connection.execute(str(sa.schema.CreateTable(schema.versions)))
    connection.close()
    close_and_open(old)
    assert master(old) == master(path)
    for file in (old, path):
        with sqlite3.connect(file) as connection:
            rows = connection.execute("SELECT version_num FROM alembic_version").fetchall()
        connection.close()
        assert rows == [(schema.HEAD,)]


def test_revisions_are_those_of_the_scripts() -> None:
    from alembic.script import ScriptDirectory

    from vosd.store.migrate import config

    scripts = ScriptDirectory.from_config(config())
    assert scripts.get_heads() == [schema.HEAD]
    found = tuple(script.revision for script in scripts.walk_revisions())
    assert found[::-1] == schema.REVISIONS


def test_a_failed_migration_leaves_the_database_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = tmp_path / "old.db"
    with sqlite3.connect(old) as connection:
        connection.execute(str(sa.schema.CreateTable(schema.versions)))
    connection.close()
    before = master(old)
    from vosd.store import migrate

    whole = migrate.upgrade

    def half(connection: sa.Connection) -> None:
        whole(connection)
        raise sa.exc.OperationalError("ALTER", None, sqlite3.OperationalError("power failed"))

    monkeypatch.setattr(migrate, "upgrade", half)
    assert refusal(old) == f"cannot use the database {old}: power failed"
    assert master(old) == before
