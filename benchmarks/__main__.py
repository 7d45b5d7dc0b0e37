"""Run all benchmarks and print one Markdown table."""

from __future__ import annotations

import argparse
import importlib
import os
import pkgutil
import platform
import sys
from pathlib import Path

import torch

from benchmarks.films import MODELS, limit_to
from benchmarks.timing import TimingRow

PREFIX = "bench_"
HEAD = "| what | against | ours, s | theirs, s | ratio | target | met |\n|---|---|---|---|---|---|---|"


def names() -> tuple[str, ...]:
    """What ``--only`` takes: each module ``bench_NAME`` of this package."""
    found = (module.name for module in pkgutil.iter_modules([str(Path(__file__).parent)]))
    return tuple(sorted(name.removeprefix(PREFIX) for name in found if name.startswith(PREFIX)))


def machine() -> str:
    """The machine, in words."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    device = f", {torch.cuda.get_device_name()}" if torch.cuda.is_available() else ""
    return f"{_processor()}{device}; {cores} cores, {torch.get_num_threads()} torch threads, torch {torch.__version__}"


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    named = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return named[0] if named else platform.processor() or platform.machine()


def line(row: TimingRow) -> str:
    """One row in Markdown."""
    target = "" if row.target is None else f"at most {row.target:.2f}"
    met = {True: "yes", False: "no", None: ""}[row.met]
    figures = f"{row.ours:.3f} | {row.theirs:.3f} | {row.ratio:.2f}"
    return f"| {row.what} | {row.rival} | {figures} | {target} | {met} |"


def main(arguments: list[str] | None = None) -> int:
    """Run the chosen benchmarks; returns 0."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--only", choices=names(), action="append", help="a benchmark to run; may be repeated")
    parser.add_argument("--model", choices=tuple(MODELS), action="append", help="measure on this model only")
    parser.add_argument("--pairs", type=int, default=5, help="how many times each side is timed (default 5)")
    given = parser.parse_args(arguments)
    if given.pairs < 1:
        parser.error(f"--pairs: expected 1 or more, got {given.pairs}")
    limit_to(given.model or ())
    out = sys.stdout
    out.write(f"{machine()}. Medians of {given.pairs} pairs timed in turns.\n\n{HEAD}\n")
    out.flush()
    for name in given.only or names():
        for row in importlib.import_module(f"{__package__}.{PREFIX}{name}").rows(given.pairs):
            out.write(line(row) + "\n")
            out.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main())
