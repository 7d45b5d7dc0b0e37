"""The real dashboard, served for the browser tests, and a real browser."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from evaluation.reader_study.store import StudyStore
from evaluation.reader_study.study_file import parse_study
from tests.conftest import browser_path

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 120
FLAGS = [
    "--no-sandbox",
    "--headless=new",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]

COMPLAINTS: list[str] = []
"""What browsers said went wrong, for the report of a test that fails."""
SERVERS: dict[str, subprocess.Popen[bytes]] = {}
"""By address, for tests that kill one."""
LOGS: dict[str, Path] = {}
"""What servers write, by address."""


@contextlib.contextmanager
def served(home: Path, script: Path | None = None, port: int = 0, **variables: str):
    """Serve the dashboard on a free port with ``home`` as its home, until the block ends; yields its address.

    Args:
        script: serve this page in the dashboard's stead. port: serve there.
    """
    with socket.socket() as free:
        free.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        free.bind(("127.0.0.1", port))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "dashboard.cli.main", "run-dashboard", "--port", str(port)]
    if script is not None:
        command = [sys.executable, "-m", "streamlit", "run", str(script), "--server.port", str(port)]
    log = (home / "log").open("w")
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "XAI_LIGHTBOX_HOME": str(home), **variables}
    server = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=log)
    url = f"http://127.0.0.1:{port}"
    SERVERS[url], LOGS[url] = server, home / "log"
    try:
        until = time.monotonic() + PATIENCE
        while True:
            try:
                urllib.request.urlopen(f"{url}/_stcore/health", timeout=5).read()
                break
            except (urllib.error.URLError, OSError):
                assert server.poll() is None, (home / "log").read_text()
                assert time.monotonic() < until, "the dashboard did not start"
                time.sleep(0.3)
        yield url
    finally:
        server.terminate()
        server.wait(30)
        log.close()


def _shown_on(page) -> str:
    """What a page shows, or that it does not answer: an error here would end all tests."""
    from playwright.sync_api import Error

    try:
        states = page.locator("[data-testid=stApp]").evaluate_all("all => all.map(app => app.dataset.testScriptState)")
        return f"{page.url}\nscript: {states}\n{page.locator('body').inner_text(timeout=5000)[:3000]}"
    except Error as error:
        return f"{page.url}\nit does not answer: {error}"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    """Add to a failure's report what all pages showed then: nobody can look at them afterwards."""
    report = yield
    first = getattr(item, "funcargs", {}).get("page")
    if report.failed and first is not None:
        pages = [page for context in first.context.browser.contexts for page in context.pages]
        report.sections += [("page", _shown_on(page)) for page in pages]
        report.sections.append(("browser's console, latest last", "\n".join(COMPLAINTS[-10:])))
        report.sections += [
            ("server's log", path.read_text()[-3000:])
            for url, path in LOGS.items()
            if any(page.url.startswith(url) for page in pages)
        ]
    return report


@pytest.fixture(scope="session")
def address(tmp_path_factory):
    """The dashboard with an empty home, served once for all tests; yields its address."""
    with served(tmp_path_factory.mktemp("home")) as url:
        yield url


def idle(page) -> None:
    """Wait until the page has been drawn and stays so."""
    drawn = page.locator("[data-testid=stApp][data-test-script-state=notRunning]")
    drawn.wait_for()
    page.wait_for_timeout(700)
    drawn.wait_for()


@pytest.fixture(scope="module")
def page():
    """A page of 1280 x 900 in a browser of its own."""
    playwright = pytest.importorskip("playwright.sync_api", reason="needs the playwright package")
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=browser_path(), args=FLAGS)
        opened = browser.new_page(viewport={"width": 1280, "height": 900})
        opened.set_default_timeout(PATIENCE * 1000)
        opened.on("console", lambda said: COMPLAINTS.append(said.text[:400]) if said.type == "error" else None)
        opened.on("pageerror", lambda error: COMPLAINTS.append(str(error)[:400]))
        yield opened
        browser.close()


def known_truth_model() -> bool:
    """Whether the known-truth model's weights are at hand."""
    from classifiers.registry import list_models

    return any(entry.name == "known-truth" and entry.available for entry in list_models())


def opened_study(home, text: str) -> tuple[StudyStore, str]:
    """A study in a home, and its first reader's code."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("XAI_LIGHTBOX_HOME", str(home))
        patched.setattr("evaluation.reader_study.material.FAITHFULNESS", ())
        store = StudyStore.create(parse_study(text))
        return store, store.add_readers(1)[1]
