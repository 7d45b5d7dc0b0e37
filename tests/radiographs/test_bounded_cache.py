"""Caches bounded by bytes: what is counted, what goes first, who waits for whom."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from operator import attrgetter
from types import SimpleNamespace

import numpy as np
import pytest

from radiographs.bounded_cache import LEAST, bounded_cache, bytes_of, clear_all, forget_unused


@dataclass(frozen=True)
class Held:
    name: str
    pixels: np.ndarray
    more: dict[str, object]


def test_all_arrays_in_a_value_count_once():
    pixels = np.zeros((100, 100), np.float32)
    held = Held("abc", pixels, {"again": pixels, "masks": (np.zeros(500, bool), b"1234"), "other": threading.Lock()})
    assert bytes_of(held) == LEAST + 3 + 40_000 + 500 + 4
    assert bytes_of(None) == LEAST


@pytest.fixture
def read():
    """A function that makes megabytes, and what it was asked for."""
    asked = []

    @bounded_cache(10, key=str)
    def made(megabytes: float, name: str = "") -> np.ndarray:
        asked.append(name or megabytes)
        return np.zeros(int(megabytes * 2**20) - LEAST, np.uint8)

    return made, asked


def test_the_least_recently_used_go_first_by_size_and_not_by_number(read):
    made, asked = read
    for size in (4, 3, 2):
        made(size)
    made(4)
    made(2.5)
    assert asked == [4, 3, 2, 2.5]
    made(4)
    made(2)
    assert asked == [4, 3, 2, 2.5], "they are held still"
    made(3)
    assert asked[4:] == [3], "it went"


def test_what_alone_takes_more_is_held_alone(read):
    made, asked = read
    made(4)
    assert made(20) is made(20)
    made(4)
    made(20)
    assert asked == [4, 20, 4, 20]


def test_what_is_forgotten_is_made_again(read):
    made, asked = read
    made(1)
    made.clear()
    made(1)
    clear_all()
    made(1)
    assert asked == [1, 1, 1]


@pytest.fixture
def now(monkeypatch):
    """The time, in a list, which a test sets; what other tests left behind is forgotten."""
    clear_all()
    now = [100.0]
    monkeypatch.setattr("radiographs.bounded_cache.time", SimpleNamespace(monotonic=lambda: now[0]))
    return now


def test_what_nobody_asked_for_is_forgotten_and_what_is_looked_at_stays(read, now):
    made, asked = read
    made(1), made(2)
    now[0] = 350.0
    made(2)
    assert not forget_unused(300, {})
    now[0] = 401.0
    assert forget_unused(300, {})
    assert not forget_unused(300, {})
    made(2)
    assert asked == [1, 2], "it was looked at since"
    made(1)
    assert asked == [1, 2, 1]
    made.clear()
    now[0] = 1000.0
    assert not forget_unused(300, {}), "nothing is held"


def test_what_is_on_an_open_page_stays_however_long_and_nothing_else_of_its_owner(read, now, monkeypatch):
    made, asked = read
    monkeypatch.setattr("radiographs.bounded_cache._session", lambda: "idle")
    made(1)
    now[0] = 200.0
    made(2), made(3)
    monkeypatch.setattr("radiographs.bounded_cache._session", lambda: "gone")
    made(3), made(4)
    now[0] = 9000.0
    assert forget_unused(300, {"idle": 200.0})
    made(2), made(3)
    assert asked == [1, 2, 3, 4], "they are on the page that was drawn at 200"
    made(4), made(1)
    assert asked[4:] == [4, 1], "the one was on it before, the other on a page that is gone"


def test_two_who_ask_at_once_have_it_made_once_and_an_error_is_not_held():
    begun = []

    @bounded_cache(1, key=attrgetter("name"))
    def made(held: Held) -> str:
        begun.append(held.name)
        time.sleep(0.2)
        if len(begun) == 1:
            raise ValueError("the first time")
        return held.name

    found: list[str] = []

    def ask() -> None:
        try:
            found.append(made(Held("one", np.zeros(1), {})))
        except ValueError:
            found.append("error")

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert begun == ["one", "one"]
    assert sorted(found) == ["error", "one", "one", "one"]
