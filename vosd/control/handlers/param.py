# SPDX-License-Identifier: GPL-2.0-or-later
"""Parameters: read, change, presets, history, lint.

Changes run one at a time under the node's lock: checked, stored with their audit rows, then put
in force; when a group refuses its new values the store is put back.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path as File
from typing import TYPE_CHECKING, Any

import msgspec

from vosd import catalog
from vosd.catalog import BadValue, UnknownName, lint, presets
from vosd.control.access import Peer
from vosd.control.gateways import find_gateway
from vosd.control.handler import Handler, Path, Refusal, stored
from vosd.engine.settings import ApplyFailed, Row, Staged
from vosd.store.audit import AuditEntry
from vosd.store.cdr import CdrFilter
from vosd.store.params import ParameterChange
from vosd.wire import params, records

if TYPE_CHECKING:
    from vosd.engine.node import Node

EPHEMERAL = File("/proc/sys/net/ipv4/ip_local_port_range")
RESERVED = File("/proc/sys/net/ipv4/ip_local_reserved_ports")
#: how far back lint reads
AUDIT_ROWS = 500
#: most rows history reads or answers
HISTORY_ROWS = 10_000
REFUSED_WINDOW_S = 86400.0
REFUSED_ROWS = 1000
#: the called side takes none of the offered codecs (RFC 3261 21.4.26, 21.6.4)
NO_CODEC = (488, 606)


async def list_(
    node: Node, peer: Peer, request: None, path: Path, query: params.ParamQuery
) -> records.ParamList:
    if query.group is not None and query.group not in catalog.GROUPS:
        known = " ".join(catalog.GROUPS)
        raise Refusal("bad_value", f"cannot find a group {query.group!r}: {known} are there",
                      value=query.group, accepts=known)
    found = node.settings.views(query.pattern, query.group, query.changed)
    if query.gateway is None:
        return records.ParamList(parameters=found)
    name = find_gateway(node.configuration, query.gateway).name
    return records.ParamList(parameters=[
        msgspec.structs.replace(view, overrides={name: view.overrides[name]})
        for view in found if name in view.overrides
    ])  # fmt: skip


async def show(
    node: Node, peer: Peer, request: None, path: Path, query: None
) -> params.ParamDetail:
    try:
        return params.ParamDetail(parameter=node.settings.view(path["name"]))
    except UnknownName as error:
        raise _unknown(error) from None


async def set_(
    node: Node, peer: Peer, request: records.ParamSet, path: Path, query: None
) -> records.ParamChanged:
    if request.preset is not None:
        raise Refusal("bad_request", "cannot set values in a preset's name: apply the preset")
    if not request.values:
        raise Refusal("bad_request", "cannot set nothing: values holds no parameter")
    return await _change(node, peer, request, "param.set")


async def history(
    node: Node, peer: Peer, request: None, path: Path, query: params.HistoryQuery
) -> records.AuditList:
    if not 1 <= query.limit <= HISTORY_ROWS:
        raise Refusal("bad_value", f"cannot show {query.limit} rows: 1 to {HISTORY_ROWS} would be"
                      " accepted", value=str(query.limit))  # fmt: skip
    try:
        name = catalog.find(query.name).name if query.name is not None else None
    except UnknownName as error:
        raise _unknown(error) from None
    # overrides are kept as NAME@GATEWAY, so the name is looked for here
    wanted = query.limit if name is None else HISTORY_ROWS
    rows = await asyncio.to_thread(node.store.audit, wanted, "param.")
    if name is not None:
        rows = [row for row in rows if row.subject.partition("@")[0] == name]
    return records.AuditList(rows=rows[: query.limit])


async def lint_(
    node: Node, peer: Peer, request: None, path: Path, query: None
) -> params.LintReport:
    found = lint.lint(await _facts(node, node.settings.snapshot.values(), time.time()))
    rows = [
        params.LintRow(code=row.code, severity=row.severity, sentence=row.sentence,
                       evidence=row.evidence, change=row.change)
        for row in found
    ]  # fmt: skip
    return params.LintReport(findings=rows, checked=list(lint.ROWS))


async def preset_list(
    node: Node, peer: Peer, request: None, path: Path, query: None
) -> params.PresetList:
    return params.PresetList(presets=[_preset(node, row) for row in presets.PRESETS.values()])


async def preset_show(
    node: Node, peer: Peer, request: None, path: Path, query: None
) -> params.PresetDetail:
    return params.PresetDetail(preset=_preset(node, _find_preset(path["name"])))


async def preset_apply(
    node: Node, peer: Peer, request: params.PresetApply, path: Path, query: None
) -> records.ParamChanged:
    preset = _find_preset(path["name"])
    change = records.ParamSet(
        values=dict(preset.values), gateway=request.gateway, why=request.why,
        dry_run=request.dry_run, preset=preset.path,
    )  # fmt: skip
    return await _change(node, peer, change, "param.preset.apply")


HANDLERS: dict[str, Handler] = {
    "param.list": list_, "param.show": show, "param.set": set_, "param.history": history,
    "param.lint": lint_, "param.preset.list": preset_list, "param.preset.show": preset_show,
    "param.preset.apply": preset_apply,
}  # fmt: skip


async def _change(
    node: Node, peer: Peer, change: records.ParamSet, verb: str
) -> records.ParamChanged:
    async with node.lock:
        if change.gateway is not None:
            find_gateway(node.configuration, change.gateway)
        staged = _stage(node, change)
        now = time.time()
        warnings = [*staged.warnings, *await _further_warnings(node, staged, verb, now)]
        if not change.dry_run and staged.rows:
            await _keep(node, staged, _audits(peer, staged, verb, change.why, now))
        return records.ParamChanged(
            changes=staged.changes, warnings=warnings, dry_run=change.dry_run)


def _stage(node: Node, change: records.ParamSet) -> Staged:
    try:
        return node.settings.stage(change)
    except UnknownName as error:
        raise _unknown(error) from None
    except BadValue as error:
        raise Refusal("bad_value", str(error), value=error.value, accepts=error.accepts) from None


async def _keep(node: Node, staged: Staged, audits: Sequence[AuditEntry]) -> None:
    """Store, then put in force; what cannot be put in force is taken back, audited as well."""
    await stored(node.store.set_parameters(_store_rows(staged.rows), audits))
    try:
        node.settings.commit(staged)
    except ApplyFailed as error:
        back = [msgspec.structs.replace(row, old=row.new, new=row.old, why=str(error))
                for row in audits]
        await stored(node.store.set_parameters(_store_rows(staged.undo), back))
        raise Refusal("conflict", str(error)) from error
    if staged.gateway is not None:
        node.configuration.reload()


def _store_rows(rows: Sequence[Row]) -> list[ParameterChange]:
    return [ParameterChange(name=row.name, gateway=row.gateway, value=row.value,
                            source=row.source) for row in rows]


def _audits(
    peer: Peer, staged: Staged, verb: str, why: str, now: float
) -> list[AuditEntry]:
    return [
        AuditEntry(at=now, uid=peer.uid, user=peer.user, verb=verb,
                   subject=_subject(row),
                   old=row.old, new=row.new, why=why)
        for row in staged.changes
    ]  # fmt: skip


def _subject(row: records.ParamChange) -> str:
    return row.name if row.gateway is None else f"{row.name}@{row.gateway}"


async def _further_warnings(node: Node, staged: Staged, verb: str, now: float) -> list[str]:
    """What needs more than values: ports of this system, audible changes a short while ago."""
    if not staged.rows:
        return []
    names = {row.name for row in staged.rows}
    values = {_subject(row): (row.old, row.new) for row in staged.changes}
    act = lint.Change(at=now, values=values, preset=verb == "param.preset.apply")
    changes, measured = _acts(await asyncio.to_thread(node.store.audit, AUDIT_ROWS))
    facts = lint.Facts(
        values=staged.snapshot.values(), now=now, changes=[*changes, act], measured=measured,
        ephemeral=ephemeral(), reserved=reserved(), overrides=_overrides(node, staged),
    )  # fmt: skip
    found = [*lint.ports_ephemeral(facts), *lint.changed_at_once(facts),
             *lint.override_outranked(facts)]
    audible = any(lint.audible(name) for name in names)
    return [
        f"{row.code}: {row.sentence}; it would have with: {row.change}" if row.code == "D12"
        else f"{row.code}: {row.sentence}" for row in found
        if names & set(row.names) and (row.code != "MIS-05" or audible)
    ]


def _overrides(node: Node, staged: Staged | None = None) -> dict[str, dict[str, str]]:
    """Values of gateways of their own; of a staged change as it will leave them, and where it
    is for one gateway, of that one."""
    names = node.configuration.gateways if staged is None or staged.gateway is None else (
        staged.gateway,)
    found = {name: node.settings.overrides(name) for name in names}
    if staged is not None and staged.gateway is not None:
        found[staged.gateway] |= {row.name: row.value or "" for row in staged.rows}
    return {name: {key: text for key, text in own.items() if text} for name, own in found.items()}


async def _facts(node: Node, values: Mapping[str, Any], now: float) -> lint.Facts:
    """Everything lint may look at; what lies on disk is read beside the loop."""
    changes, measured = _acts(await asyncio.to_thread(node.store.audit, AUDIT_ROWS))
    since = CdrFilter(since=now - REFUSED_WINDOW_S)
    calls = await asyncio.to_thread(node.store.cdr.list, since, limit=REFUSED_ROWS)
    return lint.Facts(
        values=values, now=now, entries=_entries(node, now), paths=_paths(calls),
        changes=changes, measured=measured, ephemeral=ephemeral(), reserved=reserved(),
        overrides=_overrides(node),
    )  # fmt: skip


def _acts(rows: Sequence[records.AuditRow]) -> tuple[list[lint.Change], list[float]]:
    """Audit rows of one request share their moment: together they are one act."""
    acts: dict[tuple[float, str], dict[str, tuple[str, str]]] = {}
    for row in rows:
        if row.verb.startswith("param."):
            acts.setdefault((row.at, row.verb), {})[row.subject] = (row.old, row.new)
    changes = [
        lint.Change(at=at, values=values, preset=verb == "param.preset.apply")
        for (at, verb), values in acts.items()
    ]
    return changes, [row.at for row in rows if row.verb == "baseline.save"]


def _entries(node: Node, now: float) -> list[lint.Entry]:
    screened = any(
        row.side != "caller" and (row.expires is None or row.expires > now)
        for row in node.configuration.blacklist
    )
    gateways = [
        lint.Entry(kind="gateway", name=row.name, callees_screened=screened)
        for row in node.configuration.gateways.values() if row.kind == "mapping" and row.enabled
    ]
    phones = [
        lint.Entry(kind="phone", name=row.number, callees_screened=screened)
        for row in node.configuration.phones.values() if row.enabled
    ]
    return [*gateways, *phones]


def _paths(calls: Sequence[records.Cdr]) -> list[lint.CodecPath]:
    """Pairs of parties whose calls the called side refused for their codecs."""
    refused = Counter(
        (record.mapping or record.caller, record.routing)
        for record in calls if record.sip_code in NO_CODEC and record.routing
    )
    return [lint.CodecPath(mapping=mapping, routing=routing, refused=count)
            for (mapping, routing), count in refused.items()]


def _preset(node: Node, preset: presets.Preset) -> params.PresetView:
    snapshot = node.settings.snapshot
    shown = {name: presets.shown(name, text) for name, text in preset.values.items()}
    current = {name: catalog.ALL[name].kind.show(snapshot.get(name)) for name in preset.values}
    return params.PresetView(
        name=preset.name, group=preset.group, summary=preset.summary, values=shown,
        current=current, in_force=shown == current, rows=list(preset.rows),
        overridable=all(catalog.ALL[name].overridable for name in preset.values),
    )  # fmt: skip


def _find_preset(name: str) -> presets.Preset:
    try:
        return presets.find(name)
    except presets.UnknownPreset as error:
        raise Refusal("bad_value", str(error), value=name,
                      accepts=" ".join(presets.PRESETS)) from None


def _unknown(error: UnknownName) -> Refusal:
    return Refusal("bad_value", str(error), value=error.name, accepts=" or ".join(error.close))


def ephemeral(file: File = EPHEMERAL) -> tuple[int, int] | None:
    """The system's ephemeral ports, None where it does not say."""
    found = re.findall(r"[0-9]+", _text(file))
    return (int(found[0]), int(found[1])) if len(found) == 2 else None


def reserved(file: File = RESERVED) -> list[tuple[int, int]]:
    """Port ranges the system does not hand out: "8080,10000-60000"."""
    ranges = re.findall(r"([0-9]+)(?:-([0-9]+))?", _text(file))
    return [(int(first), int(last or first)) for first, last in ranges]


def _text(file: File) -> str:
    try:
        return file.read_text()
    except OSError:
        return ""
