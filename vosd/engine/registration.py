# SPDX-License-Identifier: GPL-2.0-or-later
"""REGISTER: prove the phone, let `switch.registrar` decide, keep the bindings."""

from __future__ import annotations

from collections.abc import Callable

from vosd.engine.admission import Admission, Refused
from vosd.engine.configuration import Configuration
from vosd.engine.settings import Settings
from vosd.sip.message import Message
from vosd.switch import registrar
from vosd.switch.clock import Clock

Reply = tuple[int, tuple[tuple[str, str], ...]]


class Registrar:
    """Answers REGISTER for the phones of the configuration."""

    def __init__(
        self,
        configuration: Configuration,
        settings: Settings,
        admission: Admission,
        failed: Callable[[str, tuple[str, int]], None],
    ) -> None:
        self._configuration = configuration
        self._settings = settings
        self._admission = admission
        self._failed = failed

    def answer(self, message: Message, source: tuple[str, int], local: int, clock: Clock) -> Reply:
        """Final code and header fields for one REGISTER."""
        phone = self._admission.phone(message, source, clock.mono)
        if isinstance(phone, Refused):
            if phone.failed:
                self._failed(phone.user, source)
            return phone.code, phone.headers
        limit = self._settings.snapshot.get("SS_ENDPOINT_EXPIRE")
        outcome = registrar.register(
            number=phone.number,
            existing=self._configuration.contacts(phone.number, clock.wall),
            message=message,
            source=source,
            local=local,
            now=clock.wall,
            longest=int(limit) if isinstance(limit, int | float) else 3600,
        )
        self._configuration.bind(outcome.put, outcome.removed)
        return outcome.code, outcome.headers
