"""Interrupted trainings go on where they stopped: weights, running average and optimiser state on disk."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import nn

from radiographs.files import replacing


@dataclass
class Training:
    """What changes while a network is trained: the modules by name, and the optimiser."""

    modules: dict[str, nn.Module]
    optimiser: torch.optim.Optimizer

    def save(self, path: Path, step: int) -> None:
        """Write everything after ``step`` steps, whole or not at all."""
        state = {f"{name}/{k}": v for name, module in self.modules.items() for k, v in module.state_dict().items()}
        for number, values in self.optimiser.state_dict()["state"].items():
            state |= {f"optimiser/{number}/{k}": torch.as_tensor(v) for k, v in values.items()}
        tensors = {k: v.clone(memory_format=torch.contiguous_format) for k, v in state.items()}
        with replacing(path) as fresh:
            save_file(tensors, fresh, {"step": str(step)})

    def resume(self, path: Path) -> int:
        """Read what :meth:`save` wrote and return the steps done; 0 where there is no file."""
        if not path.is_file():
            return 0
        with safe_open(path, "pt") as file:
            state = {key: file.get_tensor(key) for key in file.keys()}
            step = int(file.metadata()["step"])
        for name, module in self.modules.items():
            module.load_state_dict(
                {k.removeprefix(f"{name}/"): v for k, v in state.items() if k.startswith(f"{name}/")}
            )
        whole = self.optimiser.state_dict()
        for key in (k for k in state if k.startswith("optimiser/")):
            _, number, field = key.split("/")
            whole["state"].setdefault(int(number), {})[field] = state[key]
        self.optimiser.load_state_dict(whole)
        return step
