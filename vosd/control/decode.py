# SPDX-License-Identifier: GPL-2.0-or-later
"""Request bodies and queries as the structs a verb names; everything else is refused by name."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import msgspec
import msgspec.inspect

from vosd.control.handler import Refusal
from vosd.wire.verbs import Verb

#: msgspec names the place last: "... - at `$.numbers[3]`"
_PLACE = re.compile(r" - at `\$(.*)`$")
_STEP = re.compile(r"\.(\w+)|\[(\d+|\.\.\.)\]")
_WORDS: dict[type, str] = {
    msgspec.inspect.IntType: "a whole number", msgspec.inspect.FloatType: "a number",
    msgspec.inspect.StrType: "text", msgspec.inspect.BoolType: "true or false",
    msgspec.inspect.NoneType: "null",
}  # fmt: skip
LONGEST_SHOWN = 80
_MISSING = re.compile(r"missing required field `(\w+)`")


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
        raise _refusal(verb, raw, wanted, str(error)) from None


def _refusal(
    verb: Verb, raw: dict[str, Any], wanted: type[msgspec.Struct], said: str
) -> Refusal:
    """What msgspec said, as the value that is refused and what is accepted in its place."""
    if missing := _MISSING.search(said):
        name = missing[1]
        return Refusal("bad_value", f"cannot do {verb.name} without {name}: "
                       f"{_accepts(wanted, name)} is accepted", value=name)  # fmt: skip
    place = _PLACE.search(said)
    steps = _STEP.findall(place[1]) if place else []
    if not steps or not steps[0][0]:
        return Refusal("bad_value", f"cannot accept the request: {said}")
    name, value = steps[0][0], raw.get(steps[0][0])
    accepts = _accepts(wanted, name)
    shown = msgspec.json.encode(value).decode()
    shown = shown if len(shown) <= LONGEST_SHOWN else f"{shown[:LONGEST_SHOWN]}..."
    return Refusal("bad_value", f"cannot use {shown} as {name}: {accepts} is accepted",
                   value=shown, accepts=accepts)  # fmt: skip


def _accepts(wanted: type[msgspec.Struct], name: str) -> str:
    field = next(f for f in msgspec.structs.fields(wanted) if f.encode_name == name)
    return _in_words(msgspec.inspect.type_info(field.type))


def _in_words(kind: Any) -> str:
    """A type as people say it; a struct by its name in the OpenAPI document."""
    match kind:
        case msgspec.inspect.LiteralType():
            return " or ".join(map(str, kind.values))
        case msgspec.inspect.UnionType():
            return " or ".join(map(_in_words, kind.types))
        case msgspec.inspect.ListType():
            return f"a list of {_in_words(kind.item_type)}"
        case msgspec.inspect.DictType():
            return f"an object whose values are {_in_words(kind.value_type)}"
        case msgspec.inspect.StructType():
            return kind.cls.__name__
    return _WORDS.get(type(kind), type(kind).__name__)
