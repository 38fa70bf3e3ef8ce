# SPDX-License-Identifier: GPL-2.0-or-later
"""Billing parameters: which calls leave a record, which account is checked."""

from __future__ import annotations

from vosd.catalog.kinds import Switch
from vosd.catalog.param import Param

ROWS = (
    Param(
        name="SERVER_BILLING_RECORD_ILLEGAL_CALL", kind=Switch(), default="on",
        group="records", takes_effect="now", obeyed=True,
        summary="write a record for calls refused before routing",
        detail="Off hides what screening and limits refuse.", manual="4.3.5",
    ),
    Param(
        name="SERVER_BILLING_RECORD_ZERO_HOLD_TIME", kind=Switch(), default="on",
        group="records", takes_effect="now", obeyed=True,
        summary="write a record for calls that were not answered",
        detail="Off takes the failed attempts out of answer ratios and diagnosis."
        " Answered calls always leave a record.", manual="4.3.5",
    ),
    Param(
        name="SERVER_VERIFY_CLEARING_CUSTOMER", kind=Switch(), default="off",
        group="accounts", takes_effect="next call",
        summary="check the vendor's clearing account before a call is routed to it",
        detail="The source gives neither value nor default.",
        rows=("SCN-02", "D42"),
        corrected="The source calls it a balance check against a stolen customer account; by"
        " its name, and by the vendor's API, it checks the clearing (vendor) account (D42).",
    ),
)
