import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from tests.families import FAMILIES
from tests.xai_methods.conftest import classifier_of, film_of
from xai_methods import get_method
from xai_methods.recording.steps import Affine
from xai_methods.recording.tape import UnsupportedNetworkError
from xai_methods.relevance.canonise import canonise
from xai_methods.relevance.composites import COMPOSITES, composite
from xai_methods.relevance.flow import propagate
from xai_methods.relevance.lrp import LrpParameters, canonical
from xai_methods.relevance.rules import AlphaBeta, Gamma


def fill(network: nn.Module, seed: int, biases: bool = True) -> nn.Module:
    """Draw weights (He initialisation) and normalisation statistics that are nobody's default."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for module in network.modules():
            if isinstance(module, (nn.Conv2d, nn.Linear)):
                module.weight.normal_(0, (2 / module.weight[0].numel()) ** 0.5, generator=generator)
                if module.bias is not None:
                    module.bias.normal_(0, 0.1 if biases else 0.0, generator=generator)
            elif isinstance(module, nn.BatchNorm2d):
                module.weight.uniform_(0.5, 1.5, generator=generator)
                module.bias.normal_(0, 0.1 if biases else 0.0, generator=generator)
                module.running_mean.normal_(0, 0.1 if biases else 0.0, generator=generator)
                module.running_var.uniform_(0.5, 1.5, generator=generator)
    return network.eval().requires_grad_(False)


def relevance(network: nn.Module, film: torch.Tensor, column: int, name: str, **options):
    form = canonise(network, film)
    values = form.run(film)
    with torch.no_grad():
        flow = propagate(form, values, column, composite(name, -2.0, 2.0, **options))
    return flow, values[form.last]


class Tangle(nn.Module):
    """No biases; in-place and functional ReLUs, a shortcut, concatenation and all kinds of pooling."""

    def __init__(self):
        super().__init__()
        self.first = nn.Conv2d(1, 6, 3, padding=1, bias=False)
        self.second = nn.Conv2d(6, 6, 3, padding=1, bias=False)
        self.third = nn.Conv2d(12, 8, 1, bias=False)
        self.depthwise = nn.Conv2d(8, 8, 3, groups=8, bias=False)
        self.head = nn.Linear(8, 3, bias=False)

    def forward(self, x):
        x = F.relu(self.first(x), inplace=True)
        y = self.second(x)
        y += x
        y = torch.cat([F.relu_(y), x], dim=1)
        y = F.avg_pool2d(F.max_pool2d(y, 2), 2)
        y = F.relu(self.depthwise(self.third(y).relu_()))
        return self.head(F.adaptive_avg_pool2d(y, (1, 1)).view(len(y), -1))


def films(side: int, seed: int = 0) -> torch.Tensor:
    return torch.tensor(film_of(side, seed).pixels)[None, None] * 4 - 2


@pytest.mark.parametrize("column", [0, 1, 2])
def test_without_biases_epsilon_to_zero_is_input_times_gradient(column):
    network = fill(Tangle(), 1).double()
    film = films(24).double().requires_grad_()
    flow, logits = relevance(network, film.detach(), column, "epsilon", epsilon=1e-15)
    (gradient,) = torch.autograd.grad(network(film)[0, column], film)
    torch.testing.assert_close(flow.relevance, (film * gradient).detach(), rtol=1e-5, atol=1e-9)
    assert float(flow.relevance.sum()) == pytest.approx(float(logits[0, column]), rel=1e-6)
    assert flow.absorbed == 0.0


def test_is_pixel_times_weight_for_a_linear_model(linear_classifier):
    film = film_of(8)
    explanation = get_method("lrp").explain(
        linear_classifier, film, "Finding 2", parameters=LrpParameters(composite="epsilon", epsilon=1e-9)
    )
    weights = linear_classifier.network[1].weight[1].detach().reshape(8, 8)
    pixels = linear_classifier.prepare(film)[0, 0]
    np.testing.assert_allclose(explanation.values, pixels * weights, rtol=1e-5, atol=1e-6)
    bias = float(linear_classifier.network[1].bias[1])
    assert explanation.diagnostics["bias_share"] == pytest.approx(bias / explanation.logit, rel=1e-4)
    assert explanation.diagnostics["relevance_sum"] == pytest.approx(explanation.logit - bias, rel=1e-4)


def test_known_answers_of_single_rules():
    """One unit, z = 2 x 3 - 1 x 2 + 1 = 5, worked out by hand."""
    step = Affine((0,), 1, lambda i: i[0], "linear", "linear", torch.tensor([[3.0, -1.0]]), torch.tensor([1.0]), {})
    x, z, upper = torch.tensor([[2.0, 2.0]]), torch.tensor([[5.0]]), torch.tensor([[5.0]])

    def handed(name, first=False):
        rules = composite(name, 0.0, 4.0, gamma=1.0)
        rule = rules.first if first else (rules.linear if name == "epsilon" else rules.convolution)
        lower, absorbed = rule.propagate(step, x, z, upper)
        return [*lower[0].tolist(), absorbed]

    assert handed("epsilon") == pytest.approx([6, -2, 1], abs=1e-4)
    assert handed("epsilon-plus") == pytest.approx([30 / 7, 0, 5 / 7], abs=1e-4)
    # Twice the positive shares of 5 less the negative share of 5.
    assert handed("alpha2-beta1") == pytest.approx([60 / 7, -5, 10 / 7], abs=1e-4)
    # gamma 1: contributions 12, -2 and bias 2, of 12.
    assert handed("epsilon-gamma-box") == pytest.approx([5, -10 / 12, 10 / 12], abs=1e-4)
    assert handed("epsilon-plus-flat", first=True) == pytest.approx([2.5, 2.5, 0], abs=1e-4)
    # Box 0 to 4: contributions 6 - 0 and -2 + 4 share all 5, the bias keeps nothing.
    assert handed("epsilon-gamma-box", first=True) == pytest.approx([5 * 6 / 8, 5 * 2 / 8, 0], abs=1e-4)


@pytest.mark.parametrize(
    ("weights", "bias", "expected"),
    [
        ((3.0, 1.0), 1.0, (6 / 9, 2 / 9, 1 / 9)),
        ((-3.0, -1.0), -1.0, (6 / 9, 2 / 9, 1 / 9)),
        ((0.0, 0.0), 1.0, (0, 0, 1)),
        ((3.0, -1.0), 1.0, (2 * 6 / 7, -1, 2 / 7)),
    ],
)
def test_alpha_beta_hands_an_output_of_one_sign_down_once(weights, bias, expected):
    step = Affine((0,), 1, lambda i: i[0], "linear", "linear", torch.tensor([weights]), torch.tensor([bias]), {})
    x = torch.tensor([[2.0, 2.0]])
    lower, absorbed = AlphaBeta(1.0).propagate(step, x, step.run([x]), torch.ones(1, 1))
    assert [*lower[0].tolist(), absorbed] == pytest.approx(expected, abs=1e-4)


def test_gamma_of_an_output_below_zero_favours_what_speaks_against_it():
    """Inputs 2 and -1, weights 1 and 3, bias -1, z = 2 - 3 - 1; gamma 1 doubles -3 and -1: 2, -6, -2, of -6."""
    step = Affine((0,), 1, lambda i: i[0], "linear", "linear", torch.tensor([[1.0, 3.0]]), torch.tensor([-1.0]), {})
    x = torch.tensor([[2.0, -1.0]])
    lower, absorbed = Gamma(1.0).propagate(step, x, step.run([x]), torch.tensor([[-2.0]]))
    assert [*lower[0].tolist(), absorbed] == pytest.approx([2 / 3, -2, -2 / 3], abs=1e-4)


ZENNIT = {
    "epsilon-plus": "EpsilonPlus",
    "epsilon-plus-flat": "EpsilonPlusFlat",
    "epsilon-gamma-box": "EpsilonGammaBox",
    "alpha2-beta1": "EpsilonAlpha2Beta1",
}


def _zennit_map(network, film, column, canonizer, name):
    from zennit import composites
    from zennit.attribution import Gradient

    box = {"low": torch.full_like(film, -2.0), "high": torch.full_like(film, 2.0)} if "box" in name else {}
    rules = getattr(composites, ZENNIT[name])(canonizers=[canonizer], **box)
    wanted = torch.eye(3)[[column]]
    with Gradient(model=network, composite=rules) as attributor:
        _, found = attributor(film, lambda output: output * wanted)
    return found.detach()


def _empty(architecture: str, side: int) -> nn.Module:
    """A network of torchvision for one-channel films and three findings, its weights not yet drawn."""
    import torchvision

    build = getattr(torchvision.models, architecture)
    with torch.device("meta"):
        network = build(num_classes=3)
        if architecture.startswith("resnet"):
            network.conv1 = nn.Conv2d(1, 64, 7, stride=2, padding=3, bias=False)
        elif architecture.startswith("densenet"):
            network.features.conv0 = nn.Conv2d(1, 64, 7, stride=2, padding=3, bias=False)
        else:
            network.features[0] = nn.Conv2d(1, 64, 3, padding=1)
            head = nn.Linear(512 * (side // 32) ** 2, 32), nn.ReLU(), nn.Linear(32, 3)
            network = nn.Sequential(network.features, nn.Flatten(), *head)
    return network.to_empty(device="cpu")


@pytest.mark.parametrize("name", ZENNIT)
@pytest.mark.parametrize("architecture", ["resnet18", "resnet50", "vgg11", "vgg11_bn", "vgg16"])
@pytest.mark.parametrize("side", [32, pytest.param(64, marks=pytest.mark.slow)])
def test_same_map_as_zennit(architecture, side, name):
    pytest.importorskip("zennit")
    from zennit.torchvision import ResNetCanonizer, VGGCanonizer

    network, film = fill(_empty(architecture, side), 2), films(side)
    flow, logits = relevance(network, film, 1, name)
    canonizer = ResNetCanonizer() if architecture.startswith("resnet") else VGGCanonizer()
    theirs = _zennit_map(network.requires_grad_(True), film, 1, canonizer, name)
    assert float(F.cosine_similarity(flow.relevance.flatten(), theirs.flatten(), dim=0)) >= 0.9999
    # By the letter, alpha2-beta1 does not hand an output of one sign down once: sums part by some thousandths.
    apart = 5e-3 if name == "alpha2-beta1" else 5e-4
    assert float(flow.relevance.sum()) == pytest.approx(float(theirs.sum()), rel=apart)
    assert float(flow.relevance.sum()) + flow.absorbed == pytest.approx(float(logits[0, 1]), rel=1e-3)


@pytest.mark.parametrize("family", FAMILIES)
def test_canonical_logits_are_the_originals(family, family_classifier, film):
    classifier = family_classifier(family)
    network, values = canonical(classifier, classifier.prepare(film))
    expected = classifier.network(classifier.prepare(film))
    torch.testing.assert_close(values[network.last], expected, rtol=1e-5, atol=1e-5 * float(expected.abs().max()))
    kinds = {step.kind for step in network.steps if isinstance(step, Affine)}
    assert ("scale" in kinds) == (family == "densenet")


@pytest.mark.parametrize("name", COMPOSITES)
@pytest.mark.parametrize("family", FAMILIES)
def test_what_the_film_gets_and_what_biases_keep_is_the_logit(family, name, family_classifier, film):
    explanation = get_method("lrp").explain(
        family_classifier(family), film, "Finding 2", parameters=LrpParameters(composite=name)
    )
    figures = explanation.diagnostics
    assert figures["conservation"] == pytest.approx(1.0, abs=0.01)
    assert figures["relevance_sum"] / figures["logit"] + figures["bias_share"] == pytest.approx(figures["conservation"])
    assert figures["relevance_sum"] == pytest.approx(float(explanation.values.astype(np.float64).sum()), rel=1e-4)
    assert abs(figures["worst_step"]) < 0.01


def test_densenet121_conserves():
    network, film = fill(_empty("densenet121", 64), 3), films(64)
    form = canonise(network, film)
    expected, values = network(film), form.run(film)
    torch.testing.assert_close(values[form.last], expected, rtol=1e-5, atol=1e-5 * float(expected.abs().max()))
    for name in COMPOSITES:
        with torch.no_grad():
            flow = propagate(form, values, 2, composite(name, -2.0, 2.0))
        total, logit = float(flow.relevance.sum()), float(expected[0, 2])
        assert total + flow.absorbed == pytest.approx(logit, rel=0.01), name
        assert max(abs(entry.lost) for entry in flow.balances) < 0.01 * abs(logit), name
        if name != "epsilon":
            # Nor do pixels and biases cancel out of sums many times the logit.
            assert float(flow.relevance.abs().sum()) < 3 * abs(logit), name


def test_the_balances_of_all_steps_join_up():
    network = fill(Tangle(), 4)
    flow, logits = relevance(network, films(24), 0, "epsilon-plus")
    assert flow.balances[0].received == pytest.approx(float(logits[0, 0]))
    lost = sum(entry.lost for entry in flow.balances)
    total = float(flow.relevance.sum()) + flow.absorbed + lost
    assert total == pytest.approx(float(logits[0, 0]), rel=1e-4)


def test_an_operation_without_a_rule_is_named():
    class Odd(nn.Module):
        def __init__(self):
            super().__init__()
            self.fc = nn.Linear(16, 3)

        def forward(self, x):
            return self.fc(torch.sin(x.flatten(1)))

    classifier = classifier_of(Odd(), 3, "fc", 4)
    with pytest.raises(UnsupportedNetworkError, match="sin"):
        get_method("lrp").explain(classifier, film_of(4), "Finding 1")


def test_code_that_looks_at_the_film_without_using_it_is_no_obstacle():
    class Careful(nn.Module):
        """Checks its input's size and range, as torchxrayvision's networks do."""

        def __init__(self):
            super().__init__()
            self.fc = nn.Linear(16, 3)

        def forward(self, x):
            if x.shape[-1] != 4 or float(x.max()) > 100:
                raise ValueError
            return self.fc(x.flatten(1))

    explanation = get_method("lrp").explain(classifier_of(Careful(), 3, "fc", 4), film_of(4), "Finding 1")
    assert explanation.values.any()


def test_weights_changed_in_place_are_noticed(film):
    from tests.families import random_classifier

    classifier = random_classifier("resnet", 3, 32, seed=9)
    first = get_method("lrp").explain(classifier, film, "Finding 1")
    with torch.no_grad():
        classifier.network.fc.weight.neg_()
    second = get_method("lrp").explain(classifier, film, "Finding 1")
    assert not np.allclose(first.values, second.values)
    assert second.diagnostics["logit"] == pytest.approx(second.logit, rel=1e-4)


def test_logits_in_other_columns_are_not_mixed_up(film):
    from classifiers import ChestClassifier
    from tests.families import random_classifier

    plain = random_classifier("resnet", 4, 32, seed=2)
    some = ChestClassifier(plain.network, ("B", "D"), plain.card, plain.cam_layer, plain.preprocessing, columns=(1, 3))
    ours = get_method("lrp").explain(some, film, "D")
    np.testing.assert_array_equal(ours.values, get_method("lrp").explain(plain, film, "Finding 4").values)
