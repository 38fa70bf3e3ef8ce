# SPDX-License-Identifier: GPL-2.0-or-later
"""What is kept on disk: configuration, registrations, call records, audit."""

from vosd.store.audit import AuditEntry
from vosd.store.cdr import CdrFilter, Records
from vosd.store.channel import Ack, Done
from vosd.store.errors import StoreError
from vosd.store.params import ParameterChange, ParameterRow
from vosd.store.store import Store
from vosd.store.writer import Tuning, Writer

__all__ = [
    "Ack",
    "AuditEntry",
    "CdrFilter",
    "Done",
    "ParameterChange",
    "ParameterRow",
    "Records",
    "Store",
    "StoreError",
    "Tuning",
    "Writer",
]
