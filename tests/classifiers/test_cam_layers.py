"""The CAM layer is found by what it does: where its cells are, and whether the logits read them."""

import pytest
import torch
from torch import nn

from benchmarks.families import SIDE, random_network, small_vit
from classifiers import wrap
from classifiers.cam_layers import CellLayout, NoCamLayerError, find_cam_layer
from classifiers.weights import WeightsError
from classifiers.wrapping import GreyToColour

COLOURS = (0.5,) * 3


def _hiera():
    from timm.models.hiera import Hiera

    return Hiera(img_size=(SIDE, SIDE), embed_dim=24, num_heads=1, stages=(1, 1), q_pool=1, num_classes=3)


def _mambaout():
    import timm

    return timm.create_model("test_mambaout", num_classes=3)


class Beside(nn.Module):
    """A stem with the name of another network's last stage, the cells, and a branch that the logits do not read."""

    def __init__(self):
        super().__init__()
        self.bn2 = nn.Sequential(nn.Conv2d(3, 8, 3, 2, 1), nn.ReLU())
        self.cells = nn.Sequential(nn.Conv2d(8, 8, 3, 2, 1), nn.ReLU())
        self.unread = nn.Conv2d(8, 8, 1)
        self.head = nn.Linear(8, 3)

    def forward(self, films):
        cells = self.cells(self.bn2(films))
        self.unread(cells)
        return self.head(cells.mean(dim=(2, 3)))


def tokens(height, width, first=0):
    return CellLayout(2, 1, 1, (height, width), first)


KINDS = {
    "class token": (small_vit, "blocks.2.norm1", tokens(8, 8, 1)),
    "class token and registers": (lambda: small_vit(reg_tokens=4), "blocks.2.norm1", tokens(8, 8, 5)),
    "mean of the tokens": (lambda: small_vit(global_pool="avg", class_token=False), "blocks", tokens(8, 8)),
    "pooling by attention": (lambda: small_vit(global_pool="map", class_token=False), "norm", tokens(8, 8)),
    "a grid that is not square": (lambda: small_vit(patch_size=(8, 16)), "blocks.2.norm1", tokens(8, 4, 1)),
    "tokens in units": (_hiera, "blocks.1", tokens(8, 8)),
    "channels last": (_mambaout, "stages", CellLayout(3, 1, 2)),
    "names that mislead": (Beside, "cells", CellLayout()),
}


@pytest.mark.parametrize("kind", KINDS)
def test_layer_and_cells_are_found(kind):
    build, name, layout = KINDS[kind]
    found = find_cam_layer(GreyToColour(random_network(build), COLOURS, COLOURS), SIDE)
    assert (found.name.removeprefix("network."), found.layout) == (name, layout)


LAYOUTS = (
    ((2, 5, 4, 6), CellLayout()),
    ((2, 4, 6, 5), CellLayout(3, 1, 2)),
    ((2, 26, 5), tokens(4, 6, 2)),
    ((2, 5, 24), CellLayout(1, 2, 2, (4, 6))),
)


@pytest.mark.parametrize(("shape", "layout"), LAYOUTS)
def test_maps_are_the_same_however_they_lie(shape, layout):
    maps = torch.arange(2 * 5 * 24.0).reshape(2, 5, 4, 6)
    output = torch.full(shape, -1.0)
    layout.maps(output).copy_(maps)
    assert torch.equal(layout.maps(output), maps)
    assert int((output == -1).sum()) == output.numel() - maps.numel()
    with pytest.raises(ValueError, match="axes"):
        layout.maps(output[None, None])


class Shuffled(nn.Module):
    """Cells in an order that follows no grid."""

    def __init__(self):
        super().__init__()
        self.cells = nn.Conv2d(1, 8, 8, 8)
        self.shuffle = nn.Identity()
        self.norm = nn.LayerNorm(8)
        self.register_buffer("order", torch.randperm(64, generator=torch.Generator().manual_seed(0)))
        self.head = nn.Linear(8, 3)

    def forward(self, films):
        cells = self.cells(films).detach()  # the logits are not traced back to the convolution
        tokens = cells.flatten(2).transpose(1, 2)[:, self.order]
        return self.head(self.norm(tokens).mean(dim=1))


def test_what_cannot_be_verified_is_refused_and_the_network_is_added_all_the_same():
    network = random_network(Shuffled)
    with pytest.raises(NoCamLayerError, match="follows the film from place to place"):
        find_cam_layer(network, SIDE)
    classifier = wrap(network, ("A", "B", "C"), side=SIDE)
    assert classifier.cam_layer is None
    with pytest.raises(LookupError, match="no class-activation maps: no layer was found"):
        _ = classifier.cam_module
    with pytest.raises(WeightsError, match="'norm' puts out nothing in which the cells"):
        wrap(network, ("A", "B", "C"), side=SIDE, cam_layer="norm")
    from benchmarks.families import film
    from xai_methods import get_method

    for name in ("grad-cam", "eigen-cam", "score-cam"):
        with pytest.raises(LookupError, match="no class-activation maps"):
            get_method(name).explain(classifier, film(), "A")


def test_a_layer_that_the_logits_do_not_read_is_refused():
    with pytest.raises(WeightsError, match="'unread' puts out nothing"):
        wrap(random_network(Beside), ("A", "B", "C"), side=SIDE, cam_layer="unread")


def test_tracing_leaves_no_hook():
    network = GreyToColour(random_network(Beside), COLOURS, COLOURS)
    find_cam_layer(network, SIDE)
    assert not any(module._forward_hooks for module in network.modules())
