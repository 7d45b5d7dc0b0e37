"""Forty students in one class: ``python -m benchmarks.classroom``. It prints a Markdown table.

A teacher and students speak Streamlit's protocol without a browser; what is timed is from the teacher's press of
"Reveal" or "Next" until the last word of the server on each student's page.
"""

from __future__ import annotations

import argparse
import math
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.Element_pb2 import Element
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.sync.client import connect

from benchmarks.viewer import ROOT, free_port, until_up
from evaluation.markdown import markdown_table

PATIENCE = 120.0
LOST = 30.0
"""Seconds after which a page that has not followed stays behind."""
THINKING = 10.0
"""Seconds that a class has for each step, at least."""


class Attendant:
    """One page of the class, of a browser of its own; a thread reads whatever the server says.

    Args:
        address: of the dashboard. query: of the page's address.
    """

    def __init__(self, address: str, query: str = "") -> None:
        with urllib.request.urlopen(address, timeout=PATIENCE) as answer:
            cookie = answer.headers["set-cookie"].partition(";")[0]
        self.query, self.page_hash = query, ""
        self.ids: dict[str, str] = {}
        self.fragments: dict[str, str] = {}
        self.words: list[tuple[float, str]] = []
        self.ticks: dict[str, tuple[float, float]] = {}
        self.finished = threading.Event()
        self.open = True
        self.socket = connect(
            address.replace("http", "ws", 1) + "/_stcore/stream", subprotocols=["streamlit"],
            additional_headers={"Cookie": cookie}, max_size=None, ping_interval=None, open_timeout=PATIENCE,
        )  # fmt: skip
        threading.Thread(target=self._read, daemon=True).start()
        self.say(page_name="class")

    def say(self, **given: str | bool) -> None:
        """Ask for a run of the page; ``press`` and ``text`` name widgets by their labels."""
        wanted = BackMsg()
        run = wanted.rerun_script
        run.query_string, run.page_script_hash = self.query, self.page_hash
        run.page_name = str(given.get("page_name", ""))
        run.fragment_id = str(given.get("fragment", "")) or self.fragments.get(str(given.get("press", "")), "")
        run.is_auto_rerun = "fragment" in given
        if not run.fragment_id:
            self.ticks.clear()
        for label, text in given.items():
            if label.startswith("text:"):
                state = run.widget_states.widgets.add()
                state.id, state.string_value = self.ids[label[5:]], str(text)
        if "press" in given:
            state = run.widget_states.widgets.add()
            state.id, state.trigger_value = self.ids[str(given["press"])], True
        self.finished.clear()
        self.socket.send(wanted.SerializeToString())

    def settle(self) -> None:
        """Wait until the page is drawn.

        Raises:
            TimeoutError: it was not.
        """
        if not self.finished.wait(PATIENCE):
            raise TimeoutError("the page was not drawn")

    def tick(self) -> None:
        """Run fragments that are due, as a browser does; not while the page is drawn, where that would undo a press."""
        if not self.finished.is_set():
            return
        for fragment, (interval, due) in list(self.ticks.items()):
            if time.perf_counter() >= due:
                self.ticks[fragment] = interval, time.perf_counter() + interval
                self.say(fragment=fragment)

    def saw(self, words: str, since: float) -> float | None:
        """Seconds from ``since`` until the page showed ``words``; None where it did not yet."""
        return next((at - since for at, said in self.words if at >= since and words in said), None)

    def leave(self) -> None:
        """Close the page."""
        self.open = False
        self.socket.close()

    def _read(self) -> None:
        while self.open:
            try:
                said = ForwardMsg.FromString(self.socket.recv(decode=False))
            except Exception:
                if self.open:
                    raise
                return
            self._take(said)

    def _take(self, said: ForwardMsg) -> None:
        kind, now = said.WhichOneof("type"), time.perf_counter()
        if kind == "navigation":
            self.page_hash = said.navigation.page_script_hash
        if kind == "new_session":
            self.page_hash = said.new_session.page_script_hash
        elif kind == "page_info_changed":
            self.query = said.page_info_changed.query_string
        elif kind == "auto_rerun":
            self.ticks[said.auto_rerun.fragment_id] = said.auto_rerun.interval, now + said.auto_rerun.interval
        elif kind == "script_finished" and said.script_finished != ForwardMsg.FINISHED_EARLY_FOR_RERUN:
            self.finished.set()
        elif kind == "delta" and said.delta.WhichOneof("type") == "new_element":
            self._remember(said.delta.new_element, said.delta.fragment_id, now)

    def _remember(self, element: Element, fragment: str, now: float) -> None:
        kind = element.WhichOneof("type")
        if kind == "button":
            # Several buttons may bear one label; the key that the page gave them ends their id.
            for name in (element.button.label, element.button.id.split("-", 2)[-1]):
                self.ids[name], self.fragments[name] = element.button.id, fragment
        elif kind == "text_input":
            self.ids[element.text_input.label] = element.text_input.id
        elif kind in ("markdown", "html"):
            self.words.append((now, element.markdown.body or element.html.body))


def follow_through(address: str, count: int, rounds: int) -> tuple[list[float], list[float]]:
    """Hold one class: seconds from "Next" and from "Reveal" to each student's page, over all rounds."""
    teacher = Attendant(address)
    teacher.settle()
    teacher.say(press="teach where-would-you-look")
    _until(lambda: "Reveal" in teacher.ids and "room=" in teacher.query, "a room is open")
    code = teacher.query.partition("room=")[2][:6]
    students = [Attendant(address, f"room={code}") for _ in range(count)]
    for number, student in enumerate(students):
        student.settle()
        student.say(press="Join", **{"text:Code": code, "text:Nickname": f"Student {number}"})
    stop = threading.Event()
    ticking = threading.Thread(target=_tick_until, args=(stop, [teacher, *students]), daemon=True)
    ticking.start()
    try:
        _until(lambda: all(s.saw("A program looked at", 0) is not None for s in students), "all joined")
        time.sleep(20)  # until the lesson's pictures are made
        moved: list[float] = []
        shown: list[float] = []
        for _ in range(rounds):
            moved += _drive(teacher, students, "Next", "Where is the mass?")
            shown += _drive(teacher, students, "Reveal", "What the class marked")
            _drive(teacher, students, "Back", "A program looked at")
        return moved, shown
    finally:
        stop.set()
        ticking.join()
        for attendant in (teacher, *students):
            attendant.leave()


def _drive(teacher: Attendant, students: list[Attendant], press: str, words: str) -> list[float]:
    time.sleep(THINKING)
    start = time.perf_counter()
    teacher.say(press=press)
    while time.perf_counter() < start + LOST and not all(student.saw(words, start) is not None for student in students):
        time.sleep(0.05)
    return [math.inf if (seen := student.saw(words, start)) is None else seen for student in students]


def _tick_until(stop: threading.Event, attendants: list[Attendant]) -> None:
    while not stop.is_set():
        for attendant in attendants:
            attendant.tick()
        time.sleep(0.05)


def _until(holds, what: str) -> None:  # type: ignore[no-untyped-def]
    until = time.perf_counter() + PATIENCE
    while not holds():
        if time.perf_counter() > until:
            raise TimeoutError(f"it did not come to this: {what}")
        time.sleep(0.02)


def main() -> int:
    """Serve the dashboard, hold a class in it, print the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.classroom", description=__doc__)
    parser.add_argument("--students", type=int, default=40)
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    command = [sys.executable, "-m", "dashboard.cli.main", "run-dashboard", "--port", str(port)]
    with tempfile.TemporaryDirectory() as home:
        environment = {**os.environ, "XAI_LIGHTBOX_HOME": home}
        server = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL)
        load = os.getloadavg()[0]
        try:
            until_up(f"{address}/_stcore/health")
            moved, shown = follow_through(address, given.students, given.rounds)
        finally:
            server.terminate()
            server.wait(20)
    rows = []
    for what, seconds in (("Next to the question", moved), ("Reveal to the answer", shown)):
        ordered = sorted(seconds)
        figures = statistics.median(ordered), ordered[int(0.95 * len(ordered))], ordered[-1]
        lost = f"{sum(map(math.isinf, ordered))} of {len(ordered)}"
        rows.append([what, *(f"{one:.2f} s" if one < LOST else f"over {LOST:g} s" for one in figures), lost])
    head = ["from", "median", "95th percentile", "slowest", f"stayed behind for {LOST:g} s"]
    sys.stdout.write(markdown_table(head, rows) + "\n")
    sys.stdout.write(
        f"\n{given.students} students, {given.rounds} rounds, {os.cpu_count()} cores, load {load:.1f} before, "
        f"{os.getloadavg()[0]:.1f} after\n"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
