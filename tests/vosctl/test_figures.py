# SPDX-License-Identifier: GPL-2.0-or-later
"""Figures as text: unknown is never zero, bands are those of the diagnosis."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.vosctl.stub import Ran
from vosctl import figures
from vosd.diagnose import PROFILES

Vosctl = Callable[..., Ran]


def test_colours_follow_the_default_profile_of_diagnose() -> None:
    source = PROFILES["source"]
    assert (source.loss.warning, source.loss.critical) == figures.LOSS_PERCENT
    assert (source.jitter.warning, source.jitter.critical) == figures.JITTER_MS
    assert (source.rtt.warning, source.rtt.critical) == figures.RTT_MS


@pytest.mark.parametrize(
    ("value", "text", "style"),
    [(0.5, "0.5", ""), (0.51, "0.5", "warn"), (2.0, "2.0", "warn"), (2.01, "2.0", "bad")],
)
def test_graded(value: float, text: str, style: str) -> None:
    assert figures.graded(value, figures.LOSS_PERCENT) == (text, style)


def test_unknown_is_never_zero() -> None:
    assert figures.graded(None, figures.LOSS_PERCENT) == "-"
    assert figures.number(None) == "-"
    assert figures.moment(None) == "-"


@pytest.mark.parametrize(
    ("seconds", "shown"), [(0, "0:00"), (7.9, "0:07"), (100, "1:40"), (3600, "1:00:00")]
)
def test_clock(seconds: float, shown: str) -> None:
    assert figures.clock(seconds) == shown
