# SPDX-License-Identifier: GPL-2.0-or-later
"""vosctl status, and bare vosctl."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vosctl.console import Cell, Text
from vosctl.figures import count
from vosctl.session import Context, group, session
from vosd.wire.values import show_duration

if TYPE_CHECKING:
    from vosd.wire.records import Status

#: a SIP loop that lags this much answers late
LAG_MS = (20.0, 100.0)

app = group("How the node is.")


@app.command()
def status(ctx: Context) -> None:
    """Show the node: calls, registrations, gateways, relay, record queue, alarms."""
    run = session(ctx)
    reply: Status = run.client.call("status")
    if run.show_json(reply):
        return
    run.console.facts(_facts(reply))
    counted = [(name, str(number)) for name, number in reply.counters.items() if number]
    if counted:
        run.console.say("counted since start, what is not 0:")
        run.console.facts(counted, indent=2)
    for alarm in reply.alarms:
        run.console.say(Cell(f"alarm: {alarm}", "bad"))


def _facts(reply: Status) -> list[tuple[str, Text]]:
    attempts = count(reply.attempts_total, "attempt")
    answered = f"{attempts}, {reply.answered_total} answered since start"
    return [
        ("node", f"{reply.node}, {reply.software}, pid {reply.pid}"),
        ("state", Cell(reply.state, "" if reply.state == "running" else "warn")),
        ("uptime", show_duration(reply.uptime_s)),
        ("listening on", " ".join(reply.listens)),
        ("calls", f"{reply.calls} now, {reply.calls_per_s:.1f} new per second; {answered}"),
        ("registrations", str(reply.registrations)),
        ("gateways", _gateways(reply)),
        ("relay", f"{reply.relay}: {reply.relay_reason}"),
        ("RTP ports", f"{reply.rtp_ports_used} of {reply.rtp_ports_total} in use"),
        ("loop lag", _lag(reply.loop_lag_ms)),
        ("record queue", _queue(reply)),
        ("alarms", str(len(reply.alarms)) if reply.alarms else "none"),
    ]


def _gateways(reply: Status) -> Text:
    text = f"{reply.gateways_up} up, {reply.gateways_down} down"
    if reply.gateways_unknown:
        text += f", {reply.gateways_unknown} not tried yet"
    return Cell(text, "warn" if reply.gateways_down else "")


def _lag(lag_ms: float) -> Text:
    style = "bad" if lag_ms > LAG_MS[1] else "warn" if lag_ms > LAG_MS[0] else ""
    return Cell(f"{lag_ms:.1f} ms", style)


def _queue(reply: Status) -> Text:
    if reply.record_error:
        return Cell(f"{reply.record_queue} waiting, cannot be written: {reply.record_error}", "bad")
    return f"{reply.record_queue} waiting"
