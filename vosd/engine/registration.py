# SPDX-License-Identifier: GPL-2.0-or-later
"""REGISTER: prove the phone, let `switch.registrar` decide, keep the bindings."""

from __future__ import annotations

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
    ) -> None:
        self._configuration = configuration
        self._settings = settings
        self._admission = admission

    def answer(
        self, message: Message, source: tuple[str, int], local: int, clock: Clock
    ) -> Reply | Refused:
        """Final code and header fields for one REGISTER, or why its sender is not let in."""
        phone = self._admission.phone(message, source, clock)
        if isinstance(phone, Refused):
            return phone
        get = self._settings.snapshot.get
        limits = registrar.Limits(
            longest=int(get("SS_ENDPOINT_EXPIRE")),
            shortest=int(get("SS_ENDPOINTTIMETOLIVE")),
            contacts=int(get("SS_ENDPOINT_CONTACTS")),
        )
        outcome = registrar.register(
            number=phone.number,
            existing=self._configuration.contacts(phone.number, clock.wall),
            message=message,
            source=source,
            local=local,
            now=clock.wall,
            limits=limits,
        )
        self._configuration.bind(outcome.put, outcome.removed)
        return outcome.code, outcome.headers
