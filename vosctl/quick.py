# SPDX-License-Identifier: GPL-2.0-or-later
"""Commands that do not load a validation library for text.

typer checks each value with pydantic, whose import costs 0.15 s of CPU. A default has its type
already, text is text, and a plain number in its range is soon made: those pass here. All other
values, a number out of its range for instance, go typer's way and get its messages.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Literal, get_args, get_origin

from typer.core import TyperArgument, TyperCommand, TyperGroup, TyperOption

WHOLE = re.compile(r"-?[0-9]{1,9}")
PLAIN = re.compile(r"-?[0-9]{1,9}(\.[0-9]{1,9})?")


def passes(annotation: Any, value: Any) -> bool:
    """Whether `value`, text as given, is what `annotation` asks for without conversion."""
    if annotation is str:
        return isinstance(value, str)
    if annotation == list[str]:
        return isinstance(value, tuple | list) and all(isinstance(each, str) for each in value)
    return get_origin(annotation) is Literal and value in get_args(annotation)


def number(annotation: Any, value: Any, low: float | None, high: float | None) -> float | None:
    """The int or float that plain text stands for, None when it is none or out of range."""
    if annotation not in (int, float) or not isinstance(value, str):
        return None
    if not (WHOLE if annotation is int else PLAIN).fullmatch(value):
        return None
    found: float = annotation(value)
    fits = (low is None or found >= low) and (high is None or found <= high)
    return found if fits else None


def _ready(param: Any, ctx: Any, value: Any) -> tuple[bool, Any]:
    """Whether typer need not look at the value of `param`, and what it is then."""
    source = ctx.get_parameter_source(param.name)
    if source is not None and source.name == "DEFAULT" and not param.required:
        return True, list(value) if isinstance(value, tuple) else value
    if isinstance(value, tuple | list) and not value and param.required:
        return False, None
    annotation = getattr(getattr(param, "type_descriptor", None), "annotation", None)
    if passes(annotation, value):
        return True, list(value) if isinstance(value, tuple) else value
    found = number(annotation, value, getattr(param, "min", None), getattr(param, "max", None))
    return found is not None, found


def _process(param: Any, ctx: Any, value: Any, typers: Callable[[Any, Any], Any]) -> Any:
    done, ready = _ready(param, ctx, value)
    if not done:
        return typers(ctx, value)
    return ready if param.callback is None else param.callback(ctx, param, ready)


class _Option(TyperOption):
    def process_value(self, ctx: Any, value: Any) -> Any:
        return _process(self, ctx, value, super().process_value)


class _Argument(TyperArgument):
    def process_value(self, ctx: Any, value: Any) -> Any:
        return _process(self, ctx, value, super().process_value)


def _params(params: list[Any]) -> list[Any]:
    """The same, quick: typer builds them itself and has no place to name another class."""
    for param in params:
        if type(param) is TyperOption:
            param.__class__ = _Option
        elif type(param) is TyperArgument:
            param.__class__ = _Argument
    return params


class QuickGroup(TyperGroup):
    """A group whose parameters, --help too, are quick."""

    def get_params(self, ctx: Any) -> list[Any]:
        return _params(super().get_params(ctx))


class _Command(TyperCommand):
    def get_params(self, ctx: Any) -> list[Any]:
        return _params(super().get_params(ctx))


def quicken(command: Any) -> Any:
    """The command, and those below it, with quick parameters."""
    if type(command) is TyperCommand:
        command.__class__ = _Command
    elif type(command) is TyperGroup:
        command.__class__ = QuickGroup
    for sub in getattr(command, "commands", {}).values():
        quicken(sub)
    return command
