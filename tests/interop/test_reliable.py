# SPDX-License-Identifier: GPL-2.0-or-later
"""Reliable provisional answers (RFC 3262) against sipp, on both legs of one call."""

from __future__ import annotations

from script.private_switch import free_port
from tests.interop.conftest import VENDOR, Field
from tests.interop.programs import needs

pytestmark = needs("sipp")


def test_both_legs_acknowledge_progress(field: Field) -> None:
    prefix, port = field.prefix(), free_port(VENDOR)
    name = field.add_vendor(prefix, port)
    field.switch.vosctl("param", "set", "SS_SIP_100REL_OFFER=on", "--gateway", name)
    uas = field.callee("uas_100rel", port=port)
    callers = field.callers(1)
    uac = field.caller("uac_100rel", callers, prefix + "55").wait(15)
    seen = uas.end()
    assert seen.log == ["offered rel", "acknowledged 41 1 INVITE"], seen.errors
    assert (uac.code, uac.successful) == (0, 1), uac.errors
    assert uac.log == ["require 100rel", "answered PRACK", "answered INVITE"]
    (record,) = field.await_records(callers).values()
    assert record["end_reason"] == "caller_hangup"
