# SPDX-License-Identifier: GPL-2.0-or-later
"""Man pages, completions and reference, made from the tables and the command tree."""
