"""``python -m leotrek_opt``: the same program as ``leotrek``."""

from __future__ import annotations

import sys

from leotrek_opt.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
