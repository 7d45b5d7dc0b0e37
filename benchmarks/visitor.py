"""A person at the dashboard without a browser: speaks Streamlit's own protocol, so that many can be played."""

from __future__ import annotations

import json
import re
import time
import urllib.request
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.sync.client import ClientConnection, connect

PATIENCE = 600.0
SHORTEST_TOLD = 3.0
"""Seconds below which a time that the page tells is not held against what it took: a page looks every second or so."""


@dataclass
class Visitor:
    """One browser of its own.

    Attributes:
        address: of the dashboard. buttons: ids by label, of what was drawn last. maps: titles of maps on the screen.
        failures: what panels say whose maps could not be made. told: what was said of how long a map still takes,
            as title, moment and seconds. came: the moment at which each map was first on the screen, by title.
    """

    address: str
    buttons: dict[str, str] = field(default_factory=dict)
    maps: set[str] = field(default_factory=set)
    failures: list[str] = field(default_factory=list)
    told: list[tuple[str, float, float]] = field(default_factory=list)
    came: dict[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        with urllib.request.urlopen(self.address, timeout=PATIENCE) as answer:
            self._cookie = answer.headers["set-cookie"].partition(";")[0]
        self._socket: ClientConnection | None = None
        self._query = ""
        self._ticks: dict[str, tuple[float, float]] = {}

    def open(self, **query: str | list[str]) -> float:
        """Load the first page by a link, as a reload does; returns the seconds until it is drawn."""
        self.leave()
        self._query, self._ticks = urlencode(query, doseq=True), {}
        address = self.address.replace("http", "ws", 1) + "/_stcore/stream"
        start = time.perf_counter()
        self._socket = connect(
            address, subprotocols=["streamlit"], additional_headers={"Cookie": self._cookie}, max_size=None,
            ping_interval=None, open_timeout=PATIENCE,
        )  # fmt: skip
        self._draw("")
        return time.perf_counter() - start

    def press(self, label: str) -> float:
        """Press a button; returns the seconds until the page is drawn again.

        Raises:
            KeyError: no such button was drawn.
        """
        self.told, self.came = [], {}
        start = time.perf_counter()
        self._draw("", self.buttons[label])
        return time.perf_counter() - start

    def wait_for_maps(self, count: int, start: float) -> list[float]:
        """Wait until so many maps are on the screen, the page looking as often as it does; seconds of each.

        Raises:
            TimeoutError: they do not come. RuntimeError: one could not be made.
        """
        seconds: list[float] = []
        while True:
            seconds += [time.perf_counter() - start] * (len(self.maps) - len(seconds))
            if len(seconds) >= count:
                return seconds
            if self.failures:
                raise RuntimeError(self.failures[0])
            if time.perf_counter() - start > PATIENCE:
                raise TimeoutError(f"only {len(seconds)} of {count} maps came")
            due = [fragment for fragment, (_, at) in self._ticks.items() if time.perf_counter() >= at]
            if due:
                self._draw(due[0])
            else:
                self._draw("") if not self._ticks else time.sleep(0.05)

    def told_and_took(self) -> list[tuple[float, float]]:
        """Seconds that the page said a map would still take, and that it took, of all that it said."""
        return [
            (seconds, self.came[title] - at)
            for title, at, seconds in self.told
            if title in self.came and seconds >= SHORTEST_TOLD
        ]

    def leave(self) -> None:
        """Close the page."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _draw(self, fragment: str, button: str = "") -> None:
        wanted = BackMsg()
        wanted.rerun_script.query_string = self._query
        wanted.rerun_script.fragment_id = fragment
        wanted.rerun_script.is_auto_rerun = bool(fragment)
        if button:
            state = wanted.rerun_script.widget_states.widgets.add()
            state.id, state.trigger_value = button, True
        assert self._socket is not None
        if not fragment:
            self._ticks, self.buttons, self.maps = {}, {}, set()
        if fragment in self._ticks:
            interval, _ = self._ticks[fragment]
            self._ticks[fragment] = interval, time.perf_counter() + interval
        self._socket.send(wanted.SerializeToString())
        until = time.perf_counter() + PATIENCE
        while time.perf_counter() < until:
            said = ForwardMsg.FromString(self._socket.recv(timeout=PATIENCE, decode=False))
            kind = said.WhichOneof("type")
            if kind == "script_finished" and said.script_finished != ForwardMsg.FINISHED_EARLY_FOR_RERUN:
                return
            self._take(kind, said)
        raise TimeoutError("the page was not drawn")

    def _take(self, kind: str, said: ForwardMsg) -> None:
        if kind == "auto_rerun":
            interval = said.auto_rerun.interval
            self._ticks[said.auto_rerun.fragment_id] = interval, time.perf_counter() + interval
        elif kind == "delta" and said.delta.WhichOneof("type") == "new_element":
            element = said.delta.new_element
            if element.WhichOneof("type") == "button":
                self.buttons[element.button.label] = element.button.id
            elif element.WhichOneof("type") == "bidi_component":
                given = element.bidi_component.json or element.bidi_component.mixed.json
                panels = json.loads(given or "{}").get("panels", [])
                self.maps |= {panel["title"] for panel in panels if panel.get("map")}
                self._note_times(panels)
                self.failures = [panel["words"] for panel in panels if panel.get("state") == "failed"]

    def _note_times(self, panels: list[dict[str, Any]]) -> None:
        now = time.perf_counter()
        for panel in panels:
            if panel.get("map"):
                self.came.setdefault(panel["title"], now)
            elif found := re.search(r"about (\d+) (s|min)\b", panel.get("words") or ""):
                self.told.append((panel["title"], now, int(found[1]) * (60 if found[2] == "min" else 1)))
