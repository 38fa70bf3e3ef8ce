# SPDX-License-Identifier: GPL-2.0-or-later
"""A store that cannot be written when it is closed: the next start has every row, once."""

from __future__ import annotations

import contextlib
import os
import resource
import sqlite3
import zlib
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from tests.store.conftest import Answers, fill, url
from tests.store.rows import HOSTILE, answered, ended
from vosd.store import Store, StoreError, Tuning
from vosd.store.spool import Alive, Bound, Closed, Entry, Opened, Spool, Unbound, Withdrawn
from vosd.switch.tables import Binding
from vosd.wire.records import Cdr

HASTY = Tuning(busy_ms=1, reserve=1 << 16)


def binding(number: str) -> Binding:
    return Binding(
        number=number,
        contact=f"sip:{number}@10.0.0.7",
        host="10.0.0.7",
        port=5060,
        expires=50.0,
        registered=10.0,
        call_id="x",
        cseq=1,
    )


ENTRIES: list[Entry] = [
    Closed(ended("c0"), b'{"id": "c0"}\n\xff'),
    Closed(ended("c3", end_reason="unavailable"), None),
    Opened(answered("c1")),
    Opened(answered("c2")),
    Alive("c9", 130.0),
    Withdrawn("c2"),
    Bound(binding("1001")),
    Unbound("1002", "sip:1002@10.0.0.7"),
]


def open_store(path: Path, tuning: Tuning = HASTY) -> Store:
    return Store.open(url(path), node="edge-1", tuning=tuning)


def spool_of(path: Path) -> Path:
    return path.with_name("vosd.db.spool")


@contextlib.contextmanager
def locked(path: Path) -> Iterator[None]:
    """Another program holds the database."""
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    yield
    other.execute("ROLLBACK")
    other.close()


def first_run(path: Path) -> Store:
    """Two calls stand and a phone is registered, durably."""
    store = open_store(path)
    stood = Answers(3)
    store.cdr.opened(answered("c0"), stood)
    store.cdr.opened(answered("c9"), stood)
    store.put_binding(binding("1002"), stood)
    assert stood.wait() == [None] * 3
    return store


def leave(store: Store) -> None:
    """Post what ENTRIES says and close."""
    for item in ENTRIES:
        store._post(item)
    store.close(0.0)


def as_wanted(store: Store) -> None:
    """c9 alone was live when the first run ended, c1 was never told of and never ended."""
    assert store.cdr.recover(200.0) == 2
    rows = {row.id: (row.state, row.end_reason) for row in store.cdr.list()}
    assert rows == {
        "c0": ("closed", "normal"),
        "c1": ("recovered", "node_lost"),
        "c3": ("closed", "unavailable"),
        "c9": ("recovered", "node_lost"),
    }
    assert store.cdr.show("c0") == (ended("c0"), b'{"id": "c0"}\n\xff')
    found = store.cdr.show("c9")
    assert found is not None
    assert found[0].ended_at == 130.0
    assert [row.number for row in store.bindings()] == ["1001"]


def test_rows_of_every_kind_wait_for_the_next_start(
    path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    store = first_run(path)
    with locked(path):
        leave(store)
    spool = spool_of(path)
    assert oct(spool.stat().st_mode & 0o777) == "0o600"
    assert f"8 rows not stored: kept in {spool} for the next start" in caplog.text
    again = open_store(path)
    as_wanted(again)
    again.close()
    assert f"8 rows the last run could not store: taken from {spool}" in caplog.text
    assert not spool.exists()


def test_a_spool_read_twice_doubles_nothing(path: Path) -> None:
    """The start that took it may be killed before it removes the file."""
    store = first_run(path)
    with locked(path):
        leave(store)
    kept = spool_of(path).read_bytes()
    open_store(path).close()
    spool_of(path).write_bytes(kept)
    again = open_store(path)
    as_wanted(again)
    again.close()
    spool_of(path).write_bytes(kept)
    third = open_store(path)
    assert third.cdr.recover(200.0) == 0
    assert len(third.cdr.list()) == 4
    third.close()


def test_a_start_that_cannot_write_leaves_the_spool_alone(small_disk: Path) -> None:
    """Reliability section 6: the disk is full at the stop, and still is at the next start."""
    path = small_disk / "state" / "vosd.db"
    store = first_run(path)
    fill(small_disk / "ballast")
    leave(store)
    kept = spool_of(path).read_bytes()
    # closing gave the room of the write-ahead log back
    fill(small_disk / "more")
    with pytest.raises(StoreError, match=r"^cannot "):
        open_store(path)
    assert spool_of(path).read_bytes() == kept
    (small_disk / "ballast").unlink()
    again = open_store(path)
    as_wanted(again)
    again.close()
    assert not spool_of(path).exists()


def test_a_start_while_locked_leaves_the_spool_alone(path: Path) -> None:
    store = first_run(path)
    with locked(path):
        leave(store)
        kept = spool_of(path).read_bytes()
        with pytest.raises(StoreError, match=r"database is locked$"):
            open_store(path)
    assert spool_of(path).read_bytes() == kept
    again = open_store(path)
    as_wanted(again)
    again.close()


def flipped(data: bytes) -> bytes:
    """One digit of the last row's duration is another."""
    head, _, tail = data.rpartition(b'"duration_s":60.0')
    return head + b'"duration_s":61.0' + tail


@pytest.mark.parametrize(
    ("damage", "read"),
    [
        (lambda data: data[:-20], ["c0"]),
        (flipped, ["c0"]),
        (lambda data: data + b"\0" * 100, ["c0", "c1"]),
        (lambda data: data + b"what is this\n", ["c0", "c1"]),
        (lambda data: b"\xff\xfe" + data, ["c1"]),
        (lambda _: b"\0" * 5000, []),
    ],
)
def test_damage_costs_the_damaged_rows_and_no_start(
    path: Path, caplog: pytest.LogCaptureFixture, damage: object, read: list[str]
) -> None:
    spool = spool_of(path)
    path.parent.mkdir()
    Spool(spool).keep([Closed(ended("c0"), None), Closed(ended("c1"), None)])
    spool.write_bytes(bad := damage(spool.read_bytes()))  # type: ignore[operator]
    store = open_store(path)
    assert sorted(row.id for row in store.cdr.list()) == read
    store.close()
    aside = spool.with_name("vosd.db.spool.damaged-1")
    assert aside.read_bytes() == bad
    assert f"cannot use 1 rows of the spool: it is kept as {aside}" in caplog.text
    assert not spool.exists()


def test_a_spool_that_is_a_directory_stops_no_start(path: Path) -> None:
    spool_of(path).mkdir(parents=True)
    (spool_of(path) / "x").touch()
    open_store(path).close()
    assert [*path.parent.glob("*damaged*")] == [path.with_name("vosd.db.spool.damaged-1")]


def test_a_row_the_database_refuses_leaves_the_spool_aside(path: Path) -> None:
    path.parent.mkdir()
    rows = [Closed(ended("c0", sip_code=2**70), None), Closed(ended("c1"), None)]
    Spool(spool_of(path)).keep(rows)
    store = open_store(path)
    assert [row.id for row in store.cdr.list()] == ["c1"]
    store.close()
    assert len(path.with_name("vosd.db.spool.damaged-1").read_bytes().splitlines()) == 2


def test_what_another_version_wrote_is_read(path: Path) -> None:
    """Named fields: one this version lacks is passed over, one the other lacked has its default."""
    body = (
        b'{"type":"closed","row":{"id":"c0","node":"edge-1","caller":"1","callee":"2",'
        b'"started_at":5.0,"new_field":7},"evidence":null}'
    )
    path.parent.mkdir()
    spool_of(path).write_bytes(b"%08x %s\n" % (zlib.crc32(body), body))
    store = open_store(path)
    assert store.cdr.list() == [Cdr(id="c0", node="edge-1", caller="1", callee="2", started_at=5.0)]
    store.close()


@pytest.mark.parametrize("text", [*HOSTILE, "lone \ud800 half"])
def test_any_text_comes_back_as_the_database_would_have_it(path: Path, text: str) -> None:
    store = open_store(path)
    with locked(path):
        store.cdr.closed(ended("c1", caller=text), text.encode("utf-8", "replace"))
        store.close(0.0)
    again = open_store(path)
    clean = text.replace("\0", "\ufffd").replace("\ud800", "?")
    row = msgspec.structs.replace(ended("c1"), caller=clean)
    assert again.cdr.show("c1") == (row, text.encode("utf-8", "replace"))
    again.close()


@contextlib.contextmanager
def room(size: int) -> Iterator[None]:
    """No file of this process grows beyond `size` bytes: a full disk for those who are not root."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_final_rows_have_the_room_before_evidence(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    spool = Spool(tmp_path / "spool")
    calls = [f"c{number}" for number in range(8)]
    proofs: list[Entry] = [Alive(id, 1.0) for id in calls]
    rows: list[Entry] = [Closed(ended(id), b"x" * 2000) for id in calls]
    with room(8192):
        spool.keep(proofs + rows)
    assert spool.read() == ([Closed(ended(id), None) for id in calls] + proofs, 0)
    assert "cannot keep the evidence" in caplog.text
    assert "CRITICAL" not in caplog.text


def test_what_finds_no_room_is_logged_whole(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    spool = Spool(tmp_path / "spool")
    rows: list[Entry] = [Closed(ended(f"c{number}"), None) for number in range(4)]
    with room(1000):
        spool.keep(rows)
    kept, unreadable = spool.read()
    assert (kept, unreadable) == (rows[:2], 0)
    lost = [record.message for record in caplog.records if record.levelname == "CRITICAL"]
    assert lost == [f"cannot keep a row for the next start: {row!r}" for row in rows[2:]]


def test_without_a_directory_every_row_is_logged(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    row = Closed(ended("c0"), b"e")
    Spool(tmp_path / "gone" / "spool").keep([row])
    assert f"cannot keep a row for the next start: {row!r}" in caplog.text


def test_a_full_disk_takes_the_reserve(small_disk: Path) -> None:
    """The reserve is blocks, not only a size; a run that needed it is followed by a new one."""
    path = small_disk / "vosd.db"
    store = open_store(path)
    reserve = path.with_name("vosd.db.spool.reserve")
    assert reserve.stat().st_blocks * 512 >= HASTY.reserve
    ballast = small_disk / "ballast"
    fill(ballast)
    calls = [f"c{number:03d}" for number in range(100)]
    for id in calls:
        store.cdr.closed(ended(id), os.urandom(400))
    store.close(0.0)
    assert not reserve.exists()
    ballast.unlink()
    again = open_store(path)
    assert sorted(row.id for row in again.cdr.iterate()) == calls
    assert reserve.stat().st_blocks * 512 >= HASTY.reserve
    again.close()


def test_no_room_for_the_reserve_is_said(
    small_disk: Path, caplog: pytest.LogCaptureFixture
) -> None:
    Spool(small_disk / "spool").allocate(8 << 20)
    assert "cannot set 8388608 bytes aside" in caplog.text
    assert [*small_disk.iterdir()] == []
