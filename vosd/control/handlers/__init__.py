# SPDX-License-Identifier: GPL-2.0-or-later
"""The handler of each verb, by its name."""

from vosd.control.handler import Handler
from vosd.control.handlers import (
    blacklist,
    call,
    cdr,
    diagnose,
    gateway,
    param,
    phone,
    status,
    trace,
)

HANDLERS: dict[str, Handler] = {
    name: handler
    for area in (status, param, gateway, phone, blacklist, call, cdr, diagnose, trace)
    for name, handler in area.HANDLERS.items()
}
