# SPDX-License-Identifier: GPL-2.0-or-later
"""Call records: answered, proven alive, final, lost, found again."""

from __future__ import annotations

import random

import msgspec
import pytest
import sqlalchemy as sa

from tests.store.conftest import PATIENCE_S, Answers
from tests.store.rows import HOSTILE, answered, ended
from vosd.store import CdrFilter, Store
from vosd.store.cdr import PAGE
from vosd.store.schema import bindings, blacklist, calls
from vosd.switch.tables import Binding, Listed
from vosd.wire.records import Cdr


def store_all(store: Store, *rows: Cdr) -> None:
    for row in rows:
        store.cdr.closed(row, None)
    store.writer.flush(PATIENCE_S)


def shown(store: Store, id: str) -> Cdr:
    found = store.cdr.show(id)
    assert found is not None
    return found[0]


@pytest.mark.parametrize(
    ("table", "struct"), [(calls, Cdr), (blacklist, Listed), (bindings, Binding)]
)
def test_columns_follow_the_fields(table: sa.Table, struct: type[msgspec.Struct]) -> None:
    """These rows go into the database by position."""
    assert tuple(column.name for column in table.columns) == struct.__struct_fields__


def test_answered_then_ended(store: Store) -> None:
    answers, final = Answers(), Answers()
    store.cdr.opened(answered("c1"), answers)
    assert answers.wait() == [None]
    assert store.cdr.show("c1") == (answered("c1"), None)
    assert store.cdr.list() == []
    store.cdr.closed(ended("c1"), b"evidence\x00\xff", final)
    assert final.wait() == [None]
    assert store.cdr.show("c1") == (ended("c1"), b"evidence\x00\xff")
    assert store.cdr.list() == [ended("c1")]


def test_unanswered_call_has_its_final_row_only(store: Store) -> None:
    row = ended("c1", answered_at=None, ringing_at=None, duration_s=0.0, sip_code=486, q850=17)
    store_all(store, row)
    assert store.cdr.list() == [row]


def test_rows_may_come_twice_and_late(store: Store) -> None:
    answers = Answers(2)
    store.cdr.closed(ended("c1"), b"one")
    store.writer.flush(PATIENCE_S)
    store.cdr.opened(answered("c1"), answers)
    store.cdr.alive(["c1", "unknown"], 500.0)
    store.cdr.withdraw("c1")
    store.cdr.closed(ended("c1", end_reason="second"), b"two")
    store.cdr.opened(answered("c1"), answers)
    store.writer.flush(PATIENCE_S)
    assert answers.wait() == [None, None]
    assert store.cdr.show("c1") == (ended("c1", end_reason="second"), b"two")


def test_proof_of_life_reaches_open_rows_of_this_node(store: Store) -> None:
    answers = Answers(4)
    for row in (answered("c1"), answered("c2"), answered("c3"), answered("c1", node="edge-2")):
        store.cdr.opened(row, answers)
        store.writer.flush(PATIENCE_S)
    store.cdr.alive(["c1", "c2"], 130.0)
    store.cdr.alive(["c2"], 160.0)
    store.writer.flush(PATIENCE_S)
    with store._engine.connect() as connection:
        rows = connection.execute(calls.select().order_by(calls.c.node, calls.c.id)).all()
    assert [(row.node, row.id, row.alive_at) for row in rows] == [
        ("edge-1", "c1", 130.0),
        ("edge-1", "c2", 160.0),
        ("edge-1", "c3", None),
        ("edge-2", "c1", None),
    ]


def test_proof_of_life_for_many_calls(store: Store) -> None:
    ids = [f"c{n:04d}" for n in range(1201)]
    answers = Answers(len(ids))
    for id in ids:
        store.cdr.opened(answered(id), answers)
    answers.wait()
    store.cdr.alive(ids, 777.0)
    store.writer.flush(PATIENCE_S)
    assert store.cdr.recover(1000.0) == 1201
    assert {row.ended_at for row in store.cdr.iterate()} == {777.0}


def test_a_posted_record_may_be_filled_in_further(store: Store) -> None:
    row, answers = answered("c1"), Answers()
    store.cdr.opened(row, answers)
    row.end_reason = "later"
    row.state = "closed"
    assert answers.wait() == [None]
    assert shown(store, "c1") == answered("c1")


def test_withdrawn_call_leaves_nothing(store: Store) -> None:
    answers = Answers(2)
    store.cdr.opened(answered("c1"), answers)
    store.writer.flush(PATIENCE_S)
    store.cdr.opened(answered("c2"), answers)
    store.cdr.withdraw("c1")
    store.cdr.withdraw("c2")
    store.writer.flush(PATIENCE_S)
    assert (store.cdr.show("c1"), store.cdr.show("c2")) == (None, None)
    assert store.cdr.recover(1000.0) == 0


@pytest.mark.parametrize(
    ("changes", "ended_at", "duration"),
    [
        pytest.param({"alive_at": 164.25}, 164.25, 60.0, id="last proof of life"),
        pytest.param({}, 104.25, 0.0, id="no proof: the answer itself"),
        pytest.param({"alive_at": 900.0}, 200.0, 95.75, id="proof from the future: now"),
        pytest.param({"alive_at": 50.0}, 50.0, 0.0, id="clock went back: never negative"),
    ],
)
def test_open_row_of_a_lost_node_becomes_a_record(
    store: Store, changes: dict[str, object], ended_at: float, duration: float
) -> None:
    """Reliability section 6: end at the last heart-beat, once."""
    answers = Answers(2)
    lost = answered("c1", **changes)
    store.cdr.opened(lost, answers)
    store.cdr.opened(answered("other", node="edge-2"), answers)
    answers.wait()
    assert store.cdr.left_open() == {"edge-2": 1}
    assert store.cdr.recover(200.0, sip_code=503, q850=27) == 1
    record = msgspec.structs.replace(
        lost,
        ended_at=ended_at,
        duration_s=duration,
        end_reason="node_lost",
        ended_by="switch",
        sip_code=503,
        q850=27,
        state="recovered",
    )
    assert store.cdr.show("c1") == (record, None)
    assert store.cdr.recover(300.0, sip_code=1, q850=1) == 0
    assert store.cdr.list() == [record]
    assert shown(store, "other").state == "open"


ROWS = [
    ended("a1", 100.0, caller="4930123", callee="1", mapping="m1", routing="v1"),
    ended("a2", 200.0, caller="49301", callee="12", mapping="m1", routing="v2", end_reason="busy"),
    ended("a3", 300.0, caller="4931", callee="13", mapping="v2", routing="v1"),
    ended("b4", 300.0, caller="493", callee="2", mapping="m2", routing="", end_reason="busy"),
    ended("b5", 400.0, caller="%", callee="1*", mapping="m2", routing="v1"),
]


@pytest.mark.parametrize(
    ("filter", "ids"),
    [
        (CdrFilter(), "b5 b4 a3 a2 a1"),
        (CdrFilter(since=200.0), "b5 b4 a3 a2"),
        (CdrFilter(until=300.0), "a2 a1"),
        (CdrFilter(since=200.0, until=300.0), "a2"),
        (CdrFilter(caller="4930123"), "a1"),
        (CdrFilter(caller="4930*"), "a2 a1"),
        (CdrFilter(caller="493*"), "b4 a3 a2 a1"),
        (CdrFilter(caller="493"), "b4"),
        (CdrFilter(caller="*"), "b5 b4 a3 a2 a1"),
        (CdrFilter(caller="%"), "b5"),
        (CdrFilter(caller="%*"), "b5"),
        (CdrFilter(callee="1**"), "b5"),
        (CdrFilter(callee="1*", since=300.0), "b5 a3"),
        (CdrFilter(gateway="v2"), "a3 a2"),
        (CdrFilter(gateway="v1", caller="49*"), "a3 a1"),
        (CdrFilter(gateway="none"), ""),
        (CdrFilter(reason="busy"), "b4 a2"),
        (CdrFilter(reason="busy", gateway="m2", callee="2"), "b4"),
    ],
)
def test_listing(store: Store, filter: CdrFilter, ids: str) -> None:
    store_all(store, *ROWS)
    expected = [row for id in ids.split() for row in ROWS if row.id == id]
    assert store.cdr.list(filter) == expected
    assert store.cdr.list(filter, limit=2) == expected[:2]
    oldest_first = sorted(expected, key=lambda row: (row.started_at, row.id))
    assert list(store.cdr.iterate(filter)) == oldest_first


@pytest.mark.parametrize(
    ("filter", "index"),
    [
        (CdrFilter(), "calls_time"),
        (CdrFilter(gateway="v1"), "calls_time"),
        (CdrFilter(reason="busy", since=1.0), "calls_time"),
        (CdrFilter(caller="49*"), "calls_caller"),
        (CdrFilter(callee="49"), "calls_callee"),
    ],
)
def test_listing_reads_an_index(store: Store, filter: CdrFilter, index: str) -> None:
    plans: list[str] = []
    connection = store._engine.raw_connection()
    connection.driver_connection.set_trace_callback(plans.append)  # type: ignore[union-attr]
    connection.close()
    store.cdr.list(filter)
    query = next(plan for plan in plans if plan.startswith("SELECT"))
    with store._engine.connect() as reader:
        plan = reader.exec_driver_sql("EXPLAIN QUERY PLAN " + query.replace("%", "%%")).all()
    assert f"INDEX {index}" in " ".join(row.detail for row in plan)


def test_export_goes_through_pages_with_equal_times(store: Store) -> None:
    chance = random.Random(7)
    rows = [ended(f"c{n:05d}", float(chance.randrange(3))) for n in range(2 * PAGE + 17)]
    store_all(store, *rows)
    exported = [row.id for row in store.cdr.iterate()]
    assert exported == [row.id for row in sorted(rows, key=lambda row: (row.started_at, row.id))]


def test_show_by_prefix(store: Store) -> None:
    store_all(store, ended("abc"), ended("abcd"), ended("abde"), ended("abdf"), ended("x"))
    assert shown(store, "abc").id == "abc"
    assert shown(store, "abcd").id == "abcd"
    assert shown(store, "x").id == "x"
    assert store.cdr.show("nothing") is None
    assert store.cdr.show("") is None
    with pytest.raises(LookupError) as failure:
        store.cdr.show("abd")
    assert str(failure.value) == ("cannot tell which record abd is: it could be abdf, abde")
    with pytest.raises(LookupError, match=r"abdf, abde, abcd, \.\.\.$"):
        store.cdr.show("ab")


def test_last_ids(store: Store) -> None:
    store_all(store, *ROWS)
    assert store.cdr.last_ids() == ["b5"]
    assert store.cdr.last_ids(3) == ["b5", "b4", "a3"]


@pytest.mark.parametrize("text", HOSTILE)
def test_any_text_survives_in_a_record(store: Store, text: str) -> None:
    """Reliability row 22."""
    answers = Answers()
    texts = dict.fromkeys(("caller", "callee", "mapping", "routing"), text)
    store.cdr.opened(answered("id" + text, **texts), answers)
    answers.wait()
    row = ended("id" + text, **texts, end_reason=text, ended_by=text)
    store.cdr.alive(["id" + text], 1.0)
    store_all(store, row)
    exact = CdrFilter(caller=text, callee=text, gateway=text, reason=text)
    assert store.cdr.show("id" + text) == (row, None)
    if not text.endswith("*"):
        assert store.cdr.list(exact) == [row]
    assert store.cdr.list(CdrFilter(caller=text + "*")) == [row]
    assert store.cdr.list(CdrFilter(caller=text + "x*")) == []


def test_text_that_is_no_unicode_is_cleaned_and_holds_nobody_up(store: Store) -> None:
    answers = Answers(3)
    store.cdr.opened(answered("c1"), answers)
    store.cdr.opened(answered("c2", caller="49\udcff"), answers)
    store.cdr.opened(answered("c3"), answers)
    assert answers.wait() == [None, None, None]
    assert [shown(store, id).caller for id in ("c1", "c2", "c3")] == ["4930123", "49?", "4930123"]
    assert (store.writer.error, store.writer.rejected) == (None, 0)
