# SPDX-License-Identifier: GPL-2.0-or-later
"""Man pages: vosctl(1), one page per command group, vosd(8) and vosd.toml(5), as roff man(7)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from vosctl.emit import daemon
from vosctl.emit.tree import Command, synopsis, tree
from vosctl.problems import EXIT_CODES
from vosd import __version__, catalog
from vosd.catalog import lint, presets

SECTION_OF = {"vosd": 8, "vosd.toml": 5}


def pages() -> dict[str, str]:
    """Text by file name."""
    root = tree()
    groups = [child for child in root.children if child.children]
    made = {"vosctl.1": overview(root)}
    made |= {f"vosctl-{group.path[0]}.1": group_page(group) for group in groups}
    made["vosd.8"] = vosd()
    made["vosd.toml.5"] = vosd_toml()
    return made


def overview(root: Command) -> str:
    """vosctl(1)."""
    page = Page("vosctl", 1, "run and understand a vosd softswitch")
    page.synopsis("vosctl", [*synopsis(root), "COMMAND", "..."])
    page.section("DESCRIPTION", f"{root.summary} Global options may stand anywhere on the line.",
                 "Durations are written 90s 2h 1d, numbers as digits, addresses"
                 " host[:port][/udp|tcp|tls]. Every read has --json with a version field and"
                 " stable keys. Every change takes --why, kept in the audit, and --dry-run.")
    page.section("OPTIONS")
    page.options(root)
    page.section("COMMANDS")
    for child in root.children:
        if child.children:
            names = ", ".join(leaf.line.removeprefix(f"{child.line} ") for leaf in child.leaves())
            page.item(child.path[0], f"{child.summary} ({names}) See vosctl-{child.path[0]}(1).")
        else:
            page.item(" ".join((child.path[0], *synopsis(child))), child.summary)
    page.section("EXIT STATUS")
    page.items({str(code): f"{text[0].upper()}{text[1:]}." for code, text in EXIT_CODES.items()})
    page.section("ENVIRONMENT")
    page.items({
        "VOSCTL_SOCKET": "The control socket, when --socket names none.",
        "NO_COLOR": "Any value: no colour, unless --color always.",
    })  # fmt: skip
    page.section("FILES")
    page.items({
        "/run/vosd/control.sock": "The control socket; for others than root first"
        " $XDG_RUNTIME_DIR/vosd/control.sock, then ~/.local/state/vosd/control.sock.",
    })  # fmt: skip
    groups = [f"vosctl-{child.path[0]}(1)" for child in root.children if child.children]
    page.see(*groups, "vosd(8)", "vosd.toml(5)")
    return page.text()


def group_page(group: Command) -> str:
    """vosctl-GROUP(1): every command of the group with its options."""
    name = f"vosctl-{group.path[0]}"
    page = Page(name, 1, group.summary.rstrip(".")[:1].lower() + group.summary.rstrip(".")[1:])
    page.section("SYNOPSIS")
    for leaf in group.leaves():
        page.usage(leaf.line, synopsis(leaf))
    page.section("DESCRIPTION", *_paragraphs(group.help))
    page.section("COMMANDS")
    for leaf in group.leaves():
        page.subsection(leaf.line)
        page.paragraphs(*_paragraphs(leaf.help))
        page.items({a.metavar: a.help for a in leaf.arguments if a.help})
        page.options(leaf)
    if group.path[0] == "param":
        _parameters(page)
    page.section("EXIT STATUS", "As vosctl(1) says.")
    page.see("vosctl(1)", "vosd(8)")
    return page.text()


def vosd() -> str:
    """vosd(8)."""
    page = Page("vosd", 8, "a VOS-style class-4/5 SIP softswitch")
    page.synopsis("vosd", ["[--config FILE]", "[--check]", "[--version]"])
    page.section("DESCRIPTION", *daemon.ABOUT)
    page.section("OPTIONS")
    page.items(daemon.OPTIONS)
    page.section("SIGNALS")
    page.items(daemon.SIGNALS)
    page.section("EXIT STATUS")
    page.items(daemon.EXIT)
    page.section("FILES")
    page.items(daemon.FILES)
    page.see("vosctl(1)", "vosd.toml(5)")
    return page.text()


def vosd_toml() -> str:
    """vosd.toml(5)."""
    page = Page("vosd.toml", 5, "what vosd must know before its store opens")
    page.section("DESCRIPTION", "TOML. Every key has a default; an unknown key is an error that"
                 " names file, key and line. Everything else is set by vosctl(1).")
    page.section("KEYS")
    for key in daemon.KEYS:
        page.item(f"{key.table} {key.name}".strip(), f"{key.meaning} Default: {key.default}.")
    page.section("EXAMPLE")
    page.literal(daemon.EXAMPLE)
    page.see("vosd(8)", "vosctl(1)")
    return page.text()


def _parameters(page: Page) -> None:
    page.section("PARAMETERS", "Words may be given by the number beside them, durations with a"
                 " unit (90s, 2m, 500ms).")
    for group, title in catalog.GROUPS.items():
        page.subsection(f"{group}: {title}")
        for row in catalog.ALL.values():
            if row.group != group:
                continue
            unit = f" {row.kind.unit}" if row.kind.unit else ""
            default = row.kind.describe(row.initial)
            shown = f"{default}{unit}" if default.lstrip("-").isdigit() else default or "empty"
            effect = row.takes_effect if row.obeyed else "never, nothing obeys it yet"
            page.item(row.name, f"{row.summary[:1].upper()}{row.summary[1:]}. {row.detail}".strip(),
                      f"Accepts {row.kind.accepts()}. Default {shown}. Takes effect: {effect}."
                      f"{' A gateway may differ.' if row.overridable else ''}", row.corrected)
    page.section("PRESETS")
    page.items({
        preset.path: f"{preset.summary}: " + ", ".join(
            f"{name}={text}" for name, text in preset.values.items())
        for preset in presets.PRESETS.values()
    })  # fmt: skip
    page.section("LINT")
    page.items({code: (row.__doc__ or "").strip() for code, row in lint.ROWS.items()})


def _paragraphs(text: str) -> list[str]:
    return [part.replace("\n", " ") for part in text.split("\n\n")]


class Page:
    """A man page in the making; everything put into it is escaped here and nowhere else."""

    def __init__(self, name: str, section: int, summary: str) -> None:
        self._lines = [
            '.\\" SPDX-License-Identifier: GPL-2.0-or-later',
            '.\\" made by python -m vosctl.emit, do not edit',
            f'.TH {escape(name.upper())} {section} "" "vosd {__version__}" "vosd"',
            ".nh", ".ad l", ".SH NAME", f"{escape(name)} \\- {escape(summary)}",
        ]  # fmt: skip

    def text(self) -> str:
        return "\n".join(self._lines) + "\n"

    def section(self, title: str, *paragraphs: str) -> None:
        self._lines.append(f".SH {title}")
        self.paragraphs(*paragraphs)

    def subsection(self, title: str) -> None:
        self._lines.append(f".SS {quote(title)}")

    def paragraphs(self, *paragraphs: str) -> None:
        for number, paragraph in enumerate(part for part in paragraphs if part):
            self._lines += [".PP"] if number else []
            self._lines.append(escape(paragraph))

    def synopsis(self, name: str, words: Iterable[str]) -> None:
        self.section("SYNOPSIS")
        self.usage(name, words)

    def usage(self, name: str, words: Iterable[str]) -> None:
        self._lines += [f".HP\n.B {escape(name)}", *(escape(word) for word in words)]

    def item(self, term: str, *paragraphs: str) -> None:
        self._lines += [".TP", f".B {escape(term)}"]
        for number, paragraph in enumerate(part for part in paragraphs if part):
            self._lines += [".IP"] if number else []
            self._lines.append(escape(paragraph))

    def items(self, items: Mapping[str, str]) -> None:
        for term, text in items.items():
            self.item(term, text)

    def options(self, command: Command) -> None:
        for option in command.options:
            names = ", ".join(option.names)
            required = " Required." if option.required else ""
            self.item(f"{names} {option.metavar}".strip(), f"{option.help}{required}")

    def literal(self, text: str) -> None:
        self._lines += [".nf", *(escape(line) for line in text.splitlines()), ".fi"]

    def see(self, *names: str) -> None:
        self.section("SEE ALSO", ", ".join(names))


def escape(text: str) -> str:
    """Text that roff prints as it stands."""
    safe = text.replace("\\", "\\e").replace("-", "\\-").replace("^", "\\(ha").replace("~", "\\(ti")
    safe = safe.replace("'", "\\(aq").replace("`", "\\(ga")
    return f"\\&{safe}" if safe.startswith(".") else safe


def quote(text: str) -> str:
    return '"' + escape(text).replace('"', "\\(dq") + '"'
