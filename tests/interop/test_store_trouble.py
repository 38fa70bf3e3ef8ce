# SPDX-License-Identifier: GPL-2.0-or-later
"""The daemon is stopped while its store cannot be written: no record is lost, none is doubled.

Short calls end while the trouble lasts, long ones are ended by the stop, one is refused: each is
told apart by its caller, and has to have its own true end after the restart.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from script.private_switch import PrivateSwitch, free_port
from tests.interop.conftest import VENDOR, Field, connected, eventually
from tests.interop.programs import needs
from tests.interop.sipp import Sipp
from tests.store.conftest import fill

pytestmark = needs("sipp")
SHORT_MS, LONG_MS = 2500, 60_000
EACH = 10


class Story:
    """The calls of one test, and what has to be known of them in the end."""

    def __init__(self, field: Field) -> None:
        self.field = field
        field.switch.vosctl("param", "set", "SERVER_BILLING_RECORD_ILLEGAL_CALL=on")
        port = free_port(VENDOR)
        field.add_vendor("44", port)
        field.callee(port=port)
        self.short, self.long, self.refused = (field.callers(n) for n in (EACH, EACH, 1))
        ports = [7000 + 2 * n for n in range(EACH)]
        self.sipps = [self._call(self.long, LONG_MS, ports=ports), self._call(self.short, SHORT_MS)]
        connected(field, self.short + self.long)

    def _call(self, callers: list[str], hold_ms: int, **more: object) -> Sipp:
        return self.field.caller("uac", callers, "4420", rate=100, hold_ms=hold_ms, **more)

    def go_on(self) -> None:
        """The store is in trouble: a call is refused, and the short calls hang up."""
        field = self.field
        refused = field.caller("uac_refused", self.refused, "99", words={"CODE": 404}).wait(10)
        if not refused.successful:
            # a proof of life met the trouble first: then no call is taken, and none has to be kept
            assert "503 " in refused.errors
            self.refused = []
        assert self.sipps[1].wait(10).successful == EACH
        status = field.switch.json("status")
        assert status["record_queue"] >= EACH + len(self.refused)
        assert status["record_error"].startswith("cannot write the store: ")
        # nobody is told of an answer that could be lost
        late = field.callers(1)
        assert field.caller("uac_refused", late, "4420", words={"CODE": 503}).wait(10).successful

    def stop(self) -> subprocess.Popen[bytes]:
        """SIGTERM drains, again it ends the long calls; now vosd waits, and says for what."""
        process = self.field.switch.process
        assert process is not None
        process.send_signal(signal.SIGTERM)
        eventually(lambda: self.field.switch.json("status")["state"] == "draining")
        process.send_signal(signal.SIGTERM)
        eventually(lambda: "rows wait; make it writable" in self.field.switch.tail())
        status = self.field.switch.json("status")
        assert (status["calls"], status["state"]) == (0, "draining")
        assert status["record_queue"] >= 2 * EACH + len(self.refused)
        return process

    def check(self) -> None:
        """The switch runs again: every answered call ended as it did, each has one record."""
        answered = {caller for sipp in self.sipps for caller in sipp.end().answered()}
        assert answered == {*self.short, *self.long}
        wanted = dict.fromkeys(self.short, "caller_hangup") | dict.fromkeys(self.long, "drained")
        wanted |= dict.fromkeys(self.refused, "route_not_found")
        rows = self.field.switch.json("cdr", "list", "--limit", "10000")["records"]
        assert sorted((row["caller"], row["end_reason"]) for row in rows) == sorted(wanted.items())
        assert {row["state"] for row in rows} == {"closed"}
        assert "node_lost" not in self.field.switch.log.read_text()


@contextlib.contextmanager
def locked(switch: PrivateSwitch) -> Iterator[None]:
    """Another program holds the database."""
    other = sqlite3.connect(switch.directory / "state" / "vosd.db", isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    try:
        yield
    finally:
        other.close()


@pytest.fixture
def small_field(tmp_path: Path) -> Iterator[Field]:
    """A switch whose state lies on a file system of 16 MiB."""
    if os.geteuid() != 0:
        pytest.skip("did not run, not root: cannot mount a small file system to fill")
    own = PrivateSwitch(tmp_path / "own", node="own")
    state = own.directory / "state"
    state.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=16m", "tmpfs", str(state)]
    mounted = subprocess.run(mount, capture_output=True, text=True)
    if mounted.returncode != 0:
        pytest.skip(f"did not run, cannot mount a small file system: {mounted.stderr.strip()}")
    around = Field(own, tmp_path)
    try:
        own.start()
        around.add_customer()
        yield around
    finally:
        around.close()
        own.close()
        subprocess.run(["umount", "--lazy", str(state)], check=True)


def in_the_spool(switch: PrivateSwitch) -> Callable[[], bool]:
    return (switch.directory / "state" / "vosd.spool").exists


def test_stopped_while_another_program_holds_the_database(own_field: Field) -> None:
    """The third SIGTERM ends the wait; the rows come back at the next start."""
    story = Story(own_field)
    spooled = in_the_spool(own_field.switch)
    with locked(own_field.switch):
        story.go_on()
        process = story.stop()
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0
        assert spooled()
    own_field.switch.start()
    assert not spooled()
    story.check()
    assert "rows the last run could not store: taken from" in own_field.switch.log.read_text()


def test_the_lock_goes_while_vosd_waits(own_field: Field) -> None:
    """What was waited for happens: vosd writes and ends by itself, without a spool."""
    story = Story(own_field)
    with locked(own_field.switch):
        story.go_on()
        process = story.stop()
    assert process.wait(10) == 0
    assert not in_the_spool(own_field.switch)()
    own_field.switch.start()
    story.check()


def test_stopped_while_the_disk_is_full(small_field: Field) -> None:
    """Reliability section 6: disk full. The spool's room was set aside; the disk stays full."""
    story = Story(small_field)
    spooled = in_the_spool(small_field.switch)
    ballast = small_field.switch.directory / "state" / "ballast"
    fill(ballast)
    story.go_on()
    process = story.stop()
    process.send_signal(signal.SIGTERM)
    assert process.wait(10) == 0
    assert spooled()
    ballast.unlink()
    small_field.switch.start()
    assert not spooled()
    story.check()
