"""The command ``lightbox`` as it is installed: ends quietly when it is stopped before all is imported."""

from __future__ import annotations

import signal

from dashboard.cli.serving import end_quietly


def main() -> int:
    """Run one command; returns the exit status."""
    end_quietly()
    from dashboard.cli.main import main as run

    # From here on the commands themselves say that they were stopped.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    return run()
