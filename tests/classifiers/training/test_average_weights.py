from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from classifiers.training.average_weights import averaged


def test_averaged_weights_are_the_weighted_mean(tmp_path: Path) -> None:
    for name, value in (("a", 1.0), ("b", 4.0)):
        state = {"w": torch.full((2,), value).half(), "n": torch.tensor(3)}
        save_file(state, tmp_path / f"{name}.safetensors")
    mean = averaged([tmp_path / "a.safetensors", tmp_path / "b.safetensors"], [2, 1])
    assert mean["w"].tolist() == [2, 2]
    assert mean["n"] == 3
    with pytest.raises(ValueError, match="2 files need 2 shares"):
        averaged([tmp_path / "a.safetensors", tmp_path / "b.safetensors"], [1])
