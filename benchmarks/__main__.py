"""Run all benchmarks, print one Markdown table, and write the figures into ``benchmarks/results``."""

from __future__ import annotations

import argparse
import importlib
import os
import pkgutil
import sys
from pathlib import Path

from benchmarks.films import MODELS, limit_to
from benchmarks.machine import LIMIT, this_machine
from benchmarks.results import HEAD, line, store

PREFIX = "bench_"
WITHOUT = "AVX512_CORE"
"""The best instructions without bfloat16."""


def names() -> tuple[str, ...]:
    """What ``--only`` takes: each module ``bench_NAME`` of this package."""
    found = (module.name for module in pkgutil.iter_modules([str(Path(__file__).parent)]))
    return tuple(sorted(name.removeprefix(PREFIX) for name in found if name.startswith(PREFIX)))


def main(arguments: list[str] | None = None) -> int:
    """Run the chosen benchmarks; returns 0."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--only", choices=names(), action="append", help="a benchmark to run; may be repeated")
    parser.add_argument("--model", choices=tuple(MODELS), action="append", help="measure on this model only")
    parser.add_argument("--pairs", type=int, default=5, help="how many times each side is timed (default 5)")
    parser.add_argument(
        "--without-bfloat16", action="store_true", help="compute as processors do that have AVX-512 without bfloat16"
    )
    given = parser.parse_args(arguments)
    if given.pairs < 1:
        parser.error(f"--pairs: expected 1 or more, got {given.pairs}")
    if given.without_bfloat16 and os.environ.get(LIMIT) != WITHOUT:
        # The library reads it once, when it is loaded.
        environment = os.environ | {LIMIT: WITHOUT}
        os.execve(sys.executable, [sys.executable, "-m", str(__package__), *(arguments or sys.argv[1:])], environment)
    limit_to(given.model or ())
    out, machine = sys.stdout, this_machine()
    out.write(f"{machine}. Medians of {given.pairs} pairs timed in turns.\n\n{HEAD}\n")
    out.flush()
    for name in given.only or names():
        rows = []
        for row in importlib.import_module(f"{__package__}.{PREFIX}{name}").rows(given.pairs):
            rows.append(row)
            out.write(line(row) + "\n")
            out.flush()
            # After each row, so that a run that is stopped leaves what it has measured.
            store(machine, name, rows, os.getloadavg()[0])
    return 0


if __name__ == "__main__":
    sys.exit(main())
