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


class Trial:
    """A source whose packets are not yet believed."""

    __slots__ = ("base", "count", "highest", "missing", "ssrc")

    def __init__(self, sequence: int, ssrc: int) -> None:
        self.ssrc = ssrc
        self.base = self.highest = sequence
        self.count = 1
        self.missing: set[int] | None = None


class Sequence:
    """The stream's numbering; the owner takes `highest + 1` of `ssrc` itself, it is the rule."""

    __slots__ = (
        "bad",
        "base",
        "closed",
        "duplicate",
        "highest",
        "late",
        "missing",
        "out_of_order",
        "restarts",
        "ssrc",
        "ssrc_changes",
        "trial",
        "unproven",
    )

    def __init__(self) -> None:
        #: the believed source, -1 when there is none yet
        self.ssrc = -1
        self.base = self.highest = 0
        #: expected packets of sources and runs that ended
        self.closed = 0
        self.bad = -1
        self.missing: set[int] | None = None
        self.trial: Trial | None = None
        self.duplicate = self.out_of_order = self.late = 0
        self.ssrc_changes = self.restarts = 0
        #: packets that belong to no believed run
        self.unproven = 0

    @property
    def expected(self) -> int | None:
        """Highest - first + 1 over all runs; None when no source was ever believed."""
        if self.ssrc < 0:
            return None
        return self.closed + self.highest - self.base + 1

    def unique(self, packets: int) -> int:
        """How many of `packets` received are distinct packets of believed runs."""
        trial = self.trial.count if self.trial else 0
        return packets - self.unproven - self.duplicate - trial

    def receive(self, sequence: int, ssrc: int) -> int:
        """Place one packet; returns what it was (VALID ... ALIEN)."""
        if ssrc != self.ssrc:
            return self._try(sequence, ssrc)
        ahead = (sequence - self.highest) & 0xFFFF
        if 0 < ahead < MAX_DROPOUT:
            self.missing = _skip(self.missing, self.highest, ahead)
            self.highest += ahead
            return VALID
        if ahead == 0 or ahead > 0x10000 - MAX_MISORDER:
            self._behind(-ahead & 0xFFFF)
            return VALID
        if sequence != self.bad:
            self.bad = (sequence + 1) & 0xFFFF
            self.unproven += 1
            return ALIEN
        self._restart(sequence)
        return RESTARTED

    def _behind(self, distance: int) -> None:
        number = self.highest - distance
        if number < self.base:
            self.missing = (self.missing or set()) | set(range(number + 1, self.base))
            self.base = number
        elif self.missing and number in self.missing:
            self.missing.discard(number)
        else:
            self.duplicate += 1
            return
        self.out_of_order += 1
        if distance > REORDER_WINDOW:
            self.late += 1

    def _restart(self, sequence: int) -> None:
        """The packet before was the first of the new numbering (A.1: two in sequence)."""
        self.closed += self.highest - self.base + 1
        self.base, self.highest = sequence - 1, sequence
        self.missing = None
        self.bad = -1
        self.unproven -= 1
        self.restarts += 1

    def _try(self, sequence: int, ssrc: int) -> int:
        trial = self.trial
        if trial is None or trial.ssrc != ssrc:
            return self._new_trial(sequence, ssrc)
        ahead = (sequence - trial.highest) & 0xFFFF
        if ahead == 0:
            self.duplicate += 1
            return TRIAL
        if ahead >= MAX_DROPOUT:
            return self._new_trial(sequence, ssrc)
        trial.missing = _skip(trial.missing, trial.highest, ahead)
        trial.highest += ahead
        trial.count += 1
        if ahead == 1 or trial.count >= PATIENCE:
            self._adopt(trial)
            return ADOPTED
        return TRIAL

    def _new_trial(self, sequence: int, ssrc: int) -> int:
        if self.trial:
            self.unproven += self.trial.count
        self.trial = Trial(sequence, ssrc)
        return FRESH

    def _adopt(self, trial: Trial) -> None:
        if self.ssrc >= 0:
            self.closed += self.highest - self.base + 1
            self.ssrc_changes += 1
        self.ssrc, self.base, self.highest = trial.ssrc, trial.base, trial.highest
        self.missing = trial.missing
        self.bad = -1
        self.trial = None


def _skip(missing: set[int] | None, highest: int, ahead: int) -> set[int] | None:
    """Note the numbers between, forget those no packet may fill any more."""
    oldest = highest + ahead - MAX_MISORDER
    kept = {number for number in missing if number > oldest} if missing else set()
    if ahead > 1:
        kept.update(range(max(highest + 1, oldest + 1), highest + ahead))
    return kept or None
