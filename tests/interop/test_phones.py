# SPDX-License-Identifier: GPL-2.0-or-later
"""Two baresips registered at vosd call each other; their recordings prove who heard what."""

from __future__ import annotations

import time
from pathlib import Path

from script.tone import RATE, amplitude, hears
from tests.interop.baresip import Baresip
from tests.interop.conftest import MD5_ONLY, PASSWORD, Field, eventually
from tests.interop.programs import needs

pytestmark = needs("baresip")
#: baresip sends RTP from a socket bound to no address: elsewhere on loopback its packets would
#: come from another address than its SDP names, and the switch drops those by right
HOST = "127.0.0.1"


def account(number: str) -> str:
    return f'auth_user={number};auth_pass="{PASSWORD}";regint=60'


def test_registered_phones_hear_each_other(field: Field, tmp_path: Path) -> None:
    """A plays 440 Hz, B 1000 Hz, with a hold in between; each recording holds the other's tone."""
    one, two = field.prefix(), field.prefix()
    field.add_phone(one)
    field.add_phone(two)
    field.switch.vosctl(*MD5_ONLY)
    domain = field.switch.address
    a = Baresip(tmp_path / "a", HOST, one, domain, account(one) + ";answermode=manual", 440)
    b = Baresip(tmp_path / "b", HOST, two, domain, account(two) + ";answermode=auto", 1000)
    try:
        eventually(
            lambda: field.phone(one)["registered"] and field.phone(two)["registered"],
            what="both registered",
        )
        a.command("dial", f"sip:{two}@{domain}")
        a.wait_for("CALL_ESTABLISHED")
        time.sleep(3)
        a.command("hold")
        eventually(lambda: _held(field, one), what="the call shown on hold")
        time.sleep(1)
        a.command("resume")
        eventually(lambda: not _held(field, one), what="the call taken back")
        time.sleep(3)
        call = field.live([one])[0]
        for leg in call["legs"]:
            assert leg["received"]["lost"] == 0
            assert leg["received"]["packets"] > 200
            assert leg["received"]["dscp"].keys() == {"46"}
        a.command("hangup")
        b.wait_for("CALL_CLOSED")
        time.sleep(0.5)
    finally:
        a.close()
        b.close()
    at_a, at_b = a.heard()[-2 * RATE :], b.heard()[-2 * RATE :]
    assert len(at_a) == len(at_b) == 2 * RATE
    assert hears(at_b, 440, [1000]), (amplitude(at_b, 440), amplitude(at_b, 1000))
    assert hears(at_a, 1000, [440]), (amplitude(at_a, 1000), amplitude(at_a, 440))
    record = field.await_records([one])[one]
    assert (record["end_reason"], record["callee"]) == ("caller_hangup", two)


def _held(field: Field, caller: str) -> bool:
    return any(call["legs"][0]["on_hold"] for call in field.live([caller]))
