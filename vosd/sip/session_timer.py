# SPDX-License-Identifier: GPL-2.0-or-later
"""Session timers (RFC 4028): what two user agents agree on, and when each has to act on it.

An agreement is made anew by each INVITE and UPDATE of a dialog: an interval, and which of the two
refreshes. `uac` and `uas` name the roles in that transaction, not in the dialog. The refresher
sends its refresh within the interval and ends the session when nobody answers; the other side ends
it when no refresh came shortly before the interval is over. A switch has one agreement per leg.
"""

from __future__ import annotations

import math
import re
from typing import Final

import msgspec

from vosd.sip.message import Message

Fields = tuple[tuple[str, str], ...]

#: shortest Session-Expires and Min-SE there may be, seconds (RFC 4028 4, 5)
LEAST: Final = 90
#: what a peer answers against the RFC is obeyed down to here
_LEAST_OBEYED: Final = 30
#: longest Min-SE that a 422 may ask of us
_MOST: Final = 86400
#: how often one request is repeated because of a 422
_MOST_ROUNDS: Final = 3
#: refreshes that were not granted are kept up to so many
_KEPT: Final = 8
#: the side that does not refresh gives up this long before the end, at most (RFC 4028 10)
_EARLY: Final = 32.0

_refresher = re.compile(r";[ \t]*refresher[ \t]*=[ \t]*(uac|uas)\b", re.I).search
_expires = re.compile(r"^Session-Expires: (\d+)", re.M)
_minimum = re.compile(r"^Min-SE: .*\r\n", re.M)


class Terms(msgspec.Struct, frozen=True, kw_only=True):
    """What we want, in seconds.

    `early` is how long before its end an unrefreshed session is given up, None as RFC 4028 10
    says. `probe` and `longest` are for a peer without session timers: how often it is asked
    whether it lives, and how long it may talk at all; infinite for never and for ever.
    """

    ttl: int = 600
    min_se: int = LEAST
    segment: int = 2
    early: float | None = None
    probe: float = math.inf
    longest: float = math.inf
    #: header fields of an INVITE that opens a dialog (7.1)
    asking: Fields = ()


class Trouble(msgspec.Struct, frozen=True):
    """A refresh, or a question whether the peer lives, that was not granted.

    `at` is monotonic; `ours` says who asked; `code` is 0 where there was no answer.
    """

    at: float
    ours: bool
    method: str
    code: int
    note: str = ""


class Session:
    """The agreement of one dialog, and when the next act is due (monotonic seconds)."""

    __slots__ = (
        "due", "ends", "granted", "interval", "last", "method", "min_se", "ours",
        "refusals", "reinviting", "rounds", "trouble", "troubles", "updates", "wanted",
    )  # fmt: skip

    def __init__(self) -> None:
        #: seconds; 0 while there is none
        self.interval = 0
        #: whether we refresh
        self.ours = False
        #: the peer allows UPDATE
        self.updates = False
        #: the largest Min-SE that a 422 asked of us (7.4)
        self.min_se = 0
        #: how many 422 the present request met
        self.rounds = 0
        #: when to refresh, and when the session is over
        self.due = self.ends = math.inf
        #: a re-INVITE of ours that refreshes waits for its answer
        self.reinviting = False
        #: how it went, for who asks later: refreshes granted either way, when last and by which
        #: method; the latest of those that were not, and how many there were
        self.granted = 0
        self.last = math.inf
        self.method = ""
        self.trouble: tuple[Trouble, ...] = ()
        self.troubles = 0
        #: 422 met, and the Min-SE of the last, 0 where it named none
        self.refusals = self.wanted = 0

    def refreshed(self, method: str, now: float) -> None:
        """Keep that a refresh was granted."""
        self.granted += 1
        self.last, self.method = now, method

    def troubled(self, trouble: Trouble) -> None:
        """Keep that one was not."""
        self.trouble = (*self.trouble, trouble)[-_KEPT:]
        self.troubles += 1

    def restart(self, terms: Terms, now: float) -> None:
        """A session begins, or was refreshed: count from now (RFC 4028 10)."""
        self.reinviting = False
        self.rounds = 0
        self.due = self.ends = math.inf
        if not self.interval:
            self.due = now + terms.probe
        elif self.ours:
            self.due = now + self.interval / terms.segment
            self.ends = now + self.interval
        else:
            self.ends = now + self.interval - margin(self.interval, terms.early)

    def accept(self, message: Message, terms: Terms) -> Fields:
        """Agree to a request of the peer; the header fields of our 2xx (RFC 4028 9)."""
        self._hear_allow(message)
        stays_theirs = bool(self.interval) and not self.ours
        capable = supports(message)
        lowest = max(LEAST, message.number("min-se") or 0)
        asked = message.number("session-expires")
        if asked is None:
            self.interval = max(terms.ttl, lowest) if capable else 0
        else:
            # lowered to what we want, never under the Min-SE of the request
            self.interval = min(asked, max(terms.ttl, lowest)) if asked >= LEAST else 0
        if not self.interval:
            return ()
        # table 2: the request decides; where it leaves the choice, who did it until now, else we
        stated = _refresher(message.get("session-expires") or "") if capable else None
        role = stated[1].lower() if stated else "uac" if capable and stays_theirs else "uas"
        self.ours = role == "uas"
        value = ("Session-Expires", f"{self.interval};refresher={role}")
        return (value, ("Require", "timer")) if capable else (value,)

    def agreed(self, message: Message) -> None:
        """Take the peer's 2xx to a request of ours (RFC 4028 7.2)."""
        self._hear_allow(message)
        interval = message.number("session-expires")
        if interval is not None:
            self.interval = max(interval, _LEAST_OBEYED)
            stated = _refresher(message.get("session-expires") or "")
            self.ours = stated is None or stated[1].lower() == "uac"
        elif self.interval:
            # the peer no longer keeps the time: from now on we alone do, which it may ignore
            self.ours = True

    def _hear_allow(self, message: Message) -> None:
        allow = message.get("allow")
        if allow is not None:
            self.updates = "UPDATE" in allow

    def asking(self) -> Fields:
        """Header fields of a re-INVITE or UPDATE of ours (RFC 4028 7.4)."""
        if not self.interval:
            return ()
        role = "uac" if self.ours else "uas"
        interval = max(self.interval, self.min_se)
        value = ("Session-Expires", f"{interval};refresher={role}")
        return (value, ("Min-SE", str(self.min_se))) if self.min_se else (value,)

    def refused(self, message: Message) -> bool:
        """A 422 to a request of ours: whether to send it again with what it asks for (7.3)."""
        wanted = message.number("min-se")
        self.rounds += 1
        self.refusals += 1
        self.wanted = wanted or 0
        if wanted is None or not max(self.min_se, self.interval, LEAST) < wanted <= _MOST:
            return False
        self.min_se = wanted
        return self.rounds <= _MOST_ROUNDS


def terms(
    *, ttl: int, min_se: int, segment: int, early: float | None, probe: float, longest: float
) -> Terms:
    """Terms with the header fields they ask by; an interval under Min-SE is raised to it."""
    ttl = max(ttl, min_se)
    asking = (("Session-Expires", str(ttl)), ("Min-SE", str(min_se)))
    return Terms(
        ttl=ttl, min_se=min_se, segment=segment, early=early, probe=probe, longest=longest,
        asking=asking,
    )  # fmt: skip


def supports(message: Message) -> bool:
    """Whether its sender knows session timers."""
    for name in ("supported", "require"):
        if message.get(name) is not None:
            for tag in message.all(name):
                if tag.lower() == "timer":
                    return True
    return False


def too_small(message: Message, min_se: int) -> bool:
    """Whether to refuse a request with 422 and Min-SE (RFC 4028 9).

    Only a sender that knows session timers can do better.
    """
    asked = message.number("session-expires")
    return asked is not None and asked < min_se and supports(message)


def margin(interval: float, early: float | None) -> float:
    """Seconds before its end at which an unrefreshed session is given up (RFC 4028 10).

    Never more than a third of the interval: the peer refreshes in the middle of it.
    """
    return min(interval / 3, _EARLY if early is None else early)


def lengthened(lines: str, min_se: int) -> str | None:
    """Header lines of a request refused with 422, as they are sent again (RFC 4028 7.3).

    None where they asked for that much, or for no interval at all.
    """
    asked = _expires.search(lines)
    if asked is None or int(asked[1]) >= min_se:
        return None
    raised = f"{lines[: asked.start(1)]}{min_se}{lines[asked.end(1) :]}"
    return f"{_minimum.sub('', raised)}Min-SE: {min_se}\r\n"


def glare_delay(owner: bool, bits: int) -> float:
    """Seconds until a request refused with 491 is repeated, out of random `bits`.

    RFC 3261 14.1, in units of 10 ms: 2.1 to 4 s for the owner of the Call-ID, else 0 to 2 s.
    """
    return (210 + bits % 191 if owner else bits % 201) / 100
