"""Which methods explain which kinds of networks, and why others do not: ``python -m benchmarks.families``.

Writes the table in ``docs/families.md``. The networks are small, with random weights: whether a method can follow a
kind of network does not hang on what it learned.
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from classifiers.torchvision_guard import ensure_torchvision

ensure_torchvision()

import numpy as np  # noqa: E402
import torch  # noqa: E402
from torch import nn  # noqa: E402

from classifiers import ChestClassifier, wrap  # noqa: E402
from evaluation.markdown import markdown_table  # noqa: E402
from radiographs import Radiograph  # noqa: E402
from xai_methods import methods  # noqa: E402
from xai_methods.serving import served  # noqa: E402

SIDE, FINDINGS = 64, ("Mass", "Nodule", "Effusion")
DOCUMENT = Path(__file__).resolve().parent.parent / "docs" / "families.md"
_BEGIN, _END = "<!-- table begins -->", "<!-- table ends -->"


def _timm(name: str, **given: Any) -> nn.Module:
    import timm

    return timm.create_model(name, num_classes=len(FINDINGS), **given)


def _vgg() -> nn.Module:
    from torchvision.models.vgg import VGG, make_layers

    network = VGG(make_layers([16, "M", 24, "M", 32, "M", 48, "M"]), init_weights=False, num_classes=len(FINDINGS))
    network.avgpool = nn.AdaptiveAvgPool2d((2, 2))
    network.classifier = nn.Sequential(nn.Linear(48 * 4, 32), nn.ReLU(True), nn.Dropout(), nn.Linear(32, len(FINDINGS)))
    return network


def _densenet() -> nn.Module:
    from torchvision.models.densenet import DenseNet

    return DenseNet(growth_rate=12, block_config=(2, 3, 2), num_init_features=24, num_classes=len(FINDINGS))


def small_vit(**given: Any) -> nn.Module:
    """A vision transformer of three layers; ``given`` changes what timm's class takes."""
    from timm.models.vision_transformer import VisionTransformer

    small = {"img_size": SIDE, "patch_size": 8, "embed_dim": 48, "depth": 3, "num_heads": 3}
    return VisionTransformer(num_classes=len(FINDINGS), **{**small, **given})


def _deit() -> nn.Module:
    from timm.models.deit import VisionTransformerDistilled

    small = {"img_size": SIDE, "patch_size": 8, "embed_dim": 48, "depth": 3, "num_heads": 3}
    return VisionTransformerDistilled(num_classes=len(FINDINGS), **small)


def _swin() -> nn.Module:
    from timm.models.swin_transformer import SwinTransformer

    small = {"patch_size": 4, "window_size": 4, "embed_dim": 24, "depths": (2, 2), "num_heads": (2, 4)}
    return SwinTransformer(img_size=SIDE, num_classes=len(FINDINGS), **small)


FAMILIES: dict[str, Callable[[], nn.Module]] = {
    "VGG": _vgg,
    "ResNet": lambda: _timm("test_resnet"),
    "DenseNet": _densenet,
    "MobileNetV2": lambda: _timm("mobilenetv2_035"),
    "MobileNetV3": lambda: _timm("mobilenetv3_small_050"),
    "EfficientNet-Lite": lambda: _timm("tf_efficientnet_lite0"),
    "EfficientNet-B0": lambda: _timm("efficientnet_b0"),
    "RegNet": lambda: _timm("regnety_002"),
    "ConvNeXt": lambda: _timm("test_convnext"),
    "ViT": small_vit,
    "DeiT, distilled": _deit,
    "Swin": _swin,
}
"""Small networks of each kind, with three outputs."""


def random_network(build: Callable[[], nn.Module], seed: int = 0) -> nn.Module:
    """Build a network with random weights, none of them zero; the global random state is not touched."""
    generator = torch.Generator().manual_seed(seed)
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        torch.manual_seed(seed)
        network = build()
        for name, tensor in network.named_parameters():
            if tensor.ndim == 1 or not tensor.any():
                # Layer scales and heads begin at or near 0, where nothing could be seen to work.
                centre = 0.0 if name.endswith("bias") else 1.0
                tensor.copy_(centre * (tensor.ndim == 1) + 0.2 * torch.randn(tensor.shape, generator=generator))
    return network.eval()


def random_classifier(family: str, seed: int = 0) -> ChestClassifier:
    """A classifier of a kind of network, with random weights."""
    return wrap(random_network(FAMILIES[family], seed), FINDINGS, side=SIDE, mean=0.5, std=0.25)


def film() -> Radiograph:
    """A smooth film of noise."""
    rough = np.random.default_rng(0).normal(size=(SIDE, SIDE)).cumsum(axis=0).cumsum(axis=1)
    return Radiograph(((rough - rough.min()) / np.ptp(rough)).astype(np.float32))


def table() -> str:
    """The table of kinds of networks by methods, and the reasons, as Markdown."""
    found = {family: served(random_classifier(family), film()) for family in FAMILIES}
    known = {name: method for name, method in methods().items() if method.role != "baseline"}
    shown = [name for name, method in known.items() if method.family != "counterfactual"]
    reasons: dict[str, int] = {}
    rows = []
    for name in shown:
        cells = []
        for family in FAMILIES:
            reason = found[family].get(name)
            words = re.sub(r"\bown\b", "this network", reason) if reason else ""
            number = reasons.setdefault(words, len(reasons) + 1) if words else 0
            cells.append(f"no ({number})" if words else "yes")
        rows.append([methods()[name].title, *cells])
    said = [f"{number}. {reason}" for reason, number in reasons.items()]
    return "\n".join([markdown_table(["method", *FAMILIES], rows), "", *said])


def main() -> None:
    """Write the table into the document."""
    argparse.ArgumentParser(description=__doc__).parse_args()
    text = DOCUMENT.read_text(encoding="utf-8")
    before, rest = text.split(_BEGIN)
    after = rest.split(_END)[1]
    DOCUMENT.write_text(f"{before}{_BEGIN}\n\n{table()}\n\n{_END}{after}", encoding="utf-8")


if __name__ == "__main__":
    main()
