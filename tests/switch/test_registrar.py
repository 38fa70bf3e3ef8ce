# SPDX-License-Identifier: GPL-2.0-or-later
"""REGISTER by RFC 3261 10.3, row by row."""

import msgspec
import pytest

from vosd.sip.parse import parse
from vosd.switch.registrar import Contact, Limits, Outcome, Register, decide, register, same_place
from vosd.switch.tables import Binding

NOW = 1000.0
LIMITS = Limits(longest=3600, shortest=60, contacts=3)
PHONE = Contact("sip:100@10.0.0.5:5062", "10.0.0.5", 5062)
OTHER = Contact("sip:100@10.0.0.6", "10.0.0.6")


def ask(*contacts: Contact, **more: object) -> Register:
    fields = {"number": "100", "contacts": contacts, "call_id": "c1", "cseq": 5,
              "host": "198.51.100.7", "port": 31000, "user_agent": "ua"} | more  # fmt: skip
    return Register(**fields)


def bound(contact: Contact, *, until: float = NOW + 600, call_id: str = "c1", cseq: int = 4):
    return Binding(number="100", contact=contact.uri, host="198.51.100.7", port=31000,
                   expires=until, registered=NOW - 60, call_id=call_id, cseq=cseq)  # fmt: skip


def shown(*values: str) -> tuple[tuple[str, str], ...]:
    return tuple(("Contact", value) for value in values)


def with_expires(contact: Contact, text: str) -> Contact:
    return msgspec.structs.replace(contact, expires=text)


def test_a_first_registration_whole() -> None:
    """SS_ENDPOINT_EXPIRE is the default; the packet's source is kept beside the Contact."""
    assert decide(ask(PHONE, local=2), [], NOW, LIMITS) == Outcome(
        code=200,
        put=(
            Binding(number="100", contact="sip:100@10.0.0.5:5062", host="198.51.100.7",
                    port=31000, transport="udp", local=2, expires=4600.0, registered=1000.0,
                    call_id="c1", cseq=5, user_agent="ua", nat=True),
        ),
        headers=shown("<sip:100@10.0.0.5:5062>;expires=3600"),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("header", "param", "seconds"),
    [
        (None, None, 3600),
        ("600", None, 600),
        ("600", "120", 120),
        (None, "120", 120),
        ("7200", None, 3600),
        (None, "99999999999999999999", 3600),
        ("60", None, 60),
        # 20.10: a malformed value counts as the default
        ("soon", None, 3600),
        ("600", "-1", 3600),
        ("", None, 3600),
    ],
)
def test_expiry(header: str | None, param: str | None, seconds: int) -> None:
    contact = msgspec.structs.replace(PHONE, expires=param)
    outcome = decide(ask(contact, expires=header), [], NOW, LIMITS)
    assert outcome.put[0].expires == NOW + seconds
    assert outcome.headers == shown(f"<{PHONE.uri}>;expires={seconds}")


@pytest.mark.parametrize(("text", "code"), [("1", 423), ("59", 423), ("60", 200), ("0", 200)])
def test_interval_too_brief(text: str, code: int) -> None:
    outcome = decide(ask(PHONE, expires=text), [], NOW, LIMITS)
    assert outcome.code == code
    assert (("Min-Expires", "60") in outcome.headers) is (code == 423)
    few = Limits(longest=70, shortest=300)
    assert decide(ask(PHONE, expires="69"), [], NOW, few).headers == (("Min-Expires", "70"),)


def test_a_ceiling_under_the_floor_is_no_trap() -> None:
    """SS_ENDPOINT_EXPIRE=30 must not refuse what it would grant."""
    outcome = decide(ask(PHONE, expires="30"), [], NOW, Limits(longest=30, shortest=60))
    assert (outcome.code, outcome.put[0].expires) == (200, NOW + 30)


def test_a_query_changes_nothing_and_lists_everything() -> None:
    held = [bound(PHONE, until=NOW + 10.2), bound(OTHER)]
    assert decide(ask(), held, NOW, LIMITS) == Outcome(
        code=200,
        headers=shown(f"<{PHONE.uri}>;expires=11", f"<{OTHER.uri}>;expires=600"),
    )


def test_a_refresh_replaces() -> None:
    outcome = decide(ask(PHONE), [bound(PHONE), bound(OTHER)], NOW, LIMITS)
    assert [row.contact for row in outcome.put] == [PHONE.uri]
    assert outcome.removed == ()
    assert outcome.headers == shown(f"<{PHONE.uri}>;expires=3600", f"<{OTHER.uri}>;expires=600")


def test_a_refresh_written_otherwise_replaces_the_same_binding() -> None:
    again = Contact("SIP:100@10.0.0.5:5062;ob", "10.0.0.5", 5062)
    old = bound(PHONE)
    outcome = decide(ask(again), [old], NOW, LIMITS)
    assert [row.contact for row in outcome.put] == [again.uri]
    assert outcome.removed == (old,)
    assert outcome.headers == shown(f"<{again.uri}>;expires=3600")


def test_removal_of_one() -> None:
    held = [bound(PHONE), bound(OTHER)]
    outcome = decide(ask(with_expires(PHONE, "0")), held, NOW, LIMITS)
    assert outcome == Outcome(
        code=200, removed=(held[0],), headers=shown(f"<{OTHER.uri}>;expires=600")
    )


def test_removal_of_what_is_not_there() -> None:
    assert decide(ask(PHONE, expires="0"), [], NOW, LIMITS) == Outcome(code=200)


def test_several_contacts_at_once() -> None:
    outcome = decide(ask(PHONE, with_expires(OTHER, "120")), [], NOW, LIMITS)
    assert [(row.contact, row.expires) for row in outcome.put] == [
        (PHONE.uri, 4600.0),
        (OTHER.uri, 1120.0),
    ]


def test_star_removes_all() -> None:
    held = [bound(PHONE), bound(OTHER, call_id="c2", cseq=99)]
    outcome = decide(ask(star=True, expires="0"), held, NOW, LIMITS)
    assert outcome == Outcome(code=200, removed=tuple(held))


@pytest.mark.parametrize(
    "request_",
    [
        ask(star=True),
        ask(star=True, expires="60"),
        ask(star=True, expires="zero"),
        ask(PHONE, star=True, expires="0"),
    ],
)
def test_star_wrongly_used(request_: Register) -> None:
    outcome = decide(request_, [bound(PHONE)], NOW, LIMITS)
    assert (outcome.code, outcome.put, outcome.removed) == (400, (), ())


@pytest.mark.parametrize(
    ("call_id", "cseq", "code"),
    [("c1", 5, 500), ("c1", 6, 500), ("c1", 4, 200), ("c2", 6, 200)],
)
@pytest.mark.parametrize("star", [False, True])
def test_order_within_a_call_id(call_id: str, cseq: int, code: int, star: bool) -> None:
    held = [bound(PHONE, call_id=call_id, cseq=cseq)]
    request = ask(star=True, expires="0") if star else ask(PHONE)
    outcome = decide(request, held, NOW, LIMITS)
    assert outcome.code == code
    if code == 500:
        assert outcome == Outcome(code=500, reason="Out of Order CSeq")


def test_all_or_nothing() -> None:
    """A late second contact leaves the first one alone too."""
    held = [bound(OTHER, cseq=9)]
    assert decide(ask(PHONE, OTHER), held, NOW, LIMITS).put == ()


def test_late_cseq_of_a_binding_that_ran_out_is_no_obstacle() -> None:
    held = [bound(PHONE, until=NOW, cseq=9)]
    outcome = decide(ask(PHONE), held, NOW, LIMITS)
    assert outcome.code == 200
    assert outcome.removed == (held[0],)
    assert len(outcome.put) == 1


def test_one_contact_too_many_takes_the_place_of_the_oldest() -> None:
    """SS_ENDPOINT_CONTACTS; each is a second older than the one before."""
    held = [
        msgspec.structs.replace(
            bound(Contact(f"sip:100@10.0.0.{n}", f"10.0.0.{n}")), registered=NOW - n
        )
        for n in (8, 9, 7)
    ]
    outcome = decide(ask(PHONE), held, NOW, LIMITS)
    assert (outcome.code, outcome.removed) == (200, (held[1],))
    assert len(outcome.headers) == 3
    again = Contact("sip:100@10.0.0.9", "10.0.0.9")
    assert decide(ask(again), held, NOW, LIMITS).removed == ()
    assert decide(ask(), held, NOW, LIMITS).removed == ()


def test_with_one_contact_each_registration_puts_the_one_before_out() -> None:
    held = [bound(OTHER, call_id="c2")]
    outcome = decide(ask(PHONE), held, NOW, Limits(contacts=1))
    assert outcome.removed == (held[0],)
    assert outcome.headers == shown(f"<{PHONE.uri}>;expires=3600")
    assert decide(ask(PHONE, OTHER), [], NOW, Limits(contacts=1)).code == 403


@pytest.mark.parametrize(
    ("contact", "host", "port", "transport", "nat"),
    [
        (Contact("sip:100@10.0.0.5:5062", "10.0.0.5", 5062), "10.0.0.5", 5062, "udp", False),
        (Contact("sip:100@10.0.0.5", "10.0.0.5"), "10.0.0.5", 5060, "udp", False),
        (Contact("sip:100@10.0.0.5", "10.0.0.5"), "10.0.0.5", 5061, "udp", True),
        (Contact("sip:100@10.0.0.5", "10.0.0.5"), "198.51.100.7", 5060, "udp", True),
        (Contact("sip:100@10.0.0.5", "10.0.0.5"), "10.0.0.5", 40000, "tcp", False),
        (Contact("sip:100@[2001:DB8::1]", "2001:DB8:0::1"), "2001:db8::1", 5060, "udp", False),
        (Contact("sip:100@phone.lan", "phone.lan"), "10.0.0.5", 5060, "udp", True),
    ],
)
def test_nat_flag(contact: Contact, host: str, port: int, transport: str, nat: bool) -> None:
    request = ask(contact, host=host, port=port, transport=transport)
    assert decide(request, [], NOW, LIMITS).put[0].nat is nat


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("sip:a@h", "SIP:a@H", True),
        ("sip:a@h", "sip:A@h", False),
        ("sip:a@h", "sip:a@h:5060", False),
        ("sip:a@h;ob;line=1", "sip:a@h", True),
        ("sip:a@h;transport=TCP", "sip:a@h;transport=tcp", True),
        ("sip:a@h;transport=tcp", "sip:a@h", False),
        ("sip:a@h?x=y", "sip:a@h", True),
        ("sips:a@h", "sip:a@h", False),
        ("sip:h", "sip:a@h", False),
    ],
)
def test_same_place(one: str, other: str, same: bool) -> None:
    assert (same_place(one) == same_place(other)) is same


@pytest.mark.parametrize(
    ("fields", "code", "put"),
    [
        ("Contact: <sip:100@10.0.0.5:5062>;expires=90, <sip:100@[fd00::1]>", 200, [90, 1800]),
        ("Contact: *", 400, []),
        ("User-Agent: x", 200, []),
    ],
)
def test_read_from_a_message(fields: str, code: int, put: list[int]) -> None:
    """The door the engine uses: bytes parsed by vosd.sip, default expiry from the parameter."""
    text = (
        "REGISTER sip:vos.example SIP/2.0\r\nVia: SIP/2.0/UDP 10.0.0.5:5062;branch=z9hG4bK1\r\n"
        "From: <sip:100@vos.example>;tag=1\r\nTo: <sip:100@vos.example>\r\nCall-ID: c1\r\n"
        f"CSeq: 5 REGISTER\r\n{fields}\r\nContent-Length: 0\r\n\r\n"
    )
    outcome = register(
        number="100",
        existing=[],
        message=parse(text.encode()),
        source=("198.51.100.7", 31000),
        local=1,
        now=NOW,
        limits=Limits(longest=1800),
    )
    assert outcome.code == code
    assert [row.expires - NOW for row in outcome.put] == put
    assert {(row.host, row.port, row.local, row.call_id) for row in outcome.put} <= {
        ("198.51.100.7", 31000, 1, "c1")
    }
