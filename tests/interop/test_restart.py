# SPDX-License-Identifier: GPL-2.0-or-later
"""Nothing is lost: restart, a second daemon, SIGTERM with live calls, SIGKILL under load."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time

import pytest

from script.private_switch import ROOT, free_port
from tests.interop.conftest import MD5_ONLY, PASSWORD, PHONE, VENDOR, Field, eventually
from tests.interop.programs import needs

pytestmark = needs("sipp")
ROUNDS = int(os.environ.get("VOSD_KILL_ROUNDS", "20"))
RATE, HOLD_MS = 50, 600


def test_bindings_outlive_a_restart(own_field: Field) -> None:
    """A phone registers, the daemon restarts, and a call still reaches it."""
    contact = free_port(PHONE)
    own_field.add_phone("1001")
    own_field.switch.vosctl(*MD5_ONLY)
    words = {"CODE": 200, "USER": "1001", "PASSWORD": PASSWORD}
    registered = own_field.caller(
        "uac_register", ["1001"], "", host=PHONE, port=contact, words=words
    )
    assert registered.wait(10).successful == 1
    before = own_field.phone("1001")
    assert own_field.switch.stop() == 0
    own_field.switch.start()
    after = own_field.phone("1001")
    assert (after["registered"], after["contact"]) == (True, before["contact"])
    own_field.callee(host=PHONE, port=contact)
    callers = own_field.callers(1)
    assert own_field.caller("uac", callers, "1001", hold_ms=200).wait(10).successful == 1


def test_second_daemon_is_refused(own_field: Field) -> None:
    """Same socket, same state: the second says why and leaves the first alone."""
    second = subprocess.run(
        [sys.executable, "-m", "vosd", "--config", str(own_field.switch.config)],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=20,
    )
    assert second.returncode != 0
    assert "cannot" in second.stdout + second.stderr
    assert "Traceback" not in second.stdout + second.stderr
    assert own_field.switch.json("status")["pid"] == own_field.switch.pid


def test_sigterm_drains(own_field: Field) -> None:
    """Live calls go on, new ones get 503 with Retry-After, the exit is 0."""
    port = free_port(VENDOR)
    own_field.add_vendor("44", port)
    own_field.callee(port=port)
    callers = own_field.callers(5)
    live = own_field.caller("uac", callers, "4420", rate=50, hold_ms=4000)
    eventually(
        lambda: [c["state"] for c in own_field.live(callers)] == ["connected"] * 5,
        what="5 connected calls",
    )
    process = own_field.switch.process
    assert process is not None
    process.send_signal(signal.SIGTERM)
    late = own_field.callers(1)
    refused = own_field.caller("uac_refused", late, "4420", words={"CODE": 503}).wait(5)
    assert refused.successful == 1
    assert int(refused.log[0].partition("retry-after=")[2]) > 0
    assert own_field.switch.json("status")["state"] == "draining"
    done = live.wait(15)
    assert (done.successful, done.failed) == (5, 0)
    assert process.wait(10) == 0
    own_field.switch.start()
    records = own_field.await_records(callers)
    assert {row["end_reason"] for row in records.values()} == {"caller_hangup"}


@pytest.mark.timeout(60 + 12 * ROUNDS)
def test_sigkill_loses_no_answered_call(own_field: Field) -> None:
    """Killed at random moments under load; every call either sipp counts as answered has a record.

    The caller counts on 200, the callee on ACK. Live calls come back as node_lost.
    """
    chance = random.Random(int(os.environ.get("VOSD_KILL_SEED", "4475")))
    port = free_port(VENDOR)
    own_field.add_vendor("44", port)
    total = lost_nodes = 0
    for number in range(ROUNDS):
        uas = own_field.callee(port=port)
        callers = own_field.callers(500)
        uac = own_field.caller("uac", callers, "4420", rate=RATE, hold_ms=HOLD_MS)
        time.sleep(chance.uniform(0.3, 1.8))
        own_field.switch.kill()
        # what is still in sipp's socket buffers has been answered as well
        time.sleep(0.2)
        answered = set(uac.end(0.5).answered()) | set(uas.end(0.5).answered())
        own_field.switch.start()
        records = own_field.records(callers)
        missing = {call for call in answered if _answered_at(records, call) is None}
        assert not missing, f"round {number}: {len(missing)} of {len(answered)} without a record"
        assert all(row["state"] != "open" for row in records.values())
        total += len(answered)
        lost_nodes += sum(row["end_reason"] == "node_lost" for row in records.values())
    assert total > ROUNDS * 10, "too little load to prove anything"
    assert lost_nodes > 0, "no call was ever live when the daemon was killed"


def _answered_at(records: dict[str, dict[str, object]], caller: str) -> object | None:
    return records.get(caller, {}).get("answered_at")
