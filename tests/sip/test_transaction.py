# SPDX-License-Identifier: GPL-2.0-or-later
"""Every cell of the four transaction tables, driven through an endpoint.

A row is: machine, state, input, next state, then what left (`>`) and what was reported (`!`).
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.sip.wire import PEER, endpoint, names, read, reply, request, sent, shorts
from vosd.sip.endpoint import Endpoint, Invite
from vosd.sip.events import Invited
from vosd.sip.events import Request as Asked
from vosd.sip.transaction import (
    CLIENT,
    INVITE_CLIENT,
    INVITE_SERVER,
    SERVER,
    ClientTransaction,
    ServerTransaction,
    Table,
)

CELLS = """
invite_client  calling     1xx      proceeding  !Progress
invite_client  calling     2xx      accepted    !Answered
invite_client  calling     final    completed   >ACK !Failed
invite_client  calling     resend   calling     >INVITE
invite_client  calling     timeout  terminated  !Failed
invite_client  calling     expire   calling
invite_client  calling     error    terminated  !Failed
invite_client  proceeding  1xx      proceeding  !Progress
invite_client  proceeding  2xx      accepted    !Answered
invite_client  proceeding  final    completed   >ACK !Failed
invite_client  proceeding  resend   proceeding
invite_client  proceeding  timeout  terminated  !Failed
invite_client  proceeding  expire   proceeding
invite_client  proceeding  error    proceeding
invite_client  accepted    1xx      accepted
invite_client  accepted    2xx      accepted    >ACK
invite_client  accepted    final    accepted
invite_client  accepted    resend   accepted
invite_client  accepted    timeout  accepted
invite_client  accepted    expire   terminated
invite_client  accepted    error    accepted
invite_client  completed   1xx      completed
invite_client  completed   2xx      completed
invite_client  completed   final    completed   >ACK
invite_client  completed   resend   completed
invite_client  completed   timeout  completed
invite_client  completed   expire   terminated
invite_client  completed   error    terminated
client         trying      1xx      proceeding
client         trying      2xx      completed   !Response
client         trying      final    completed   !Response
client         trying      resend   trying      >OPTIONS
client         trying      timeout  terminated  !Response
client         trying      expire   trying
client         trying      error    terminated  !Response
client         proceeding  1xx      proceeding
client         proceeding  2xx      completed   !Response
client         proceeding  final    completed   !Response
client         proceeding  resend   proceeding  >OPTIONS
client         proceeding  timeout  terminated  !Response
client         proceeding  expire   proceeding
client         proceeding  error    terminated  !Response
client         completed   1xx      completed
client         completed   2xx      completed
client         completed   final    completed
client         completed   resend   completed
client         completed   timeout  completed
client         completed   expire   terminated
client         completed   error    completed
invite_server  proceeding  request  proceeding  >100
invite_server  proceeding  ACK      proceeding
invite_server  proceeding  1xx      proceeding  >180
invite_server  proceeding  2xx      accepted    >200
invite_server  proceeding  final    completed   >486
invite_server  proceeding  resend   proceeding  >100
invite_server  proceeding  timeout  proceeding
invite_server  proceeding  expire   proceeding
invite_server  proceeding  error    proceeding
invite_server  accepted    request  accepted
invite_server  accepted    ACK      accepted    !Acked
invite_server  accepted    1xx      accepted
invite_server  accepted    2xx      accepted
invite_server  accepted    final    accepted
invite_server  accepted    resend   accepted    >200
invite_server  accepted    timeout  accepted
invite_server  accepted    expire   terminated  !AckLost
invite_server  accepted    error    accepted
invite_server  completed   request  completed   >486
invite_server  completed   ACK      confirmed
invite_server  completed   1xx      completed
invite_server  completed   2xx      completed
invite_server  completed   final    completed
invite_server  completed   resend   completed   >486
invite_server  completed   timeout  terminated
invite_server  completed   expire   completed
invite_server  completed   error    completed
invite_server  confirmed   request  confirmed
invite_server  confirmed   ACK      confirmed
invite_server  confirmed   1xx      confirmed
invite_server  confirmed   2xx      confirmed
invite_server  confirmed   final    confirmed
invite_server  confirmed   resend   confirmed
invite_server  confirmed   timeout  confirmed
invite_server  confirmed   expire   terminated
invite_server  confirmed   error    confirmed
server         trying      request  trying
server         trying      1xx      proceeding  >182
server         trying      2xx      completed   >200
server         trying      final    completed   >404
server         trying      timeout  terminated
server         trying      expire   trying
server         trying      error    trying
server         proceeding  request  proceeding  >182
server         proceeding  1xx      proceeding  >182
server         proceeding  2xx      completed   >200
server         proceeding  final    completed   >404
server         proceeding  timeout  terminated
server         proceeding  expire   proceeding
server         proceeding  error    proceeding
server         completed   request  completed   >200
server         completed   1xx      completed
server         completed   2xx      completed
server         completed   final    completed
server         completed   timeout  completed
server         completed   expire   terminated
server         completed   error    completed
"""
TABLES: dict[str, Table] = {
    "invite_client": INVITE_CLIENT,
    "client": CLIENT,
    "invite_server": INVITE_SERVER,
    "server": SERVER,
}
ROWS = [line.split(maxsplit=4) for line in CELLS.strip().splitlines()]


def test_every_cell_has_a_row() -> None:
    cells = {(n, s, i) for n, table in TABLES.items() for s, row in table.items() for i in row}
    assert {(n, s, i) for n, s, i, *_ in ROWS} == cells
    assert len(ROWS) == len(cells) == 28 + 21 + 36 + 21


@pytest.mark.parametrize("row", ROWS, ids=lambda row: "-".join(row[:3]))
def test_cell(row: list[str]) -> None:
    machine, state, given, follower, *effects = row
    end = endpoint()
    drive = client if "client" in machine else server
    transaction, apply = drive(end, machine, state)
    assert transaction.state == state
    end.outgoing.clear()
    end.events.clear()
    apply(given)
    gone = transaction.key not in end.clients and transaction.key not in end.servers
    assert transaction.state == follower
    assert gone == (follower == "terminated")
    left = [">" + text.split()[0] for text in shorts(end)]
    assert " ".join(left + ["!" + name for name in names(end.events)]) == " ".join(effects)


def client(
    end: Endpoint, machine: str, state: str
) -> tuple[ClientTransaction, Callable[[str], None]]:
    """A client transaction of ours in `state`, and how to give it an input."""
    if machine == "invite_client":
        call = Invite("sip:1@192.0.2.20", PEER, 0, "<sip:a@192.0.2.10>", "<sip:1@192.0.2.20>")
        dialog = end.invite(call, 0.0)
    else:
        end.send(
            "OPTIONS", "sip:192.0.2.20", PEER, 0, 0.0,
            from_="<sip:a@192.0.2.10>", to="<sip:192.0.2.20>", token=7,
        )  # fmt: skip
    data = sent(end)[0]
    (transaction,) = end.clients.values()
    codes = {"1xx": 180, "2xx": 200, "final": 486}

    def apply(given: str) -> None:
        message = read(reply(data, codes[given])) if given in codes else None
        end._step_client(transaction, given, message, 1.0)

    if state == "proceeding":
        apply("1xx")
    elif state == "accepted":
        apply("2xx")
        end.acknowledge(dialog, 1.0)
    elif state == "completed":
        apply("final")
    return transaction, apply


def server(
    end: Endpoint, machine: str, state: str
) -> tuple[ServerTransaction, Callable[[str], None]]:
    """A server transaction of the peer's in `state`, and how to give it an input."""
    invite = machine == "invite_server"
    data = request("INVITE" if invite else "OPTIONS")
    (event,) = end.receive(data, PEER, 0, 0.0)
    assert isinstance(event, Invited | Asked)
    (transaction,) = end.servers.values()
    codes = {"1xx": 180, "2xx": 200, "final": 486} if invite else {
        "1xx": 182, "2xx": 200, "final": 404
    }  # fmt: skip

    def apply(given: str) -> None:
        if given in codes:
            end.respond(transaction, codes[given], 1.0)
        elif given == "ACK":
            end._step_server(transaction, given, read(request("ACK")), 1.0)
        else:
            message = read(data) if given == "request" else None
            end._step_server(transaction, given, message, 1.0)

    if state == "accepted":
        apply("2xx")
    elif state in ("completed", "confirmed"):
        apply("final" if invite else "2xx")
    elif state == "proceeding" and not invite:
        apply("1xx")
    if state == "confirmed":
        apply("ACK")
    return transaction, apply
