# SPDX-License-Identifier: GPL-2.0-or-later
"""Many calls judged one by one by the same rules: which are bad, the worst first."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from vosd.diagnose.report import WEIGHT, diagnose_call
from vosd.wire.diagnosis import BadCall, Diagnosis
from vosd.wire.records import CallView


def worst_call(views: Iterable[CallView]) -> Diagnosis:
    """The gravest diagnosis among calls, of which there is one at least."""
    return max((diagnose_call(view) for view in views), key=_gravity)


def bad_calls(
    views: Iterable[CallView], judge: Callable[[CallView], Diagnosis] = diagnose_call
) -> list[BadCall]:
    """A row for each call with a fault: gravest first, then most faults, then newest."""
    judged = [(judge(view), view) for view in views]
    bad = [(row, view) for row, view in judged if row.severity in ("warning", "critical")]
    bad.sort(key=lambda pair: (*_gravity(pair[0]), pair[1].started_at), reverse=True)
    return [_row(row, view) for row, view in bad]


def _gravity(diagnosis: Diagnosis) -> tuple[int, int]:
    faults = sum(row.severity != "info" for row in diagnosis.findings)
    return WEIGHT[diagnosis.severity], faults


def _row(diagnosis: Diagnosis, view: CallView) -> BadCall:
    first = diagnosis.findings[0]
    return BadCall(
        id=view.id,
        live=view.state != "ended",
        caller=view.caller,
        callee=view.callee,
        mapping=view.mapping,
        routing=view.routing,
        started_at=view.started_at,
        severity=diagnosis.severity,
        code=first.code,
        side=first.side,
        verdict=diagnosis.verdict,
    )
