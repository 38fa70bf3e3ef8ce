# SPDX-License-Identifier: GPL-2.0-or-later
"""phone.*, blacklist.*, call.*, cdr.*, diagnose.*: against a real store and real indexes."""

from __future__ import annotations

import time
from typing import Any

import msgspec
import pytest

from tests.control.standin import Running, call_view
from tests.control.test_gateway import SECRET, add, md5, refusal, sha
from vosctl.client import Client
from vosd.control.access import Peer
from vosd.control.handler import entry, stored
from vosd.switch.tables import Binding, Listed
from vosd.wire.diagnosis import RecentQuery, SessionQuery
from vosd.wire.records import Attempt, CallView, Cdr
from vosd.wire.requests import (
    BlacklistAdd,
    BlacklistCheckQuery,
    BlacklistRemove,
    CallHangup,
    CallQuery,
    CdrQuery,
    Change,
    DiagnoseQuery,
    PhoneAdd,
    PhoneSet,
)


def add_phone(client: Client, number: str = "4670001", **fields: Any) -> Any:
    fields.setdefault("password", SECRET)
    return client.call("phone.add", PhoneAdd(number=number, **fields))


def set_phone(client: Client, number: str = "4670001", **fields: Any) -> Any:
    return client.call("phone.set", PhoneSet(**fields), path={"number": number})


# phones


def test_phone_keeps_digests_only(client: Client, running: Running) -> None:
    reply = add_phone(client, "+4670001", account="a1", display="Front desk", why="new")
    phone = running.node.configuration.phones["4670001"]
    assert (phone.ha1_md5, phone.ha1_sha256) == (
        md5(f"4670001:vos:{SECRET}"),
        sha(f"4670001:vos:{SECRET}"),
    )
    text = msgspec.json.encode([reply, running.node.store.audit(5)]).decode()
    assert SECRET not in text
    assert phone.ha1_md5 not in text
    row = running.node.store.audit(1)[0]
    assert (row.verb, row.subject, row.new, row.why) == (
        "phone.add",
        "4670001",
        "number=4670001 password=set account=a1 display=Front desk enabled=on",
        "new",
    )


def test_phone_shows_its_registration(client: Client, running: Running) -> None:
    add_phone(client)
    now = time.time()
    binding = Binding(
        number="4670001", contact="<sip:4670001@10.0.0.5>", host="203.0.113.77", port=61000,
        expires=now + 300, registered=now - 5, call_id="r1", cseq=1, user_agent="Phone 2",
        nat=True,
    )  # fmt: skip
    running.loop.call_soon_threadsafe(running.node.configuration.bind, [binding], [])
    shown = client.call("phone.show", path={"number": "4670001"}).phone
    assert (shown.registered, shown.address, shown.nat, shown.contact, shown.user_agent) == (
        True, "203.0.113.77:61000", True, "<sip:4670001@10.0.0.5>", "Phone 2",
    )  # fmt: skip
    client.call("phone.remove", Change(), path={"number": "4670001"})
    assert running.node.configuration.bindings == {}
    assert client.call("phone.list").phones == []


def test_phone_that_ran_out_is_not_registered(client: Client, running: Running) -> None:
    add_phone(client)
    gone = Binding(number="4670001", contact="<sip:x>", host="10.0.0.1", port=5060,
                   expires=time.time() - 1, registered=0, call_id="r", cseq=1)  # fmt: skip
    running.loop.call_soon_threadsafe(running.node.configuration.bind, [gone], [])
    shown = client.call("phone.show", path={"number": "4670001"}).phone
    assert (shown.registered, shown.address, shown.expires_at) == (False, "", None)


def test_phone_set(client: Client, running: Running) -> None:
    add_phone(client)
    changes = set_phone(client, values={"enabled": "off", "account": "b"}).changes
    assert [(c.name, c.old, c.new) for c in changes] == [
        ("account", "", "b"),
        ("enabled", "on", "off"),
    ]
    changes = set_phone(client, password="another one 7").changes
    assert [(c.name, c.old, c.new) for c in changes] == [("password", "set", "set anew")]
    assert running.node.configuration.phones["4670001"].ha1_md5 == md5("4670001:vos:another one 7")


@pytest.mark.parametrize(
    ("number", "fields", "kind", "message"),
    [
        ("46-70", {}, "bad_value", "cannot use '46-70' as a number: "
         "1 to 32 digits, with or without a leading +, are accepted"),
        ("", {}, "bad_value", "cannot use '' as a number: "
         "1 to 32 digits, with or without a leading +, are accepted"),
        ("4670002", {"password": "1234567"}, "bad_value", "cannot use a password of 7 characters: "
         "at least 8, phones are guessed at all day"),
        ("4670002", {"display": "x\r\nVia: y"}, "bad_value", "cannot use display 'x\\r\\nVia: y': "
         "at most 64 printable characters"),
        ("4670001", {}, "exists", "cannot add phone 4670001: it exists already"),
        ("4670009", {}, "conflict", "cannot tell phone 4670009 from gateway acme: both prove "
         "themselves as user 4670009"),
    ],
)  # fmt: skip
def test_phone_refused(
    client: Client, number: str, fields: dict[str, Any], kind: str, message: str
) -> None:
    add(client, auth="password", user="4670009", password=SECRET)
    add_phone(client)
    assert refusal(add_phone, client, number, **fields) == (kind, message)


def test_phone_unknown_key(client: Client) -> None:
    add_phone(client)
    assert refusal(set_phone, client, values={"password": "x"}) == (
        "bad_value",
        "cannot set 'password' of a phone: passwords come by --password-file only",
    )
    assert refusal(set_phone, client, "999", values={}) == (
        "not_found",
        "cannot find phone '999': none has that number",
    )


def test_gateway_that_would_pass_for_a_phone(client: Client) -> None:
    add_phone(client)
    kind, message = refusal(add, client, auth="password", user="4670001", password=SECRET)
    assert (kind, message) == (
        "conflict",
        "cannot tell acme from phone 4670001: both prove themselves as user 4670001",
    )


# black list


def block(client: Client, *numbers: str, **fields: Any) -> Any:
    return client.call("blacklist.add", BlacklistAdd(numbers=list(numbers), **fields))


def check(client: Client, number: str, gateway: str | None = None) -> tuple[bool, bool, list[str]]:
    query = BlacklistCheckQuery(number=number, gateway=gateway)
    reply = client.call("blacklist.check", query=query)
    return reply.as_caller, reply.as_callee, [row.number for row in reply.rows]


def test_blacklist_check_says_which_row_decides(client: Client) -> None:
    block(client, "4687000", prefix=True, side="callee")
    block(client, "+4687000123")
    assert check(client, "4687000999") == (True, False, ["4687000"])
    assert check(client, "4687000123") == (False, False, ["4687000123"])
    assert check(client, "+4687000124") == (True, False, ["4687000"])
    assert check(client, "4611") == (True, True, [])


def test_blacklist_list_and_remove(client: Client, running: Running) -> None:
    reply = block(client, "100", "200", "100", why="fraud")
    assert [row.number for row in reply.added] == ["100", "200"]
    block(client, "100", prefix=True)
    client.call("blacklist.remove", BlacklistRemove(numbers=["100"], why="cleared"))
    rows = client.call("blacklist.list").rows
    assert [(r.number, r.prefix, r.side, r.why) for r in rows] == [("200", False, "both", "fraud")]
    row = running.node.store.audit(1)[0]
    assert (row.verb, row.subject, row.why) == (
        "blacklist.remove",
        "100",
        "cleared",
    )


def test_blacklist_rows_expire(client: Client, running: Running) -> None:
    block(client, "100", expires_s=3600.0)
    row = client.call("blacklist.list").rows[0]
    assert row.expires_at == pytest.approx(time.time() + 3600, abs=30)
    listed = running.node.configuration.listed
    assert listed.find("100", "caller", row.expires_at - 1) is not None
    assert listed.find("100", "caller", row.expires_at + 1) is None


@pytest.mark.parametrize(
    ("request_", "kind", "message"),
    [
        (BlacklistAdd(numbers=[]), "bad_value",
         "cannot take 0 numbers: 1 to 10000 in one request is accepted"),
        (BlacklistAdd(numbers=["1"] * 10001), "bad_value",
         "cannot take 10001 numbers: 1 to 10000 in one request is accepted"),
        (BlacklistAdd(numbers=["'; drop table"]), "bad_value",
         'cannot use "\'; drop table" as a number: 1 to 32 digits, with or without a leading +, '
         "or anonymous are accepted"),
        (BlacklistAdd(numbers=["abc"]), "bad_value", "cannot use 'abc' as a number: 1 to 32 "
         "digits, with or without a leading +, or anonymous are accepted"),
        (BlacklistAdd(numbers=["1" * 34]), "bad_value", f"cannot use '{'1' * 34}' as a number: 1 "
         "to 32 digits, with or without a leading +, or anonymous are accepted"),
        (BlacklistAdd(numbers=["100", "1\x002"]), "bad_value",
         "cannot use '1\\x002' as a number: 1 to 32 digits, with or without a leading +, or "
         "anonymous are accepted"),
        (BlacklistAdd(numbers=["1"], expires_s=0.0), "bad_value",
         "cannot let a row expire in 0 s: more than 0 and at most 100 years is accepted"),
        (BlacklistAdd(numbers=["1"], expires_s=-5.0), "bad_value",
         "cannot let a row expire in -5 s: more than 0 and at most 100 years is accepted"),
    ],
)  # fmt: skip
def test_blacklist_refused(
    client: Client, running: Running, request_: BlacklistAdd, kind: str, message: str
) -> None:
    assert refusal(client.call, "blacklist.add", request_) == (kind, message)
    assert running.node.configuration.blacklist == []


def test_blacklist_remove_is_all_or_nothing(client: Client, running: Running) -> None:
    block(client, "100")
    request = BlacklistRemove(numbers=["100", "200"])
    assert refusal(client.call, "blacklist.remove", request) == (
        "not_found",
        "cannot remove 200: it is not on the list; vosctl blacklist check 200 shows what decides "
        "about it",
    )
    assert len(running.node.configuration.blacklist) == 1


def test_blacklist_check_at_a_gateway_that_is_not_there(client: Client) -> None:
    assert refusal(check, client, "1", "nobody") == (
        "not_found",
        "cannot find gateway 'nobody': none has that name",
    )


# live calls


def test_calls_of_one_gateway(client: Client, running: Running) -> None:
    add(client)
    running.node.calls.live = [call_view("aa"), call_view("bb", mapping="other", routing="x")]
    reply = client.call("call.list", query=CallQuery(gateway="acme"))
    assert ([call.id for call in reply.calls], reply.total) == (["aa"], 2)
    assert refusal(client.call, "call.list", query=CallQuery(gateway="zz")) == (
        "not_found",
        "cannot find gateway 'zz': none has that name",
    )


def test_call_by_the_start_of_its_id(client: Client, running: Running) -> None:
    running.node.calls.live = [call_view("aa11"), call_view("aa22"), call_view("bb33")]
    assert client.call("call.show", path={"id": "bb"}).call == call_view("bb33")
    assert refusal(client.call, "call.show", path={"id": "aa"}) == (
        "conflict",
        "cannot tell which call 'aa' is: 2 calls begin so",
    )
    assert refusal(client.call, "call.show", path={"id": "cc"}) == (
        "not_found",
        "cannot find a live call 'cc': it may have ended, vosctl cdr show cc shows its record",
    )


def test_hangup_finds_all_before_it_ends_one(client: Client, running: Running) -> None:
    running.node.calls.live = [call_view("aa11"), call_view("bb22")]
    assert refusal(client.call, "call.hangup", CallHangup(ids=["aa", "zz"]))[0] == "not_found"
    assert refusal(client.call, "call.hangup", CallHangup(ids=[""]))[0] == "not_found"
    assert refusal(client.call, "call.hangup", CallHangup(ids=[]))[0] == "bad_value"
    assert client.call("call.hangup", CallHangup(ids=["aa"], dry_run=True)).ids == ["aa11"]
    assert running.node.ended == []
    ids = client.call("call.hangup", CallHangup(ids=["aa", "aa11", "bb"], why="fraud")).ids
    assert ids == running.node.ended == ["aa11", "bb22"]
    row = running.node.store.audit(1)[0]
    assert (row.verb, row.subject, row.why) == ("call.hangup", "aa11 bb22", "fraud")


# records and diagnosis


def keep(running: Running, id_: str, start: float, view: CallView | None, **fields: Any) -> None:
    """Put one final record into the store and wait until it is there."""
    from threading import Event

    done = Event()
    row = Cdr(id=id_, node="edge-1", caller="4670001", callee="46855501", mapping="acme",
              routing="telia", started_at=start, ended_at=start + 10, end_reason="caller_hangup",
              ended_by="caller", sip_code=200, q850=16, **fields)  # fmt: skip
    evidence = None if view is None else msgspec.json.encode(view)
    running.node.store.cdr.closed(row, evidence, lambda error: done.set())
    assert done.wait(10)


def silent(id_: str, start: float) -> CallView:
    """A call in which nothing was received from leg B."""
    view = call_view(id_, state="ended", started_at=start, ended_at=start + 60, duration_s=60.0)
    assert view.legs[1].received is not None
    view.legs[1].received.packets = 0
    view.legs[1].received.expected = view.legs[1].received.lost = None
    view.legs[1].received.loss_percent = view.legs[1].received.jitter_ms = None
    return view


def test_records_are_listed_exported_and_shown(client: Client, running: Running) -> None:
    view = call_view("b2", state="ended")
    keep(running, "a1", 1000.0, None)
    keep(running, "b2", 2000.0, view, duration_s=7.5)
    keep(running, "c3", 3000.0, None)
    listed = client.call("cdr.list", query=CdrQuery(limit=2)).records
    assert [row.id for row in listed] == ["c3", "b2"]
    exported = list(client.stream("cdr.export", query=CdrQuery(since=1500.0, limit=0)))
    assert [row.id for row in exported] == ["b2", "c3"]
    assert [r.id for r in client.stream("cdr.export", query=CdrQuery(limit=1))] == ["a1"]
    assert list(client.stream("cdr.export", query=CdrQuery(reason="busy", limit=0))) == []
    detail = client.call("cdr.show", path={"id": "b"})
    assert (detail.record.duration_s, detail.call) == (7.5, view)
    assert client.call("cdr.show", path={"id": "a1"}).call is None
    assert refusal(client.call, "cdr.show", path={"id": "zz"}) == (
        "not_found",
        "cannot find a record 'zz': a live call is shown by vosctl call show zz",
    )


@pytest.mark.parametrize("verb", ["cdr.list", "cdr.export"])
@pytest.mark.parametrize(
    ("query", "kind", "message"),
    [
        (CdrQuery(reason="bussy"), "bad_value",
         "cannot use 'bussy' as an end reason: did you mean busy?"),
        (CdrQuery(gateway="acm"), "not_found", "cannot find gateway 'acm': none has that name"),
        (CdrQuery(caller="abc"), "bad_value", "cannot use 'abc' as a number: 1 to 32 digits, with "
         "or without a leading +, a * after them for all that begin so, or anonymous are accepted"),
        (CdrQuery(since=7200.0, until=3600.0), "bad_value", "cannot look from 1970-01-01T02:00:00Z "
         "until 1970-01-01T01:00:00Z: since before until is accepted"),
    ],
)  # fmt: skip
def test_a_filter_that_means_nothing_is_refused(
    client: Client, running: Running, verb: str, query: CdrQuery, kind: str, message: str
) -> None:
    """An unknown word answers no empty list, which would pass for the truth."""
    add(client)

    def ask() -> None:
        if verb == "cdr.list":
            client.call(verb, query=query)
        else:
            list(client.stream(verb, query=query))

    assert refusal(ask) == (kind, message)


def test_filters_of_records(client: Client, running: Running) -> None:
    """Of a gateway that is gone as well: records outlive it."""
    keep(running, "a1", 1000.0, None)
    add_phone(client)
    for query, found in [
        (CdrQuery(gateway="acme"), ["a1"]), (CdrQuery(gateway="4670001"), []),
        (CdrQuery(caller="+467*", callee="46855501"), ["a1"]),
        (CdrQuery(caller="anonymous"), []), (CdrQuery(reason="caller_hangup"), ["a1"]),
    ]:  # fmt: skip
        assert [row.id for row in client.call("cdr.list", query=query).records] == found
        assert [row.id for row in client.stream("cdr.export", query=query)] == found


def test_what_an_older_version_listed_can_be_removed(client: Client, running: Running) -> None:
    audit = entry(Peer(1, 0, frozenset()), "blacklist.add", "abc", "", "", "")
    running.run(stored(running.node.store.put_blacklist([Listed(number="abc")], audit)))
    running.node.configuration.reload()
    client.call("blacklist.remove", BlacklistRemove(numbers=["abc"]))
    assert client.call("blacklist.list").rows == []


def test_export_of_many_batches(client: Client, running: Running) -> None:
    for i in range(1203):
        row = Cdr(id=f"{i:04}", node="edge-1", caller="1", callee="2", started_at=float(i))
        running.node.store.cdr.closed(row, None)
    keep(running, "last", 5000.0, None)
    rows = list(client.stream("cdr.export", query=CdrQuery(limit=0)))
    assert [row.id for row in rows] == [*(f"{i:04}" for i in range(1203)), "last"]


def test_diagnose_picks(client: Client, running: Running) -> None:
    add(client)
    assert refusal(client.call, "diagnose.call", query=DiagnoseQuery(pick="last"))[0] == "conflict"
    fine = call_view("f1", started_at=2000.0, legs=[])
    keep(running, "s1", 1000.0, silent("s1", 1000.0))
    keep(running, "f1", 2000.0, fine)
    last = client.call("diagnose.call", query=DiagnoseQuery(pick="last"))
    worst = client.call("diagnose.call", query=DiagnoseQuery(pick="worst"))
    assert last.call is not None
    assert last.call.id == "f1"
    assert worst.call is not None
    assert (worst.call.id, worst.severity) == ("s1", "critical")
    running.node.calls.live = [call_view("live", started_at=3000.0)]
    newest = client.call("diagnose.call", query=DiagnoseQuery(pick="last"))
    assert newest.call is not None
    assert newest.call.id == "live"
    named = client.call("diagnose.call", query=DiagnoseQuery(id="s1"))
    assert named == worst
    assert client.call("diagnose.gateway", path={"name": "acme"}).findings


def test_diagnose_recent_ranks_live_and_finished(client: Client, running: Running) -> None:
    keep(running, "s1", 1000.0, silent("s1", 1000.0))
    keep(running, "f1", 2000.0, call_view("f1", started_at=2000.0, legs=[]))
    live = silent("live", 3000.0)
    live.state = "connected"
    running.node.calls.live = [live]
    reply = client.call("diagnose.recent", query=RecentQuery())
    assert [(row.id, row.live) for row in reply.calls] == [("live", True), ("s1", False)]
    assert (reply.live, reply.finished, reply.limit) == (1, 2, 500)
    later = client.call("diagnose.recent", query=RecentQuery(since=1500.0))
    assert [row.id for row in later.calls] == ["live"]
    assert (later.live, later.finished) == (1, 1)


def test_diagnose_session(client: Client, running: Running) -> None:
    """A live call and a finished one, judged with the switch's own settings (TRB-01)."""
    unacked = call_view("s1", state="ended", end_reason="ack_timeout", duration_s=32.0)
    keep(running, "s1", 1000.0, unacked)
    keep(running, "x1", 2000.0, call_view("x1", started_at=2000.0, end_reason="caller_hangup"))
    running.node.calls.live = [call_view("live", started_at=3000.0)]
    found = client.call("diagnose.session", query=SessionQuery(id="s"))
    assert (found.subject, found.severity) == ("session s1", "critical")
    assert [row.code for row in found.findings] == ["lost_ack"]
    assert client.call("diagnose.session", query=SessionQuery(id="live")).findings == []
    assert refusal(client.call, "diagnose.session", query=SessionQuery(id="zz"))[0] == "not_found"
    reply = client.call("diagnose.sessions", query=RecentQuery())
    assert [(row.id, row.code, row.live) for row in reply.calls] == [("s1", "lost_ack", False)]
    assert (reply.live, reply.finished) == (1, 2)


def test_diagnose_a_call_whose_evidence_is_lost(client: Client, running: Running) -> None:
    keep(running, "a1", 1000.0, None)
    reply = client.call("diagnose.call", query=DiagnoseQuery(id="a1"))
    assert reply.call is not None
    assert (reply.call.id, reply.call.legs) == ("a1", [])


@pytest.mark.parametrize(
    ("query", "kind"),
    [
        (DiagnoseQuery(), "bad_request"),
        (DiagnoseQuery(id="a", pick="last"), "bad_request"),
        (DiagnoseQuery(id="zz"), "not_found"),
        (DiagnoseQuery(id=""), "not_found"),
    ],
)
def test_diagnose_refused(client: Client, query: DiagnoseQuery, kind: str) -> None:
    assert refusal(client.call, "diagnose.call", query=query)[0] == kind


def test_diagnose_unknown_gateway(client: Client) -> None:
    assert refusal(client.call, "diagnose.gateway", path={"name": "x"})[0] == "not_found"


def test_diagnose_a_gateway_whose_calls_another_one_saved(client: Client, running: Running) -> None:
    add(client, "v503", kind="routing")
    for number in range(6):
        saved = call_view(f"c{number}", started_at=1000.0 + number, routing="acme")
        tried = Attempt(party="v503", code=503, reason="congestion", at=1000.0, took_ms=5.0)
        saved.attempts = [tried]
        keep(running, saved.id, saved.started_at, saved)
    found = client.call("diagnose.gateway", path={"name": "v503"})
    assert found.severity != "ok"
    assert found.findings
