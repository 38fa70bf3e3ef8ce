# SPDX-License-Identifier: GPL-2.0-or-later
"""What is asked and answered about parameters, beyond the records every program shares."""

from __future__ import annotations

from typing import Literal

import msgspec

from vosd.wire.records import VERSION, ParamView


class ParamQuery(msgspec.Struct, kw_only=True):
    #: part of a name, or a glob
    pattern: str | None = None
    group: str | None = None
    #: only what differs from its default
    changed: bool = False
    #: only what this gateway has a value of its own for, and no other gateway's values
    gateway: str | None = None


class ParamDetail(msgspec.Struct, kw_only=True):
    version: int = VERSION
    parameter: ParamView


class HistoryQuery(msgspec.Struct, kw_only=True):
    name: str | None = None
    limit: int = 50


class LintRow(msgspec.Struct, kw_only=True):
    """A known mistake found here; a note is what only the operator can verify."""

    code: str
    severity: Literal["warning", "note"]
    sentence: str
    evidence: list[str] = []
    change: str = ""


class LintReport(msgspec.Struct, kw_only=True):
    version: int = VERSION
    findings: list[LintRow] = []
    #: codes of every row that looked
    checked: list[str] = []


class PresetView(msgspec.Struct, kw_only=True):
    #: unique alone; `group/name` is taken too
    name: str
    group: str
    summary: str
    values: dict[str, str]
    #: what is in force now, by parameter
    current: dict[str, str] = {}
    #: every value is in force
    in_force: bool = False
    #: every parameter of it may differ by gateway
    overridable: bool = False
    rows: list[str] = []


class PresetList(msgspec.Struct, kw_only=True):
    version: int = VERSION
    presets: list[PresetView] = []


class PresetDetail(msgspec.Struct, kw_only=True):
    version: int = VERSION
    preset: PresetView


class PresetApply(msgspec.Struct, kw_only=True):
    gateway: str | None = None
    why: str = ""
    dry_run: bool = False
