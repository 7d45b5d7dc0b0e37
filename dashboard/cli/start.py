"""Start the dashboard: ``python -m dashboard.cli.start``."""

from __future__ import annotations

from dashboard.cli.serving import end_quietly

if __name__ == "__main__":
    end_quietly()

import argparse
import socket
import sys

from dashboard.cli.serving import ADDRESS, PORT, add_options, serve
from evaluation.cli.statuses import REFUSED


def free_port(first: int = PORT, tries: int = 20) -> int:
    """The first free port from ``first`` on.

    Raises:
        RuntimeError: none of ``tries`` ports is free.
    """
    for port in range(first, first + tries):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((ADDRESS, port))
            except OSError:
                continue
            return port
    raise RuntimeError(f"no free port from {first} to {first + tries - 1}; close another dashboard first")


def main() -> int:
    """Serve the dashboard until it is stopped, and print its address first."""
    parser = argparse.ArgumentParser(prog="python -m dashboard.cli.start", description=__doc__)
    add_options(parser)
    given = parser.parse_args()
    try:
        port = given.port or free_port()
        print(f"\n  XAI Lightbox: open http://{given.address}:{port} in a browser (Ctrl+C stops it)\n", flush=True)
        return serve(given.address, port, given.open_to_network, given.lessons)
    except (ValueError, RuntimeError) as error:
        sys.stderr.write(f"lightbox: {error}\n")
        return REFUSED


if __name__ == "__main__":
    sys.exit(main())
