"""Network architectures of the classifiers trained in this project.

He et al. 2016 (ResNet, arXiv 1512.03385); one grey input channel; the last stage keeps stride 16, so that the
class map is twice as fine as the original's (Chen et al. 2017, dilated residual networks, arXiv 1705.09914).
"""

from __future__ import annotations

import torch
from torch import nn

CELL = 16
"""Input pixels a side that one cell of the class map stands for."""


class Block(nn.Module):
    """Two convolutions and a shortcut around them, the names of weights and modules as in torchvision."""

    def __init__(self, inputs: int, outputs: int, stride: int = 1) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(outputs)
        self.relu = nn.ReLU(inplace=True)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(outputs)
        self.downsample = (
            None
            if inputs == outputs
            else nn.Sequential(nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs))
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Map (N, inputs, h, w) to (N, outputs, h / stride, w / stride)."""
        shortcut = x if self.downsample is None else self.downsample(x)
        x = self.bn2(self.conv2(self.relu(self.bn1(self.conv1(x)))))
        x += shortcut
        return self.relu(x)


class ResNet18Stem(nn.Module):
    """A ResNet-18 for grey films up to its third stage, ``width`` channels wide at first: all shipped ones begin so."""

    def __init__(self, width: int = 64) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(1, width, kernel_size=7, stride=2, padding=3, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.relu = nn.ReLU(inplace=True)
        self.maxpool = nn.MaxPool2d(kernel_size=3, stride=2, padding=1)
        self.layer1 = nn.Sequential(Block(width, width), Block(width, width))
        self.layer2 = nn.Sequential(Block(width, 2 * width, stride=2), Block(2 * width, 2 * width))
        self.layer3 = nn.Sequential(Block(2 * width, 4 * width, stride=2), Block(4 * width, 4 * width))

    def stem(self, films: torch.Tensor) -> torch.Tensor:
        """Map films (N, 1, S, S) to features (N, 4 width, S/16, S/16)."""
        x = self.maxpool(self.relu(self.bn1(self.conv1(films))))
        return self.layer3(self.layer2(self.layer1(x)))


class ChestResNet18(ResNet18Stem):
    """See :func:`chest_resnet18`. Written here, for torchvision takes a second to import; a test compares the two."""

    def __init__(self, n_findings: int, width: int = 64) -> None:
        super().__init__(width)
        self.layer4 = nn.Sequential(Block(4 * width, 8 * width), Block(8 * width, 8 * width))
        self.avgpool = nn.AdaptiveAvgPool2d((1, 1))
        self.fc = nn.Linear(8 * width, n_findings)

    def forward(self, films: torch.Tensor) -> torch.Tensor:
        """Map films (N, 1, S, S) to logits (N, C)."""
        return self.fc(torch.flatten(self.avgpool(feature_map(self, films)), 1))


def narrow_resnet18(n_findings: int) -> ChestResNet18:
    """The same network with a sixteenth of the weights: 16 channels in the first stage instead of 64."""
    return ChestResNet18(n_findings, width=16)


def chest_resnet18(n_findings: int, imagenet: dict[str, torch.Tensor] | None = None) -> ChestResNet18:
    """Build the ResNet-18 for grey films: (N, 1, S, S) to logits (N, n_findings).

    Args:
        n_findings: number of output logits.
        imagenet: state dict of torchvision's ResNet-18 (three input channels). Its first convolution is summed
            over the channels and its classification head is left out.

    Returns:
        The network in training mode, randomly initialised except for what ``imagenet`` gave. ``layer4`` is the
        layer class-activation maps read; the logit is the mean over its cells of a linear map, so the class
        map decomposes the logit exactly (Zhou et al. 2016, arXiv 1512.04150).
    """
    network = ChestResNet18(n_findings)
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
    if imagenet is not None:
        state = {k: v.float() for k, v in imagenet.items() if not k.startswith("fc.")}
        state["conv1.weight"] = state["conv1.weight"].sum(dim=1, keepdim=True)
        missing, unexpected = network.load_state_dict(state, strict=False)
        wrong = [k for k in missing if not k.startswith("fc.") and not k.endswith("num_batches_tracked")]
        if wrong or unexpected:
            raise ValueError(f"not a ResNet-18 state dict: missing {wrong}, unexpected {list(unexpected)}")
    return network


def feature_map(network: ChestResNet18, films: torch.Tensor) -> torch.Tensor:
    """Run the convolutional part of :func:`chest_resnet18`: (N, 1, S, S) to (N, 512, S/16, S/16)."""
    return network.layer4(network.stem(films))


def class_map(network: ChestResNet18, features: torch.Tensor) -> torch.Tensor:
    """Apply the head to each cell: (N, 512, h, w) to (N, C, h, w). Its mean over the cells is the logit."""
    return torch.einsum("nkhw,ck->nchw", features, network.fc.weight) + network.fc.bias[None, :, None, None]
