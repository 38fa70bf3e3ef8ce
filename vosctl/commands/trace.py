# SPDX-License-Identifier: GPL-2.0-or-later
"""vosctl trace: the signalling of calls as it crosses the wire."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, BinaryIO, Literal

import typer

from vosctl.console import Column, Text, escape
from vosctl.figures import UNKNOWN, clock, count, moment
from vosctl.problems import Problem, Usage
from vosctl.session import Context, DryRun, Session, Why, given, group, session
from vosd.wire.values import parse_duration

if TYPE_CHECKING:
    from vosd.wire.traces import TraceMessage, TraceView

#: of a ladder that goes into a pipe or file
PLAIN_WIDTH = 100

Number = Annotated[str, typer.Argument(metavar="ID", help="The trace's number.")]

app = group(
    "SIP traces. They live in vosd's memory for a while, hold every message as it was sent "
    "(also the responses of digest authentication: treat exports as secrets), and are gone when "
    "vosd ends."
)


@app.command()
def start(
    ctx: Context,
    caller: Annotated[
        str, typer.Option("--caller", metavar="NUMBER", help="Calls from numbers that begin so.")
    ] = "",
    callee: Annotated[
        str, typer.Option("--callee", metavar="NUMBER", help="Calls to numbers that begin so.")
    ] = "",
    gateway: Annotated[
        str, typer.Option("--gateway", metavar="GW", help="Calls from or to it, its OPTIONS.")
    ] = "",
    call: Annotated[
        str, typer.Option("--call", metavar="ID", help="One live call: its id or SIP Call-ID.")
    ] = "",
    for_: Annotated[
        str | None, typer.Option("--for", metavar="D", help="At most 2h; usual are 10m to 30m.")
    ] = None,
    why: Why = "",
    dry_run: DryRun = False,
) -> None:
    """Keep the messages of calls that match all that is given, of everything when nothing is.

    vosctl trace start --callee 4420 --gateway telia --for 10m
    """
    run = session(ctx)
    from vosd.wire.traces import TraceStart

    request = TraceStart(
        caller=caller, callee=callee, gateway=gateway, call=call,
        for_s=given(parse_duration, for_), why=why, dry_run=dry_run,
    )  # fmt: skip
    reply = run.client.call("trace.start", request)
    if not run.show_json(reply):
        trace: TraceView = reply.trace
        verb = "would trace" if dry_run else f"trace {trace.id} keeps"
        run.console.say(f"{verb} {_wanted(trace)} until {moment(trace.until)}")


@app.command()
def stop(
    ctx: Context,
    id_: Annotated[
        str | None, typer.Argument(metavar="[ID|all]", help="Not needed when one runs.")
    ] = None,
    why: Why = "",
    dry_run: DryRun = False,
) -> None:
    """End a trace before its time; it can still be shown and exported."""
    run = session(ctx)
    from vosd.wire.traces import TraceStop

    every = id_ == "all"
    request = TraceStop(id=None if every else id_, all=every, why=why, dry_run=dry_run)
    reply = run.client.call("trace.stop", request)
    if run.show_json(reply):
        return
    for trace in reply.traces:
        verb = "would stop" if dry_run else "stopped"
        run.console.say(f"{verb} trace {trace.id}: {_held(trace)}")
    if not reply.traces:
        run.console.note("no trace runs")


@app.command("list")
def list_(ctx: Context) -> None:
    """Show the traces that run or ran since vosd started."""
    run = session(ctx)
    reply = run.client.call("trace.list")
    if run.show_json(reply):
        return
    run.console.table(
        [
            Column("id", keep=True), "state", "of",
            Column("started", keep=True, optional=2), Column("until", keep=True),
            Column("calls", right=True), Column("messages", right=True),
            Column("KiB", right=True, optional=1), Column("dropped", right=True),
        ],
        [_row(trace) for trace in reply.traces],
        empty="no traces",
    )  # fmt: skip


@app.command()
def show(ctx: Context, id_: Number) -> None:
    """Draw a trace: a ladder a call, what it says of session timers, and what is missing."""
    run = session(ctx)
    reply = run.client.call("trace.show", path={"id": id_})
    messages = _messages(run, id_)
    if run.json:
        run.console.emit_json(reply, {"messages": list(messages)})
        return
    run.console.say(_title(reply.trace))
    width = shutil.get_terminal_size().columns if run.console.tty else PLAIN_WIDTH
    from vosctl.ladder import ladders

    for line in ladders(messages, width):
        run.console.say(line)


@app.command()
def export(
    ctx: Context,
    id_: Number,
    format: Annotated[Literal["pcap", "text"], typer.Option("--format", help="Of the file.")],
    file: Annotated[
        Path | None, typer.Argument(metavar="FILE", help="Instead of stdout; readable by you only.")
    ] = None,
) -> None:
    """Write a trace's messages as a capture or as text.

    In a pcap every message is a UDP packet with the true addresses and times, also what came over
    TCP or TLS: Wireshark and sngrep then read it without keys.

    vosctl trace export 3 --format pcap call.pcap
    """
    run = session(ctx)
    messages = _messages(run, id_)
    with _target(run, file, format) as out:
        if format == "pcap":
            from vosctl.capture import pcap

            written = pcap.write(out, messages)
        else:
            written = _write_text(out, messages)
    if file is not None:
        run.console.note(f"{count(written, 'message')} in {file}; it holds what callers sent: "
                         "keep it safe")  # fmt: skip


def _messages(run: Session, id_: str) -> Iterator[TraceMessage]:
    found: Iterator[TraceMessage] = run.client.stream("trace.messages", path={"id": id_})
    return found


@contextmanager
def _target(run: Session, path: Path | None, format: str) -> Iterator[BinaryIO]:
    if path is None:
        if run.console.tty and format == "pcap":
            raise Usage("cannot write a pcap to the terminal: name a FILE, or pipe it on")
        yield run.console.out.buffer
        return
    try:
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            yield file
    except OSError as error:
        raise Problem(f"cannot write {path}: {error.strerror or error}") from None


def _write_text(file: BinaryIO, messages: Iterator[TraceMessage]) -> int:
    """Each message under a line of its own; control characters escaped, as it will be looked at."""
    written = 0
    for message in messages:
        written += 1
        at = datetime.fromtimestamp(message.at, UTC).isoformat(timespec="microseconds")
        belongs = f" call {message.call} leg {message.leg}" if message.call else ""
        lines = message.octets.decode("utf-8", "replace").replace("\r\n", "\n").split("\n")
        text = "\n".join(escape(line) for line in lines)
        head = f"{at} {message.direction} {message.transport} {message.source} -> "
        file.write(f"{head}{message.destination}{belongs}\n{text}\n".encode())
    return written


def _row(trace: TraceView) -> list[Text]:
    state = trace.state if not trace.ended else f"ended ({trace.ended})"
    return [
        trace.id,
        state,
        _wanted(trace),
        moment(trace.started_at),
        moment(trace.until),
        str(trace.calls),
        str(trace.messages),
        str(trace.octets // 1024),
        str(trace.dropped) if trace.dropped else UNKNOWN,
    ]


def _wanted(trace: TraceView) -> str:
    names = ("caller", "callee", "gateway", "call")
    words = [f"{name} {getattr(trace, name)}" for name in names if getattr(trace, name)]
    return ", ".join(words) or "everything"


def _title(trace: TraceView) -> str:
    length = clock(max(0.0, trace.until - trace.started_at))
    text = f"trace {trace.id} of {_wanted(trace)}, {trace.state}, {length} from "
    text += f"{moment(trace.started_at)}: {_held(trace)}"
    return f"{text}, {trace.dropped} older ones dropped" if trace.dropped else text


def _held(trace: TraceView) -> str:
    return f"{count(trace.messages, 'message')} of {count(trace.calls, 'call')}"
