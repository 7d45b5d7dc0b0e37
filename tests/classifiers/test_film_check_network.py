"""The ways to hang a film form a group, and the answer of all sides turns with the film."""

import torch

from classifiers.film_check_network import HANGS, QUESTIONS, FilmCheckNetwork, composed, hung, look_from_all_sides


def test_composed_is_one_way_after_the_other():
    film = torch.arange(12.0).reshape(3, 4)
    for inner in range(HANGS):
        for outer in range(HANGS):
            assert torch.equal(hung(hung(film, inner), outer), hung(film, composed(outer, inner)))


def test_a_turned_film_gets_the_same_answer_turned():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        network = FilmCheckNetwork().eval()
        film = torch.rand(128, 128)
    with torch.inference_mode():
        logits, features = look_from_all_sides(network, film)
        assert logits.shape == (HANGS + len(QUESTIONS),)
        for way in (1, 2, 5):
            turned, same = look_from_all_sides(network, hung(film, way))
            moved = torch.stack([turned[composed(way, inner)] for inner in range(HANGS)])
            torch.testing.assert_close(moved, logits[:HANGS], atol=1e-4, rtol=1e-3)
            if way == 1:
                torch.testing.assert_close(turned[HANGS:], logits[HANGS:], atol=1e-4, rtol=1e-3)
                torch.testing.assert_close(same, features, atol=1e-4, rtol=1e-3)
