# SPDX-License-Identifier: GPL-2.0-or-later
"""Captured packets as files."""
