"""Conditional layers, edits and networks."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from xai_methods.counterfactual.autoencoder import Autoencoder, AutoencoderShape
from xai_methods.counterfactual.conditional import Condition, ConditionalNorm, bin_weights
from xai_methods.counterfactual.edit import Edit
from xai_methods.counterfactual.networks import Discriminator, Generator, GeneratorShape

SHAPE = GeneratorShape(2, 32, (8, 16, 16, 16), 8)


def smooth_films(number: int, side: int, seed: int = 0) -> torch.Tensor:
    coarse = torch.rand(number, 1, 6, 6, generator=torch.Generator().manual_seed(seed))
    return F.interpolate(coarse, (side, side), mode="bicubic").clamp(0, 1)


def test_a_posterior_is_shared_between_its_two_nearest_bins():
    weights = bin_weights(torch.tensor([0.05, 0.10, 0.325, 0.95, 0.0, 1.0]))
    expected = np.zeros((6, 10))
    expected[0, 0] = expected[3, 9] = expected[4, 0] = expected[5, 9] = 1
    expected[1, :2] = 0.5
    expected[2, 2:4] = 0.25, 0.75
    np.testing.assert_allclose(weights.numpy(), expected, atol=1e-6)


def test_each_finding_and_bin_has_its_own_embedding():
    condition = Condition(2, 4)
    middle = (torch.arange(10) + 0.5) / 10
    asked = condition(torch.zeros(10, dtype=torch.int64), torch.full((10,), 0.55), middle)
    torch.testing.assert_close(asked, condition.target[0] + condition.own[0, 5])
    other = condition(torch.ones(10, dtype=torch.int64), torch.full((10,), 0.55), middle)
    assert not torch.allclose(asked, other)


def test_a_conditional_norm_scales_and_shifts_what_is_normalised_film_by_film():
    norm = ConditionalNorm(16, 3, groups=4)
    with torch.no_grad():
        norm.scale_and_shift.weight.zero_()
        norm.scale_and_shift.weight[:16, 0], norm.scale_and_shift.weight[16:, 1] = 2.0, 5.0
    features = torch.randn(3, 16, 6, 6, generator=torch.Generator().manual_seed(0)) * 7 + 3
    plain, scaled, shifted = norm(features, torch.eye(3)[[2, 0, 1]])
    reference = F.group_norm(features, 4)
    torch.testing.assert_close(plain, reference[0])
    torch.testing.assert_close(scaled, 3 * reference[1])
    torch.testing.assert_close(shifted, reference[2] + 5)
    torch.testing.assert_close(norm(features[:1], torch.eye(3)[[2]])[0], plain)


def test_an_edit_of_nothing_hands_the_film_back():
    film = smooth_films(1, 50)
    edit = Edit(torch.zeros(3, 2, 4, 4), torch.zeros(3, 1, 16, 16))
    torch.testing.assert_close(edit.apply(film), film.expand(3, -1, -1, -1), atol=1e-5, rtol=0)


def test_an_even_flow_shifts_the_film_and_an_even_change_brightens_it():
    film = smooth_films(1, 40)
    flow = torch.zeros(1, 2, 4, 4)
    flow[:, 0] = 2 * 3 / 40
    made = Edit(flow, torch.full((1, 1, 16, 16), 0.1)).apply(film)
    torch.testing.assert_close(made[..., :-4], (film[..., 3:-1] + 0.1).clamp(0, 1), atol=1e-4, rtol=0)


def test_an_edit_is_the_same_at_every_resolution():
    generator = torch.Generator().manual_seed(1)
    edit = Edit(0.05 * torch.randn(1, 2, 4, 4, generator=generator), 0.1 * torch.randn(1, 1, 8, 8, generator=generator))
    large, small = (F.interpolate(smooth_films(1, 256), (side, side), mode="area") for side in (256, 64))
    reduced = F.interpolate(edit.apply(large), (64, 64), mode="area")
    torch.testing.assert_close(reduced, edit.apply(small), atol=0.02, rtol=0)


def awake(generator: Generator) -> Generator:
    """A generator that says something: its silent convolutions get random weights."""
    seeded = torch.Generator().manual_seed(2)
    for layer in (generator.to_flow, generator.to_change):
        torch.nn.init.normal_(layer.weight, std=0.5, generator=seeded)
    return generator.eval()


def ask(generator: Generator, films: torch.Tensor, finding: int, own: float, asked: float) -> torch.Tensor:
    number = len(films)
    edit = generator(films, torch.full((number,), finding), torch.full((number,), own), torch.full((number,), asked))
    return edit.apply(films)


@torch.no_grad()
def test_an_untrained_generator_leaves_every_film_as_it_is():
    films = smooth_films(2, 32)
    torch.testing.assert_close(ask(Generator(SHAPE), films, 1, 0.2, 0.9), films, atol=1e-5, rtol=0)


@torch.no_grad()
def test_a_film_asked_to_stay_stays_and_the_condition_decides_what_else_becomes_of_it():
    generator, films = awake(Generator(SHAPE)), smooth_films(2, 32)
    torch.testing.assert_close(ask(generator, films, 0, 0.4, 0.4), films, atol=1e-5, rtol=0)
    made = [
        ask(generator, films, *question) for question in ((0, 0.2, 0.9), (1, 0.2, 0.9), (0, 0.2, 0.5), (0, 0.6, 0.9))
    ]
    for k, one in enumerate(made):
        assert (one - films).abs().max() > 1e-3
        assert all(not torch.allclose(one, other, atol=1e-4) for other in made[:k])


@torch.no_grad()
def test_many_levels_of_one_film_are_what_each_would_be_alone():
    generator, film = awake(Generator(SHAPE)), smooth_films(1, 32)
    levels = torch.tensor([0.1, 0.5, 0.9])
    together = generator(film, torch.zeros(3, dtype=torch.int64), torch.full((3,), 0.3), levels).apply(film)
    for level, one in zip(levels, together):
        torch.testing.assert_close(ask(generator, film, 0, 0.3, float(level))[0], one, atol=1e-5, rtol=1e-4)


@torch.no_grad()
def test_flow_and_change_keep_their_bounds():
    generator = awake(Generator(SHAPE))
    with torch.no_grad():
        for layer in (generator.to_flow, generator.to_change):
            layer.weight.mul_(100)
    edit = generator(smooth_films(1, 32), torch.tensor([0]), torch.tensor([0.0]), torch.tensor([1.0]))
    assert edit.flow.abs().max() == pytest.approx(SHAPE.farthest, rel=1e-3)
    assert edit.change.abs().max() == pytest.approx(SHAPE.strongest, rel=1e-3)


def test_the_discriminator_heeds_film_finding_and_posterior_and_has_bounded_gradients():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        discriminator = Discriminator(2, (8, 16, 16))
    films = smooth_films(1, 32).requires_grad_(True)
    for _ in range(20):
        discriminator(films.detach(), torch.tensor([0]), torch.tensor([0.1]))
    discriminator.eval()
    first, finding, posterior = (
        discriminator(films, torch.tensor([k]), torch.tensor([p])) for k, p in ((0, 0.1), (1, 0.1), (0, 0.9))
    )
    assert len({round(float(v.detach()), 6) for v in (first, finding, posterior)}) == 3
    for layer in discriminator.modules():
        if isinstance(layer, torch.nn.Conv2d):
            assert torch.linalg.matrix_norm(layer.weight.detach().flatten(1), 2) < 1.1


def test_the_autoencoder_keeps_size_and_range():
    network, films = Autoencoder(AutoencoderShape(32, (8, 8, 16, 16), 4)), smooth_films(2, 32)
    codes = network.encode(films)
    assert codes.shape == (2, 4, 2, 2)
    assert network.decode(codes).shape == films.shape
    assert 0 <= network(films).min() <= network(films).max() <= 1
