# SPDX-License-Identifier: GPL-2.0-or-later
"""Commands that do not load a validation library for text.

typer checks each value with pydantic, whose import costs 0.15 s of CPU. A default has its type
already, and so has text where text is wanted: those pass here. All other values, a number out of
its range for instance, go typer's way and get its messages.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, get_args, get_origin

from typer.core import TyperArgument, TyperCommand, TyperGroup, TyperOption


def passes(annotation: Any, value: Any) -> bool:
    """Whether `value`, text as given, is what `annotation` asks for without conversion."""
    if annotation is str:
        return isinstance(value, str)
    if annotation == list[str]:
        return isinstance(value, tuple | list) and all(isinstance(each, str) for each in value)
    return get_origin(annotation) is Literal and value in get_args(annotation)


def _ready(param: Any, ctx: Any, value: Any) -> bool:
    """Whether typer need not look at the value of `param`."""
    source = ctx.get_parameter_source(param.name)
    if source is not None and source.name == "DEFAULT" and not param.required:
        return True
    if isinstance(value, tuple | list) and not value and param.required:
        return False
    annotation = getattr(getattr(param, "type_descriptor", None), "annotation", None)
    return passes(annotation, value)


def _process(param: Any, ctx: Any, value: Any, typers: Callable[[Any, Any], Any]) -> Any:
    if not _ready(param, ctx, value):
        return typers(ctx, value)
    ready = list(value) if isinstance(value, tuple) else value
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
