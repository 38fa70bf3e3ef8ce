# SPDX-License-Identifier: GPL-2.0-or-later
"""Request bodies and queries as the structs a verb names; everything else is refused by name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from vosd.control.handler import Refusal
from vosd.wire.verbs import Verb


def body_of(verb: Verb, data: bytes) -> msgspec.Struct | None:
    """The request struct; no body at all is one with every default. Raises Refusal."""
    if verb.request is None:
        if data.strip():
            raise Refusal("bad_request", f"cannot accept a body: {verb.name} takes none")
        return None
    try:
        raw = msgspec.json.decode(data) if data.strip() else {}
    except msgspec.DecodeError as error:
        raise Refusal("bad_request", f"cannot read the body as JSON: {error}") from None
    if not isinstance(raw, dict):
        raise Refusal("bad_request", f"cannot use the body: {verb.name} takes a JSON object")
    return _struct(verb, raw, verb.request, strict=True)


def query_of(verb: Verb, query: Mapping[str, str]) -> msgspec.Struct | None:
    """The query struct. Raises Refusal."""
    raw: dict[str, Any] = dict(query.items())
    if len(raw) != len(query):
        raise Refusal("bad_request", "cannot use the query: it names one field twice")
    if verb.query is None:
        if raw:
            raise Refusal("bad_request", f"cannot accept a query: {verb.name} takes none")
        return None
    return _struct(verb, raw, verb.query, strict=False)


def _struct(
    verb: Verb, raw: dict[str, Any], wanted: type[msgspec.Struct], *, strict: bool
) -> msgspec.Struct:
    fields = wanted.__struct_encode_fields__
    for name in raw:
        if name not in fields:
            raise Refusal(
                "bad_request",
                f"cannot accept field {name!r}: {verb.name} does not know it",
                value=name,
                accepts=", ".join(fields),
            )
    try:
        return msgspec.convert(raw, wanted, strict=strict)
    except msgspec.ValidationError as error:
        raise Refusal("bad_value", f"cannot accept the request: {error}") from None
