# SPDX-License-Identifier: GPL-2.0-or-later
"""A report as one HTML file that needs nothing else.

What calls bring along is hostile: every text is escaped, and the policy lets a browser load and
run nothing at all, only the style below.
"""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from pathlib import Path

from vosctl.console import Column, Text, cell
from vosctl.problems import Problem
from vosctl.sheet import Block, Facts, Line

_POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
_STYLE = """\
:root { color-scheme: light dark; --bad: #b3261e; --warn: #8a5a00; --good: #1b6e3c; --dim: #666 }
@media (prefers-color-scheme: dark) {
  :root { --bad: #ff8a80; --warn: #ffcc66; --good: #7bd89a; --dim: #999 } }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 75em; margin: 2em auto; padding: 0 1em }
h1, h2 { font-size: 1.1em; margin: 1.5em 0 .4em }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .1em 1.2em; margin: 0 0 0 1em }
dt, .dim { color: var(--dim) }
dd { margin: 0; overflow-wrap: anywhere }
table { border-collapse: collapse; font-variant-numeric: tabular-nums }
th, td { padding: .15em .8em .15em 0; text-align: left; vertical-align: top }
th { border-bottom: 1px solid var(--dim) }
.right { text-align: right }
.bad { color: var(--bad) } .warn { color: var(--warn) } .good { color: var(--good) }
"""


def write(path: Path, title: str, blocks: Iterable[Block]) -> None:
    """Put the report into the file, in place of what it holds. Raises Problem naming it."""
    try:
        path.write_text(page(title, blocks), "utf-8")
    except OSError as error:
        raise Problem(
            f"cannot write {path}: {error.strerror or error}", "give a file in a directory of yours"
        ) from None


def page(title: str, blocks: Iterable[Block]) -> str:
    """The whole document."""
    name = _text(title)
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n'
        '<meta name="viewport" content="width=device-width">\n'
        '<meta name="referrer" content="no-referrer">\n'
        f"<title>{name}</title>\n<style>\n{_STYLE}</style>\n</head>\n<body>\n<h1>{name}</h1>\n"
        + "".join(_block(block) for block in blocks)
        + "</body>\n</html>\n"
    )


def _block(block: Block) -> str:
    if isinstance(block, Line):
        tag = "h2" if block.head else "p"
        return f"{_element(tag, block.text)}\n" if cell(block.text).text else ""
    if isinstance(block, Facts):
        rows = (f"{_element('dt', name)}{_element('dd', value)}\n" for name, value in block.pairs)
        return f"<dl>\n{''.join(rows)}</dl>\n"
    heads = [head if isinstance(head, Column) else Column(head) for head in block.columns]
    rows = (
        "".join(_element("td", value, head.right) for head, value in zip(heads, row, strict=True))
        for row in block.rows
    )
    titles = "".join(_element("th", head.title, head.right) for head in heads)
    body = "".join(f"<tr>{row}</tr>\n" for row in rows)
    return f"<table>\n<tr>{titles}</tr>\n{body}</table>\n"


def _element(tag: str, value: Text, right: bool = False) -> str:
    classes = " ".join(word for word in (cell(value).style, "right" * right) if word)
    attribute = f' class="{classes}"' if classes else ""
    return f"<{tag}{attribute}>{_text(value)}</{tag}>"


def _text(value: Text) -> str:
    return escape(cell(value).text)
