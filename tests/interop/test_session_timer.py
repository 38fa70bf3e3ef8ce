# SPDX-License-Identifier: GPL-2.0-or-later
"""Session timers against sipp, which reads what RFC 4028 asks for on the wire."""

from __future__ import annotations

import os

import pytest

from script.private_switch import free_port
from tests.interop.conftest import VENDOR, Field
from tests.interop.programs import needs

pytestmark = needs("sipp")


def test_both_sides_are_refreshed(own_field: Field) -> None:
    """STM-14, STM-18: 90 s / 10 = 9 s; the callee has UPDATE, the caller gets a re-INVITE."""
    field = own_field
    field.switch.vosctl("param", "set", "SS_SIP_SESSION_TTL=90",
                        "SS_SIP_SESSION_UPDATE_SEGMENT=10")  # fmt: skip
    prefix, port = field.prefix(), free_port(VENDOR)
    field.add_vendor(prefix, port)
    uas = field.callee("uas_timer", port=port)
    callers = field.callers(1)
    uac = field.caller("uac_timer", callers, prefix + "55").wait(25)
    assert (uac.code, uac.successful, uac.failed) == (0, 1, 0), uac.errors
    first, agreed, require, refreshed, again = uac.log
    assert (agreed, require, refreshed) == (
        "agreed 90;refresher=uas", "require timer", "refreshed 90;refresher=uac",
    )  # fmt: skip
    # D26: the refresh repeats the o= line of the answer
    assert first.startswith("origin o=vosd ")
    assert again == first
    seen = uas.end()
    assert seen.log == ["supported timer", "asked 90", "refreshed 90;refresher=uac"], seen.errors
    (record,) = field.await_records(callers).values()
    assert record["end_reason"] == "caller_hangup"
    assert 9.4 < record["duration_s"] < 11


def test_too_short_an_interval_is_refused(field: Field) -> None:
    """STM-13, TRB-03."""
    prefix = field.prefix()
    field.add_vendor(prefix, free_port(VENDOR))
    uac = field.caller("uac_timer_422", field.callers(1), prefix + "55").wait(10)
    assert (uac.code, uac.log) == (0, ["minimum 90"]), uac.errors


def test_a_422_is_obeyed(field: Field) -> None:
    """TRB-03, D20: the same vendor gets the INVITE again, with his interval."""
    prefix, port = field.prefix(), free_port(VENDOR)
    field.add_vendor(prefix, port)
    uas = field.callee("uas_timer_422", port=port)
    callers = field.callers(1)
    uac = field.caller("uac", callers, prefix + "55", hold_ms=500).wait(20)
    assert (uac.code, uac.successful) == (0, 1), uac.errors
    assert uas.end().log == ["repeated 2 INVITE", "asked 1200", "minimum 1200"]


@pytest.mark.skipif("VOSD_SOAK" not in os.environ, reason="make soak: takes a minute")
def test_a_callee_that_does_not_refresh_is_hung_up_on(own_field: Field) -> None:
    """STM-15, STM-17, D28: 90 - min(32, 30) = 60 s after the answer."""
    field = own_field
    field.switch.vosctl("param", "set", "SS_SIP_SESSION_TTL=90", "SS_RTP_TIMEOUT=off")
    prefix, port = field.prefix(), free_port(VENDOR)
    field.add_vendor(prefix, port)
    uas = field.callee("uas_timer_dead", port=port, calls=1)
    callers = field.callers(1)
    field.caller("uac", callers, prefix + "55", hold_ms=80_000)
    assert uas.wait(75).successful == 1
    (record,) = field.await_records(callers).values()
    assert (record["end_reason"], record["ended_by"]) == ("session_timeout", "switch")
    assert 59.5 < record["duration_s"] < 61.5
