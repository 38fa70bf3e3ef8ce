# SPDX-License-Identifier: GPL-2.0-or-later
"""The OpenAPI document: whole, closed in itself, and what the verb table says."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest

from tests.control.standin import Running
from tests.control.test_server import ask
from vosd.control.openapi import document
from vosd.wire.verbs import VERBS, Verb


def refs(node: Any) -> Iterator[str]:
    """Every $ref in a document."""
    if isinstance(node, dict):
        if "$ref" in node:
            yield node["$ref"]
        for value in node.values():
            yield from refs(value)
    elif isinstance(node, list):
        for value in node:
            yield from refs(value)


def test_head() -> None:
    head = document()
    assert set(head) == {"openapi", "info", "paths", "components"}
    assert head["openapi"] == "3.1.0"
    assert {"title", "version"} <= set(head["info"])


def test_every_reference_has_its_schema() -> None:
    schemas = document()["components"]["schemas"]
    named = set(refs(document()))
    assert named
    assert {name.removeprefix("#/components/schemas/") for name in named} <= set(schemas)


def test_operations_are_the_verbs() -> None:
    found = {
        operation["operationId"]: (method, path)
        for path, methods in document()["paths"].items()
        for method, operation in methods.items()
    }
    assert found == {verb.name: (verb.method.lower(), verb.path) for verb in VERBS.values()}


@pytest.mark.parametrize("verb", VERBS.values(), ids=lambda verb: verb.name)
def test_operation(verb: Verb) -> None:
    operation = document()["paths"][verb.path][verb.method.lower()]
    assert operation["summary"].endswith(".")
    assert operation["x-access"] == verb.access
    assert ("requestBody" in operation) == (verb.request is not None)
    parameters = operation.get("parameters", [])
    in_path = [p["name"] for p in parameters if p["in"] == "path"]
    assert in_path == re.findall(r"{(\w+)}", verb.path)
    assert all(p["required"] for p in parameters if p["in"] == "path")
    in_query = [p["name"] for p in parameters if p["in"] == "query"]
    assert in_query == list(verb.query.__struct_fields__ if verb.query else [])
    assert set(operation["responses"]) == {"200", "default"}
    media = "application/x-ndjson" if verb.stream else "application/json"
    assert set(operation["responses"]["200"]["content"]) == {media}


def test_a_get_has_no_body_and_a_read_changes_nothing() -> None:
    for verb in VERBS.values():
        if verb.method == "GET":
            assert verb.request is None
            # digest responses are for those who could set the passwords too
            assert verb.access == ("write" if verb.name == "trace.messages" else "read")
        else:
            assert verb.access == "write"


def test_it_is_served(running: Running) -> None:
    status, served = ask(running.path, "GET", "/v1/openapi.json")
    assert status == 200
    assert served == document()
