# SPDX-License-Identifier: GPL-2.0-or-later
"""Every finding there is, in the order an operator should act on them; codes are promises.

How the call ended, what became of its session, audio that is missing, audio that is bad (loss
before jitter, CC-12), and last what merely explains. The session has a diagnosis of its own, whose
table is `session.RULES`.
"""

from __future__ import annotations

from vosd.diagnose.bad import BAD
from vosd.diagnose.endings import ENDINGS
from vosd.diagnose.missing import MISSING
from vosd.diagnose.notes import NOTES
from vosd.diagnose.rule import Rule
from vosd.diagnose.session import NOTES as SESSION_NOTES
from vosd.diagnose.session import SESSION

RULES: tuple[Rule, ...] = (*ENDINGS, *SESSION, *MISSING, *BAD, *NOTES)
BY_CODE: dict[str, Rule] = {rule.code: rule for rule in (*RULES, *SESSION_NOTES)}
