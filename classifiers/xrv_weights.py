"""torchxrayvision's weight files: which there are, where they lie, how they come and are checked."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from classifiers.chest_classifier import ModelCard, Scope
from classifiers.weights import WeightsError, sha256_of
from radiographs.fetching.downloads import DownloadProgress
from radiographs.fetching.fetch import FetchCancelled, FetchError
from radiographs.files import read_json, write_text
from radiographs.nearness import near
from radiographs.places import home_folder

PREFIX = "xrv-"


@dataclass(frozen=True)
class Release:
    """One weight file. ``sha256`` and ``size`` (bytes) are None where nobody has published them."""

    title: str
    trained_on: str
    sha256: str | None = None
    size: int | None = None


_RELEASES = {
    "densenet121-res224-all": Release(
        "DenseNet-121, all data (torchxrayvision)",
        "NIH, PadChest, CheXpert, MIMIC-CXR, Google's NIH labels, Open-i and RSNA films, 224 pixels",
        "56524913dd16a906422e8d8b66a7a5c46be1d82eb7ac012d8103776f1aa68899",
        28382008,
    ),
    "densenet121-res224-nih": Release("DenseNet-121, NIH (torchxrayvision)", "NIH ChestX-ray14, 224 pixels"),
    "densenet121-res224-pc": Release(
        "DenseNet-121, PadChest (torchxrayvision)",
        "PadChest (University of Alicante), 224 pixels",
        "a9148ef62ae4e7a31a9bed8cef22811f39681cd61e4390398936efc6280af521",
        28381804,
    ),
    "densenet121-res224-chex": Release(
        "DenseNet-121, CheXpert (torchxrayvision)",
        "CheXpert (Stanford), 224 pixels",
        "1a914ae802170187a4852e594708206c12468eeeefd66aa4e8e26141649d61a4",
        28381998,
    ),
    "densenet121-res224-rsna": Release(
        "DenseNet-121, RSNA (torchxrayvision)",
        "RSNA Pneumonia Challenge, 224 pixels",
        "906a59f48cf09638b745d66848a6c6f9d741368c66244717a81207329d140268",
        28381974,
    ),
    "densenet121-res224-mimic_nb": Release(
        "DenseNet-121, MIMIC-CXR, NegBio labels (torchxrayvision)", "MIMIC-CXR with NegBio labels, 224 pixels"
    ),
    "densenet121-res224-mimic_ch": Release(
        "DenseNet-121, MIMIC-CXR, CheXpert labels (torchxrayvision)",
        "MIMIC-CXR with CheXpert labels, 224 pixels",
        "23b13a04459684ffa41247d068207a7657b4e1b4dec2b02431f5026bd75b1189",
        28382012,
    ),
    "resnet50-res512-all": Release(
        "ResNet-50, 512 pixels (torchxrayvision)", "PadChest, NIH, RSNA, SIIM and VinDr-CXR films, 512 pixels"
    ),
}

_SCOPE = Scope(ages=(18, 94), projections=("PA", "AP"), collections=("nih-boxes",))
"""Adults' frontal films; the few children of some of these collections are no ground to trust it on a child's film."""
XRV_NAMES = tuple(PREFIX + name for name in _RELEASES)
"""Names of these models in the registry."""


def xrv_card(name: str) -> ModelCard:
    """Return the model card of a registered name such as ``xrv-densenet121-res224-all``.

    Raises:
        LookupError: there is no such model.
    """
    release = release_of(name)
    return ModelCard(
        name=name,
        title=release.title,
        summary="A public classifier of the torchxrayvision library. The map explains its logit, not the rescaled "
        "output that the library shows.",
        trained_on=release.trained_on,
        licence="Apache 2.0 (library); the films' own terms apply to the weights",
        citation="Cohen et al. 2022, TorchXRayVision: a library of chest X-ray datasets and models, arXiv 2111.00595",
        limits="Trained on labels mined from reports, without outlines. It has seen public films, so that scores on "
        "them are optimistic. For research and teaching.",
        scope=_SCOPE,
    )


def weights_path(name: str) -> Path:
    """Where the weights of a registered name lie once they are fetched."""
    release_of(name)
    return home_folder() / "weights" / f"{name}.pt"


def missing_xrv(name: str) -> str | None:
    """None where the weights are at hand, else one sentence that says how to have them."""
    if weights_path(name).is_file():
        return None
    return f"The weights of {name} are not on this computer; run: lightbox fetch {name}"


def release_of(name: str) -> Release:
    """Return what is known of a registered name's weight file, or raise LookupError."""
    try:
        return _RELEASES[name.removeprefix(PREFIX)]
    except KeyError:
        raise LookupError(f"no torchxrayvision model {name!r}; {near(name, XRV_NAMES)}") from None


def check_sum(name: str, path: Path, expected: str | None) -> None:
    """Raise WeightsError where ``path`` has another SHA-256 than ``expected`` (None: nothing is known to check)."""
    if expected is not None and sha256_of(path) != expected:
        raise WeightsError(f"the weights of {name} have changed or are damaged; run: lightbox fetch {name}")


def _sums_path() -> Path:
    return home_folder() / "weights" / "sums.json"


def recorded_sums() -> dict[str, str]:
    """Return the SHA-256 of first downloads, by registered name."""
    path = _sums_path()
    if not path.is_file():
        return {}
    try:
        return dict(read_json(path))
    except (ValueError, TypeError) as error:
        raise WeightsError(f"{path} is damaged ({error}); remove it and fetch the weights again") from error


def record_sum(name: str, sha256: str) -> None:
    """Record the SHA-256 of a first download."""
    write_text(_sums_path(), json.dumps({**recorded_sums(), name: sha256}, indent=1))


def size_at(url: str) -> int:
    """Return the size in bytes of the file at ``url``, as its server says."""
    try:
        with urllib.request.urlopen(urllib.request.Request(url, method="HEAD"), timeout=30) as answer:
            return int(answer.headers["Content-Length"])
    except (OSError, TypeError, ValueError) as error:
        raise FetchError(f"{url} does not answer ({error}); check the network and try again") from error


def first_download(
    url: str, path: Path, size: int, progress: DownloadProgress | None, cancelled: Callable[[], bool] | None
) -> None:
    """Download a file whose checksum nobody has published."""
    path.parent.mkdir(parents=True, exist_ok=True)
    done = 0
    try:
        with urllib.request.urlopen(url, timeout=30) as answer, path.open("wb") as target:
            while block := answer.read(1 << 16):
                target.write(block)
                done += len(block)
                if progress:
                    progress(0, 1, done, size)
                if cancelled and cancelled():
                    raise FetchCancelled("the download was stopped; call again to start it anew")
                if done > size:
                    break
    except OSError as error:
        raise FetchError(f"the download of {url} broke off ({error}); try again") from error
    if done != size:
        raise FetchError(f"{url} sent {done} bytes where it announced {size}; try again")
    if progress:
        progress(1, 1, done, size)
