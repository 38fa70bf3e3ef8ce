# SPDX-License-Identifier: GPL-2.0-or-later
"""Group commit, and what happens when the database does not write."""

from __future__ import annotations

import sqlite3
import threading
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.store.conftest import PATIENCE_S, Answers, fill, url
from tests.store.rows import answered, ended, entry
from vosd.store import Ack, Store, StoreError, Tuning
from vosd.switch.tables import Binding, Phone

FULL = "cannot write the store: database or disk is full"


def rows(store: Store) -> list[tuple[str, str]]:
    """Id and state of every record, as another program sees them."""
    with store._engine.connect() as connection:
        found = connection.exec_driver_sql("SELECT id, state FROM calls ORDER BY id").all()
    return [(row.id, row.state) for row in found]


def hold_up(store: Store) -> threading.Event:
    """Stop the writer inside a commit until the event is set, so that rows come together."""
    inside, go_on = threading.Event(), threading.Event()

    def work(_: object) -> None:
        inside.set()
        assert go_on.wait(PATIENCE_S)

    store.writer.change(work)
    assert inside.wait(PATIENCE_S)
    return go_on


def test_rows_that_come_together_are_one_commit_and_one_notice(store: Store) -> None:
    notices: list[list[Ack]] = []
    told = threading.Event()
    store.writer.notify = lambda acks: (notices.append(acks), told.set())[0]
    go_on = hold_up(store)
    answers = Answers()
    ids = [f"c{n:03d}" for n in range(150)]
    for id in ids:
        store.cdr.opened(answered(id), answers)
    assert store.writer.depth == 150
    before = store.writer.commits
    go_on.set()
    assert told.wait(PATIENCE_S)
    assert notices == [[(answers, None)] * 150]
    assert answers.told == []
    assert store.writer.commits - before <= 2
    assert rows(store) == [(id, "open") for id in ids]


def test_final_row_waits_for_company_an_answer_does_not(path: Path) -> None:
    store = Store.open(url(path), node="edge-1", tuning=Tuning(lazy_s=3600.0))
    answers, final = Answers(), Answers()
    store.cdr.closed(ended("c1"), None, final)
    store.cdr.opened(answered("c2"), answers)
    assert answers.wait() == [None]
    assert rows(store) == [("c2", "open")]
    assert (final.told, store.writer.depth) == ([], 1)
    store.close()
    assert final.told == [None]


def test_lazy_row_is_committed_by_itself(store: Store) -> None:
    final = Answers()
    store.cdr.closed(ended("c1"), None, final)
    assert final.wait() == [None]
    assert store.writer.oldest_age(1e9) == 0.0


def test_age_of_what_waits(store: Store) -> None:
    go_on = hold_up(store)
    store.cdr.opened(answered("c1"), Answers())
    since = store.writer._urgent_since
    assert since is not None
    assert store.writer.oldest_age(since + 1.5) >= 1.5
    go_on.set()
    store.writer.flush(PATIENCE_S)
    assert store.writer.oldest_age(since + 1.5) == 0.0


def test_a_queue_that_grows_old_refuses_calls(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    go_on = hold_up(store)
    store.cdr.opened(answered("c1"), Answers())
    assert store.writer.accepting
    monkeypatch.setattr("vosd.store.writer.STALE_S", 0.0)
    assert not store.writer.accepting
    go_on.set()
    store.writer.flush(PATIENCE_S)
    assert store.writer.accepting


def test_a_failing_acknowledgement_stops_nobody(
    store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(_: str | None) -> None:
        raise RuntimeError("no loop")

    store.cdr.opened(answered("c1"), broken)
    store.writer.flush(PATIENCE_S)
    answers = Answers()
    store.cdr.opened(answered("c2"), answers)
    assert answers.wait() == [None]
    assert "an acknowledgement failed" in caplog.text


def test_a_cancelled_change_is_not_made(store: Store) -> None:
    go_on = hold_up(store)
    change = store.put_phone(Phone(number="1001"), entry())
    assert change.cancel()
    go_on.set()
    store.writer.flush(PATIENCE_S)
    assert (store.phones(), store.audit()) == ([], [])


def test_close_commits_what_waits_and_refuses_what_comes(path: Path) -> None:
    store = Store.open(url(path), node="edge-1", tuning=Tuning(lazy_s=3600.0))
    store.cdr.closed(ended("c1"), b"e")
    change = store.put_phone(Phone(number="1001"), ())
    store.close()
    assert change.result(0) is None
    with pytest.raises(StoreError, match=r"^cannot store the change: the store is closed$"):
        store.put_phone(Phone(number="1002"), ()).result(0)
    again = Store.open(url(path), node="edge-1")
    assert again.cdr.show("c1") == (ended("c1"), b"e")
    assert again.phones() == [Phone(number="1001")]
    again.close()


def test_a_row_the_database_refuses_is_logged_whole_and_holds_nobody_up(
    store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    go_on = hold_up(store)
    good, bad, late = Answers(), Answers(), Answers()
    poison = ended("c2", sip_code=2**70)
    store.cdr.opened(answered("c1"), good)
    store.cdr.closed(poison, None, bad)
    store.cdr.closed(ended("c3"), b"e", late)
    phone = store.put_phone(Phone(number="1001"), ())
    go_on.set()
    assert good.wait() == [None]
    assert bad.wait() == ["cannot store the row: Python int too large to convert to SQLite INTEGER"]
    assert late.wait() == [None]
    assert phone.result(PATIENCE_S) is None
    assert rows(store) == [("c1", "open"), ("c3", "closed")]
    assert (store.writer.error, store.writer.rejected, store.writer.depth) == (None, 1, 0)
    assert repr((msgspec.structs.astuple(poison), None)) in caplog.text


class Trouble:
    """A database that stops writing, and what has to be true while it does and afterwards."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.kept = ["c0"]
        first = Answers()
        store.cdr.opened(answered("c0"), first)
        assert first.wait() == [None]

    def while_it_lasts(self, error: str) -> None:
        store = self.store
        refused, withdrawn = Answers(), Answers()
        store.cdr.opened(answered("c1"), refused)
        store.cdr.opened(answered("c2"), withdrawn)
        assert refused.wait() == [error]
        assert withdrawn.wait() == [error]
        assert (store.writer.error, store.writer.accepting) == (error, False)
        with pytest.raises(StoreError, match=f"^{error}$"):
            store.put_phone(Phone(number="1001"), entry()).result(PATIENCE_S)
        store.cdr.withdraw("c2")
        store.cdr.alive(["c0"], 130.0)
        self.late = Answers(2)
        store.cdr.closed(ended("c0"), b"evidence", self.late)
        store.cdr.closed(ended("c3", end_reason="unavailable"), None, self.late)
        store.put_binding(BINDING)
        store.put_binding(msgspec.structs.replace(BINDING, expires=99.0))
        with pytest.raises(StoreError, match=f"^{error}$"):
            store.writer.flush(PATIENCE_S)
        assert store.writer.depth >= 6
        self.answers = (refused, withdrawn)

    def afterwards(self) -> None:
        store = self.store
        assert self.late.wait() == [None, None]
        assert (store.writer.error, store.writer.accepting) == (None, True)
        assert rows(store) == [("c0", "closed"), ("c1", "open"), ("c3", "closed")]
        assert store.cdr.show("c0") == (ended("c0"), b"evidence")
        assert [binding.expires for binding in store.bindings()] == [99.0]
        assert (store.phones(), store.audit()) == ([], [])
        assert [len(answers.told) for answers in self.answers] == [1, 1]
        assert store.put_phone(Phone(number="1001"), ()).result(PATIENCE_S) is None
        assert store.writer.depth == 0
        check = sqlite3.connect(store._engine.url.database or "")
        assert check.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        check.close()


BINDING = Binding(
    number="1001",
    contact="sip:1001@10.0.0.7",
    host="10.0.0.7",
    port=5060,
    expires=50.0,
    registered=10.0,
    call_id="x",
    cseq=1,
)


def test_full_disk_refuses_calls_and_loses_nothing(small_disk: Path) -> None:
    """Reliability section 6: disk full."""
    store = Store.open(url(small_disk / "vosd.db"), node="edge-1")
    trouble = Trouble(store)
    ballast = small_disk / "ballast"
    fill(ballast)
    trouble.while_it_lasts(FULL)
    ballast.unlink()
    trouble.afterwards()
    store.close()


def test_full_database_refuses_calls_and_loses_nothing(store: Store) -> None:
    """The same without root: SQLite's own limit stands for the disk."""
    trouble = Trouble(store)
    limit = "PRAGMA max_page_count = {}"
    store.writer.change(lambda c: c.exec_driver_sql(limit.format(1))).result(PATIENCE_S)
    filling = [ended(f"f{n:03d}", caller="x" * 3000) for n in range(8)]
    for row in filling:
        store.cdr.closed(row, None)
    with pytest.raises(StoreError, match=f"^{FULL}$"):
        store.writer.flush(PATIENCE_S)
    for row in filling:
        store.cdr.withdraw(row.id)
    trouble.while_it_lasts(FULL)
    store.writer._session.cursor.execute(limit.format(10**6))
    assert trouble.late.wait() == [None, None]
    assert {row.id for row in store.cdr.list()} == {"c0", "c3"} | {row.id for row in filling}


def test_locked_database_refuses_calls_and_loses_nothing(store: Store, path: Path) -> None:
    trouble = Trouble(store)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    trouble.while_it_lasts("cannot write the store: database is locked")
    other.execute("ROLLBACK")
    other.close()
    trouble.afterwards()


def test_a_short_lock_is_waited_out(path: Path) -> None:
    store = Store.open(url(path), node="edge-1", tuning=Tuning(busy_ms=20000))
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    answers = Answers()
    store.cdr.opened(answered("c1"), answers)
    assert answers.told == []
    other.execute("ROLLBACK")
    assert answers.wait() == [None]
    other.close()
    store.close()


def test_a_failed_change_alone_does_not_refuse_calls_for_ever(
    store: Store, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With no row to try again, the database itself is tried until it can be written."""
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    with pytest.raises(StoreError, match=r"^cannot write the store: database is locked$"):
        store.put_phone(Phone(number="1001"), entry()).result(PATIENCE_S)
    assert not store.writer.accepting
    written, succeeded = threading.Event(), store.writer._succeeded

    def told(jobs: Any, refused: Any) -> None:
        succeeded(jobs, refused)
        written.set()

    monkeypatch.setattr(store.writer, "_succeeded", told)
    other.execute("ROLLBACK")
    other.close()
    assert written.wait(PATIENCE_S)
    assert store.writer.accepting
