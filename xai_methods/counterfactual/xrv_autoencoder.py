"""torchxrayvision's autoencoder of films, in which latent shift was first shown (Cohen et al. 2021, arXiv 2102.09475).

The library is imported where it is needed: it takes a second.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from classifiers import ChestClassifier
from classifiers.weights import WeightsError, load_into, read_state_dict
from classifiers.xrv_weights import check_sum, recorded_sums
from radiographs.fetching.downloads import DownloadProgress
from radiographs.places import home_folder
from xai_methods.counterfactual.latent import autoencoder_card, shifted_in
from xai_methods.counterfactual.series import LEVELS, Limits, Series
from xai_methods.method import Progress

NAME = "latent-shift-xrv"
WEIGHTS = "xrv-resnetae-101-elastic"
"""What ``lightbox fetch`` calls the weights."""
TITLE = "torchxrayvision's autoencoder"
_RELEASE = "101-elastic"
_HIGH = 1024.0
"""The network takes and gives greys from -1024 to 1024."""


class XrvAutoencoder(nn.Module):
    """Films (N, 1, 224, 224) in [0, 1] to codes (N, 512, 3, 3) and back; what it draws may leave [0, 1]."""

    side = 224

    def __init__(self) -> None:
        from classifiers.xrv import import_torchxrayvision

        super().__init__()
        self.network: Any = import_torchxrayvision().autoencoders.ResNetAE101()

    def encode(self, films: torch.Tensor) -> torch.Tensor:
        """Code of films."""
        return self.network.encode(2 * _HIGH * films - _HIGH)

    def decode(self, codes: torch.Tensor) -> torch.Tensor:
        """Films of codes."""
        return (self.network.decode(codes) + _HIGH) / (2 * _HIGH)


def weights_path() -> Path:
    """Where the weights lie once they are fetched."""
    return home_folder() / "weights" / f"{WEIGHTS}.pt"


def missing() -> str | None:
    """None where the weights are at hand, else one sentence that says how to have them."""
    if weights_path().is_file():
        return None
    return f"The weights of torchxrayvision's autoencoder are not on this computer; run: lightbox fetch {WEIGHTS}"


def fetch_xrv_autoencoder(
    progress: DownloadProgress | None = None, cancelled: Callable[[], bool] | None = None, url: str | None = None
) -> Path:
    """Download the weights from the library's release page, see :func:`classifiers.xrv.fetch_on_trust`.

    Args:
        progress: called with (files done, files in all, bytes done, bytes in all). cancelled: called often.
        url: another address of the same file.

    Raises:
        FetchError: the file could not be had. WeightsError: it is not the network it should be.
    """
    from classifiers.xrv import fetch_on_trust, import_torchxrayvision

    address = url or import_torchxrayvision().autoencoders.model_urls[_RELEASE]["weights_url"]
    fetch_on_trust(WEIGHTS, address, weights_path(), _read, progress, cancelled)
    return weights_path()


def load_xrv_autoencoder(device: torch.device) -> XrvAutoencoder:
    """The fetched autoencoder on ``device``, in evaluation mode; loaded once.

    Raises:
        WeightsError: its weights are not there, have changed, or do not fit.
    """
    path, absent = weights_path(), missing()
    if absent:
        raise WeightsError(absent)
    return _loaded(path, path.stat().st_mtime_ns, str(device))


@lru_cache(maxsize=2)
def _loaded(path: Path, written: int, device: str) -> XrvAutoencoder:
    check_sum(WEIGHTS, path, recorded_sums().get(WEIGHTS))
    return _read(path).to(device)


def _read(path: Path) -> XrvAutoencoder:
    with torch.random.fork_rng(devices=[]):
        made = XrvAutoencoder()
    load_into(made.network, read_state_dict(path), path.name)
    return made.eval().requires_grad_(False)


def shifted_by_xrv(
    classifier: ChestClassifier,
    film: torch.Tensor,
    finding: str,
    levels: Sequence[float] | np.ndarray = LEVELS,
    limits: Limits | None = None,
    report: Progress = lambda share: None,
    folder: Path | None = None,
) -> Series:
    """Shift one film's code in torchxrayvision's autoencoder, see :func:`xai_methods.counterfactual.latent.shifted_in`.

    Args:
        limits: those of the shipped autoencoder where None, for nobody has measured this one's.

    Raises:
        WeightsError: the weights are not there or not the right ones. And what ``shifted_in`` raises.
    """
    network = load_xrv_autoencoder(film.device)
    allowed = limits or Limits(**autoencoder_card(folder).figures["limits"])
    return shifted_in(network, NAME, classifier, film, finding, levels, allowed, report, folder)
