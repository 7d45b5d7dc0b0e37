"""Network architectures of the classifiers trained in this project.

He et al. 2016 (ResNet, arXiv 1512.03385); one grey input channel; the last stage keeps stride 16, so that the
class map is twice as fine as the original's (Chen et al. 2017, dilated residual networks, arXiv 1705.09914).
"""

from __future__ import annotations

from classifiers.torchvision_guard import ensure_torchvision

ensure_torchvision()

import torch  # noqa: E402
from torch import nn  # noqa: E402
from torchvision.models import ResNet, resnet18  # noqa: E402

CELL = 16
"""Input pixels a side that one cell of the class map stands for."""


def chest_resnet18(n_findings: int, imagenet: dict[str, torch.Tensor] | None = None) -> ResNet:
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
    network = resnet18(weights=None, num_classes=n_findings)
    network.conv1 = nn.Conv2d(1, 64, kernel_size=7, stride=2, padding=3, bias=False)
    first_block = network.layer4[0]
    first_block.conv1.stride = (1, 1)
    first_block.downsample[0].stride = (1, 1)
    if imagenet is not None:
        state = {k: v.float() for k, v in imagenet.items() if not k.startswith("fc.")}
        state["conv1.weight"] = state["conv1.weight"].sum(dim=1, keepdim=True)
        missing, unexpected = network.load_state_dict(state, strict=False)
        wrong = [k for k in missing if not k.startswith("fc.") and not k.endswith("num_batches_tracked")]
        if wrong or unexpected:
            raise ValueError(f"not a ResNet-18 state dict: missing {wrong}, unexpected {list(unexpected)}")
    return network


def feature_map(network: ResNet, films: torch.Tensor) -> torch.Tensor:
    """Run the convolutional part of :func:`chest_resnet18`: (N, 1, S, S) to (N, 512, S/16, S/16)."""
    x = network.maxpool(network.relu(network.bn1(network.conv1(films))))
    return network.layer4(network.layer3(network.layer2(network.layer1(x))))


def class_map(network: ResNet, features: torch.Tensor) -> torch.Tensor:
    """Apply the head to each cell: (N, 512, h, w) to (N, C, h, w). Its mean over the cells is the logit."""
    return torch.einsum("nkhw,ck->nchw", features, network.fc.weight) + network.fc.bias[None, :, None, None]
