"""The server: where it listens, who is let in, what it does while it runs, and how it ends."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import AsyncIterator
from pathlib import Path
from types import FrameType
from typing import Any

from radiographs.memory import give_back_large_arrays, give_back_memory

_DASHBOARD = Path(__file__).resolve().parents[1]
APP = next(path for path in (_DASHBOARD / "served" / "app.py", _DASHBOARD.parent / "app.py") if path.is_file())
"""The dashboard's script: the wheel's copy, else the clone's."""
ADDRESS, PORT = "127.0.0.1", 8501
LAST_SECONDS = 1.5
"""So long the server may take to note what is unfinished once it is told to end; then it ends in a moment."""
SWEEP_SECONDS = 5.0
_told, _noted = threading.Event(), threading.Event()
"""Whether the server was told to end; and whether what is unfinished then was noted."""


def add_options(command: argparse.ArgumentParser) -> None:
    """Add where the server listens and who is let in."""
    command.add_argument("--port", type=int, default=None, help=f"port (default {PORT})")
    command.add_argument(
        "--address", default=ADDRESS, help=f"address to listen at (default {ADDRESS}, this computer only)"
    )
    command.add_argument(
        "--lessons", type=Path, metavar="DIR", help="folder with further lessons for the Class page (docs/lessons.md)"
    )
    command.add_argument(
        "--open-to-network",
        action="store_true",
        help="let people of other computers in without sign-in; they may look and explain, not change the house",
    )


def end_quietly() -> None:
    """Have SIGINT and SIGTERM end the program at once, without a word, until the server takes them over."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _leave)


def _leave(number: int, _frame: FrameType | None) -> None:
    if _told.is_set():
        _noted.wait(LAST_SECONDS)
    _exit(130 if number == signal.SIGINT else 0)


def _exit(status: int) -> None:
    # Threads that compute, and what libraries do when Python ends, must not hold the program back.
    with contextlib.suppress(OSError, ValueError):
        sys.stdout.flush()
    os._exit(status)


def serve(address: str, port: int, open_to_network: bool, lessons: Path | None = None) -> int:
    """Serve the dashboard until it is told to end; say where to open it once it answers there.

    Raises:
        ValueError: it would be served to other computers, and neither does anybody sign in nor is it open;
            ``lessons`` is no folder; or it cannot listen at this address and port.
    """
    print("\n  XAI Lightbox is starting ...", flush=True)
    from starlette.middleware import Middleware
    from streamlit.auth_util import get_secrets_auth_section
    from streamlit.starlette import App
    from streamlit.web import bootstrap

    from dashboard.cli import first_page
    from dashboard.cli.made_files import keep_made_files
    from dashboard.cli.missing_media import RetryMissingMedia
    from dashboard.people.identity import LOCAL, OPEN_VARIABLE
    from dashboard.people.web import WebHeaders

    if lessons is not None:
        if not lessons.is_dir():
            raise ValueError(f"--lessons names no folder: {lessons}; make it, or name another")
        os.environ["XAI_LIGHTBOX_LESSONS"] = str(lessons.resolve())
    only_named_pages()
    skip_component_scan()
    os.chdir(APP.parent)
    sys.argv = [str(APP)]
    options = {
        "server.address": address,
        "server.port": port,
        "server.headless": True,
        "browser.gatherUsageStats": False,
        "logger.hideWelcomeMessage": True,
    }
    bootstrap.load_config_options(options)
    if address not in LOCAL and not open_to_network and not get_secrets_auth_section():
        raise ValueError(
            f"{address} is reached from other computers: set up sign-in in .streamlit/secrets.toml "
            "(docs/deployment.md), or add --open-to-network to let anybody in"
        )
    if open_to_network:
        os.environ[OPEN_VARIABLE] = "1"
    check_can_listen(address, port)
    give_back_large_arrays()
    first_page.load()
    keep_made_files()
    App(
        APP,
        lifespan=lambda _: _alive(address, port),
        middleware=[Middleware(WebHeaders), Middleware(RetryMissingMedia)],
    ).run(config=options)
    return 0


def check_can_listen(address: str, port: int) -> None:
    """Check that a server can listen there.

    Raises:
        ValueError: it cannot; says why.
    """
    try:
        with socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((address, port))
    except (OSError, OverflowError) as error:
        why = getattr(error, "strerror", "it must be from 1 to 65535")
        raise ValueError(
            f"cannot listen at {address}, port {port} ({why}); name another with --port or --address"
        ) from error


def skip_component_scan() -> None:
    """Let Streamlit not scan all installed packages for components (0.4 s): ours are in our own code."""
    from streamlit.components.v2 import manifest_scanner

    manifest_scanner.scan_component_manifests = lambda *_, **__: []


def only_named_pages() -> None:
    """Let app.py alone name the pages: else a first visit to a page's own address would run it without app.py."""
    from streamlit.runtime.pages_manager import PagesManager

    PagesManager.uses_pages_directory = False


@contextlib.asynccontextmanager
async def _alive(address: str, port: int) -> AsyncIterator[dict[str, Any]]:
    """While the server runs: say where, end what people left behind, and end in time when told to."""
    _end_in_time()
    tasks = [asyncio.create_task(work) for work in (_say_where(address, port), _sweep())]
    try:
        yield {}
    finally:
        for task in tasks:
            task.cancel()


async def _say_where(address: str, port: int) -> None:
    """Print the address once a browser that opens it is answered."""
    # All of this computer's addresses: of these, one that opens in a browser here.
    here = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(address, address)
    while True:
        with contextlib.suppress(OSError):
            _, writer = await asyncio.open_connection(here, port)
            writer.close()
            break
        await asyncio.sleep(0.05)
    shown = f"[{here}]" if ":" in here else here
    print(f"  XAI Lightbox: open http://{shown}:{port} in a browser (Ctrl+C stops it)\n", flush=True)


async def _sweep() -> None:
    from streamlit import runtime

    while True:
        await asyncio.sleep(SWEEP_SECONDS)
        # The first page's modules are imported elsewhere; two threads that import the same can meet half-made ones.
        leaving = sys.modules.get("dashboard.cli.leaving")
        if leaving is not None and leaving.end_sessions(runtime.get_instance()):
            await asyncio.to_thread(give_back_memory)


def _end_in_time() -> None:
    """From the first SIGINT or SIGTERM on, note what is unfinished, and end after ``LAST_SECONDS`` at the latest."""
    for number in (signal.SIGINT, signal.SIGTERM):
        usual = signal.getsignal(number)

        def told(number: int, frame: FrameType | None, usual: Any = usual) -> None:
            _told.set()
            threading.Thread(target=_end, args=(130 if number == signal.SIGINT else 0,), daemon=True).start()
            if callable(usual):
                usual(number, frame)

        signal.signal(number, told)


def _end(status: int) -> None:
    # A module that is still being imported has nothing to note yet.
    mark_unfinished = getattr(sys.modules.get("dashboard.shared.resumption"), "mark_unfinished", None)
    if mark_unfinished is not None:
        noting = threading.Thread(target=mark_unfinished, daemon=True)
        noting.start()
        noting.join(LAST_SECONDS)
    _noted.set()
    time.sleep(LAST_SECONDS / 4)
    _exit(status)
