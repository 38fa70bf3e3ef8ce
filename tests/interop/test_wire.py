# SPDX-License-Identifier: GPL-2.0-or-later
"""The wire itself: sipp's own RTP counted in both directions, nothing tshark calls malformed."""

from __future__ import annotations

import os
import time
from collections import Counter
from pathlib import Path

import pytest

from script.private_switch import free_port
from tests.interop.capture import Capture, may_capture
from tests.interop.conftest import CUSTOMER, VENDOR, Field, connected
from tests.interop.media import address
from tests.interop.programs import needs

pytestmark = [
    needs("sipp", "tshark"),
    pytest.mark.skipif(not may_capture(), reason="did not run: may not capture on lo (not root)"),
]
CALLS = 20


def test_sipp_rtp_and_its_echo_arrive_whole(field: Field, tmp_path: Path) -> None:
    """sipp plays RTP, sipp echoes it: every packet crosses the switch twice, SIP decodes clean."""
    prefix, port, caller_port = field.prefix(), free_port(VENDOR), free_port(CUSTOMER)
    echo_port = free_port(VENDOR)
    audio = tmp_path / "noise.al"
    audio.write_bytes(os.urandom(16000))
    field.add_vendor(prefix, port)
    uas = field.callee("uas_echo", port=port, options=["-rtp_echo", "-mp", str(echo_port)])
    capture = Capture(tmp_path / "wire.pcap")
    callers = field.callers(CALLS)
    uac = field.caller(
        "uac_rtp", callers, prefix + "1", port=caller_port, words={"AUDIO": audio},
        rate=10, hold_ms=3000,
    )  # fmt: skip
    calls = connected(field, callers)
    ours = {str(address(call["legs"][0]["sdp_address"])[1]) for call in calls}
    done = uac.wait(20)
    time.sleep(0.5)
    capture.stop()
    assert (done.successful, done.failed) == (CALLS, 0)
    assert uas.end().successful == CALLS
    ports = [field.switch.port, port, caller_port]
    rows = capture.fields("rtp", "ip.src", "ip.dst", "rtp.ssrc", sip_ports=ports)
    legs = Counter(map(tuple, rows))
    here = field.switch.listens[0][0]
    sources = capture.fields("rtp", "udp.srcport", "rtp.ssrc", sip_ports=ports)
    streams = {ssrc for port, ssrc in sources if port in ours}
    assert len(streams) == CALLS
    for ssrc in streams:
        sent = legs[CUSTOMER, here, ssrc]
        assert sent > 100
        passed, echoed = legs[here, VENDOR, ssrc], legs[VENDOR, here, ssrc]
        # what leaves beside the caller's BYE has nowhere to go: one packet, and the echo of one
        assert sent - 1 <= passed <= sent
        assert passed - 1 <= echoed <= passed
        assert echoed - 1 <= legs[here, CUSTOMER, ssrc] <= echoed
    messages = capture.fields("sip", "sip.Method", "sip.Status-Code", sip_ports=ports)
    assert len(messages) >= CALLS * 13
    bad = "(_ws.malformed or _ws.expert.severity == error)"
    where = " or ".join(f"udp.port == {one}" for one in ports)
    shown = ("frame.number", "_ws.expert.message")
    assert capture.fields(f"{bad} and ({where})", *shown, sip_ports=ports) == []
