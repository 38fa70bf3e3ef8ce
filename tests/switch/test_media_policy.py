# SPDX-License-Identifier: GPL-2.0-or-later
"""The media proxy's decision (MP-03..07, MP-12, D11, D12): the whole truth table."""

import itertools
from functools import partial

import pytest

from vosd.switch.media_policy import Decision, Network, behind_nat, decide, is_private, same_network

MODES = ("off", "on", "auto", "must_on")


@pytest.mark.parametrize("system", MODES)
@pytest.mark.parametrize("a_mode", [*MODES, None])
@pytest.mark.parametrize("b_mode", [*MODES, None])
def test_truth_table(system: str, a_mode: str | None, b_mode: str | None) -> None:
    """4 x 5 x 5 words by 8 network cases: 800 cells, each from the words of the rule."""
    said = {system, a_mode, b_mode}
    for nat_a, nat_b, same in itertools.product((False, True), repeat=3):
        decision = decide(system, a_mode, b_mode, partial(Network, nat_a, nat_b, same))
        if "must_on" in said:
            expected = (True, "must_on")
        elif "off" in said:
            expected = (False, "off")
        elif "on" in said:
            expected = (True, "on")
        else:
            expected = (nat_a or nat_b or not same, "auto")
        assert (decision.relay, decision.mode) == expected


@pytest.mark.parametrize(
    ("question", "why"),
    [
        (("must_on", "off", "off", False, False, True), "must_on set for the system"),
        (("off", None, "must_on", False, False, True), "must_on set for the gateway of leg b"),
        (("auto", "off", "on", True, True, False), "off set for the gateway of leg a"),
        (("on", None, None, False, False, True), "on set for the system"),
        (("auto", None, None, True, False, True), "auto: leg a is behind NAT"),
        (("auto", "auto", None, False, True, True), "auto: leg b is behind NAT"),
        (("auto", None, None, True, True, True), "auto: both legs are behind NAT"),
        (("auto", None, None, False, False, False), "auto: the legs are in different networks"),
        (("auto", None, None, False, False, True), "auto: same network and no NAT"),
    ],
)
def test_the_reason_is_said(question: tuple, why: str) -> None:
    system, a_mode, b_mode, *network = question
    assert decide(system, a_mode, b_mode, lambda: Network(*network)).why == why


def test_a_decision_whole() -> None:
    def unasked() -> Network:
        raise AssertionError("the network is asked although a word has decided")

    assert decide("auto", None, "on", unasked) == Decision(
        True, "on", "on set for the gateway of leg b"
    )


@pytest.mark.parametrize(
    ("host", "private"),
    [
        ("10.1.2.3", True),
        ("172.16.0.1", True),
        ("172.32.0.1", False),
        ("192.168.1.1", True),
        ("100.64.0.1", True),
        ("100.128.0.1", False),
        ("169.254.1.1", True),
        ("127.0.0.1", True),
        ("0.0.0.0", True),
        ("203.0.113.5", False),
        ("8.8.8.8", False),
        ("fd00::1", True),
        ("fe80::1", True),
        ("::1", True),
        ("2001:db8::1", False),
        ("[fd00::1]", True),
        ("::ffff:10.0.0.1", True),
        ("sip.example.com", False),
        ("", False),
    ],
)
def test_private(host: str, private: bool) -> None:
    assert is_private(host) is private


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("203.0.113.5", "198.51.100.7", True),
        ("203.0.113.5", "2001:db8::1", False),
        ("203.0.113.5", "10.0.0.1", False),
        ("10.1.0.1", "10.1.255.1", True),
        ("10.1.0.1", "10.2.0.1", False),
        ("192.168.1.1", "192.168.9.9", True),
        ("192.168.1.1", "10.0.0.1", False),
        ("127.0.0.1", "127.0.0.2", True),
        ("100.64.0.1", "100.64.0.2", False),
        ("100.64.0.1", "100.64.0.1", True),
        ("fd00:1:2:3::1", "fd00:1:2:9::1", True),
        ("fd00:1:2:3::1", "fd00:1:3:3::1", False),
        ("fe80::1", "fe80::2", False),
        ("0.0.0.0", "0.0.0.1", False),
        ("::ffff:203.0.113.5", "198.51.100.7", True),
        ("a.example", "a.example", False),
    ],
)
def test_same_network(one: str, other: str, same: bool) -> None:
    assert same_network(one, other) is same
    assert same_network(other, one) is same


@pytest.mark.parametrize(
    ("said", "seen", "nat"),
    [
        ("192.168.1.10", "203.0.113.5", True),
        ("192.168.1.10", "192.168.1.10", False),
        ("192.168.1.10", "192.168.1.1", False),
        ("192.168.1.10", "10.0.0.1", True),
        ("100.64.3.4", "100.64.9.9", True),
        ("203.0.113.5", "203.0.113.6", False),
        ("203.0.113.5", "10.0.0.1", False),
        ("pbx.example.com", "203.0.113.5", False),
    ],
)
def test_behind_nat(said: str, seen: str, nat: bool) -> None:
    assert behind_nat(said, seen) is nat


PRIVATE = """
10.0.0.0 10.255.255.255 172.16.0.0 172.31.255.255 192.168.0.1 100.64.0.0
100.127.255.255 169.254.1.1 fc00::1 fdff::1 fe80::1 febf::1 ::ffff:10.0.0.1
"""
PUBLIC = """
9.255.255.255 11.0.0.0 172.15.255.255 172.32.0.0 192.167.1.1 192.169.1.1
100.63.255.255 100.128.0.0 169.253.1.1 8.8.8.8 2001:db8::1 fec0::1 fbff::1 fe00::1 ::ffff:8.8.8.8
10.example 10.0.0
"""


@pytest.mark.parametrize("address", PRIVATE.split())
def test_edges_of_private_ranges(address: str) -> None:
    assert is_private(address)


@pytest.mark.parametrize("address", [*PUBLIC.split(), ""])
def test_just_outside_private_ranges(address: str) -> None:
    assert not is_private(address)
