# SPDX-License-Identifier: GPL-2.0-or-later
"""`python -m vosctl`, and what the installed `vosctl` calls."""

from vosctl.main import main

if __name__ == "__main__":
    main()
