# SPDX-License-Identifier: GPL-2.0-or-later
"""Kamailio in front of both legs, record-routing: requests inside the dialogs follow the route."""

from __future__ import annotations

from pathlib import Path

import pytest

from script.private_switch import endpoint, free_port
from tests.interop.conftest import CUSTOMER, PROXY, VENDOR, Field
from tests.interop.kamailio import Kamailio
from tests.interop.programs import needs

pytestmark = needs("sipp", "kamailio")


@pytest.mark.parametrize(("caller", "callee"), [("uac", "uas"), ("uac_bye_from_callee", "uas_bye")])
def test_calls_through_a_record_routing_proxy(
    own_field: Field, tmp_path: Path, caller: str, callee: str
) -> None:
    """BYE from either side: ACK and BYE reach the far end only along the recorded route."""
    proxy_port, callee_port = free_port(PROXY), free_port(VENDOR)
    own_field.switch.vosctl(
        "gateway", "add", "front", "--kind", "mapping",
        "--address", endpoint(PROXY, proxy_port), "--auth", "ip",
    )  # fmt: skip
    own_field.add_vendor("44", proxy_port, host=PROXY)
    words = {
        "SWITCH": own_field.switch.address,
        "SWITCH_HOST": own_field.switch.listens[0][0],
        "CALLEE": endpoint(VENDOR, callee_port),
    }
    proxy = Kamailio(tmp_path / "proxy", PROXY, proxy_port, words)
    try:
        uas = own_field.callee(callee, port=callee_port)
        callers = own_field.callers(5)
        done = own_field.caller(
            caller, callers, "4420", host=CUSTOMER, remote=endpoint(PROXY, proxy_port), hold_ms=500
        ).wait(20)
        assert (done.successful, done.failed) == (5, 0), done.errors
        assert uas.end().successful == 5
        ended = "callee_hangup" if callee == "uas_bye" else "caller_hangup"
        records = own_field.await_records(callers)
        assert {row["end_reason"] for row in records.values()} == {ended}
    finally:
        proxy.close()
