# SPDX-License-Identifier: GPL-2.0-or-later
"""What the words of a command line stand for, without a validation library.

typer hands each value to pydantic, whose import costs 0.15 s of CPU and whose sentences leave
out the value. It keeps one coercion object per parameter, made when first needed; `quicken` puts
ours there beforehand. A typer that keeps it elsewhere works on with its own.
"""

from __future__ import annotations

import math
import re
from typing import Any, Literal, get_args, get_origin

from typer.core import TyperGroup

from vosctl.problems import Usage

WHOLE = re.compile(r"[+-]?[0-9]{1,18}")


class Value:
    """Makes text into what an annotation asks for: str, int, float, Path, Literal, or a list."""

    def __init__(self, annotation: Any) -> None:
        self._many = get_origin(annotation) is list
        self._kind = get_args(annotation)[0] if self._many else annotation

    def coerce(self, value: Any, *, param: Any, ctx: Any) -> Any:
        """The value; typer calls it by this name. Raises Usage."""
        if param.required and (value is None or (self._many and not value)):
            accepts = f": {self._accepts(param)}" if self._choices() else ""
            raise Usage(f"cannot do without {label(param)}{accepts}",
                        f"see {ctx.command_path} --help")  # fmt: skip
        if value is None:
            return None
        if self._many:
            return [self._one(each, param) for each in value]
        return self._one(value, param)

    def _one(self, text: Any, param: Any) -> Any:
        if not isinstance(text, str):
            return text  # a default, of its type already
        try:
            return self._read(text, param)
        except ValueError:
            raise Usage(
                f"cannot use {text!r} as {label(param)}: {self._accepts(param)}"
            ) from None

    def _read(self, text: str, param: Any) -> Any:
        if self._choices():
            return self._choices()[self._choices().index(text)]
        if self._kind not in (int, float):
            return self._kind(text)
        if self._kind is int and not WHOLE.fullmatch(text):
            raise ValueError
        number = self._kind(text)
        low, high = _range(param)
        if not (math.isfinite(number) and low <= number <= high):
            raise ValueError
        return number

    def _choices(self) -> tuple[Any, ...]:
        return get_args(self._kind) if get_origin(self._kind) is Literal else ()

    def _accepts(self, param: Any) -> str:
        if self._choices():
            *most, last = self._choices()
            return f"{', '.join(most)} or {last} is accepted"
        low, high = _range(param)
        span = f" of {low:g} or more" if math.isfinite(low) else ""
        if math.isfinite(high):
            span = f" from {low:g} to {high:.15g}"
        return f"a {'whole ' if self._kind is int else ''}number{span} is accepted"


def _range(param: Any) -> tuple[float, float]:
    low, high = getattr(param, "min", None), getattr(param, "max", None)
    return -math.inf if low is None else low, math.inf if high is None else high


def label(param: Any) -> str:
    """What the operator calls it: `--kind`, `NAME`."""
    if param.param_type_name == "option":
        return str(max(param.opts, key=len))
    return str(param.metavar or param.name.upper())


def quicken(command: Any) -> Any:
    """The command, and those below it, with quick parameters, --help too."""
    params_of = command.get_params

    def get_params(ctx: Any) -> list[Any]:
        params: list[Any] = params_of(ctx)
        for param in params:
            descriptor = getattr(param, "type_descriptor", None)
            if descriptor is not None:
                param._runtime_param = Value(descriptor.annotation)
        return params

    command.get_params = get_params
    for sub in getattr(command, "commands", {}).values():
        quicken(sub)
    return command


class CommandGroup(TyperGroup):
    """A group of commands that names the nearest ones when a word is none of them."""

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        known = self.list_commands(ctx)
        if args[0] in known:
            return super().resolve_command(ctx, args)
        from difflib import get_close_matches

        near = get_close_matches(args[0], known, n=2)
        hint = f"did you mean {' or '.join(near)}?" if near else f"known are {', '.join(known)}"
        raise Usage(f"cannot find a command '{ctx.command_path} {args[0]}': {hint}",
                    f"see {ctx.command_path} --help")  # fmt: skip
