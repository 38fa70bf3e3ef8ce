# SPDX-License-Identifier: GPL-2.0-or-later
"""diagnose_gateway: what strikes again and again, and whose it is."""

from __future__ import annotations

import pytest

from tests.diagnose.scenarios import attempt, call, direct, failed, leg, of, quiet, rx, tx
from vosd.diagnose import diagnose_gateway
from vosd.wire.diagnosis import Finding
from vosd.wire.records import CallView


def numbered(*views: CallView) -> list[CallView]:
    for number, view in enumerate(views):
        view.id = f"c{number}"
    return list(views)


def lossy(percent: float) -> CallView:
    lost = round(30 * percent)
    return call(leg("a", received=rx(3000 - lost, expected=3000, lost=lost, loss_percent=percent)))


def clean(count: int) -> list[CallView]:
    return [call() for _ in range(count)]


def codes(name: str, views: list[CallView]) -> list[tuple[str, str]]:
    return [(row.code, row.severity) for row in diagnose_gateway(name, views).findings]


def test_no_calls() -> None:
    answer = diagnose_gateway("acme", [])
    assert (answer.severity, answer.verdict) == (
        "ok",
        "No recent call of gateway acme: nothing to judge.",
    )


def test_clean() -> None:
    answer = diagnose_gateway("carrier", numbered(*clean(4)))
    assert (answer.severity, answer.findings) == ("ok", [])
    assert answer.verdict == ("Gateway carrier: 4 calls, ASR 100 % (4 of 4); no fault found.")


def test_repeated_loss_whole() -> None:
    views = numbered(*clean(6), lossy(3.0), lossy(5.0))
    answer = diagnose_gateway("acme", views)
    assert answer.subject == "gateway acme"
    assert answer.verdict == (
        "Gateway acme: 8 calls, ASR 100 % (8 of 8); "
        "Packets from A (gateway acme) are lost before the switch."
    )
    assert answer.findings == [
        Finding(
            code="loss",
            title="Packets from A (gateway acme) are lost before the switch",
            severity="critical",
            confidence="certain",
            side="a",
            evidence=[
                "2 of 8 answered calls (25 %)",
                "worst: call c7: 150 of 3000 packets lost (5.00 %) from A (gateway acme) to the "
                "switch, by sequence numbers",
            ],
            cause="The path from A (gateway acme) drops packets: a full link or queue. "
            "B (gateway carrier) hears the gaps.",
            change="Have the network between acme and the switch honour the EF mark.",
            disproof="Other calls of acme at the same time lose nothing.",
            rows=["CC-04", "CC-07", "CC-12", "D16", "QOS-10", "MIS-03"],
        )
    ]


def test_the_other_partys_faults_are_not_this_gateways() -> None:
    assert codes("carrier", numbered(lossy(3.0), lossy(5.0))) == []


@pytest.mark.parametrize(
    ("bad", "good", "found"),
    [
        (1, 0, [("loss", "critical")]),
        # said, but it may be chance
        (1, 8, [("loss", "warning")]),
        (2, 8, [("loss", "critical")]),
        # under a fifth of the calls it is no emergency of the gateway
        (2, 18, [("loss", "warning")]),
        (2, 39, [("loss", "warning")]),
    ],
)
def test_one_bad_call_is_chance(bad: int, good: int, found: list[tuple[str, str]]) -> None:
    assert codes("acme", numbered(*(lossy(5.0) for _ in range(bad)), *clean(good))) == found


def test_what_failed_once_is_never_no_fault() -> None:
    """One of nine: said with how many calls, and that it may be chance; exit 5 by severity."""
    answer = diagnose_gateway("acme", numbered(*clean(8), lossy(5.0)))
    assert answer.severity == "warning"
    assert answer.verdict == (
        "Gateway acme: 9 calls, ASR 100 % (9 of 9); perhaps "
        "Packets from A (gateway acme) are lost before the switch."
    )
    (found,) = answer.findings
    assert found.confidence == "possible"
    assert found.evidence[0] == "1 of 9 answered calls (11 %)"
    assert found.evidence[-1] == "so few calls may be chance: look again after more of them"


def test_the_only_call_timed_out() -> None:
    lost = failed("invite_timeout", attempt("carrier", 408, "invite_timeout", 10_000.0))
    answer = diagnose_gateway("carrier", numbered(lost))
    assert answer.verdict == (
        "Gateway carrier: 1 call, ASR 0 % (0 of 1); perhaps carrier fails calls."
    )
    (found,) = answer.findings
    assert (found.code, found.severity, found.confidence) == (
        "vendor_failing", "warning", "possible",
    )  # fmt: skip
    assert found.evidence == [
        "1 of 1 attempts failed by its fault",
        "once: gateway did not answer the INVITE at all",
        "so few calls may be chance: look again after more of them",
    ]
    assert found.change == "Probe it: vosctl gateway probe carrier."


def test_unanswered_calls_are_named_where_nothing_is_the_gateways_fault() -> None:
    busy = failed("busy", attempt("carrier", 486, "busy"))
    lost = failed("invite_timeout", attempt("carrier", 408, "invite_timeout"))
    customer = diagnose_gateway("acme", numbered(*clean(7), busy, lost))
    assert customer.severity == "ok"
    assert customer.verdict == (
        "Gateway acme: 9 calls, ASR 78 % (7 of 9); not answered: callee is busy (1), gateway did "
        "not answer the INVITE at all (1); no fault of it found."
    )


def test_one_way_on_half_the_calls() -> None:
    bad = [call(None, leg("b", received=rx(0), sent=quiet())) for _ in range(3)]
    assert codes("carrier", numbered(*bad, *clean(3))) == [("one_way", "critical")]


def test_failed_attempts_count_even_when_the_next_vendor_saved_the_call() -> None:
    saved = [call(attempts=[attempt("cheap", 503, "congestion")]) for _ in range(4)]
    lost = [failed("invite_timeout", attempt("cheap", 408, "invite_timeout"), routing="cheap")]
    taken = [call(routing="cheap") for _ in range(5)]
    answer = diagnose_gateway("cheap", numbered(*saved, *lost, *taken))
    assert answer.verdict == ("Gateway cheap: 10 calls, ASR 50 % (5 of 10); cheap fails calls.")
    assert [(row.code, row.severity, row.evidence, row.change) for row in answer.findings] == [
        (
            "vendor_failing",
            "warning",
            [
                "5 of 10 attempts failed by its fault",
                "4 times: vendor has no free capacity",
                "once: gateway did not answer the INVITE at all",
            ],
            "Lower its capacity here to what it grants: vosctl gateway set cheap capacity=N.",
        )
    ]


def test_busy_callees_are_not_the_vendors_fault() -> None:
    """ITU-T E.425: busy and no answer count against nobody, only against the ASR."""
    busy = [failed("busy", attempt("carrier", 486, "busy")) for _ in range(18)]
    answer = diagnose_gateway("carrier", numbered(*busy, *clean(4)))
    assert [row.code for row in answer.findings] == ["callee_refused", "low_asr"]
    assert answer.severity == "info"
    assert answer.verdict.startswith("Gateway carrier: 22 calls, ASR 18 % (4 of 22)")


@pytest.mark.parametrize(
    ("seconds", "count", "found"),
    [(32.1, 3, True), (30.2, 3, True), (31.2, 3, False), (32.1, 2, False)],
)
def test_hang_ups_at_a_telling_second(seconds: float, count: int, found: bool) -> None:
    """D18: 32 s is the ACK, 30 s an RTP time-out of the far side."""
    cut = [call(duration_s=seconds, end_reason="callee_hangup") for _ in range(count)]
    assert (("same_length", "critical") in codes("carrier", numbered(*cut, *clean(5)))) is found


def test_direct_calls_are_named_when_most_are() -> None:
    assert codes("acme", numbered(*(direct() for _ in range(3)), call())) == [
        ("not_relayed", "info")
    ]
    assert codes("acme", numbered(direct(), call(), call(), call())) == []


def test_delay_to_a_vendor() -> None:
    far = [call(None, leg("b", sent=tx(rtt_ms=420.0))) for _ in range(3)]
    answer = diagnose_gateway("carrier", numbered(*far))
    assert [(row.code, row.change) for row in answer.findings] == [
        ("delay", "vosctl gateway set carrier priority=N (a higher N than a nearer vendor's)")
    ]
    assert diagnose_gateway("carrier", numbered(*far), "itu").profile == "itu"


def test_calls_of_others_are_left_out() -> None:
    assert diagnose_gateway("nobody", [of("clean")]).verdict.startswith("No recent call")
