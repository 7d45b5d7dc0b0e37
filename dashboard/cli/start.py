"""Start the dashboard: ``python -m dashboard.cli.start``."""

from __future__ import annotations

import socket
import sys
from pathlib import Path

_DASHBOARD = Path(__file__).resolve().parents[1]
APP = next(path for path in (_DASHBOARD / "served" / "app.py", _DASHBOARD.parent / "app.py") if path.is_file())
"""The dashboard's script: the wheel's copy, else the clone's."""
ADDRESS, PORT = "127.0.0.1", 8501


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


def only_named_pages() -> None:
    """Let app.py alone name the pages: else a first visit to a page's own address would run it without app.py."""
    from streamlit.runtime.pages_manager import PagesManager

    PagesManager.uses_pages_directory = False


def main() -> int:
    """Serve the dashboard until it is stopped, and print its address first."""
    from streamlit.web import cli

    from dashboard.cli import first_page

    only_named_pages()
    port = free_port()
    print(f"\n  XAI Lightbox: open http://{ADDRESS}:{port} in a browser (Ctrl+C stops it)\n", flush=True)
    sys.argv = ["streamlit", "run", str(APP), "--server.address", ADDRESS, "--server.port", str(port)]
    sys.argv += ["--server.headless", "true", "--browser.gatherUsageStats", "false"]
    first_page.load()
    return int(cli.main() or 0)


if __name__ == "__main__":
    sys.exit(main())
