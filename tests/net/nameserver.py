# SPDX-License-Identifier: GPL-2.0-or-later
"""A DNS server of a few lines on loopback: answers from a zone of texts, counts questions."""

from __future__ import annotations

import asyncio
from collections import Counter

import dns.asyncresolver
import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset


class NameServer(asyncio.DatagramProtocol):
    """`zone` maps (name, type) to (ttl, record texts). A name without records does not exist."""

    def __init__(self, zone: dict[tuple[str, str], tuple[int, list[str]]]) -> None:
        self.zone = zone
        self.asked: Counter[tuple[str, str]] = Counter()
        #: answer with SERVFAIL
        self.failing = False
        self._transport: asyncio.DatagramTransport

    async def start(self) -> dns.asyncresolver.Resolver:
        """Serve, and give a resolver that asks here."""
        loop = asyncio.get_running_loop()
        self._transport, _ = await loop.create_datagram_endpoint(
            lambda: self, local_addr=("127.0.0.1", 0)
        )
        resolver = dns.asyncresolver.Resolver(configure=False)
        resolver.nameservers = ["127.0.0.1"]
        resolver.port = self._transport.get_extra_info("sockname")[1]
        return resolver

    def stop(self) -> None:
        self._transport.close()

    def datagram_received(self, data: bytes, source: tuple[str, int]) -> None:  # type: ignore[override]
        query = dns.message.from_wire(data)
        question = query.question[0]
        name = str(question.name).rstrip(".")
        kind = dns.rdatatype.to_text(question.rdtype)
        self.asked[name, kind] += 1
        answer = dns.message.make_response(query)
        answer.flags |= dns.flags.RA
        if self.failing:
            answer.set_rcode(dns.rcode.SERVFAIL)
        elif (name, kind) in self.zone:
            ttl, texts = self.zone[name, kind]
            answer.answer.append(dns.rrset.from_text(question.name, ttl, "IN", kind, *texts))
        elif not any(known == name for known, _ in self.zone):
            answer.set_rcode(dns.rcode.NXDOMAIN)
        self._transport.sendto(answer.to_wire(), source)
