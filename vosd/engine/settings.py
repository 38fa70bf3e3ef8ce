# SPDX-License-Identifier: GPL-2.0-or-later
"""Parameter values: one owner, one frozen snapshot, and changes that are whole or nothing.

A change goes through three doors. `stage` checks every value, alone and together, and builds the
next snapshot beside the present one. The caller stores it. `commit` tells each group that was
touched, once, and swaps; when a group cannot follow, those already told are told the old values
and nothing has changed. Readers hold a snapshot and never see half of a change.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from fnmatch import fnmatchcase
from functools import lru_cache
from typing import Any, Protocol

import msgspec

from vosd import catalog
from vosd.catalog import BadValue, UnknownName, presets
from vosd.catalog.lint import Facts, lint
from vosd.catalog.param import PATHS, Param
from vosd.catalog.rules import broken
from vosd.wire.records import ParamChange, ParamSet, ParamView

OPERATOR = "operator"


class Stored(Protocol):
    """A row of the store: `gateway` None is the value for all, `value` text the kind parses."""

    @property
    def name(self) -> str: ...
    @property
    def gateway(self) -> str | None: ...
    @property
    def value(self) -> str: ...
    @property
    def source(self) -> str: ...


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """What the store shall hold; value None removes the row."""

    name: str
    gateway: str | None
    value: str | None
    source: str


class Snapshot:
    """Every value at one moment; typed as the row's kind says."""

    __slots__ = ("_values",)

    def __init__(self, values: Mapping[str, Any]) -> None:
        self._values = dict(values)

    def get(self, name: str) -> Any:
        """The value for all. Raises KeyError for a name that is not in the catalogue."""
        return self._values[name]

    def get_for(self, name: str, overrides: Mapping[str, str]) -> Any:
        """The value for a gateway with these overrides; one that does not parse is passed over."""
        text = overrides.get(name)
        if text is None or not catalog.ALL[name].overridable:
            return self._values[name]
        value = _override(name, text)
        return self._values[name] if value is None else value

    def values(self) -> dict[str, Any]:
        """A copy of all values by name."""
        return dict(self._values)


class Staged(msgspec.Struct, kw_only=True):
    """A change that passed every check and is not yet in force."""

    changes: list[ParamChange]
    #: for the store, and what puts the store back
    rows: list[Row]
    undo: list[Row]
    snapshot: Snapshot
    warnings: list[str]
    gateway: str | None = None


class ApplyFailed(Exception):
    """A group could not take its new values; everything is as before."""

    def __init__(self, group: str, cause: Exception) -> None:
        super().__init__(f"cannot apply the {group} parameters: {cause}; nothing was changed")
        self.group, self.cause = group, cause


Apply = Callable[[Snapshot], None]


class Settings:
    """Holds what differs from the defaults; everything else is the catalogue's."""

    def __init__(self, rows: Iterable[Stored]) -> None:
        #: stored rows this version cannot use, as sentences; they are passed over
        self.ignored: list[str] = []
        self._set: dict[str, Row] = {}
        self._overrides: dict[str, dict[str, Row]] = {}
        self._watchers: dict[str, list[Apply]] = {}
        for row in rows:
            self._load(row)
        self.snapshot = Snapshot(self._typed(self._set))
        rule = broken(self.snapshot.values())
        if rule:
            self.ignored.append(
                f"cannot use the stored {' and '.join(rule.names)}: "
                f"{rule.accepts} would be accepted; defaults are in force"
            )
            for name in rule.names:
                self._set.pop(name, None)
            self.snapshot = Snapshot(self._typed(self._set))

    def watch(self, group: str, apply: Apply) -> None:
        """Call `apply` with the new snapshot on a change of `group`; raising refuses it all."""
        if group not in catalog.GROUPS:
            raise ValueError(f"cannot watch the unknown group {group!r}")
        self._watchers.setdefault(group, []).append(apply)

    def overrides(self, gateway: str) -> dict[str, str]:
        """A gateway's own values as stored."""
        return {name: row.value or "" for name, row in self._overrides.get(gateway, {}).items()}

    def forget(self, gateway: str) -> None:
        """Drop the overrides of a gateway that was removed."""
        self._overrides.pop(gateway, None)

    def stage(self, change: ParamSet) -> Staged:
        """Check everything, change nothing. Raises UnknownName or BadValue."""
        source = f"preset {change.preset}" if change.preset else OPERATOR
        wanted = {catalog.find(name).name: text for name, text in change.values.items()}
        rows = [self._wanted(name, text, change.gateway, source) for name, text in wanted.items()]
        rows = [row for row in rows if self._differs(row)]
        snapshot = self.snapshot
        if change.gateway is None:
            snapshot = Snapshot(self._typed(_merged(self._set, rows)))
            _check_together(snapshot, rows)
        return Staged(
            changes=[self._change(row) for row in rows],
            rows=rows,
            undo=[self._present(row) for row in rows],
            snapshot=snapshot,
            warnings=self._warnings(snapshot, rows),
            gateway=change.gateway,
        )

    def commit(self, staged: Staged) -> None:
        """Tell each touched group once, then swap. Raises ApplyFailed, all restored."""
        if staged.gateway is not None:
            kept = self._overrides.get(staged.gateway, {})
            self._overrides[staged.gateway] = _merged(kept, staged.rows)
            return
        self._tell(staged)
        self._set = _merged(self._set, staged.rows)
        self.snapshot = staged.snapshot

    def views(
        self, pattern: str | None = None, group: str | None = None, changed: bool = False
    ) -> list[ParamView]:
        """Rows for people, in the catalogue's order; `pattern` is a part of a name or a glob."""
        return [
            self._view(row)
            for row in catalog.ALL.values()
            if (group is None or row.group == group)
            and (pattern is None or _matches(row.name, pattern))
            and (not changed or self._is_changed(row.name))
        ]

    def view(self, name: str) -> ParamView:
        """One row for people. Raises UnknownName."""
        return self._view(catalog.find(name))

    def _load(self, row: Stored) -> None:
        try:
            param = catalog.find(row.name)
            value = param.kind.show(catalog.parse(row.name, row.value))
        except (UnknownName, BadValue) as error:
            self.ignored.append(f"{error} (stored value passed over)")
            return
        kept = Row(name=param.name, gateway=row.gateway, value=value, source=row.source)
        if row.gateway is None:
            self._set[param.name] = kept
        elif param.overridable:
            self._overrides.setdefault(row.gateway, {})[param.name] = kept
        else:
            self.ignored.append(f"cannot override {row.name} for {row.gateway}: passed over")

    def _typed(self, rows: Mapping[str, Row]) -> dict[str, Any]:
        return {
            name: param.kind.parse(rows[name].value or "") if name in rows else param.initial
            for name, param in catalog.ALL.items()
        }

    def _wanted(self, name: str, text: str | None, gateway: str | None, source: str) -> Row:
        param = catalog.ALL[name]
        if gateway is not None and not param.overridable:
            raise BadValue(
                name,
                text or "",
                _overridable(),
                f"cannot override {name} for "
                f"{gateway}: only {_overridable()} may differ by gateway",
            )
        value = None if text is None else param.kind.show(catalog.parse(name, text))
        return Row(name=name, gateway=gateway, value=value, source=source)

    def _rows_of(self, gateway: str | None) -> Mapping[str, Row]:
        return self._set if gateway is None else self._overrides.get(gateway, {})

    def _differs(self, row: Row) -> bool:
        held = self._rows_of(row.gateway).get(row.name)
        if row.gateway is None and row.value is not None:
            return row.value != self._shown(row.name)
        return row.value != (held.value if held else None)

    def _present(self, row: Row) -> Row:
        held = self._rows_of(row.gateway).get(row.name)
        gone = Row(name=row.name, gateway=row.gateway, value=None, source=OPERATOR)
        return held or gone

    def _change(self, row: Row) -> ParamChange:
        """Old and new as shown; for a gateway "" stands for no value of its own."""
        param = catalog.ALL[row.name]
        if row.gateway is None:
            old, new = self._shown(row.name), row.value
            new = param.kind.show(param.initial) if new is None else new
        else:
            old, new = self._present(row).value or "", row.value or ""
        return ParamChange(
            name=row.name, gateway=row.gateway, old=old, new=new, takes_effect=param.takes_effect
        )

    def _shown(self, name: str) -> str:
        return catalog.ALL[name].kind.show(self.snapshot.get(name))

    def _is_changed(self, name: str) -> bool:
        default = catalog.ALL[name].initial
        return bool(self.snapshot.get(name) != default) or any(
            name in rows for rows in self._overrides.values()
        )

    def _warnings(self, snapshot: Snapshot, rows: list[Row]) -> list[str]:
        """What lint finds in the new values and did not find in the old, and what is idle."""
        known = {
            _sentence(finding)
            for finding in lint(Facts(values=self.snapshot.values()))
            if finding.severity == "warning"
        }
        fresh = [
            _sentence(finding)
            for finding in lint(Facts(values=snapshot.values()))
            if finding.severity == "warning"
        ]
        idle = [row.name for row in rows if not catalog.ALL[row.name].obeyed]
        warnings = [sentence for sentence in fresh if sentence not in known]
        if idle:
            verb, it = ("is", "it") if len(idle) == 1 else ("are", "them")
            warnings.append(
                f"{', '.join(idle)} {verb} kept, but nothing in this version"
                f" obeys {it} yet: calls do not change"
            )
        return warnings

    def _tell(self, staged: Staged) -> None:
        groups = dict.fromkeys(catalog.ALL[row.name].group for row in staged.rows)
        pending = [(group, apply) for group in groups for apply in self._watchers.get(group, ())]
        told: list[Apply] = []
        for group, apply in pending:
            if apply in told:
                continue
            told.append(apply)
            try:
                apply(staged.snapshot)
            except Exception as error:
                # the one that failed may have done half of it, so it is told too
                for each in reversed(told):
                    _restore(each, self.snapshot)
                raise ApplyFailed(group, error) from error

    def _view(self, param: Param) -> ParamView:
        held = self._set.get(param.name)
        manual = "; ".join(
            part for part in (param.manual, *(PATHS if param.manual else ())) if part
        )
        return ParamView(
            name=param.name, group=param.group, value=self._shown(param.name),
            default=param.kind.show(param.initial), unit=param.kind.unit,
            accepts=param.kind.accepts(), takes_effect=param.takes_effect,
            source=held.source if held else "default",
            obeyed=param.obeyed, overridable=param.overridable,
            overrides={gateway: rows[param.name].value or ""
                       for gateway, rows in sorted(self._overrides.items())
                       if param.name in rows},
            summary=param.summary, detail=param.detail, manual=manual, rows=list(param.rows),
            presets=presets.holding(param.name), corrected=param.corrected,
        )  # fmt: skip


@lru_cache(maxsize=1024)
def _override(name: str, text: str) -> Any:
    try:
        return catalog.ALL[name].kind.parse(text)
    except ValueError:
        return None


def _merged(held: Mapping[str, Row], rows: Iterable[Row]) -> dict[str, Row]:
    merged = dict(held)
    for row in rows:
        if row.value is None:
            merged.pop(row.name, None)
        else:
            merged[row.name] = row
    return merged


def _check_together(snapshot: Snapshot, rows: Iterable[Row]) -> None:
    rule = broken(snapshot.values())
    if rule is None:
        return
    touched = {row.name: row.value for row in rows}
    name = next((name for name in rule.names if name in touched), rule.names[0])
    shown = " and ".join(
        f"{each}={catalog.ALL[each].kind.show(snapshot.get(each))}" for each in rule.names
    )
    raise BadValue(
        name,
        touched.get(name) or "",
        rule.accepts,
        f"cannot have {shown} together: {rule.accepts} would be accepted",
    )


def _restore(apply: Apply, snapshot: Snapshot) -> None:
    try:
        apply(snapshot)
    except Exception:
        # the old values were in force a moment ago; the failure to report is the first one
        return


def _matches(name: str, pattern: str) -> bool:
    wanted = pattern.upper().replace("-", "_")
    return fnmatchcase(name, wanted) if set(wanted) & set("*?[") else wanted in name


def _overridable() -> str:
    return " ".join(row.name for row in catalog.ALL.values() if row.overridable)


def _sentence(finding: Any) -> str:
    return f"{finding.code}: {finding.sentence}"
