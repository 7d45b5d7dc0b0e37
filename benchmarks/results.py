"""Figures of benchmarks on disk, one JSON file a machine, and the tables of ``docs/speed.md`` made from them.

``python -m benchmarks`` writes the files; ``python -m benchmarks.results`` writes the tables into docs/speed.md.
"""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path

from benchmarks.machine import Machine
from benchmarks.timing import TimingRow

FOLDER = Path(__file__).parent / "results"
PAGE = Path(__file__).parent.parent / "docs" / "speed.md"
BEGIN, END = "<!-- speed: written by python -m benchmarks.results -->", "<!-- speed: end -->"
HEAD = "| what | against | ours, s | theirs, s | ratio | target | met |\n|---|---|---|---|---|---|---|"


def line(row: TimingRow) -> str:
    """One row in Markdown."""
    target = "" if row.target is None else f"at most {row.target:.2f}"
    met = {True: "yes", False: "**no**", None: ""}[row.met]
    figures = f"{row.ours:.3f} | {row.theirs:.3f} | {row.ratio:.2f}"
    return f"| {row.what} | {row.rival} | {figures} | {target} | {met} |"


def store(machine: Machine, benchmark: str, rows: list[TimingRow], load: float, folder: Path = FOLDER) -> Path:
    """Put the rows of one benchmark in the machine's file, in the place of those from an earlier run.

    Args:
        load: mean number of processes that wanted the processor while it ran, ours among them.
    """
    path = folder / f"{machine.slug}.json"
    held = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {"benchmarks": {}}
    held["machine"] = asdict(machine)
    held["benchmarks"][benchmark] = {"load": round(load, 1), "rows": [asdict(row) for row in rows]}
    held["benchmarks"] = dict(sorted(held["benchmarks"].items()))
    folder.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(held, indent=1) + "\n", encoding="utf-8")
    return path


def tables(folder: Path = FOLDER) -> str:
    """A table for each machine's file, in Markdown."""
    parts = []
    for path in sorted(folder.glob("*.json")):
        held = json.loads(path.read_text(encoding="utf-8"))
        lines = [line(TimingRow(**row)) for one in held["benchmarks"].values() for row in one["rows"]]
        loads = [one["load"] for one in held["benchmarks"].values()]
        busy = f"{min(loads):g}" if min(loads) == max(loads) else f"{min(loads):g} to {max(loads):g}"
        parts.append("\n".join([f"{Machine(**held['machine'])}. Load while it ran: {busy}.", "", HEAD, *lines]))
    return "\n\n".join(parts)


def in_text(text: str, made: str) -> str:
    """``text`` with ``made`` between the two marks.

    Raises:
        ValueError: the marks are not there, once each and in order.
    """
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end or BEGIN in after:
        raise ValueError(f"docs/speed.md has no place for the tables; it needs {BEGIN!r} and {END!r} once each")
    return before + "\n\n".join(part for part in (BEGIN, made, END) if part) + after


if __name__ == "__main__":
    PAGE.write_text(in_text(PAGE.read_text(encoding="utf-8"), tables()), encoding="utf-8")
    sys.stdout.write(f"{PAGE.name} holds the tables of {FOLDER.name}/\n")
