# SPDX-License-Identifier: GPL-2.0-or-later
"""The completion of vosctl for bash: tables as case statements and one short function."""

from __future__ import annotations

from collections.abc import Iterable

from vosctl.emit.slots import LIVE_COMMAND, Source, option_names, slots, valued, values
from vosctl.emit.tree import Command

HEAD = """\
# SPDX-License-Identifier: GPL-2.0-or-later
# bash completion for vosctl; made by python -m vosctl.emit, do not edit
"""
ENGINE = r"""
_vosctl_live() {
    @LIVE@
}

_vosctl_reply() {
    local IFS=$' \t\n'
    COMPREPLY=($(compgen -W "$1" -- "$2"))
}

_vosctl_assign() {
    case $2 in
        *=*) _vosctl_reply "$(_vosctl_values "${2%%=*}")" "${2#*=}" ;;
        *) _vosctl_reply "$1" "$2"
            COMPREPLY=("${COMPREPLY[@]/%/=}")
            compopt -o nospace ;;
    esac
}

_vosctl_offer() {
    local kind words
    read -r kind words <<<"$(_vosctl_slot "$1")"
    case $kind in
        words) _vosctl_reply "$words" "$2" ;;
        live) _vosctl_reply "$(_vosctl_live "$words")" "$2" ;;
        files) compopt -o filenames; COMPREPLY=($(compgen -f -- "$2")) ;;
        assign) _vosctl_assign "$words" "$2" ;;
        *) return 1 ;;
    esac
}

_vosctl() {
    local line=${COMP_LINE:0:COMP_POINT} path='' pending='' count=0 word cur words
    COMPREPLY=()
    # bash splits words at = and :, so the line is split here
    read -ra words <<<"$line"
    cur=${words[${#words[@]} - 1]}
    if [[ $line == *[[:space:]] ]]; then
        cur=''
    else
        unset "words[${#words[@]} - 1]"
    fi
    for word in "${words[@]:1}"; do
        if [[ -n $pending ]]; then
            pending=''
        elif [[ $word == -* ]]; then
            if _vosctl_valued "${path:+$path }$word" || _vosctl_valued "$word"; then
                pending=$word
            fi
        elif [[ " $(_vosctl_commands "$path") " == *" $word "* ]]; then
            path=${path:+$path }$word
        else
            count=$((count + 1))
        fi
    done
    if [[ -z $pending && $cur == --*=* ]]; then
        pending=${cur%%=*}
        cur=${cur#*=}
    fi
    if [[ -n $pending ]]; then
        _vosctl_offer "${path:+$path }$pending" "$cur" || _vosctl_offer "$pending" "$cur"
    elif [[ $cur == -* ]]; then
        _vosctl_reply "$(_vosctl_options "$path")" "$cur"
    elif [[ -n $(_vosctl_commands "$path") ]]; then
        _vosctl_reply "$(_vosctl_commands "$path")" "$cur"
    else
        _vosctl_offer "$path $((count + 1))" "$cur" || _vosctl_offer "$path *" "$cur"
    fi
    return 0
}

complete -F _vosctl vosctl
"""


def script(root: Command) -> str:
    """completions/vosctl.bash."""
    commands = [
        (" ".join(group.path), " ".join(child.path[-1] for child in group.children))
        for group in root.walk() if group.children
    ]  # fmt: skip
    options = [(" ".join(c.path), " ".join(option_names(c, root))) for c in root.walk()]
    places = [(slot.at, _told(slot.source)) for slot in slots(root)]
    tables = (
        _table("commands", commands),
        _table("options", options),
        _table("slot", places),
        _table("values", [(name, " ".join(words)) for name, words in values().items()]),
        _predicate("valued", valued(root)),
    )
    live = LIVE_COMMAND.replace("@WHAT@", '"$1"')
    return HEAD + "".join(tables) + ENGINE.replace("@LIVE@", live)


def _told(source: Source) -> str:
    return " ".join((source.kind, *source.words))


def _table(name: str, rows: Iterable[tuple[str, str]]) -> str:
    """A function that prints the second of the row whose first is its argument."""
    body = "".join(f"        '{key}') echo '{text}' ;;\n" for key, text in rows)
    return f"\n_vosctl_{name}() {{\n    case $1 in\n{body}    esac\n}}\n"


def _predicate(name: str, keys: list[str]) -> str:
    body = " | \\\n            ".join(f"'{key}'" for key in keys)
    return (f"\n_vosctl_{name}() {{\n    case $1 in\n        {body}) ;;\n"
            "        *) return 1 ;;\n    esac\n}\n")  # fmt: skip
