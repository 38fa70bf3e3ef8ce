# SPDX-License-Identifier: GPL-2.0-or-later
"""One log record is one line, whatever a peer sent (reliability.md row 20)."""

from __future__ import annotations

import io
import json
import logging

import pytest

from vosd.journal import JsonFormat, TextFormat

ATTACK = "x\r\n<0>fake: line\x1b[2J\x00\u202etxt\x9b31m"


@pytest.mark.parametrize("form", [TextFormat(), JsonFormat()])
def test_control_characters_never_reach_the_log_raw(form: logging.Formatter) -> None:
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(form)
    logger = logging.Logger("vosd.test")
    logger.addHandler(handler)
    logger.warning("user=%s", ATTACK)
    text = stream.getvalue()
    assert text.count("\n") == 1
    assert not set(text[:-1]) & set("\r\n\x1b\x00\u202e\x9b")


def test_text_lines_carry_the_journal_priority_and_escape_what_they_quote() -> None:
    record = logging.LogRecord("vosd.sip", logging.WARNING, "", 0, "user=%s", ("a\nb",), None)
    assert TextFormat().format(record) == "<4>vosd.sip: user=a\\x0ab"


def test_json_lines_are_objects() -> None:
    record = logging.LogRecord("vosd", logging.INFO, "", 0, "ready", (), None)
    row = json.loads(JsonFormat().format(record))
    assert (row["level"], row["area"], row["message"]) == ("info", "vosd", "ready")
