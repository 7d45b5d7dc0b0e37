"""torchxrayvision's classifiers behind the one adaptor: logits, no hidden resizing, nothing in place.

Cohen et al. 2022, TorchXRayVision (MIDL, arXiv 2111.00595); Cohen et al. 2020 (MIDL, arXiv 2002.02497).
"""

from __future__ import annotations

import math
import os
import warnings
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import torch
from torch import nn

from classifiers.chest_classifier import ChestClassifier
from classifiers.preprocessing import Preprocessing
from classifiers.safe_unpickling import read_network_tensors
from classifiers.torchvision_guard import ensure_torchvision
from classifiers.weights import WeightsError, load_into, sha256_of
from classifiers.xrv_weights import (
    PREFIX,
    XRV_NAMES,
    check_sum,
    first_download,
    missing_xrv,
    record_sum,
    recorded_sums,
    release_of,
    size_at,
    weights_path,
    xrv_card,
)
from radiographs.fetching.downloads import DownloadProgress
from radiographs.fetching.fetch import Download, download_all

__all__ = ["XRV_NAMES", "XrvDenseNet", "fetch_xrv", "import_torchxrayvision", "load_xrv", "missing_xrv", "xrv_card"]


class XrvDenseNet(nn.Module):
    """torchxrayvision's DenseNet without its resizing, and with the last ReLU and the pooling as modules.

    (N, 1, S, S) in [-1024, 1024] to logits (N, n_outputs).
    """

    def __init__(self, n_outputs: int = 18) -> None:
        super().__init__()
        bare = import_torchxrayvision().models.DenseNet(num_classes=n_outputs)
        self.features: nn.Module = bare.features
        self.relu = nn.ReLU(inplace=False)
        self.pool = nn.AdaptiveAvgPool2d((1, 1))
        self.flatten = nn.Flatten()
        self.classifier: nn.Module = bare.classifier

    def forward(self, films: torch.Tensor) -> torch.Tensor:
        """Map films to logits."""
        return self.classifier(self.flatten(self.pool(self.relu(self.features(films)))))


def import_torchxrayvision() -> ModuleType:
    """Import torchxrayvision and put back the warning filters that it replaces by "ignore everything"."""
    ensure_torchvision()
    with warnings.catch_warnings():
        import torchxrayvision
    return torchxrayvision


def fetch_xrv(
    name: str,
    *,
    progress: DownloadProgress | None = None,
    cancelled: Callable[[], bool] | None = None,
    url: str | None = None,
) -> Path:
    """Download the weights of a registered name from the library's release page and return their path.

    Where a checksum is published, the file must have it. For three files none is: there the first download is
    trusted if it holds a network that fits, and its checksum is recorded, so that a later change is noticed.

    Args:
        name: registered name. progress: called with (files done, files in all, bytes done, bytes in all).
        cancelled: called often; True stops the download. url: another address of the same file.

    Raises:
        LookupError: there is no such model. FetchError: the file could not be had.
        WeightsError: the file is not the network it should be.
    """
    release, path = release_of(name), weights_path(name)
    address = url or _models_table()[name.removeprefix(PREFIX)]["weights_url"]
    if release.sha256 is not None and release.size is not None:
        download_all([Download(address, path, release.sha256, release.size)], progress=progress, cancelled=cancelled)
        return path
    fetch_on_trust(name, address, path, lambda part: _load_network(name, part), progress, cancelled)
    return path


def fetch_on_trust(
    name: str,
    address: str,
    path: Path,
    load: Callable[[Path], object],
    progress: DownloadProgress | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> None:
    """Download a file without a published checksum: the first that ``load`` takes is trusted, its checksum recorded.

    Raises:
        FetchError: the file could not be had. WeightsError: ``load`` refuses it, or it is not the one recorded.
    """
    known = recorded_sums().get(name)
    if path.is_file() and known == sha256_of(path):
        return
    size = size_at(address)
    part = path.with_suffix(".first.pt")
    first_download(address, part, size, progress, cancelled)
    try:
        check_sum(name, part, known)
        load(part)
    except WeightsError:
        part.unlink()
        raise
    os.replace(part, path)
    record_sum(name, sha256_of(path))


def load_xrv(name: str, path: Path | None = None) -> ChestClassifier:
    """Build a torchxrayvision classifier on the CPU; nothing in its weight file is run.

    Args:
        name: registered name. path: its weight file; by default the fetched one, whose checksum is verified.

    Raises:
        LookupError: there is no such model.
        WeightsError: the weights are not there, are not the right ones, or do not fit.
    """
    card = xrv_card(name)
    if path is None:
        path = weights_path(name)
        missing = missing_xrv(name)
        if missing:
            raise WeightsError(missing)
        check_sum(name, path, release_of(name).sha256 or recorded_sums().get(name))
    network = _load_network(name, path)
    table = _models_table()[name.removeprefix(PREFIX)]
    labels, thresholds = table["labels"], table["op_threshs"]
    # An output without a name or an operating threshold was never trained or never evaluated.
    columns = tuple(c for c, label in enumerate(labels) if label and not math.isnan(thresholds[c]))
    findings = tuple(labels[column] for column in columns)
    side = 512 if "res512" in name else 224
    cam_layer = "layer4" if "resnet" in name else "features.norm5"
    return ChestClassifier(network, findings, card, cam_layer, Preprocessing(side, "crop", -1024.0, 1024.0), columns)


def _load_network(name: str, path: Path) -> nn.Module:
    state = read_network_tensors(path)
    with torch.random.fork_rng(devices=[]):
        network = _grey_resnet50(18) if "resnet" in name else XrvDenseNet(18)
    state.pop("op_threshs", None)
    load_into(network, state, path.name)
    for module in network.modules():
        if isinstance(module, nn.ReLU):
            module.inplace = False
    return network


def _grey_resnet50(n_outputs: int) -> nn.Module:
    ensure_torchvision()
    from torchvision.models import resnet50

    network = resnet50(weights=None, num_classes=n_outputs)
    network.conv1 = nn.Conv2d(1, 64, kernel_size=7, stride=2, padding=3, bias=False)
    return network


def _models_table() -> dict[str, dict[str, Any]]:
    """The library's own table of addresses and labels."""
    return import_torchxrayvision().models.model_urls
