# SPDX-License-Identifier: GPL-2.0-or-later
"""Sequence numbers of a received stream (RFC 3550 A.1, A.3): expected, lost, doubled, late.

A source is on trial until two packets of it came in sequence; the packets of the trial count
once it is passed. Numbers are extended by counting, so `highest` never wraps. A gap is kept as
the set of missing numbers for as long as a packet may still fill it (MAX_MISORDER): one that
does was out of order, one that fills nothing is a duplicate. Far jumps are not believed until a
second packet follows the first: then the source restarted. A new SSRC has its own trial while
the old one stands, so a stray packet does not end a stream. What ended is kept as `closed`.
"""

from __future__ import annotations

MAX_DROPOUT = 3000
MAX_MISORDER = 100
#: a source that never sends two in a row (steady heavy loss) is believed after this many
PATIENCE = 8
#: a packet more than this many places behind is too late for a usual jitter buffer (60 ms at 20)
REORDER_WINDOW = 3

#: what a packet was to the stream
VALID, FRESH, TRIAL, ADOPTED, RESTARTED, ALIEN = range(6)


class Run:
    """Packets of one source that were numbered without a break."""

    __slots__ = ("base", "count", "highest", "missing", "ssrc")

    def __init__(self, sequence: int, ssrc: int) -> None:
        self.ssrc = ssrc
        self.base = self.highest = sequence
        #: distinct packets while on trial
        self.count = 1
        self.missing: set[int] | None = None

    @property
    def expected(self) -> int:
        """Highest - first + 1."""
        return self.highest - self.base + 1

    def advance(self, ahead: int) -> None:
        """Go `ahead` numbers on, note those between, forget those no packet may fill any more."""
        oldest = self.highest + ahead - MAX_MISORDER
        missing = {number for number in self.missing or () if number > oldest}
        missing.update(range(max(self.highest, oldest) + 1, self.highest + ahead))
        self.missing = missing or None
        self.highest += ahead

    def fill(self, distance: int) -> bool:
        """Place a packet `distance` behind the highest; False when it was there before."""
        number = self.highest - distance
        if number < self.base:
            self.missing = (self.missing or set()) | set(range(number + 1, self.base))
            self.base = number
            return True
        if self.missing and number in self.missing:
            self.missing.discard(number)
            return True
        return False


class Sequence:
    """The stream's numbering. The owner may count the plain case, the number after `run.highest`
    from `run.ssrc`, into `run.highest` itself."""

    __slots__ = (
        "bad",
        "closed",
        "duplicate",
        "late",
        "out_of_order",
        "restarts",
        "run",
        "ssrc_changes",
        "trial",
        "unproven",
    )

    def __init__(self) -> None:
        #: the believed source; SSRC -1 while there is none
        self.run = Run(0, -1)
        self.trial: Run | None = None
        #: expected packets of runs that ended
        self.closed = 0
        #: the number that would prove a far jump (A.1 bad_seq)
        self.bad = -1
        self.duplicate = self.out_of_order = self.late = 0
        self.ssrc_changes = self.restarts = 0
        #: packets that belong to no believed run
        self.unproven = 0

    @property
    def expected(self) -> int | None:
        """Highest - first + 1 over all runs; None when no source was ever believed."""
        return None if self.run.ssrc < 0 else self.closed + self.run.expected

    def unique(self, packets: int) -> int:
        """How many of `packets` received are distinct packets of believed runs."""
        trial = self.trial.count if self.trial else 0
        return packets - self.unproven - self.duplicate - trial

    def receive(self, sequence: int, ssrc: int) -> int:
        """Place one packet; returns what it was (VALID ... ALIEN)."""
        run = self.run
        if ssrc != run.ssrc:
            return self._try(sequence, ssrc)
        ahead = (sequence - run.highest) & 0xFFFF
        if 0 < ahead < MAX_DROPOUT:
            run.advance(ahead)
        elif ahead == 0 or ahead > 0x10000 - MAX_MISORDER:
            self._behind(run, -ahead & 0xFFFF)
        elif sequence != self.bad:
            self.bad = (sequence + 1) & 0xFFFF
            self.unproven += 1
            return ALIEN
        else:
            self._restart(sequence, ssrc)
            return RESTARTED
        return VALID

    def _behind(self, run: Run, distance: int) -> bool:
        if not run.fill(distance):
            self.duplicate += 1
            return False
        self.out_of_order += 1
        if distance > REORDER_WINDOW:
            self.late += 1
        return True

    def _restart(self, sequence: int, ssrc: int) -> None:
        """The packet before was the first of the new numbering (A.1: two in sequence)."""
        self.closed += self.run.expected
        self.run = Run(sequence - 1, ssrc)
        self.run.highest = sequence
        self.bad = -1
        self.unproven -= 1
        self.restarts += 1

    def _try(self, sequence: int, ssrc: int) -> int:
        trial = self.trial
        if trial is None or trial.ssrc != ssrc:
            return self._new_trial(sequence, ssrc)
        ahead = (sequence - trial.highest) & 0xFFFF
        if 0 < ahead < MAX_DROPOUT:
            trial.advance(ahead)
        elif ahead and ahead <= 0x10000 - MAX_MISORDER:
            return self._new_trial(sequence, ssrc)
        elif not self._behind(trial, -ahead & 0xFFFF):
            return TRIAL
        trial.count += 1
        if ahead == 1 or trial.count >= PATIENCE:
            self._adopt(trial)
            return ADOPTED
        return TRIAL

    def _new_trial(self, sequence: int, ssrc: int) -> int:
        if self.trial:
            self.unproven += self.trial.count
        self.trial = Run(sequence, ssrc)
        return FRESH

    def _adopt(self, trial: Run) -> None:
        if self.run.ssrc >= 0:
            self.closed += self.run.expected
            self.ssrc_changes += 1
        self.run, self.trial, self.bad = trial, None, -1
