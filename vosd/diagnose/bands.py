# SPDX-License-Identifier: GPL-2.0-or-later
"""From which figure on a stream is bad: named sets of bands, each with where it comes from.

The source contradicts itself (D05), so no set is right and each is kept whole under its name.
"""

from __future__ import annotations

import msgspec

from vosd.wire.diagnosis import Severity


class Band(msgspec.Struct, frozen=True):
    """Good up to and including `warning`, critical above `critical`; None: not stated."""

    warning: float | None
    critical: float | None

    def severity(self, figure: float | None) -> Severity:
        """ "ok" for an unknown figure too: what is not known is not held against anybody."""
        if figure is None:
            return "ok"
        if self.critical is not None and figure > self.critical:
            return "critical"
        return "warning" if self.warning is not None and figure > self.warning else "ok"

    @property
    def good(self) -> float:
        """The largest figure that raises nothing."""
        limits = [limit for limit in (self.warning, self.critical) if limit is not None]
        return min(limits, default=float("inf"))


class Profile(msgspec.Struct, frozen=True, kw_only=True):
    """One set: loss in percent, jitter (RFC 3550), one-way delay and RTT in milliseconds."""

    name: str
    origin: str
    loss: Band
    jitter: Band
    one_way: Band
    rtt: Band


_ROWS = (
    Profile(
        name="source",
        origin="the source's monitor, CC-07 to CC-10",
        loss=Band(0.5, 2.0),
        jitter=Band(20.0, 50.0),
        one_way=Band(150.0, 300.0),
        rtt=Band(300.0, 500.0),
    ),
    Profile(
        name="source-alert",
        origin="the source's alert limits, MON-02 to MON-04; RTT as twice the latency",
        loss=Band(1.0, None),
        jitter=Band(30.0, None),
        one_way=Band(200.0, None),
        rtt=Band(400.0, None),
    ),
    Profile(
        name="itu",
        # Y.1541 bounds the spread of delay, so a mean interarrival jitter above it breaks it too
        origin="ITU-T G.114 (delay 150 and 400 ms one way, RTT as twice that), "
        "Y.1541 class 0 (loss 0.1 %, delay variation 50 ms), G.1010 (loss 3 %)",
        loss=Band(0.1, 3.0),
        jitter=Band(50.0, None),
        one_way=Band(150.0, 400.0),
        rtt=Band(300.0, 800.0),
    ),
)

PROFILES: dict[str, Profile] = {row.name: row for row in _ROWS}


def profile(name: str) -> Profile:
    """The set of that name; raises ValueError naming the sets there are."""
    row = PROFILES.get(name)
    if row is None:
        raise ValueError(f"cannot judge by profile {name!r}: there are {', '.join(PROFILES)}")
    return row
