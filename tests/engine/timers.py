# SPDX-License-Identifier: GPL-2.0-or-later
"""Calls with session timers in virtual time: agents that agree to them, and what was sent."""

from __future__ import annotations

from typing import Any

import msgspec

from tests.engine.switchboard import EPOCH, SWITCH, Switchboard
from tests.sim.agents import Agent, Leg
from tests.sim.world import Entry
from vosd.wire.records import Cdr

TIMER = (("Supported", "timer"),)
#: without UPDATE
PLAIN = {"allow": "INVITE, ACK, CANCEL, BYE, OPTIONS"}


def switchboard(**parameters: str) -> Switchboard:
    """Where the silence of media ends no call."""
    board = Switchboard(**{"SS_MEDIAPROXYMODE": "off", **parameters})
    media = board.switch.media
    media.config = msgspec.structs.replace(media.config, rtp_timeout_s=1e9)
    return board


def expires(seconds: int, refresher: str) -> tuple[tuple[str, str], ...]:
    return (("Session-Expires", f"{seconds};refresher={refresher}"), ("Require", "timer"))


def capable(board: Switchboard, name: str, at: tuple[str, int], seconds: int, refresher: str,
            **more: Any) -> Agent:  # fmt: skip
    """An agent that agrees to a timer: in answers to an INVITE `uac` is the switch."""
    more.setdefault("answer_headers", expires(seconds, refresher))
    more.setdefault("inner_headers", expires(seconds, refresher))
    fields = {"extensions": ("timer",), **more.pop("endpoint", {})}
    return board.agent(name, at, answer_after=0.0, endpoint=fields, **more)


def call(alice: Agent, **more: Any) -> Leg:
    more.setdefault("from_", "<sip:100@10.0.0.2>")
    return alice.call("sip:200@10.0.0.1", SWITCH, **more)


def record(board: Switchboard) -> Cdr:
    assert len(board.shelf.records) == 1
    return board.shelf.records[0]


def ended(board: Switchboard) -> tuple[float, str, str]:
    """When, why and by whom the only call ended."""
    row = record(board)
    assert row.ended_at is not None
    return round(row.ended_at - EPOCH, 2), row.end_reason, row.ended_by


def sent(board: Switchboard, source: str, target: str, start: str) -> list[Entry]:
    return [
        entry for entry in board.world.ladder
        if (entry.source, entry.target) == (source, target) and entry.text.startswith(start)
    ]


def times(entries: list[Entry]) -> list[float]:
    """Whole tenths of seconds, first sendings only."""
    seen: dict[bytes, float] = {}
    for entry in entries:
        seen.setdefault(entry.data, round(entry.at, 1))
    return list(seen.values())


def field(data: bytes, name: str) -> str | None:
    lines = data.partition(b"\r\n\r\n")[0].decode().split("\r\n")
    values = [line.partition(": ")[2] for line in lines if line.startswith(f"{name}: ")]
    return ", ".join(values) if values else None
