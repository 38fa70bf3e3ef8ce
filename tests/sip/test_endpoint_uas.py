# SPDX-License-Identifier: GPL-2.0-or-later
"""The called role: what is answered by itself, and what is left to the owner."""

from __future__ import annotations

import random

import pytest

from tests.sip.wire import PEER, US, endpoint, names, read, reply, request, sent, shorts
from vosd.sip.endpoint import Dialog, Endpoint, Listen
from vosd.sip.events import (
    Acked,
    Cancelled,
    DialogRequest,
    Ended,
    Invited,
    Malformed,
    Reinvited,
    Request,
    Response,
)


def ringing(end: Endpoint, **fields: object) -> Dialog:
    (event,) = end.receive(request(**fields), PEER, 0, 0.0)  # type: ignore[arg-type]
    assert isinstance(event, Invited)
    sent(end)
    return event.dialog


def up(end: Endpoint) -> Dialog:
    dialog = ringing(end)
    end.accept(dialog, 0.0)
    ack = request("ACK", branch="z9hG4bKack", to_tag=dialog.local_tag)
    assert names(end.receive(ack, PEER, 0, 0.0)) == ["Acked"]
    sent(end)
    return dialog


def test_invite_opens_a_dialog_and_gets_100_at_its_source() -> None:
    end = endpoint()
    source = ("203.0.113.7", 61234)
    (event,) = end.receive(request(), source, 0, 0.0)
    assert isinstance(event, Invited)
    dialog = event.dialog
    assert (dialog.call_id, dialog.remote_tag, dialog.remote, dialog.state) == (
        "call1", "p1", source, "early",
    )  # fmt: skip
    assert dialog.invite_message is event.message
    ((data, remote, local),) = end.outgoing
    assert (remote, local) == (source, 0)
    via = read(data).all("via")[0]
    assert "received=203.0.113.7" in via
    assert "rport=61234" in via
    assert (read(data).code, read(data).to_tag) == (100, "")


def test_answers_as_written() -> None:
    end = endpoint()
    dialog = ringing(end, headers=("Contact: <sip:peer@192.0.2.20>", "Record-Route: <sip:p;lr>"))
    end.ring(dialog, 183, 0.0, reason="Progress", body=b"v=0\r\n")
    end.accept(dialog, 0.0, body=b"v=0\r\n", headers=(("x-a", "b"),))
    progress, ok = (data.decode().split("\r\n") for data in sent(end))
    tag = dialog.local_tag
    common = [
        "Via: SIP/2.0/UDP 192.0.2.20:5060;rport=5060;branch=z9hG4bK1;received=192.0.2.20",
        "From: <sip:peer@192.0.2.20>;tag=p1",
        f"To: <sip:100@192.0.2.10>;tag={tag}",
        "Call-ID: call1",
        "CSeq: 1 INVITE",
        "Record-Route: <sip:p;lr>",
        "Contact: <sip:100@192.0.2.10:5060>",
    ]
    tail = ["Content-Type: application/sdp", "Content-Length: 5", "", "v=0", ""]
    assert progress == ["SIP/2.0 183 Progress", *common, *tail]
    assert [line.lower() for line in ok] == [
        line.lower() for line in (
            "SIP/2.0 200 OK", *common,
            "Allow: INVITE, ACK, CANCEL, BYE, OPTIONS, INFO, UPDATE", "Server: vosd", "x-a: b",
            *tail,
        )
    ]  # fmt: skip


def test_a_repeated_invite_gets_the_last_answer_and_no_event() -> None:
    end = endpoint()
    dialog = ringing(end)
    assert end.receive(request(), PEER, 0, 0.5) == []
    assert shorts(end) == ["100 INVITE 1"]
    end.ring(dialog, 180, 1.0)
    sent(end)
    assert end.receive(request(), PEER, 0, 1.5) == []
    assert shorts(end) == ["180 INVITE 1"]
    end.reject(dialog, 486, 2.0)
    end.receive(request(), PEER, 0, 2.1)
    assert shorts(end) == ["486 INVITE 1"] * 2


def test_ack_ends_the_refusal_and_the_200() -> None:
    end = endpoint()
    dialog = ringing(end)
    end.reject(dialog, 603, 0.0, reason="No", headers=(("Retry-After", "9"),))
    data = read(sent(end)[0])
    assert (data.code, data.reason, data.get("retry-after")) == (603, "No", "9")
    assert (dialog.state, end.dialogs) == ("ended", 0)
    assert end.receive(request("ACK", to_tag=dialog.local_tag), PEER, 0, 0.1) == []
    end.due(4.0)
    assert sent(end) == []
    end.due(5.2)
    assert (end.transactions, len(end.timers)) == (0, 0)


def test_ack_body_reaches_the_owner() -> None:
    end = endpoint()
    dialog = ringing(end)
    end.accept(dialog, 0.0, body=b"offer")
    ack = request("ACK", branch="z9hG4bK9", to_tag=dialog.local_tag, body=b"answer")
    (event,) = end.receive(ack, PEER, 0, 0.1)
    assert isinstance(event, Acked)
    assert event.message.body == b"answer"
    assert dialog.invite_message is None
    assert end.receive(ack, PEER, 0, 0.2) == []


def test_a_peer_of_rfc_2543_without_branch_and_tags() -> None:
    """RFC 3261 17.2.3: matched by Request-URI, From tag, Call-ID, CSeq and Via."""
    end = endpoint()
    dialog = ringing(end, branch="", from_tag="")
    assert end.receive(request(branch="", from_tag=""), PEER, 0, 0.1) == []
    assert shorts(end) == ["100 INVITE 1"]
    end.reject(dialog, 404, 0.2)
    end.receive(request("ACK", branch="", from_tag="", to_tag=dialog.local_tag), PEER, 0, 0.3)
    sent(end)
    end.due(5.4)
    assert (end.transactions, sent(end)) == (0, [])


def test_cancel() -> None:
    end = endpoint()
    dialog = ringing(end)
    cancel = request("CANCEL")
    (event,) = end.receive(cancel, PEER, 0, 0.1)
    assert isinstance(event, Cancelled)
    assert event.dialog is dialog
    assert dialog.state == "ended"
    first, final = (read(data) for data in sent(end))
    assert (first.code, first.method, final.code, final.method) == (200, "CANCEL", 487, "INVITE")
    assert first.to_tag == final.to_tag == dialog.local_tag
    assert end.receive(cancel, PEER, 0, 0.6) == []
    assert [text.split()[0] for text in shorts(end)] == ["200"]
    end.accept(dialog, 1.0)
    end.ring(dialog, 180, 1.0)
    end.reject(dialog, 486, 1.0)
    assert sent(end) == []


def test_cancel_after_the_answer_changes_nothing() -> None:
    end = endpoint()
    dialog = ringing(end)
    end.accept(dialog, 0.0)
    sent(end)
    assert end.receive(request("CANCEL"), PEER, 0, 0.1) == []
    assert shorts(end) == ["200 CANCEL 1"]
    assert dialog.state == "confirmed"


def test_cancel_of_a_reinvite_leaves_the_dialog() -> None:
    end = endpoint()
    dialog = up(end)
    again = {"branch": "z9hG4bK5", "cseq": 2, "to_tag": dialog.local_tag}
    assert names(end.receive(request(**again), PEER, 0, 1.0)) == ["Reinvited"]  # type: ignore[arg-type]
    (event,) = end.receive(request("CANCEL", **again), PEER, 0, 1.1)  # type: ignore[arg-type]
    assert isinstance(event, Cancelled)
    assert shorts(end) == ["100 INVITE 2", "200 CANCEL 2", "487 INVITE 2"]
    assert (dialog.state, end.dialogs, dialog.server) == ("confirmed", 1, None)


@pytest.mark.parametrize(
    ("data", "answer"),
    [
        (request("CANCEL"), ["481 CANCEL 1"]),
        (request("BYE"), ["481 BYE 1"]),
        (request("BYE", to_tag="nobody"), ["481 BYE 1"]),
        (request("INVITE", to_tag="nobody"), ["481 INVITE 1"]),
        (request("INFO", to_tag="nobody"), ["481 INFO 1"]),
        (request("ACK", to_tag="nobody"), []),
        (request("ACK"), []),
        (request(headers=()), ["400 INVITE 1"]),
        (request(headers=("Contact: <sip:a@b>", "Require: 100rel")), ["420 INVITE 1"]),
        (request("OPTIONS", headers=("Require: foo, bar",)), ["420 OPTIONS 1"]),
        (reply(request(), 200), []),
    ],
)
def test_answered_without_owner_and_without_memory(data: bytes, answer: list[str]) -> None:
    end = endpoint()
    assert end.receive(data, PEER, 0, 0.0) == []
    first = sent(end)
    assert end.receive(data, PEER, 0, 0.5) == []
    assert sent(end) == first
    assert (end.transactions, end.dialogs, len(end.timers)) == (0, 0, 0)
    for message in first:
        end.outgoing.append((message, PEER, 0))
        assert read(message).to_tag
    assert shorts(end) == answer


def test_420_names_what_is_unsupported() -> None:
    end = endpoint()
    end.extensions = frozenset(("timer",))
    end.receive(request("OPTIONS", headers=("Require: timer, foo", "Require: bar")), PEER, 0, 0.0)
    assert read(sent(end)[0]).get("unsupported") == "foo, bar"


@pytest.mark.parametrize("method", ["INVITE", "OPTIONS"])
def test_a_request_that_came_two_ways_is_refused_482_once_open(method: str) -> None:
    """RFC 3261 8.2.2.2."""
    end = endpoint()
    assert len(end.receive(request(method), PEER, 0, 0.0)) == 1
    sent(end)
    assert end.receive(request(method, branch="z9hG4bKother"), PEER, 0, 0.1) == []
    assert shorts(end) == [f"482 {method} 1"]
    later = request(method, branch="z9hG4bKlater", cseq=2)
    assert len(end.receive(later, PEER, 0, 0.2)) == 1


def test_requests_outside_dialogs_are_the_owners() -> None:
    end = endpoint()
    (event,) = end.receive(request("REGISTER"), PEER, 0, 0.0)
    assert isinstance(event, Request)
    assert sent(end) == []
    end.respond(event.transaction, 401, 0.1, headers=(("WWW-Authenticate", "Digest x"),))
    end.respond(event.transaction, 200, 0.1)
    (data,) = sent(end)
    assert (read(data).code, bool(read(data).to_tag)) == (401, True)
    assert end.receive(request("REGISTER"), PEER, 0, 0.5) == []
    assert sent(end) == [data]
    end.due(32.2)
    assert (end.transactions, end.merges) == (0, {})


def test_a_request_the_owner_never_answers_is_forgotten() -> None:
    end = endpoint()
    end.receive(request("FOO"), PEER, 0, 0.0)
    end.due(32.0)
    assert (end.transactions, end.merges, len(end.timers)) == (0, {}, 0)


def test_in_dialog_requests() -> None:
    end = endpoint()
    dialog = up(end)
    tag = dialog.local_tag
    headers = ("Contact: <sip:moved@192.0.2.30>",)
    update = request("UPDATE", branch="z9hG4bK5", cseq=2, to_tag=tag, headers=headers)
    (event,) = end.receive(update, PEER, 0, 1.0)
    assert isinstance(event, DialogRequest)
    assert event.dialog is dialog
    end.respond(event.transaction, 200, 1.0)
    (data,) = sent(end)
    assert read(data).get("contact") == "<sip:100@192.0.2.10:5060>"
    assert dialog.remote_target == "sip:moved@192.0.2.30"
    (event,) = end.receive(request("INFO", branch="z9hG4bK6", cseq=3, to_tag=tag), PEER, 0, 1.0)
    assert isinstance(event, DialogRequest)
    end.respond(event.transaction, 415, 1.0)
    assert shorts(end) == ["415 INFO 3"]
    assert event.transaction.dialog is None


def test_cseq_below_the_last_is_answered_500() -> None:
    """RFC 3261 12.2.2."""
    end = endpoint()
    dialog = up(end)
    tag = dialog.local_tag
    end.receive(request("INFO", branch="z9hG4bK5", cseq=9, to_tag=tag), PEER, 0, 1.0)
    for method in ("INFO", "INVITE", "BYE"):
        data = request(method, branch=f"z9hG4bK{method}", cseq=8, to_tag=tag)
        assert end.receive(data, PEER, 0, 1.0) == []
        assert shorts(end) == [f"500 {method} 8"]
    assert dialog.state == "confirmed"


@pytest.mark.parametrize(
    "fields", [{"call_id": "other"}, {"from_tag": "other"}, {"to_tag": "other"}]
)
def test_a_dialog_is_matched_by_call_id_and_both_tags(fields: dict[str, str]) -> None:
    end = endpoint()
    dialog = up(end)
    given = {"to_tag": dialog.local_tag, **fields}
    assert end.receive(request("BYE", branch="z9hG4bK5", cseq=2, **given), PEER, 0, 1.0) == []  # type: ignore[arg-type]
    assert shorts(end) == ["481 BYE 2"]
    assert end.dialogs == 1


def test_bye() -> None:
    end = endpoint()
    dialog = up(end)
    bye = request("BYE", branch="z9hG4bK5", cseq=2, to_tag=dialog.local_tag)
    (event,) = end.receive(bye, PEER, 0, 1.0)
    assert isinstance(event, Ended)
    assert (dialog.state, end.dialogs) == ("ended", 0)
    assert end.receive(bye, PEER, 0, 1.5) == []
    assert shorts(end) == ["200 BYE 2"] * 2
    end.bye(dialog, 2.0)
    end.reinvite(dialog, 2.0)
    assert sent(end) == []


def test_bye_in_an_early_dialog_also_ends_the_invite_with_487() -> None:
    """RFC 3261 15.1.2."""
    end = endpoint()
    dialog = ringing(end)
    bye = request("BYE", branch="z9hG4bK5", cseq=2, to_tag=dialog.local_tag)
    assert names(end.receive(bye, PEER, 0, 1.0)) == ["Ended"]
    assert shorts(end) == ["200 BYE 2", "487 INVITE 1"]
    assert end.dialogs == 0


def test_bye_instead_of_ack_stops_the_200() -> None:
    end = endpoint()
    dialog = ringing(end)
    end.accept(dialog, 0.0)
    bye = request("BYE", branch="z9hG4bK5", cseq=2, to_tag=dialog.local_tag)
    assert names(end.receive(bye, PEER, 0, 0.1)) == ["Ended"]
    assert shorts(end) == ["200 INVITE 1", "200 BYE 2"]
    assert end.due(32.0) == []
    assert (sent(end), len(end.timers)) == ([], 1)


def test_a_reinvite_while_one_is_open_gets_500_with_retry_after() -> None:
    """RFC 3261 14.2."""
    end = endpoint()
    dialog = up(end)
    tag = dialog.local_tag
    end.receive(request(branch="z9hG4bK5", cseq=2, to_tag=tag), PEER, 0, 1.0)
    sent(end)
    assert end.receive(request(branch="z9hG4bK6", cseq=3, to_tag=tag), PEER, 0, 1.1) == []
    (data,) = sent(end)
    assert read(data).code == 500
    assert 0 <= int(read(data).get("retry-after") or -1) <= 10
    end.accept(dialog, 1.2)
    assert shorts(end) == ["200 INVITE 2"]
    assert names(
        end.receive(request("ACK", branch="z9hG4bK7", cseq=2, to_tag=tag), PEER, 0, 1.3)
    ) == ["Acked"]


def test_a_refused_reinvite_leaves_the_dialog() -> None:
    end = endpoint()
    dialog = up(end)
    data = request(branch="z9hG4bK5", cseq=2, to_tag=dialog.local_tag)
    (event,) = end.receive(data, PEER, 0, 1.0)
    assert isinstance(event, Reinvited)
    end.reject(dialog, 488, 1.0)
    assert shorts(end) == ["100 INVITE 2", "488 INVITE 2"]
    assert (dialog.state, end.dialogs) == ("confirmed", 1)
    end.bye(dialog, 2.0)
    assert shorts(end) == ["BYE 1"]


def test_our_bye_refuses_a_reinvite_still_open() -> None:
    end = endpoint()
    dialog = up(end)
    end.receive(request(branch="z9hG4bK5", cseq=2, to_tag=dialog.local_tag), PEER, 0, 1.0)
    end.bye(dialog, 1.1)
    assert shorts(end) == ["100 INVITE 2", "487 INVITE 2", "BYE 1"]


def test_after_our_bye_only_a_bye_is_still_met() -> None:
    end = endpoint()
    dialog = up(end)
    end.bye(dialog, 1.0)
    (ours,) = sent(end)
    tag = dialog.local_tag
    for cseq, method, code in ((2, "INFO", 481), (3, "INVITE", 481), (4, "BYE", 200)):
        data = request(method, branch=f"z9hG4bK{method}", cseq=cseq, to_tag=tag)
        assert end.receive(data, PEER, 0, 1.1) == []
        assert shorts(end) == [f"{code} {method} {cseq}"]
    end.receive(reply(ours, 200), PEER, 0, 1.2)
    assert end.dialogs == 0


def test_drop_forgets_at_once() -> None:
    end = endpoint()
    dialog = ringing(end)
    end.drop(dialog)
    assert (end.dialogs, end.transactions, len(end.timers)) == (0, 0, 0)
    end.accept(dialog, 1.0)
    assert sent(end) == []


@pytest.mark.parametrize("data", [b"", b"\r\n", b"\r\n\r\n", b"\0\0\0\0"])
def test_keep_alives_are_passed_over(data: bytes) -> None:
    end = endpoint()
    assert end.receive(data, PEER, 0, 0.0) == []


@pytest.mark.parametrize(
    ("data", "code", "answered"),
    [
        (b"HELLO", 400, False),
        (request().replace(b" SIP/2.0\r\n", b" SIP/7.0\r\n"), 505, True),
        # an answer would be more than 1.5 times this (reliability.md row 12)
        (b"INVITE sip:a@b SIP/7.0\r\nVia: SIP/2.0/UDP h;branch=z9hG4bKx\r\n\r\n", 505, False),
        (request().replace(b"CSeq: 1 INVITE", b"CSeq: x"), 400, True),
        (request("ACK").replace(b"CSeq: 1 ACK", b"CSeq: x"), 400, False),
        (reply(request(), 200).replace(b" 200 ", b" 2000 "), 400, False),
    ],
)
def test_malformed(data: bytes, code: int, answered: bool) -> None:
    end = endpoint()
    (event,) = end.receive(data, PEER, 0, 0.0)
    assert isinstance(event, Malformed)
    assert (event.source, event.code, event.answered) == (PEER, code, answered)
    assert [remote for _, remote, _ in end.outgoing] == [PEER] * answered
    assert (end.transactions, end.dialogs) == (0, 0)


def test_nothing_comes_from_or_goes_to_ourselves() -> None:
    end = endpoint()
    assert end.receive(request(), US, 0, 0.0) == []
    assert (end.outgoing, end.blocked, end.dialogs) == ([], 1, 0)


def test_replies_go_to_the_packet_not_to_what_via_claims() -> None:
    end = endpoint()
    claim = b"SIP/2.0/UDP 203.0.113.9:9;maddr=224.0.0.1;received=9.9.9.9;"
    data = request().replace(b"SIP/2.0/UDP 192.0.2.20:5060;", claim)
    end.receive(data, PEER, 0, 0.0)
    assert [remote for _, remote, _ in end.outgoing] == [PEER]


def test_advertised_addresses_appear_and_are_ours() -> None:
    public = ("198.51.100.9", 5062)
    listens = [Listen("udp", "0.0.0.0", 5060)]
    end = Endpoint(listens, random.Random(1), advertise=lambda local, remote: public)
    (event,) = end.receive(request(), PEER, 0, 0.0)
    assert isinstance(event, Invited)
    end.ring(event.dialog, 180, 0.0)
    assert read(sent(end)[1]).get("contact") == "<sip:100@198.51.100.9:5062>"
    end.send("OPTIONS", "sip:x", public, 0, 0.0, from_="<sip:a@b>", to="<sip:b@b>", token=1)
    (failure,) = end.due(0.0)
    assert isinstance(failure, Response)
    assert (failure.code, failure.cause, end.blocked) == (503, "transport", 1)


def test_a_refusal_sent_once_leaves_nothing_behind() -> None:
    """Reliability row 12: a stranger gets no retransmissions and no memory."""
    end = endpoint()
    dialog = ringing(end)
    end.reject(dialog, 401, 0.0, once=True)
    assert shorts(end) == ["401 INVITE 1"]
    assert (end.transactions, end.dialogs, end.merges, len(end.timers)) == (0, 0, {}, 0)
    assert end.receive(request("ACK", to_tag=dialog.local_tag), PEER, 0, 0.1) == []
    assert names(end.receive(request(), PEER, 0, 0.5)) == ["Invited"]


def test_the_487_of_an_invite_ended_by_bye_is_resent() -> None:
    end = endpoint()
    dialog = ringing(end)
    bye = request("BYE", branch="z9hG4bK5", cseq=2, to_tag=dialog.local_tag)
    end.receive(bye, PEER, 0, 1.0)
    sent(end)
    end.due(1.5)
    assert shorts(end) == ["487 INVITE 1"]


def test_a_client_of_rfc_2543_may_leave_out_contact_and_preset_the_to_tag() -> None:
    """RFC 4475 3.4.1 and 3.1.1.1: it is reached where it was heard, and its tag stays (12.2.2)."""
    end = endpoint()
    dialog = ringing(end, branch="old", to_tag="own", headers=())
    end.accept(dialog, 0.0)
    answered = read(end.outgoing[-1][0])
    assert (answered.code, answered.to_tag) == (200, "own")
    ack = request("ACK", branch="a", to_tag="own", headers=())
    assert names(end.receive(ack, PEER, 0, 0.1)) == ["Acked"]
    end.outgoing.clear()
    end.bye(dialog, 1.0)
    bye = read(end.outgoing[-1][0])
    assert (bye.uri, bye.from_tag, end.outgoing[-1][1]) == ("sip:192.0.2.20:5060", "own", PEER)


def test_a_to_tag_that_is_nobodys_is_refused_of_everybody_else() -> None:
    end = endpoint()
    assert end.receive(request(to_tag="own"), PEER, 0, 0.0) == []
    assert read(end.outgoing[-1][0]).code == 481
