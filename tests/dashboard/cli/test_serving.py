"""The server is served to others on purpose only, and ends in time and without a word."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

from benchmarks.viewer import free_port
from dashboard.cli.serving import check_can_listen

ROOT = Path(__file__).resolve().parents[3]


def started(tmp_path, *options: str) -> subprocess.Popen:
    environment = {**os.environ, "XAI_LIGHTBOX_HOME": str(tmp_path), "HOME": str(tmp_path)}
    command = [sys.executable, "-m", "dashboard.cli.start", *options]
    return subprocess.Popen(
        command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def test_another_address_needs_sign_in_or_a_word(tmp_path):
    server = started(tmp_path, "--address", "0.0.0.0", "--port", str(free_port()))
    _, said = server.communicate(timeout=60)
    assert server.returncode == 2
    assert "--open-to-network" in said
    assert "Traceback" not in said


@pytest.mark.parametrize(
    ("number", "wait", "status"),
    [(signal.SIGINT, 0.0, 130), (signal.SIGINT, 0.7, 130), (signal.SIGINT, 4.0, 130), (signal.SIGTERM, 4.0, 0)],
)
def test_it_ends_at_any_moment_within_three_seconds_and_without_a_traceback(tmp_path, number, wait, status):
    server = started(tmp_path, "--port", str(free_port()))
    assert "XAI Lightbox" in "".join(server.stdout.readline() for _ in range(2))
    time.sleep(wait)
    start = time.monotonic()
    server.send_signal(number)
    _, said = server.communicate(timeout=30)
    assert time.monotonic() - start < 3
    assert "Traceback" not in said
    assert server.returncode == status


@pytest.mark.parametrize(
    ("address", "port", "why"),
    [("127.0.0.1", 70000, "from 1 to 65535"), ("192.0.2.1", 8501, "cannot listen at 192.0.2.1")],
)
def test_where_nobody_can_listen_is_said(address, port, why):
    with pytest.raises(ValueError, match=why):
        check_can_listen(address, port)


def test_the_address_is_printed_once_it_answers_and_a_taken_port_is_refused(tmp_path):
    port = free_port()
    server = started(tmp_path, "--port", str(port))
    address = next(found[0] for line in server.stdout if (found := re.search(r"http://[\d.:]+", line)))
    assert address == f"http://127.0.0.1:{port}"
    with urllib.request.urlopen(f"{address}/_stcore/health", timeout=30) as answer:
        assert answer.status == 200
    another = started(tmp_path, "--port", str(port))
    printed, said = another.communicate(timeout=60)
    server.terminate()
    server.communicate(timeout=30)
    assert another.returncode == 2
    assert "http://" not in printed
    assert f"port {port} (Address already in use); name another with --port or --address" in said


def test_torch_is_told_not_to_spin_before_it_is_loaded():
    code = "import sys, os, dashboard.cli; print(os.environ['OMP_WAIT_POLICY'], 'torch' in sys.modules)"
    for given, policy in (({}, "PASSIVE"), ({"OMP_WAIT_POLICY": "ACTIVE"}, "ACTIVE")):
        rest = {name: value for name, value in os.environ.items() if name != "OMP_WAIT_POLICY"}
        said = subprocess.run(
            [sys.executable, "-c", code], cwd=ROOT, env=rest | given, capture_output=True, text=True, check=True
        )
        assert said.stdout.split() == [policy, "False"]
