# SPDX-License-Identifier: GPL-2.0-or-later
"""The OpenAPI 3.1 document of the control API, produced from the verb table."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

import msgspec

from vosd.wire.records import VERSION, Failure
from vosd.wire.verbs import VERBS, Verb

_SEGMENT = re.compile(r"{(\w+)}")


@cache
def document() -> dict[str, Any]:
    """The whole document; callers do not change it."""
    structs = {
        struct
        for verb in VERBS.values()
        for struct in (verb.request, verb.query, verb.reply)
        if struct is not None
    }
    ordered = sorted(structs | {Failure}, key=lambda struct: struct.__name__)
    schemas, components = msgspec.json.schema_components(
        ordered, ref_template="#/components/schemas/{name}"
    )
    refs = dict(zip(ordered, schemas, strict=True))
    paths: dict[str, Any] = {}
    for verb in VERBS.values():
        paths.setdefault(verb.path, {})[verb.method.lower()] = _operation(verb, refs, components)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "vosd control API",
            "version": str(VERSION),
            "description": "HTTP/1.1 with JSON on the control socket: "
            "curl --unix-socket /run/vosd/control.sock http://vosd/v1/status",
        },
        "paths": paths,
        "components": {"schemas": components},
    }


def _operation(verb: Verb, refs: dict[type[msgspec.Struct], Any], components: Any) -> Any:
    media = "application/x-ndjson" if verb.stream else "application/json"
    operation: dict[str, Any] = {
        "operationId": verb.name,
        "summary": verb.summary,
        "tags": [verb.name.partition(".")[0]],
        "x-access": verb.access,
        "responses": {
            "200": {
                "description": "Done; one object a line." if verb.stream else "Done.",
                "content": {media: {"schema": refs[verb.reply]}},
            },
            "default": {
                "description": "Refused or failed.",
                "content": {"application/json": {"schema": refs[Failure]}},
            },
        },
    }
    parameters = [*_segments(verb), *_fields(verb, components)]
    if parameters:
        operation["parameters"] = parameters
    if verb.request is not None:
        operation["requestBody"] = {
            "required": bool(components[verb.request.__name__].get("required")),
            "content": {"application/json": {"schema": refs[verb.request]}},
        }
    return operation


def _segments(verb: Verb) -> list[dict[str, Any]]:
    return [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
        for name in _SEGMENT.findall(verb.path)
    ]


def _fields(verb: Verb, components: Any) -> list[dict[str, Any]]:
    if verb.query is None:
        return []
    schema = components[verb.query.__name__]
    return [
        {
            "name": name,
            "in": "query",
            "required": name in schema.get("required", ()),
            "schema": field,
        }
        for name, field in schema["properties"].items()
    ]
