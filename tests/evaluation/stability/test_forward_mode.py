import pytest
import torch
from torch import nn

from evaluation.stability.forward_mode import cost_by_size, forward_jacobian, reference_network, reverse_jacobian


@pytest.fixture
def film():
    return torch.randn(1, 1, 10, 10, generator=torch.Generator().manual_seed(1), dtype=torch.float64)


def test_forward_reverse_jacrev_jacfwd_and_differences_agree(film):
    network = reference_network(10, n_findings=3)
    forward = forward_jacobian(network, film).matrix
    torch.testing.assert_close(forward, reverse_jacobian(network, film), rtol=1e-10, atol=1e-12)
    for engine in (torch.func.jacrev, torch.func.jacfwd):
        torch.testing.assert_close(forward, engine(lambda x: network(x)[0])(film).flatten(1), rtol=1e-10, atol=1e-12)
    step = 1e-6
    moves = step * torch.eye(100, dtype=torch.float64).reshape(-1, 1, 10, 10)
    with torch.no_grad():
        differences = (network(film + moves) - network(film - moves)).T / (2 * step)
    torch.testing.assert_close(forward, differences, rtol=1e-6, atol=1e-7)


def test_partial_models_multiply_to_the_whole(film):
    network = reference_network(10, n_findings=3)
    found = forward_jacobian(network, film)
    assert list(found.partial) == [name for name, _ in network.named_children()]
    features = network[:4](film)
    rest = torch.func.jacrev(lambda x: network[4:](x)[0])(features).flatten(1)
    torch.testing.assert_close(rest @ found.partial["3"], found.matrix)


def test_closed_form_of_a_piecewise_linear_network():
    network = nn.Sequential(nn.Flatten(), nn.Linear(4, 3), nn.ReLU(), nn.Linear(3, 2)).double()
    film = torch.tensor([0.3, -0.2, 0.9, 0.1], dtype=torch.float64).reshape(1, 1, 2, 2)
    on = (network[1](film.flatten(1)) > 0).double()
    expected = network[3].weight @ torch.diag(on[0]) @ network[1].weight
    torch.testing.assert_close(forward_jacobian(network, film).matrix, expected)


def test_a_layer_without_a_rule_is_named(film):
    with pytest.raises(TypeError, match="1 \\(GELU\\)"):
        forward_jacobian(nn.Sequential(nn.Flatten(), nn.GELU()), film)
    with pytest.raises(ValueError, match="side"):
        reference_network(4)


def test_forward_costs_grow_with_the_pixels_squared_and_reverse_costs_with_the_pixels():
    small, large = cost_by_size((8, 16))
    assert large.pixels == 4 * small.pixels
    assert large.forward_multiplications / small.forward_multiplications == pytest.approx(16, rel=0.1)
    assert large.reverse_multiplications / small.reverse_multiplications == pytest.approx(4, rel=0.1)
    assert large.forward_multiplications > 10 * large.reverse_multiplications
