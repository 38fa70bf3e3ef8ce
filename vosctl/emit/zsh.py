# SPDX-License-Identifier: GPL-2.0-or-later
"""The completion of vosctl for zsh: one _arguments function per command."""

from __future__ import annotations

from collections.abc import Iterator

from vosctl.emit.slots import LIVE_COMMAND, Source, of_argument, of_option, values
from vosctl.emit.tree import Command, Option

HEAD = """\
#compdef vosctl
# SPDX-License-Identifier: GPL-2.0-or-later
# zsh completion for vosctl; made by python -m vosctl.emit, do not edit

_vosctl_live() {
    local -a names
    names=(${(f)"$(
        @LIVE@
    )"})
    compadd -a names
}

_vosctl_assign() {
    if compset -P '*='; then
        case ${IPREFIX%=} in
@VALUES@        esac
    else
        compadd -S '=' -- "$@"
    fi
}
"""


def script(root: Command) -> str:
    """completions/_vosctl."""
    rows = "".join(
        f"            {name}) compadd -- {' '.join(words)} ;;\n" for name, words in values().items()
    )
    head = HEAD.replace("@LIVE@", LIVE_COMMAND.replace("@WHAT@", "$1")).replace("@VALUES@", rows)
    functions = [_function(command, root) for command in root.walk()]
    return "\n".join((head, *functions)) + '\n_vosctl "$@"\n'


def _name(command: Command) -> str:
    return "_".join(("_vosctl", *command.path)).replace("-", "_")


def _function(command: Command, root: Command) -> str:
    options = [*command.options, *(root.options if command.path else ())]
    owners = [command] * len(command.options) + [root] * (len(options) - len(command.options))
    specs = [
        spec for owner, option in zip(owners, options, strict=True)
        if option.names[0] != "--version" or not command.path
        for spec in _option(owner, option)
    ]  # fmt: skip
    specs.append(_quoted("(- *)--help[Show the options.]"))
    if command.children:
        return _group(command, specs)
    specs += [
        _quoted(f"{'*' if argument.many else ''}:{_plain(argument.metavar)}:"
                f"{_action(of_argument(command, argument))}")
        for argument in command.arguments
    ]  # fmt: skip
    return f"{_name(command)}() {{\n    _arguments -s \\\n        " + " \\\n        ".join(
        specs) + "\n}\n"


def _group(command: Command, specs: list[str]) -> str:
    specs = [*specs, "'1:command:->command'", "'*::argument:->argument'"]
    listed = "".join(f"        {_quoted(f'{c.path[-1]}:{c.summary}')}\n" for c in command.children)
    cases = "".join(f"                {c.path[-1]}) {_name(c)} ;;\n" for c in command.children)
    return (
        f"{_name(command)}() {{\n"
        '    local curcontext="$curcontext" state line\n'
        "    typeset -A opt_args\n"
        f"    local -a commands=(\n{listed}    )\n"
        "    _arguments -C -s \\\n        " + " \\\n        ".join(specs) + "\n"
        "    case $state in\n"
        f"        command) _describe -t commands '{' '.join(('vosctl', *command.path))} command'"
        " commands ;;\n"
        f"        argument)\n            case $words[1] in\n{cases}            esac ;;\n"
        "    esac\n}\n"
    )


def _option(owner: Command, option: Option) -> Iterator[str]:
    """One spec for each spelling."""
    for name in option.names:
        repeat = "*" if option.many else ""
        text = f"[{_plain(option.help)}]"
        if not option.metavar:
            yield _quoted(f"{repeat}{name}{text}")
        else:
            equals = "=" if name.startswith("--") else "+"
            action = _action(of_option(owner, option))
            yield _quoted(f"{repeat}{name}{equals}{text}:{_plain(option.metavar)}:{action}")


def _action(source: Source) -> str:
    match source.kind:
        case "words":
            return f"({' '.join(source.words)})"
        case "files":
            return "_files"
        case "live":
            return f"_vosctl_live {source.words[0]}"
        case "assign":
            return f"_vosctl_assign {' '.join(source.words)}"
    return ""


def _plain(text: str) -> str:
    """Text for the inside of a spec."""
    return text.replace("\\", "\\\\").replace(":", "\\:").replace("[", "\\[").replace("]", "\\]")


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "'\\''") + "'"
