# SPDX-License-Identifier: GPL-2.0-or-later
"""The one error of the store."""

from __future__ import annotations


class StoreError(Exception):
    """The store refuses; its text is a sentence for people that begins with "cannot"."""
