# SPDX-License-Identifier: GPL-2.0-or-later
"""Every finding there is, in the order an operator should act on them; codes are promises.

How the call ended, audio that is missing, audio that is bad (loss before jitter, CC-12), and
last what merely explains.
"""

from __future__ import annotations

from vosd.diagnose.bad import BAD
from vosd.diagnose.endings import ENDINGS
from vosd.diagnose.missing import MISSING
from vosd.diagnose.notes import NOTES
from vosd.diagnose.rule import Rule

RULES: tuple[Rule, ...] = (*ENDINGS, *MISSING, *BAD, *NOTES)
BY_CODE: dict[str, Rule] = {rule.code: rule for rule in RULES}
