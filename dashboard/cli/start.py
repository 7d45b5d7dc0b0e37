"""Start the dashboard: ``python -m dashboard.cli.start``."""

from __future__ import annotations

from dashboard.cli.serving import end_quietly

if __name__ == "__main__":
    end_quietly()

import argparse
import contextlib
import sys

from dashboard.cli.serving import ADDRESS, PORT, add_options, check_can_listen, serve
from evaluation.cli.statuses import REFUSED


def free_port(first: int = PORT, tries: int = 20) -> int:
    """The first free port from ``first`` on.

    Raises:
        RuntimeError: none of ``tries`` ports is free.
    """
    for port in range(first, first + tries):
        with contextlib.suppress(ValueError):
            check_can_listen(ADDRESS, port)
            return port
    raise RuntimeError(f"no free port from {first} to {first + tries - 1}; close another dashboard first")


def main() -> int:
    """Serve the dashboard until it is stopped."""
    parser = argparse.ArgumentParser(prog="python -m dashboard.cli.start", description=__doc__)
    add_options(parser)
    given = parser.parse_args()
    try:
        return serve(given.address, given.port or free_port(), given.open_to_network, given.lessons)
    except (ValueError, RuntimeError) as error:
        sys.stderr.write(f"lightbox: {error}\n")
        return REFUSED


if __name__ == "__main__":
    sys.exit(main())
