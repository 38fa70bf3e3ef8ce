# SPDX-License-Identifier: GPL-2.0-or-later
"""vosd: the softswitch daemon."""

__version__ = "0.1.0"
