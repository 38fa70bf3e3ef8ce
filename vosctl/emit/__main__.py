# SPDX-License-Identifier: GPL-2.0-or-later
"""`python -m vosctl.emit [--check] [ROOT]`: write the generated files, or look whether they are."""

from __future__ import annotations

import sys
from pathlib import Path

from vosctl.emit import bash, fish, man, reference, zsh
from vosctl.emit.tree import tree

#: where pages of commands that are gone are looked for
OWNED = ("man/*.[1-9]", "completions/*")


def files() -> dict[str, str]:
    """Text by path from the project's root."""
    root = tree()
    made = {f"man/{name}": text for name, text in man.pages().items()}
    made |= {
        "completions/vosctl.bash": bash.script(root),
        "completions/_vosctl": zsh.script(root),
        "completions/vosctl.fish": fish.script(root),
        "docs/reference.md": reference.document(root),
    }
    return made


def stale(root: Path) -> list[str]:
    """What `--check` finds: a sentence per file that is missing, old, or made no more."""
    made = files()
    found = []
    for path, text in made.items():
        file = root / path
        if not file.exists():
            found.append(f"{path} is missing")
        elif file.read_text() != text:
            found.append(f"{path} is not what the tables say")
    there = {str(file.relative_to(root)) for pattern in OWNED for file in root.glob(pattern)}
    return found + [f"{path} is made no more" for path in sorted(there - set(made))]


def write(root: Path) -> None:
    """Write every file and take away those made no more."""
    made = files()
    for pattern in OWNED:
        for file in root.glob(pattern):
            if str(file.relative_to(root)) not in made:
                file.unlink()
    for path, text in made.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)


def main(arguments: list[str]) -> int:
    """0 when current or written, 1 when --check found something."""
    check = "--check" in arguments
    rest = [word for word in arguments if word != "--check"]
    root = Path(rest[0]) if rest else Path(__file__).parents[2]
    if not check:
        write(root)
        return 0
    found = stale(root)
    for sentence in found:
        print(sentence, file=sys.stderr)
    if found:
        print("python -m vosctl.emit makes them anew", file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
