"""What was freed goes back to the system, also from between what is in use, and not at every turn."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from radiographs import memory

GAPS = """
import os
from radiographs.memory import give_back_memory

def resident():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")

blocks = [bytearray(64 << 10) for _ in range(3200)]
del blocks[::2]
before = resident()
give_back_memory()
print(before - resident())
"""


@pytest.mark.skipif(sys.platform != "linux", reason="glibc's own")
def test_gaps_between_what_is_in_use_go_back():
    root = Path(__file__).resolve().parents[2]
    done = subprocess.run([sys.executable, "-c", GAPS], cwd=root, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) > 80 << 20, "half of 200 MiB was freed, in gaps of 64 KiB"


def test_amid_work_it_is_done_every_so_often(monkeypatch):
    now, done = [1000.0], []
    monkeypatch.setattr(memory, "time", SimpleNamespace(monotonic=lambda: now[0]))
    monkeypatch.setattr(memory, "_call", lambda *given: done.append(now[0]))
    monkeypatch.setattr(memory, "_given_back", 0.0)
    for now[0] in (1000.0, 1009.0, 1011.0, 1012.0):
        memory.give_back_memory_amid_work()
    assert done == [1000.0, 1011.0]
