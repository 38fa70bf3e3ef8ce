# SPDX-License-Identifier: GPL-2.0-or-later
"""docs/reference.md: every name an operator can meet, from the tables that define them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import msgspec

from vosctl.emit.tree import Command, synopsis
from vosctl.problems import EXIT_CODES
from vosd import catalog
from vosd.catalog import Param, lint, presets
from vosd.diagnose.rules import BY_CODE
from vosd.switch.reasons import REASONS
from vosd.wire.verbs import VERBS, Verb

HEAD = """\
<!-- SPDX-License-Identifier: GPL-2.0-or-later -->
<!-- made by python -m vosctl.emit, do not edit -->
# Reference

Made from the tables of the program: [commands](#commands), [parameters](#parameters),
[presets](#presets), [lint rules](#lint-rules), [end reasons](#end-reasons),
[findings](#findings), [control verbs](#control-verbs), [exit codes](#exit-codes).
Rows such as MP-01 and D11 name lines of the source's requirements and of its register of
mistakes.
"""


def document(root: Command) -> str:
    """The whole page."""
    parts = (
        HEAD, _commands(root), _parameters(), _presets(), _lint(), _reasons(), _findings(),
        _verbs(), _exit_codes(),
    )  # fmt: skip
    return "\n".join(parts)


def _commands(root: Command) -> str:
    rows = [
        (_code(" ".join((leaf.line, *synopsis(leaf)))), leaf.summary) for leaf in root.leaves()
    ]
    return _section("Commands", "Global options: " + _code(" ".join(synopsis(root))) + ".",
                    _table(("command", "does"), rows))  # fmt: skip


def _parameters() -> str:
    parts = ["Words may be given by the number beside them, durations with a unit (`90s`, `2m`,"
             " `500ms`). *Never* means that nothing in this version obeys the parameter yet."]
    for group, title in catalog.GROUPS.items():
        rows = [row for row in catalog.ALL.values() if row.group == group]
        heads = ("name", "default", "accepts", "takes effect", "by gateway", "manual", "rows")
        parts += [
            f"### {group}: {title}",
            _table(heads, [_parameter(row) for row in rows]),
            _list((row.name, _sentences(f"{row.summary}.", row.detail, row.corrected))
                  for row in rows),
        ]  # fmt: skip
    return _section("Parameters", *parts)


def _parameter(row: Param) -> tuple[str, ...]:
    default = row.kind.describe(row.initial)
    unit = f" {row.kind.unit}" if row.kind.unit and default.lstrip("-").isdigit() else ""
    return (
        _code(row.name), f"{default}{unit}" or "empty", row.kind.accepts(),
        row.takes_effect if row.obeyed else f"never ({row.takes_effect})",
        "yes" if row.overridable else "", row.manual, " ".join(row.rows),
    )  # fmt: skip


def _presets() -> str:
    rows = [
        (_code(preset.path), preset.summary,
         ", ".join(_code(f"{name}={text}") for name, text in preset.values.items()),
         " ".join(preset.rows))
        for preset in presets.PRESETS.values()
    ]  # fmt: skip
    return _section("Presets", "The name after the slash is enough.",
                    _table(("preset", "for", "values", "rows"), rows))  # fmt: skip


def _lint() -> str:
    rows = [(code, (row.__doc__ or "").strip()) for code, row in lint.ROWS.items()]
    return _section("Lint rules", "Looked for by `vosctl param lint`.",
                    _table(("code", "found when"), rows))  # fmt: skip


def _reasons() -> str:
    rows = [
        (_code(row.name), row.text, row.fault, str(row.sip), str(row.q850), str(row.number),
         row.advice)
        for row in REASONS.values()
    ]  # fmt: skip
    return _section(
        "End reasons", "SIP is what the caller is told while the call is unanswered; 200 marks"
        " reasons that come only after the answer.",
        _table(("reason", "meaning", "whose fault", "SIP", "Q.850", "number", "what to do"), rows),
    )  # fmt: skip


def _findings() -> str:
    rows = [
        (_code(rule.code), rule.title, rule.severity, rule.cause, rule.change, rule.disproof,
         " ".join(rule.rows))
        for rule in BY_CODE.values()
    ]  # fmt: skip
    return _section(
        "Findings", "Of `vosctl diagnose`. `{who}` and the like stand for the party found.",
        _table(("finding", "title", "severity", "cause", "change", "disproof", "rows"), rows),
    )  # fmt: skip


def _verbs() -> str:
    rows = [
        (_code(verb.name), _code(f"{verb.method} {verb.path}"), verb.access,
         _code(verb.request.__name__) if verb.request else "",
         _code(verb.reply.__name__) + (", one a line" if verb.stream else ""), verb.summary)
        for verb in VERBS.values()
    ]  # fmt: skip
    return _section(
        "Control verbs", "HTTP/1.1 with JSON over the control socket, for instance"
        " `curl --unix-socket /run/vosd/control.sock http://vosd/v1/status`. The whole schema is at"
        " `/v1/openapi.json`. A refusal is a `Failure`: kind, message, value, accepts.",
        _table(("verb", "request", "access", "body", "reply", "does"), rows),
        "Fields of bodies and queries; those marked `*` are required.",
        _list((name, ", ".join(fields)) for name, fields in _asked(VERBS.values())),
    )  # fmt: skip


def _asked(verbs: Iterable[Verb]) -> Iterator[tuple[str, list[str]]]:
    seen = set()
    for verb in verbs:
        for struct in (verb.request, verb.query):
            if struct is None or struct in seen:
                continue
            seen.add(struct)
            yield struct.__name__, [
                f"{field.encode_name}{'*' if field.required else ''}"
                for field in msgspec.structs.fields(struct)
            ]


def _exit_codes() -> str:
    return _section("Exit codes", _table(
        ("code", "meaning"), [(str(code), text) for code, text in EXIT_CODES.items()]))  # fmt: skip


def _section(title: str, *parts: str) -> str:
    return "\n\n".join((f"## {title}", *parts)) + "\n"


def _list(items: Iterable[tuple[str, str]]) -> str:
    return "\n".join(f"- {_code(name)}: {text}" for name, text in items)


def _sentences(*parts: str) -> str:
    return " ".join(part for part in parts if part)


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [heads, ["---"] * len(heads), *([_cell(value) for value in row] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


def _code(text: str) -> str:
    return f"`{text}`"
