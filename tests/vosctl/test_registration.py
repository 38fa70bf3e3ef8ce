# SPDX-License-Identifier: GPL-2.0-or-later
"""Our registrations with vendors and the reach of phones, as the terminal shows them."""

from __future__ import annotations

import time
from typing import Any

import msgspec
import pytest

from tests.vosctl.stub import Stub
from tests.vosctl.test_gateway import TELIA, Vosctl
from vosd.wire.records import GatewayList, GatewayView, PhoneList, PhoneView, RegistrationView
from vosd.wire.requests import GatewayDetail


def telia(until: float = 0.0, again: float = 0.0, **fields: Any) -> GatewayView:
    """The vendor with our registration; times in seconds from now."""
    now = time.time()
    held = RegistrationView(
        registrar="192.0.2.9:5060", domain="", expires_at=now + until if until else None,
        again_at=now + again if again else None, **fields,
    )  # fmt: skip
    return msgspec.structs.replace(TELIA, registration=held)


@pytest.mark.parametrize(
    ("registration", "state"),
    [
        ({"state": "registered", "until": 3000.5}, "up"),
        ({"state": "registering"}, "registering"),
        ({"state": "failed", "reason": "403 Forbidden", "again": 40.5},
         "not registered: 403 Forbidden; again in 40s"),
    ],
)
def test_gateway_list(
    daemon: Stub, vosctl: Vosctl, registration: dict[str, Any], state: str
) -> None:
    daemon.answer("GET /v1/gateways", GatewayList(gateways=[telia(**registration)]))
    assert vosctl("gateway", "list", COLUMNS="160").out.splitlines()[1].endswith(f"200  {state}")


@pytest.mark.parametrize(
    ("registration", "line"),
    [
        ({"state": "registered", "until": 3000.5}, "registered, for 50m 00s more"),
        ({"state": "registered", "until": 65.5, "reason": "no answer", "again": 30.5},
         "registered, for 1m 05s more; not renewed: no answer; again in 30s"),
        ({"state": "disabled"}, "disabled"),
    ],
)
def test_gateway_show(
    daemon: Stub, vosctl: Vosctl, registration: dict[str, Any], line: str
) -> None:
    daemon.answer("GET /v1/gateways/telia", GatewayDetail(gateway=telia(**registration)))
    out = vosctl("gateway", "show", "telia", COLUMNS="160").out.splitlines()
    assert [row.split(None, 1)[1] for row in out if row.startswith("registration")] == [line]
    (place,) = (row for row in out if row.startswith("registers at"))
    assert place.endswith("192.0.2.9:5060")


def test_a_phone_that_answers_no_keep_alive(daemon: Stub, vosctl: Vosctl) -> None:
    phone = PhoneView(number="300", registered=True, unreachable=True, address="203.0.113.9:45678",
                      nat=True, expires_at=time.time() + 60.5)  # fmt: skip
    daemon.answer("GET /v1/phones", PhoneList(phones=[phone]))
    row = vosctl("phone", "list", COLUMNS="160").out.splitlines()[1].split()
    assert row[:6] == ["300", "-", "unreachable", "203.0.113.9:45678", "yes", "1m"]
