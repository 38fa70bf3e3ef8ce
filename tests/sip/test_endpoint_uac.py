# SPDX-License-Identifier: GPL-2.0-or-later
"""The calling role against peers that fork, challenge, and misbehave."""

from __future__ import annotations

import pytest

from tests.sip.wire import PEER, endpoint, names, read, reply, request, sent, shorts
from vosd.sip.auth import challenge, ha1, parse_credentials, verify
from vosd.sip.endpoint import Dialog, Endpoint, Invite
from vosd.sip.events import Answered, Failed, Progress, ReinviteAnswered, Response

SECRET = ("trunk", "s3cret")


def call(end: Endpoint, **fields: object) -> tuple[Dialog, bytes]:
    given = Invite(
        "sip:1@192.0.2.20", PEER, 0, "<sip:a@192.0.2.10>", "<sip:1@192.0.2.20>", **fields  # type: ignore[arg-type]
    )
    dialog = end.invite(given, 0.0)
    (data,) = sent(end)
    return dialog, data


def up(end: Endpoint, **fields: object) -> tuple[Dialog, bytes]:
    dialog, invite = call(end, **fields)
    end.receive(reply(invite, 200), PEER, 0, 0.0)
    end.acknowledge(dialog, 0.0)
    sent(end)
    return dialog, invite


def test_invite_as_written() -> None:
    end = endpoint()
    _, data = call(
        end, body=b"v=0\r\n", headers=(("p-asserted-identity", "<sip:2@x>"),), max_forwards=12,
        contact_user="2",
    )  # fmt: skip
    assert data.decode().split("\r\n") == [
        "INVITE sip:1@192.0.2.20 SIP/2.0",
        "Via: SIP/2.0/UDP 192.0.2.10:5060;branch=z9hG4bK"
        + read(data).via.branch[7:] + ";rport",
        "Max-Forwards: 12",
        f"From: <sip:a@192.0.2.10>;tag={read(data).from_tag}",
        "To: <sip:1@192.0.2.20>",
        f"Call-ID: {read(data).call_id}",
        "CSeq: 1 INVITE",
        "Contact: <sip:2@192.0.2.10:5060>",
        "Allow: INVITE, ACK, CANCEL, BYE, OPTIONS, INFO, UPDATE",
        "User-Agent: vosd",
        "P-Asserted-Identity: <sip:2@x>",
        "Content-Type: application/sdp",
        "Content-Length: 5",
        "",
        "v=0",
        "",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "fields",
    [
        {"from_": "<sip:a@x>\r\nX: y"},
        {"to": "<sip:a@x>\n"},
        {"uri": "sip:a@x SIP/2.0\r\nX: y"},
        {"headers": (("X", "a\r\nY: b"),)},
        {"headers": (("X\r\nY", "a"),)},
        {"routes": ("<sip:p;lr>\r\nX: y",)},
        {"contact_user": "a\r"},
    ],
)
def test_no_line_can_be_forged(fields: dict[str, object]) -> None:
    end = endpoint()
    given = {"uri": "sip:1@h", "from_": "<sip:a@h>", "to": "<sip:1@h>", **fields}
    with pytest.raises(ValueError, match=r"^cannot write"):
        end.invite(Invite(destination=PEER, local=0, **given), 0.0)  # type: ignore[arg-type]
    assert (end.outgoing, end.dialogs, end.transactions) == ([], 0, 0)


def test_preloaded_routes() -> None:
    end = endpoint()
    _, data = call(end, routes=("<sip:192.0.2.20;lr>", "<sip:p2;lr>"))
    assert read(data).uri == "sip:1@192.0.2.20"
    assert read(data).all("route") == ["<sip:192.0.2.20;lr>", "<sip:p2;lr>"]


def test_early_dialogs_of_a_fork_and_the_first_200_wins() -> None:
    end = endpoint()
    dialog, invite = call(end)
    for tag, code in (("t1", 180), ("t2", 183), ("t1", 180)):
        (event,) = end.receive(reply(invite, code, tag=tag), PEER, 0, 0.0)
        assert isinstance(event, Progress)
        assert event.message.to_tag == tag
    contact = ["Contact: <sip:two@192.0.2.22>"]
    assert names(end.receive(reply(invite, 200, tag="t2", headers=contact), PEER, 0, 0.0)) == [
        "Answered"
    ]
    assert (dialog.remote_tag, dialog.remote_target) == ("t2", "sip:two@192.0.2.22")


def test_a_second_200_of_a_fork_gets_ack_and_bye_once() -> None:
    """RFC 3261 13.2.2.4."""
    end = endpoint()
    dialog, invite = up(end)
    other = reply(invite, 200, tag="u2", headers=["Contact: <sip:two@192.0.2.22:5070>"])
    assert end.receive(other, PEER, 0, 1.0) == []
    (ack, to1, _), (bye, to2, _) = end.outgoing
    assert to1 == to2 == ("192.0.2.22", 5070)
    assert (read(ack).method, read(ack).to_tag, read(ack).cseq) == ("ACK", "u2", 1)
    assert (read(bye).method, read(bye).to_tag, read(bye).cseq) == ("BYE", "u2", 2)
    assert read(bye).call_id == dialog.call_id
    assert read(bye).from_tag == dialog.local_tag
    end.outgoing.clear()
    end.receive(other, PEER, 0, 1.5)
    assert shorts(end) == ["ACK 1"]
    assert end.receive(reply(bye, 200), PEER, 0, 1.6) == []
    assert (end.dialogs, dialog.state, dialog.remote_tag) == (1, "confirmed", "u1")


def test_forks_of_one_invite_are_bounded() -> None:
    end = endpoint()
    _, invite = up(end)
    for number in range(100):
        end.receive(reply(invite, 200, tag=f"f{number}"), PEER, 0, 1.0)
    assert len(shorts(end)) == 2 * 15


def test_a_200_for_a_dropped_dialog_is_acknowledged_and_ended() -> None:
    end = endpoint()
    dialog, invite = call(end)
    end.receive(reply(invite, 180), PEER, 0, 0.0)
    end.drop(dialog)
    assert end.dialogs == 0
    assert end.receive(reply(invite, 200), PEER, 0, 1.0) == []
    assert shorts(end) == ["ACK 1", "BYE 2"]


def test_repeated_200_before_the_owner_acknowledges_stays_unanswered() -> None:
    end = endpoint()
    dialog, invite = call(end)
    assert names(end.receive(reply(invite, 200), PEER, 0, 0.0)) == ["Answered"]
    assert end.receive(reply(invite, 200), PEER, 0, 0.5) == []
    assert shorts(end) == []
    end.acknowledge(dialog, 0.6, body=b"v=0\r\n")
    end.acknowledge(dialog, 0.6)
    assert shorts(end) == ["ACK 1 +"]
    end.receive(reply(invite, 200), PEER, 0, 1.5)
    assert shorts(end) == ["ACK 1 +"]


def test_bye_before_acknowledge_acknowledges_first() -> None:
    end = endpoint()
    dialog, invite = call(end)
    end.receive(reply(invite, 200), PEER, 0, 0.0)
    end.bye(dialog, 0.0)
    assert shorts(end) == ["ACK 1", "BYE 2"]


def test_bye_during_our_reinvite() -> None:
    end = endpoint()
    dialog, _ = up(end)
    end.reinvite(dialog, 1.0)
    (again,) = sent(end)
    end.bye(dialog, 1.1)
    (bye,) = sent(end)
    assert end.receive(reply(again, 200), PEER, 0, 1.2) == []
    assert shorts(end) == ["ACK 2"]
    assert end.receive(reply(bye, 200), PEER, 0, 1.3) == []
    assert end.dialogs == 0
    assert end.receive(reply(again, 200), PEER, 0, 1.7) == []
    assert shorts(end) == ["ACK 2"]


def test_responses_that_belong_to_nothing_are_counted_and_dropped() -> None:
    end = endpoint()
    _, invite = call(end)
    wrong_branch = invite.replace(b"branch=z9hG4bK", b"branch=z9hG4bKx")
    wrong_method = reply(invite, 200).replace(b"CSeq: 1 INVITE", b"CSeq: 1 BYE")
    for data in (reply(wrong_branch, 200), wrong_method):
        assert end.receive(data, PEER, 0, 0.0) == []
    assert (end.stray, sent(end)) == (2, [])


def test_ack_for_a_refusal_copies_what_17_1_1_3_says() -> None:
    end = endpoint()
    _, invite = call(end, routes=("<sip:192.0.2.20;lr>",))
    (event,) = end.receive(reply(invite, 404, tag="zz"), PEER, 0, 0.0)
    assert isinstance(event, Failed)
    (data,) = sent(end)
    ack, first = read(data), read(invite)
    assert (ack.method, ack.uri, ack.cseq) == ("ACK", first.uri, 1)
    assert ack.all("via") == first.all("via")
    assert (ack.get("from"), ack.get("route")) == (first.get("from"), first.get("route"))
    assert (ack.to_tag, ack.call_id) == ("zz", first.call_id)


def test_cancel_copies_what_9_1_says() -> None:
    end = endpoint()
    dialog, invite = call(end, routes=("<sip:192.0.2.20;lr>",))
    end.receive(reply(invite, 180), PEER, 0, 0.0)
    end.cancel(dialog, 1.0, headers=(("reason", "SIP;cause=200"),))
    (data,) = sent(end)
    cancel, first = read(data), read(invite)
    assert (cancel.method, cancel.uri, cancel.all("via")) == (
        "CANCEL", first.uri, first.all("via"),
    )  # fmt: skip
    assert (cancel.cseq, cancel.get("to"), cancel.get("from")) == (
        1, first.get("to"), first.get("from"),
    )  # fmt: skip
    assert cancel.get("route") == first.get("route")
    assert cancel.get("reason") == "SIP;cause=200"


# digest


def challenged(end: Endpoint, data: bytes, code: int, *values: str, tag: str = "c") -> list[str]:
    name = "WWW-Authenticate" if code == 401 else "Proxy-Authenticate"
    answer = reply(data, code, tag=tag, headers=[f"{name}: {value}" for value in values])
    return names(end.receive(answer, PEER, 0, 0.0))


@pytest.mark.parametrize(("code", "header"), [(401, "authorization"), (407, "proxy-authorization")])
def test_a_challenge_is_answered_once_per_realm(code: int, header: str) -> None:
    end = endpoint()
    dialog, first = call(end, credentials=SECRET, body=b"v=0\r\n")
    assert challenged(end, first, code, *challenge("vendor", "n1")) == []
    ack, second = sent(end)
    assert (read(ack).method, read(second).method) == ("ACK", "INVITE")
    old, new = read(first), read(second)
    assert (new.cseq, new.call_id, new.from_tag) == (2, old.call_id, old.from_tag)
    assert (new.body, new.uri, new.to_tag) == (old.body, old.uri, "")
    assert new.via.branch != old.via.branch
    given = parse_credentials(new.get(header) or "")
    assert given.algorithm == "SHA-256"
    assert verify(given, "INVITE", ha1("trunk", "vendor", "s3cret", "SHA-256"))
    assert challenged(end, second, code, *challenge("vendor", "n2")) == ["Failed"]
    assert shorts(end) == ["ACK 2"]
    assert dialog.state == "ended"


def test_a_stale_nonce_is_answered_once_more() -> None:
    end = endpoint()
    _, data = call(end, credentials=SECRET)
    challenged(end, data, 401, *challenge("vendor", "n1"))
    data = sent(end)[1]
    assert challenged(end, data, 401, *challenge("vendor", "n2", True)) == []
    data = sent(end)[1]
    assert read(data).cseq == 3
    assert challenged(end, data, 401, *challenge("vendor", "n3", True)) == ["Failed"]


def test_a_proxy_and_its_server_are_both_answered() -> None:
    end = endpoint()
    _, data = call(end, credentials=SECRET)
    challenged(end, data, 407, *challenge("proxy", "n1"))
    data = sent(end)[1]
    challenged(end, data, 401, *challenge("server", "n2"))
    message = read(sent(end)[1])
    assert message.get("proxy-authorization")
    assert message.get("authorization")


def test_a_peer_that_invents_realms_is_left() -> None:
    end = endpoint()
    _, data = call(end, credentials=SECRET)
    for number in range(4):
        assert challenged(end, data, 401, *challenge(f"r{number}", "n")) == []
        data = sent(end)[1]
    assert challenged(end, data, 401, *challenge("r9", "n")) == ["Failed"]


@pytest.mark.parametrize(
    "values", [(), ('Digest realm="x", nonce="n", algorithm=FOO',), ("Basic realm=x",), ("\x7f",)]
)
def test_a_challenge_we_cannot_answer_fails_the_call(values: tuple[str, ...]) -> None:
    end = endpoint()
    _, data = call(end, credentials=SECRET)
    assert challenged(end, data, 401, *values) == ["Failed"]


def test_without_credentials_a_challenge_fails_the_call() -> None:
    end = endpoint()
    _, data = call(end)
    assert challenged(end, data, 401, *challenge("vendor", "n1")) == ["Failed"]


def test_cancel_during_the_challenge_is_not_outrun_by_a_second_invite() -> None:
    end = endpoint()
    dialog, data = call(end, credentials=SECRET)
    end.cancel(dialog, 0.0)
    assert challenged(end, data, 401, *challenge("vendor", "n1")) == ["Failed"]
    assert shorts(end) == ["ACK 1"]


def test_ack_reinvite_and_bye_with_credentials() -> None:
    end = endpoint()
    dialog, data = call(end, credentials=SECRET)
    challenged(end, data, 401, *challenge("vendor", "n1"))
    data = sent(end)[1]
    (event,) = end.receive(reply(data, 200), PEER, 0, 0.0)
    assert isinstance(event, Answered)
    end.acknowledge(dialog, 0.0)
    (ack,) = sent(end)
    assert read(ack).get("authorization") == read(data).get("authorization")
    end.reinvite(dialog, 1.0, body=b"v=0\r\n")
    (data,) = sent(end)
    assert challenged(end, data, 407, *challenge("p", "n2")) == []
    data = sent(end)[1]
    assert (read(data).cseq, read(data).body, read(data).to_tag) == (4, b"v=0\r\n", "u1")
    (event,) = end.receive(reply(data, 200), PEER, 0, 0.0)
    assert isinstance(event, ReinviteAnswered)
    end.acknowledge(dialog, 1.0)
    sent(end)
    end.bye(dialog, 2.0, headers=(("reason", "x"),))
    (data,) = sent(end)
    assert challenged(end, data, 401, *challenge("vendor", "n3")) == []
    (data,) = sent(end)
    assert (read(data).method, read(data).cseq, read(data).get("reason")) == ("BYE", 6, "x")
    assert end.dialogs == 1
    assert challenged(end, data, 401, *challenge("vendor", "n4")) == []
    assert end.dialogs == 0


def test_in_dialog_request() -> None:
    end = endpoint()
    dialog, _ = up(end)
    end.request(dialog, "INFO", 1.0, token="dtmf", body=b"Signal=1", content_type="application/x")
    (data,) = sent(end)
    info = read(data)
    assert (info.method, info.cseq, info.to_tag, info.body) == ("INFO", 2, "u1", b"Signal=1")
    assert info.get("content-type") == "application/x"
    assert end.receive(reply(data, 100), PEER, 0, 1.0) == []
    (event,) = end.receive(reply(data, 481), PEER, 0, 1.0)
    assert isinstance(event, Response)
    assert (event.token, event.code, event.cause) == ("dtmf", 481, "response")
    end.request(dialog, "UPDATE", 2.0)
    assert read(sent(end)[0]).get("contact") == "<sip:192.0.2.10:5060>"


def test_a_request_in_an_early_dialog_goes_to_the_branch_last_heard() -> None:
    end = endpoint()
    dialog, invite = call(end)
    end.receive(reply(invite, 180, tag="t1"), PEER, 0, 0.0)
    contact = ["Contact: <sip:t2@192.0.2.22>"]
    end.receive(reply(invite, 183, tag="t2", headers=contact), PEER, 0, 0.0)
    end.request(dialog, "UPDATE", 1.0)
    ((data, remote, _),) = end.outgoing
    assert (read(data).to_tag, read(data).uri) == ("t2", "sip:t2@192.0.2.22")
    assert remote == ("192.0.2.22", 5060)


def test_bye_by_the_callee_of_an_early_dialog_waits_for_the_invites_answer() -> None:
    end = endpoint()
    dialog, invite = call(end)
    end.receive(reply(invite, 180), PEER, 0, 0.0)
    bye = request(
        "BYE", from_tag="u1", to_tag=dialog.local_tag, call_id=dialog.call_id, cseq=1
    )
    assert end.receive(bye, PEER, 0, 0.0) == []
    assert shorts(end) == ["200 BYE 1"]
    assert names(end.receive(reply(invite, 487), PEER, 0, 0.0)) == ["Failed"]
    assert end.dialogs == 0


@pytest.mark.parametrize("transport", ["tcp", "tls"])
def test_reliable_transports_neither_resend_nor_wait(transport: str) -> None:
    end = endpoint(transport=transport)
    dialog, invite = call(end, contact_user="a")
    assert read(invite).via.transport == transport
    assert read(invite).get("contact") == f"<sip:a@192.0.2.10:5060;transport={transport}>"
    assert end.deadline() == 32.0
    end.receive(reply(invite, 486), PEER, 0, 1.0)
    end.due(1.0)
    assert (end.transactions, end.dialogs, dialog.state) == (0, 0, "ended")
