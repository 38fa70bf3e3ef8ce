# SPDX-License-Identifier: GPL-2.0-or-later
"""The completion of vosctl for fish: one `complete` line per command, option and argument."""

from __future__ import annotations

from collections.abc import Iterator

from vosctl.emit.slots import LIVE_COMMAND, Source, of_argument, of_option, valued, values
from vosctl.emit.tree import Command, Option

HEAD = """\
# SPDX-License-Identifier: GPL-2.0-or-later
# fish completion for vosctl; made by python -m vosctl.emit, do not edit

set -g __vosctl_commands @COMMANDS@
set -g __vosctl_valued @VALUED@

function __vosctl_walk -d 'Command the cursor is in, then how many arguments stand before it'
    set -l path ''
    set -l count 0
    set -l pending ''
    for word in (commandline -opc)[2..-1]
        if test -n "$pending"
            set pending ''
        else if string match -q -- '-*' $word
            if contains -- (string trim -- "$path $word") $__vosctl_valued
                or contains -- $word $__vosctl_valued
                set pending $word
            end
        else if contains -- (string trim -- "$path $word") $__vosctl_commands
            set path (string trim -- "$path $word")
        else
            set count (math $count + 1)
        end
    end
    echo $path
    echo $count
end

function __vosctl_in -a path
    set -l walk (__vosctl_walk)
    test "$walk[1]" = "$path"
end

function __vosctl_at -a path place
    set -l walk (__vosctl_walk)
    test "$walk[1]" = "$path"; and test $walk[2] -ge (math $place - 1)
end

function __vosctl_just_at -a path place
    set -l walk (__vosctl_walk)
    test "$walk[1]" = "$path"; and test $walk[2] -eq (math $place - 1)
end

function __vosctl_live -a what
    @LIVE@
end

function __vosctl_assign
    set -l word (commandline -ct)
    if string match -q -- '*=*' $word
        set -l name (string split -m 1 = -- $word)[1]
        switch $name
@VALUES@        end
    else
        printf '%s=\\n' $argv
    end
end

complete -c vosctl -f
"""


def script(root: Command) -> str:
    """completions/vosctl.fish."""
    commands = " ".join(_quoted(" ".join(c.path)) for c in root.walk() if c.path)
    rows = "".join(
        f"            case {name}\n                printf '%s\\n' $name={{{','.join(words)}}}\n"
        if len(words) > 1 else
        f"            case {name}\n                echo $name={words[0]}\n"
        for name, words in values().items()
    )  # fmt: skip
    live = LIVE_COMMAND.replace("@WHAT@", "$what")
    head = HEAD.replace("@COMMANDS@", commands).replace("@LIVE@", live)
    head = head.replace("@VALUED@", " ".join(map(_quoted, valued(root))))
    return head.replace("@VALUES@", rows) + "\n".join(_lines(root)) + "\n"


def _lines(root: Command) -> Iterator[str]:
    for option in root.options:
        yield _option(root, option, "")
    yield "complete -c vosctl -s h -l help -d 'Show the options.'"
    for command in root.walk():
        inside = _when("__vosctl_in", " ".join(command.path))
        for child in command.children:
            yield f"complete -c vosctl {inside} -a {child.path[-1]} -d {_quoted(child.summary)}"
        if command.path:
            for option in command.options:
                yield _option(command, option, inside)
        for number, argument in enumerate(command.arguments, 1):
            source = of_argument(command, argument)
            if source.kind != "none":
                test = "__vosctl_at" if argument.many else "__vosctl_just_at"
                when = _when(test, " ".join(command.path), str(number))
                yield f"complete -c vosctl {when} {_offer(source)}"


def _when(test: str, path: str, place: str = "") -> str:
    return f"-n {_quoted(f'{test} {chr(34)}{path}{chr(34)} {place}'.strip())}"


def _option(command: Command, option: Option, when: str) -> str:
    names = " ".join(f"-l {n[2:]}" if n.startswith("--") else f"-s {n[1:]}" for n in option.names)
    source = of_option(command, option)
    takes = "" if not option.metavar else "-r" if source.kind == "files" else "-x"
    words = ("complete -c vosctl", when, names, takes, _offer(source), f"-d {_quoted(option.help)}")
    return " ".join(word for word in words if word)


def _offer(source: Source) -> str:
    match source.kind:
        case "words":
            return f"-a {_quoted(' '.join(source.words))}"
        case "files":
            return "-F"
        case "live":
            return f"-a '(__vosctl_live {source.words[0]})'"
        case "assign":
            return f"-a {_quoted(f'(__vosctl_assign {chr(32).join(source.words)})')}"
    return ""


def _quoted(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"
