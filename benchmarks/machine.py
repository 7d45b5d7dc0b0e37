"""The machine on which speed is measured, in words."""

from __future__ import annotations

import os
import platform
from dataclasses import dataclass
from pathlib import Path

import torch

from classifiers.precision import settle_precision

LIMIT = "ONEDNN_MAX_CPU_ISA"
"""Environment variable that holds the library that convolves to older instructions."""
INSTRUCTIONS = {"avx2": "AVX2", "avx512_f": "AVX-512", "avx512_bf16": "AVX-512 with bfloat16", "amx_bf16": "AMX"}
"""What a processor may compute with, by torch's names, the best last."""


@dataclass(frozen=True)
class Machine:
    """Where figures come from.

    Attributes:
        processor: its name. instructions: the best it computes with here. graphics: the GPU, "" where there is none.
        cores, threads: of the processor, and those that torch takes. torch: its version.
        precision: what "auto" is here.
    """

    processor: str
    instructions: str
    graphics: str
    cores: int
    threads: int
    torch: str
    precision: str

    def __str__(self) -> str:
        """One sentence without its full stop."""
        graphics = f", {self.graphics}" if self.graphics else ""
        return (
            f"{self.processor} ({self.instructions}){graphics}; {self.cores} cores, {self.threads} torch threads, "
            f"torch {self.torch}; passes in {self.precision}"
        )

    @property
    def slug(self) -> str:
        """A file name for figures of such machines."""
        words = "".join(letter if letter.isalnum() else " " for letter in f"{self.processor} {self.precision}".lower())
        return "-".join(words.split())


def this_machine() -> Machine:
    """The machine that runs this."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    graphics = torch.cuda.get_device_name() if torch.cuda.is_available() else ""
    device = torch.device("cuda" if graphics else "cpu")
    return Machine(
        _processor(), _instructions(), graphics, cores, torch.get_num_threads(), torch.__version__,
        settle_precision("auto", device),
    )  # fmt: skip


def _instructions() -> str:
    able = torch.cpu.get_capabilities()
    best = [words for name, words in INSTRUCTIONS.items() if able.get(name)]
    limit = os.environ.get(LIMIT)
    return (best[-1] if best else "no AVX2") + (f", held to {limit}" if limit else "")


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    named = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return named[0] if named else platform.processor() or platform.machine()
