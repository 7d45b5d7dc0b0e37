"""Rows handed down the recorded steps are the gradients of automatic differentiation, on all sorts of networks."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from scipy.stats import spearmanr
from torch import nn

from tests.families import FAMILIES, random_classifier
from xai_methods.recording.reverse import propagate_rows
from xai_methods.recording.tape import record

SIDE = 24


class Shortcuts(nn.Module):
    """A map read thrice: by a convolution, by a sum and by the pooling before the logits."""

    def __init__(self):
        super().__init__()
        self.stem, self.norm = nn.Conv2d(1, 6, 5, stride=2, padding=2), nn.BatchNorm2d(6)
        self.one, self.two = nn.Conv2d(6, 6, 3, padding=1), nn.Conv2d(6, 6, 3, padding=1)
        self.fc = nn.Linear(12, 4)

    def forward(self, x):
        x = F.relu(self.norm(self.stem(x)), inplace=True)
        y = self.two(F.relu(self.one(x)))
        y += x
        twice = F.relu(y + y)
        return self.fc(torch.cat([twice.mean((2, 3)), F.adaptive_avg_pool2d(x, 1).flatten(1)], 1))


class ListOfMaps(nn.Module):
    """All maps so far are concatenated anew for each layer, one of them twice in the end."""

    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(1, 8, 7, stride=2, padding=3, bias=False)
        self.norms = nn.ModuleList(nn.BatchNorm2d(8 + 4 * layer) for layer in range(4))
        self.convs = nn.ModuleList(nn.Conv2d(8 + 4 * layer, 4, 3, padding=1) for layer in range(4))
        self.fc = nn.Linear(32, 5)

    def forward(self, x):
        maps = [F.max_pool2d(self.stem(x), 3, 2, 1)]
        for norm, conv in zip(self.norms, self.convs):
            maps.append(conv(F.relu(norm(torch.cat(maps, 1)))))
        x = F.avg_pool2d(F.relu(torch.cat([*maps, maps[0]], 1)), 2)
        return self.fc(x.mean((2, 3)))


class OneByOne(nn.Module):
    """Each layer's map is put behind all before it, which a shortcut reads as well."""

    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(1, 4, 3, stride=3)
        self.convs = nn.ModuleList(nn.Conv2d(4 * 2**layer, 4 * 2**layer, 3, padding=1) for layer in range(3))
        self.fc = nn.Linear(32, 3)

    def forward(self, x):
        x = self.stem(x)
        for conv in self.convs:
            y = conv(F.elu(x))
            x = torch.cat([x + y, y], 1)
        return self.fc(F.adaptive_max_pool2d(x, 1).flatten(1))


class Odds(nn.Module):
    """Groups, holes, uneven strides and kernels, padding by name, a slice, three grey channels out of one."""

    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(3, 8, (3, 5), stride=(2, 1), padding=(0, 1))
        self.depthwise = nn.Conv2d(8, 8, 3, padding="same", groups=8)
        self.holes = nn.Conv2d(8, 6, 3, dilation=2, stride=2, padding=1)
        self.few = nn.Conv2d(2, 4, (1, 3), stride=2)
        self.fc = nn.Linear(4, 4)

    def forward(self, x):
        x = F.hardtanh(self.stem(x.repeat(1, 3, 1, 1)), -1.0, 0.5)
        x = F.relu6(self.depthwise(F.max_pool2d(x, 2, ceil_mode=True)))
        x = F.leaky_relu(self.holes(F.interpolate(x, scale_factor=2.0, mode="bilinear")), 0.1)
        return self.fc(self.few(x[:, 1:3]).mean((2, 3)))


class TwoHeads(nn.Module):
    """The logits themselves are a concatenation, of one layer's answers twice."""

    def __init__(self):
        super().__init__()
        self.conv, self.fc = nn.Conv2d(1, 6, 3, stride=2), nn.Linear(6, 2)

    def forward(self, x):
        once = self.fc(F.relu(self.conv(x)).mean((2, 3)))
        return torch.cat([once, once], 1)


MADE_UP = (Shortcuts, ListOfMaps, OneByOne, Odds, TwoHeads)


def made_up(kind: type[nn.Module]) -> nn.Module:
    """A network in evaluation mode with random weights and statistics."""
    network, generator = kind().eval().requires_grad_(False), torch.Generator().manual_seed(7)
    for name, tensor in network.state_dict().items():
        if name.endswith("running_var"):
            tensor.uniform_(0.5, 2.0, generator=generator)
        elif tensor.is_floating_point():
            tensor.normal_(0, 0.4, generator=generator)
    return network


def a_film(side: int = SIDE) -> torch.Tensor:
    return torch.rand((1, 1, side, side), generator=torch.Generator().manual_seed(1))


def one_after_another(network: nn.Module, film: torch.Tensor, directions: torch.Tensor) -> torch.Tensor:
    found = []
    for direction in directions:
        leaf = film.clone().requires_grad_(True)
        found.append(torch.autograd.grad((network(leaf)[0] * direction).sum(), leaf)[0][0])
    return torch.stack(found)


def directions_for(network: nn.Module, film: torch.Tensor) -> torch.Tensor:
    """Each logit by itself, and three mixtures."""
    count = network(film).shape[1]
    mixtures = torch.randn((3, count), generator=torch.Generator().manual_seed(2))
    return torch.cat([torch.eye(count), mixtures]).to(film)


@pytest.mark.parametrize("kind", MADE_UP)
def test_made_up_networks_in_double_precision(kind):
    network, film = made_up(kind).double(), a_film().double()
    directions = directions_for(network, film)
    asked = directions.clone()
    rows = propagate_rows(record(network, film), directions, torch.float64)
    torch.testing.assert_close(rows, one_after_another(network, film, asked), rtol=1e-9, atol=1e-12)
    torch.testing.assert_close(directions, asked, rtol=0, atol=0)


@pytest.mark.parametrize("family", FAMILIES)
def test_network_families_in_double_precision(family):
    network, film = random_classifier(family, 3, 32, seed=3).network.double(), a_film(32).double()
    directions = directions_for(network, film)
    expected = one_after_another(network, film, directions)
    rows = propagate_rows(record(network, film), directions, torch.float64)
    torch.testing.assert_close(rows, expected, rtol=1e-9, atol=1e-11 * float(expected.abs().max()))


@pytest.mark.parametrize("kind", MADE_UP)
def test_bfloat16_rounds_and_moves_nothing(kind):
    network, film = made_up(kind), a_film()
    directions = directions_for(network, film)
    expected = one_after_another(network, film, directions)
    rows = propagate_rows(record(network, film), directions, torch.bfloat16)
    assert rows.dtype == torch.float32
    assert float((rows - expected).norm() / expected.norm()) < 0.02
    for row, exact in zip(rows, expected):
        assert spearmanr(row.flatten(), exact.flatten()).statistic > 0.995


def test_maps_that_lie_side_by_side_are_added_to_at_once(monkeypatch):
    from xai_methods.recording import reverse

    blocks = []
    find = reverse._side_by_side
    monkeypatch.setattr(reverse, "_side_by_side", lambda waiting: blocks.append(find(waiting)) or blocks[-1])
    network, film = made_up(ListOfMaps), a_film()
    propagate_rows(record(network, film), torch.eye(5), torch.float32)
    # The last concatenation opens the room, and each of the four before it finds its maps there.
    assert [block is not None for block in blocks] == [False, True, True, True, True]


def test_progress_is_told_and_may_stop_the_work():
    class Enough(Exception):
        """Stops the work."""

    shares: list[float] = []

    def report(share: float) -> None:
        shares.append(share)
        if len(shares) == 2:
            raise Enough

    network, film = made_up(ListOfMaps), a_film()
    with pytest.raises(Enough):
        propagate_rows(record(network, film), torch.eye(5), torch.float32, report)
    assert np.all(np.diff(shares) > 0)
    assert 0 <= shares[0] <= shares[-1] <= 1
