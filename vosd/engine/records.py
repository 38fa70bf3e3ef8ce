# SPDX-License-Identifier: GPL-2.0-or-later
"""Call records between the loop and the store's writer thread.

`opened` is answered with `on_stored` once the row is on disk: the writer thread leaves the
outcome in a queue and wakes the loop once per commit.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable

from vosd.engine.live import LiveCall
from vosd.engine.settings import Settings
from vosd.store.store import Store
from vosd.switch.call import Call
from vosd.wire.records import Cdr

#: seconds between two proofs of life of a call
ALIVE_S = 30


class Records:
    """Writes the open row, the heart-beat and the final row of calls."""

    def __init__(
        self,
        store: Store,
        settings: Settings,
        node: str,
        hop: Callable[[Callable[[], None]], object],
        on_stored: Callable[[LiveCall, str | None], None],
    ) -> None:
        self.node = node
        self._store = store
        self._settings = settings
        #: runs its argument on the loop's thread
        self._hop = hop
        self._on_stored = on_stored
        self._outcomes: deque[tuple[LiveCall, str | None]] = deque()
        self._woken = False
        #: the last second that was proven
        self._beaten = 0

    @property
    def accepting(self) -> bool:
        """New calls may be taken: what they leave behind can be written."""
        return self._store.writer.accepting

    def opened(self, live: LiveCall, row: Cdr) -> None:
        """Write the row of an answered call; `on_stored` follows."""

        def done(error: str | None) -> None:
            self._outcomes.append((live, error))
            if not self._woken:
                self._woken = True
                self._hop(self._deliver)

        self._store.cdr.opened(row, done)

    def _deliver(self) -> None:
        self._woken = False
        outcomes = self._outcomes
        while outcomes:
            live, error = outcomes.popleft()
            self._on_stored(live, error)

    def closed(self, row: Cdr, evidence: bytes | None) -> None:
        """Write the final row, kept until it could be written, and what evidence there is."""
        self._store.cdr.closed(row, evidence)

    def wanted(self, call: Call) -> bool:
        """Whether an unanswered call leaves a record (SERVER_BILLING_RECORD_*)."""
        if call.reason == "record_unavailable":
            return False  # it would only add to what cannot be written
        name = "ZERO_HOLD_TIME" if call.tried or call.route else "ILLEGAL_CALL"
        return bool(self._settings.snapshot.get(f"SERVER_BILLING_RECORD_{name}"))

    def beat(self, calls: Iterable[LiveCall], mono: float, wall: float) -> None:
        """Prove that open calls live: each in one second of 30, so that no commit is big."""
        second = int(mono)
        due = {s % ALIVE_S for s in range(max(self._beaten, second - ALIVE_S) + 1, second + 1)}
        self._beaten = second
        ids = [
            live.call.id
            for live in calls
            if live.stored and int(live.call.answered_at or 0) % ALIVE_S in due
        ]
        if ids:
            self._store.cdr.alive(ids, wall)
