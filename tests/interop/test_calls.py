# SPDX-License-Identifier: GPL-2.0-or-later
"""sipp calls through a real vosd: audio counted at both ends, refusals, next routes, hold."""

from __future__ import annotations

import time
from typing import Any

import pytest

from script.private_switch import PrivateSwitch, free_port
from tests.interop.conftest import (
    CUSTOMER,
    MD5_ONLY,
    PASSWORD,
    PHONE,
    VENDOR,
    Field,
    connected,
    eventually,
)
from tests.interop.media import Crowd, address
from tests.interop.programs import has_ipv6, needs

pytestmark = needs("sipp")


def aim(calls: list[dict[str, Any]], side: int) -> dict[int, tuple[str, int]]:
    """Where each party on this side sends: its media port to the switch's RTP address for it."""
    legs = [call["legs"][side] for call in calls]
    return {address(leg["sdp_address"])[1]: address(leg["local_rtp"]) for leg in legs}


def twenty_calls(field: Field, customer: str, vendor: str) -> None:
    """20 calls with RTP both ways: what one party sent is what the other received, exactly."""
    count, prefix = 20, field.prefix()
    a, b = Crowd(customer, count, 1000), Crowd(vendor, count, 5000)
    port = free_port(vendor)
    field.add_vendor(prefix, port, host=vendor)
    uas = field.callee(host=vendor, port=port, rows=[(media,) for media in b.ports])
    callers = field.callers(count)
    uac = field.caller(
        "uac", callers, prefix + "55", host=customer, ports=a.ports, rate=20, hold_ms=8000
    )
    calls = connected(field, callers)
    a.start(aim(calls, 0))
    b.start(aim(calls, 1))
    time.sleep(3)
    a.stop()
    b.stop()
    time.sleep(0.3)
    seen = {call["caller"]: call for call in field.live(callers)}
    for call in calls:
        one = a.by_port[address(call["legs"][0]["sdp_address"])[1]]
        other = b.by_port[address(call["legs"][1]["sdp_address"])[1]]
        assert one.sent > 100
        assert other.sent > 100
        assert (other.received, one.received) == (one.sent, other.sent)
        assert one.foreign == other.foreign == 0
        legs = seen[call["caller"]]["legs"]
        for leg, sent in ((legs[0], one.sent), (legs[1], other.sent)):
            figures = leg["received"]
            assert (figures["packets"], figures["expected"], figures["lost"]) == (sent, sent, 0)
    done = uac.wait(20)
    assert (done.code, done.successful, done.failed) == (0, count, 0)
    assert len(uas.end().answered()) == count
    a.close()
    b.close()
    records = field.await_records(callers)
    for record in records.values():
        assert (record["state"], record["end_reason"]) == ("closed", "caller_hangup")
        assert 7.5 < record["duration_s"] < 9.5
    assert field.switch.json("status")["rtp_ports_used"] == 0


def test_twenty_calls_with_audio_counted_at_both_ends(field: Field) -> None:
    twenty_calls(field, CUSTOMER, VENDOR)


@pytest.mark.skipif(not has_ipv6(), reason="did not run: loopback has no IPv6 here")
def test_twenty_calls_over_ipv6(tmp_path: Any) -> None:
    switch = PrivateSwitch(tmp_path / "six", hosts=("::1",), node="six")
    switch.start()
    field = Field(switch, tmp_path, customer="::1")
    try:
        field.add_customer()
        twenty_calls(field, "::1", "::1")
    finally:
        field.close()
        switch.close()


def test_cancel_reaches_the_callee(field: Field) -> None:
    prefix, port = field.prefix(), free_port(VENDOR)
    field.add_vendor(prefix, port)
    uas = field.callee("uas_ringing", port=port)
    callers = field.callers(3)
    done = field.caller("uac_cancel", callers, prefix + "1").wait(15)
    assert (done.successful, done.failed) == (3, 0), done.errors
    assert uas.end().log == ["cancelled"] * 3
    reasons = {row["end_reason"] for row in field.await_records(callers).values()}
    assert reasons == {"cancelled"}


def test_failing_vendor_makes_way_for_the_next(field: Field) -> None:
    """503 hunts on: by priority the first vendor refuses, the second answers."""
    prefix, first, second = field.prefix(), free_port(VENDOR), free_port(VENDOR)
    field.add_vendor(prefix, first, "--priority", "1")
    name = field.add_vendor(prefix, second, "--priority", "2")
    refusing = field.callee("uas_busy", port=first, words={"CODE": 503})
    answering = field.callee("uas", port=second)
    callers = field.callers(2)
    done = field.caller("uac", callers, prefix + "1", hold_ms=100).wait(15)
    assert (done.successful, done.failed) == (2, 0)
    assert len([line for line in refusing.end().log if line.startswith("invited")]) == 2
    assert len(answering.end().answered()) == 2
    assert {row["routing"] for row in field.await_records(callers).values()} == {name}


def test_busy_stops_the_hunt(field: Field) -> None:
    """486 is about the callee: the second vendor is never asked."""
    prefix, first, second = field.prefix(), free_port(VENDOR), free_port(VENDOR)
    field.add_vendor(prefix, first, "--priority", "1")
    field.add_vendor(prefix, second, "--priority", "2")
    field.callee("uas_busy", port=first, words={"CODE": 486})
    spared = field.callee("uas", port=second)
    callers = field.callers(1)
    done = field.caller("uac_refused", callers, prefix + "1", words={"CODE": 486}).wait(15)
    assert (done.successful, done.failed) == (1, 0)
    assert spared.end().log == []
    assert field.await_records(callers)[callers[0]]["end_reason"] == "busy"


def test_hold_and_resume_pass_through(field: Field) -> None:
    prefix, port = field.prefix(), free_port(VENDOR)
    field.add_vendor(prefix, port)
    uas = field.callee("uas_hold", port=port)
    callers = field.callers(1)
    uac = field.caller("uac_hold", callers, prefix + "1")
    eventually(
        lambda: any(call["legs"][0]["on_hold"] for call in field.live(callers)),
        what="a call shown on hold",
    )
    done = uac.wait(15)
    assert (done.successful, done.failed) == (1, 0)
    assert done.log[-2:] == [
        f"{callers[0]} recvonly a=recvonly",
        f"{callers[0]} sendrecv a=sendrecv",
    ]
    log = uas.end().log
    assert log[-2:] == ["callee saw sendonly a=sendonly", "callee saw sendrecv a=sendrecv"]


def test_blacklisted_number_is_refused_on_every_path_in(field: Field) -> None:
    """A gateway's call and a phone's call to the same listed number: 403 for both."""
    prefix, port, callers = field.prefix(), free_port(VENDOR), field.callers(1)
    number, phone = prefix + "99", field.prefix()
    field.add_vendor(prefix, port)
    uas = field.callee(port=port)
    field.add_phone(phone)
    field.switch.vosctl("blacklist", "add", number, "--why", "interop")
    field.switch.vosctl(*MD5_ONLY)
    from_gateway = field.caller("uac_refused", callers, number, words={"CODE": 403}).wait(15)
    from_phone = field.caller(
        "uac_phone_refused", [phone], number, host=PHONE,
        words={"CODE": 403, "USER": phone, "PASSWORD": PASSWORD},
    ).wait(15)  # fmt: skip
    assert (from_gateway.successful, from_phone.successful) == (1, 1)
    assert uas.end().log == []
    records = field.await_records([*callers, phone])
    assert {row["end_reason"] for row in records.values()} == {"blacklist"}
    field.switch.vosctl("blacklist", "remove", number)
    field.callee(port=port)
    assert field.caller("uac", field.callers(1), number, hold_ms=100).wait(10).successful == 1


@pytest.mark.parametrize(("password", "code"), [(PASSWORD, 200), ("wrong", 403)])
def test_registration_needs_the_right_password(field: Field, password: str, code: int) -> None:
    phone = field.prefix()
    field.add_phone(phone)
    field.switch.vosctl(*MD5_ONLY)
    done = field.caller(
        "uac_register", [phone], "", host=PHONE,
        words={"CODE": code, "USER": phone, "PASSWORD": password},
    ).wait(10)  # fmt: skip
    assert (done.successful, done.failed) == (1, 0)
    assert field.phone(phone)["registered"] is (code == 200)


def test_phone_calls_vendor_and_gateway_calls_phone(field: Field) -> None:
    prefix, port, phone = field.prefix(), free_port(VENDOR), field.prefix()
    field.add_vendor(prefix, port)
    field.callee(port=port)
    field.add_phone(phone)
    field.switch.vosctl(*MD5_ONLY)
    words = {"CODE": 200, "USER": phone, "PASSWORD": PASSWORD}
    contact = free_port(PHONE)
    out = field.caller("uac_phone", [phone], prefix + "1", host=PHONE, words=words, hold_ms=200)
    assert out.wait(10).successful == 1
    field.caller("uac_register", [phone], "", host=PHONE, port=contact, words=words).wait(10)
    field.callee(host=PHONE, port=contact)
    callers = field.callers(1)
    assert field.caller("uac", callers, phone, hold_ms=200).wait(10).successful == 1
    assert field.await_records(callers)[callers[0]]["routing"] == phone


def test_lost_ack_ends_the_call_after_32_seconds(field: Field) -> None:
    """RFC 3261 13.3.1.4: the 2xx is resent for 64*T1, then the call is cleared with BYE."""
    prefix, port = field.prefix(), free_port(VENDOR)
    field.add_vendor(prefix, port)
    uas = field.callee(port=port)
    callers = field.callers(1)
    done = field.caller("uac_noack", callers, prefix + "1").wait(45)
    assert (done.successful, done.failed) == (1, 0)
    record = field.await_records(callers)[callers[0]]
    assert record["end_reason"] == "ack_timeout"
    assert 31 < record["duration_s"] < 34
    assert uas.end().successful == 1


def test_dscp_changes_during_a_call(field: Field) -> None:
    """SS_QOS_RTP takes effect now: a running call's packets carry the new mark (ToS byte)."""
    prefix, port = field.prefix(), free_port(VENDOR)
    a, b = Crowd(CUSTOMER, 1, 1), Crowd(VENDOR, 1, 2)
    field.add_vendor(prefix, port)
    field.callee(port=port, rows=[(b.ports[0],)])
    callers = field.callers(1)
    uac = field.caller("uac", callers, prefix + "1", ports=a.ports, hold_ms=5000)
    calls = connected(field, callers)
    a.start(aim(calls, 0))
    b.start(aim(calls, 1))
    eventually(lambda: b.parties[0].tos == {0xB8}, what="EF on the wire")
    field.switch.vosctl("param", "set", "SS_QOS_RTP=AF41", "--why", "interop")
    eventually(lambda: b.parties[0].tos == {0xB8, 0x88}, what="AF41 on the wire")
    field.switch.vosctl("param", "reset", "SS_QOS_RTP")
    assert uac.wait(15).successful == 1
    a.close()
    b.close()


def test_one_way_audio_is_told(field: Field) -> None:
    """The callee is silent: diagnose exits 5 and names leg b."""
    prefix, port = field.prefix(), free_port(VENDOR)
    a, b = Crowd(CUSTOMER, 1, 1), Crowd(VENDOR, 1, 2)
    field.add_vendor(prefix, port)
    field.callee(port=port, rows=[(b.ports[0],)])
    callers = field.callers(1)
    uac = field.caller("uac", callers, prefix + "1", ports=a.ports, hold_ms=7000)
    calls = connected(field, callers)
    a.start(aim(calls, 0))
    time.sleep(5)
    done = field.switch.vosctl("--json", "diagnose", "call", calls[0]["id"], check=False)
    assert done.returncode == 5, done.stdout + done.stderr
    assert '"side":"b"' in done.stdout.replace(" ", "")
    assert "one-way" in done.stdout.lower() or "one way" in done.stdout.lower()
    assert uac.wait(15).successful == 1
    a.close()
    b.close()
