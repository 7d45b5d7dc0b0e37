"""Small random classifiers of five network families, on which explanation methods are checked.

Each keeps what makes its family hard to explain: in-place and functional activations, residual and dense
shortcuts, depthwise convolutions, normalisation before or after the convolution.
"""

from __future__ import annotations

from collections.abc import Callable

from classifiers.torchvision_guard import ensure_torchvision

ensure_torchvision()

import torch  # noqa: E402
import torch.nn.functional as F  # noqa: E402
from torch import nn  # noqa: E402

from classifiers.chest_classifier import ChestClassifier, ModelCard  # noqa: E402
from classifiers.preprocessing import Preprocessing  # noqa: E402

_LOW, _HIGH = -2.0, 2.0


def _vgg(n_findings: int) -> nn.Module:
    from torchvision.models.vgg import VGG, make_layers

    features = make_layers([16, "M", 32, "M", 64, 64, "M", 96, 96, "M"])
    network = VGG(features, init_weights=False, num_classes=n_findings)
    network.features[0] = nn.Conv2d(1, 16, kernel_size=3, padding=1)
    network.avgpool = nn.AdaptiveAvgPool2d((2, 2))
    network.classifier = nn.Sequential(
        nn.Linear(96 * 4, 64), nn.ReLU(True), nn.Dropout(), nn.Linear(64, 64), nn.ReLU(True), nn.Dropout(),
        nn.Linear(64, n_findings),
    )  # fmt: skip
    return network


def _resnet(n_findings: int) -> nn.Module:
    from torchvision.models.resnet import BasicBlock, ResNet

    network = ResNet(BasicBlock, [2, 1, 1, 2], num_classes=n_findings)
    network.conv1 = nn.Conv2d(1, 64, kernel_size=7, stride=2, padding=3, bias=False)
    return network


def _densenet(n_findings: int) -> nn.Module:
    from torchvision.models.densenet import DenseNet

    network = DenseNet(growth_rate=12, block_config=(2, 3, 3, 2), num_init_features=24, num_classes=n_findings)
    network.features.conv0 = nn.Conv2d(1, 24, kernel_size=7, stride=2, padding=3, bias=False)
    return network


def _mobilenet(n_findings: int) -> nn.Module:
    from torchvision.models.mobilenetv2 import MobileNetV2

    network = MobileNetV2(num_classes=n_findings, width_mult=0.5)
    first = network.features[0][0]
    network.features[0][0] = nn.Conv2d(1, first.out_channels, kernel_size=3, stride=2, padding=1, bias=False)
    return network


def _efficientnet_lite(n_findings: int) -> nn.Module:
    import timm

    return timm.create_model("tf_efficientnet_lite0", pretrained=False, in_chans=1, num_classes=n_findings)


_FAMILIES: dict[str, tuple[Callable[[int], nn.Module], str]] = {
    "vgg": (_vgg, "features.14"),
    "resnet": (_resnet, "layer4"),
    "densenet": (_densenet, "features.norm5"),
    "mobilenet": (_mobilenet, "features.18"),
    "efficientnet-lite": (_efficientnet_lite, "bn2"),
}

FAMILIES = tuple(_FAMILIES)
"""Names that :func:`random_classifier` takes."""


def _fill(network: nn.Module, generator: torch.Generator) -> None:
    """Draw all weights from ``generator`` (He initialisation) and make every normalisation's scale its own."""
    for module in network.modules():
        if isinstance(module, (nn.Conv2d, nn.Linear)):
            fan_in = module.weight[0].numel()
            module.weight.normal_(0, (2 / fan_in) ** 0.5, generator=generator)
            if module.bias is not None:
                module.bias.normal_(0, 0.1, generator=generator)
        elif isinstance(module, nn.BatchNorm2d):
            module.weight.uniform_(0.5, 1.5, generator=generator)
            module.bias.normal_(0, 0.2, generator=generator)
            module.reset_running_stats()


def _settle(network: nn.Module, side: int, generator: torch.Generator) -> None:
    """Measure running statistics on random smooth films, then move them off by up to some tens of percent."""
    films = torch.randn(8, 1, 8, 8, generator=generator)
    films = F.interpolate(films, (side, side), mode="bicubic").clamp(_LOW, _HIGH)
    norms = [module for module in network.modules() if isinstance(module, nn.BatchNorm2d)]
    network.eval()
    for norm in norms:
        norm.train()
        norm.momentum = None
    network(films)
    for norm in norms:
        norm.eval()
        norm.momentum = 0.1
        mean, variance = norm.get_buffer("running_mean"), norm.get_buffer("running_var")
        # Where a channel never varies, an honest variance would blow the activations up.
        variance.clamp_(min=1e-2)
        mean += 0.2 * variance.sqrt() * torch.randn(mean.shape, generator=generator)
        variance *= torch.empty_like(mean).uniform_(0.7, 1.4, generator=generator)


def random_classifier(family: str, n_findings: int = 4, side: int = 64, seed: int = 0) -> ChestClassifier:
    """Build a small, randomly initialised classifier of a network family.

    Args:
        family: one of :data:`FAMILIES`. n_findings: number of logits; they are called "Finding 1" ...
        side: the input's side in pixels, at least 32.
        seed: the same seed gives the same weights; the global random state is not touched.

    Returns:
        A classifier on the CPU in evaluation mode; its input range is [-2, 2].

    Raises:
        LookupError: no such family.
    """
    if family not in _FAMILIES:
        raise LookupError(f"no network family {family!r}; there are {', '.join(FAMILIES)}")
    build, cam_layer = _FAMILIES[family]
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        with torch.device("meta"):
            network = build(n_findings)
        network = network.to_empty(device="cpu")
        _fill(network, generator)
        _settle(network, side, generator)
    card = ModelCard(
        name=f"random-{family}",
        title=f"Random {family}",
        summary=f"A randomly initialised network of the {family} family. It knows nothing of films.",
        trained_on="nothing",
        licence="none needed",
        citation="",
        limits="For checking explanation methods only.",
    )
    findings = tuple(f"Finding {number + 1}" for number in range(n_findings))
    return ChestClassifier(network, findings, card, cam_layer, Preprocessing(side, "pad", _LOW, _HIGH))
