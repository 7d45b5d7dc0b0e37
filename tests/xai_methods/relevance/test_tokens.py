import pytest
import torch
import torch.nn.functional as F
from torch import nn

from classifiers.torchvision_guard import ensure_torchvision

ensure_torchvision()

import timm  # noqa: E402
import torchvision.models as tv  # noqa: E402
from timm.models.convnext import ConvNeXt  # noqa: E402
from timm.models.densenet import DenseNet  # noqa: E402
from timm.models.eva import Eva  # noqa: E402
from timm.models.swin_transformer import SwinTransformer  # noqa: E402
from timm.models.swin_transformer_v2 import SwinTransformerV2  # noqa: E402
from timm.models.vision_transformer import VisionTransformer  # noqa: E402

from xai_methods.recording.reverse import propagate_rows  # noqa: E402
from xai_methods.recording.steps import Step  # noqa: E402
from xai_methods.recording.tape import UnsupportedNetworkError, record  # noqa: E402
from xai_methods.recording.token_steps import Attention, Normalisation, Product, Shift, Softmax  # noqa: E402
from xai_methods.relevance.canonise import canonise  # noqa: E402
from xai_methods.relevance.composites import composite  # noqa: E402
from xai_methods.relevance.flow import Flow, propagate  # noqa: E402
from xai_methods.relevance.tokens import ATTENTION_RULES, through_token_step  # noqa: E402

GREY = {"in_chans": 1, "num_classes": 4}
VIT = {"img_size": 32, "patch_size": 8, "embed_dim": 32, "depth": 2, "num_heads": 4, **GREY}
SWIN = {"img_size": 64, "window_size": 4, "embed_dim": 16, "depths": (2, 2), "num_heads": (2, 4), **GREY}
NETWORKS = {
    "vit": (lambda: VisionTransformer(**VIT), 32),
    "vit, registers, layer scale, mean": (
        lambda: VisionTransformer(**VIT, global_pool="avg", init_values=0.5, reg_tokens=2),
        32,
    ),
    "vit, attention pooling": (lambda: VisionTransformer(**VIT, global_pool="map", class_token=False), 32),
    "deit, distilled": (lambda: timm.create_model("deit_tiny_distilled_patch16_224", img_size=32, depth=1, **GREY), 32),
    "eva, rotary, gated": (lambda: Eva(**VIT, swiglu_mlp=True, use_rot_pos_emb=True), 32),
    "swin": (lambda: SwinTransformer(patch_size=4, **SWIN), 64),
    "swin v2": (lambda: SwinTransformerV2(**SWIN), 64),
    "convnext": (lambda: ConvNeXt(depths=(1, 1, 2, 1), dims=(8, 16, 16, 24), ls_init_value=0.5, **GREY), 64),
    "convnext v2": (
        lambda: ConvNeXt(depths=(1, 1, 1, 1), dims=(8, 16, 16, 24), use_grn=True, ls_init_value=None, **GREY),
        64,
    ),
    "torchvision vit": (
        lambda: tv.VisionTransformer(32, 8, num_layers=2, num_heads=4, hidden_dim=32, mlp_dim=64, num_classes=4),
        32,
    ),
    "torchvision swin": (lambda: tv.SwinTransformer([4, 4], 16, [2, 2], [2, 4], [4, 4], num_classes=4), 64),
    "mobilenet v3": (lambda: timm.create_model("mobilenetv3_small_050", **GREY), 64),
    "efficientnet b0": (lambda: timm.create_model("efficientnet_b0", **GREY), 64),
}


def network_and_film(name: str) -> tuple[nn.Module, torch.Tensor]:
    """A network with random weights, biases and statistics, and a film."""
    build, side = NETWORKS[name]
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        network = build()
    generator = torch.Generator().manual_seed(1)
    channels = 3 if name.startswith("torchvision") else 1
    norms = [m for m in network.modules() if isinstance(m, nn.modules.batchnorm._BatchNorm)]
    for norm in norms:
        norm.momentum = None
    with torch.no_grad():
        for weight in network.parameters():
            if weight.ndim == 1 or float(weight.abs().max()) < 1e-3:
                weight += 0.1 * torch.randn(weight.shape, generator=generator)
            elif not norms:
                weight *= 1.5
        if norms:
            network.train()(torch.randn(16, channels, side, side, generator=generator))
    return network.eval().requires_grad_(False), torch.randn(1, channels, side, side, generator=generator)


def flow_of(network: nn.Module, film: torch.Tensor, name: str, rule: str, **options: float) -> tuple[Flow, float]:
    form = canonise(network, film)
    values = form.run(film)
    torch.testing.assert_close(values[form.last], network(film), rtol=1e-4, atol=1e-5)
    with torch.no_grad():
        flow = propagate(form, values, 1, composite(name, -2.0, 2.0, attention=rule, **options))
    return flow, float(values[form.last][0, 1])


@pytest.mark.parametrize("name", NETWORKS)
def test_relevance_is_conserved_and_gradients_are_right(name):
    network, film = network_and_film(name)
    for rule in ATTENTION_RULES:
        for rules in ("epsilon-plus-flat", "epsilon-gamma-box"):
            flow, logit = flow_of(network, film, rules, rule)
            assert float(flow.relevance.sum()) + flow.absorbed == pytest.approx(logit, rel=0.01), (rule, rules)
            assert max(abs(entry.lost) for entry in flow.balances) < 0.01 * abs(logit), (rule, rules)
            assert float(flow.relevance.abs().max()) > 0
    expected = torch.autograd.functional.jacobian(lambda x: network(x)[0], film)[:, 0]
    with torch.no_grad():
        found = propagate_rows(record(network, film), torch.eye(4), torch.float32)
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5 * float(expected.abs().max()))


class _Identity(torch.autograd.Function):
    """An activation whose gradient is y / x, so that gradient times input stays as it was."""

    @staticmethod
    def forward(ctx, x, y):
        ctx.save_for_backward(x, y)
        return y.clone()

    @staticmethod
    def backward(ctx, upper):
        x, y = ctx.saved_tensors
        return upper * y / x, None


def _share(x: torch.Tensor, part: float) -> torch.Tensor:
    """``x``, with ``part`` of its gradient."""
    return x * part + (x * (1 - part)).detach()


def _by_gradients(network: VisionTransformer, film: torch.Tensor, rule: str) -> torch.Tensor:
    """AttnLRP or CP-LRP of timm's ViT as a changed gradient times the input (Achtibat et al. 2024, appendix A)."""

    def norm(layer: nn.LayerNorm, x: torch.Tensor) -> torch.Tensor:
        centred = x - x.mean(-1, keepdim=True)
        return (
            centred * (centred.square().mean(-1, keepdim=True) + layer.eps).rsqrt().detach() * layer.weight + layer.bias
        )

    film = film.clone().requires_grad_(True)
    x = network._pos_embed(network.patch_embed(film))
    for block in network.blocks:
        own = norm(block.norm1, x)
        q, k, v = block.attn.qkv(own).reshape(*own.shape[:2], 3, 4, -1).permute(2, 0, 3, 1, 4)
        q, k, v = (
            (_share(q, 0.25), _share(k, 0.25), _share(v, 0.5)) if rule == "attnlrp" else (q.detach(), k.detach(), v)
        )
        mixed = (q @ k.transpose(-2, -1) * block.attn.scale).softmax(-1) @ v
        x = x + block.attn.proj(mixed.transpose(1, 2).flatten(2))
        hidden = block.mlp.fc1(norm(block.norm2, x))
        x = x + block.mlp.fc2(_Identity.apply(hidden, F.gelu(hidden.detach())))
    logit = network.head(norm(network.norm, x)[:, 0])[0, 1]
    return film.detach() * torch.autograd.grad(logit, film)[0]


@pytest.mark.parametrize("rule", ATTENTION_RULES)
def test_equals_the_changed_gradient_times_the_input(rule):
    network, film = network_and_film("vit")
    network, film = network.double(), film.double()
    flow, _ = flow_of(network, film, "epsilon", rule, epsilon=1e-14)
    expected = _by_gradients(network, film, rule)
    torch.testing.assert_close(flow.relevance, expected, rtol=1e-5, atol=1e-8 * float(expected.abs().max()))


def _split(step: Step, inputs: list[torch.Tensor], upper: torch.Tensor, rule: str = "attnlrp"):
    found = through_token_step(step, inputs, step.run(inputs), upper, rule, 1e-12)
    assert found is not None
    return found


def test_known_answers_of_single_rules():
    x, two = torch.tensor([[1.0, 3.0]]), torch.tensor([[0.5, -1.0]])
    shift = Shift((0,), 1, lambda i: i[0] + 1, "add", torch.tensor(1.0))
    (lower,), absorbed = _split(shift, [x], torch.tensor([[4.0, 8.0]]))
    assert [*lower[0].tolist(), absorbed] == pytest.approx([2, 6, 4])
    product = Product((0, 1), 2, lambda i: i[0] * i[1], "mul", gate=1)
    (left, right), _ = _split(product, [x, two], torch.tensor([[4.0, 8.0]]))
    assert left.tolist() == right.tolist() == [[2.0, 4.0]]
    (left, right), _ = _split(product, [x, two], torch.tensor([[4.0, 8.0]]), "cp-lrp")
    assert (left.tolist(), right) == ([[4.0, 8.0]], None)
    # Weights 1/4 and 3/4 of scores 0 and ln 3; relevance 1 arrives at the second: 0, and ln 3 of 1 - 3/4.
    softmax = Softmax((0,), 1, lambda i: i[0].softmax(-1), "softmax", -1)
    (lower,), absorbed = _split(softmax, [torch.tensor([[0.0, 1.0986123]])], torch.tensor([[0.0, 1.0]]))
    assert [*lower[0].tolist(), absorbed] == pytest.approx([0, 0.2746531, 0.7253469], abs=1e-6)
    # Values -1 and 1 of mean 0 and deviation 1, doubled, plus 1: -1 and 3. Shares 1 / -1 and 3 / 3, times 2, centred.
    norm = Normalisation((0,), 1, lambda i: 2 * (i[0] - 2) + 1, "norm", 1, torch.full((2,), 2.0), torch.ones(2), 0.0)
    (lower,), absorbed = _split(norm, [torch.tensor([[1.0, 3.0]])], torch.tensor([[1.0, 3.0]]))
    assert [*lower[0].tolist(), absorbed] == pytest.approx([-2, 6, 0], abs=1e-5)
    # One query, two keys of equal scores 0 (nothing to queries and keys): values 1 and 3 share half of 2.
    attention = Attention((0, 1, 2), 3, lambda i: i[0], "attention", (0, 1, 2), None, 1.0)
    triple = [torch.zeros(1, 1, 1, 1), torch.zeros(1, 1, 2, 1), torch.tensor([[[[1.0], [3.0]]]])]
    (q, k, v), absorbed = _split(attention, triple, torch.tensor([[[[2.0]]]]))
    assert [float(q), *k.flatten().tolist(), *v.flatten().tolist(), absorbed] == pytest.approx([0, 0, 0, 0.25, 0.75, 1])


def test_attention_that_drops_tokens_is_refused():
    class Dropping(nn.Module):
        def forward(self, x):
            x = x.flatten(2)
            return F.scaled_dot_product_attention(x, x, x, dropout_p=0.5).flatten(1)

    with pytest.raises(UnsupportedNetworkError, match="scaled_dot_product_attention"):
        record(Dropping(), torch.randn(1, 1, 4, 4, generator=torch.Generator().manual_seed(0)))


AGREEING = {
    "vit": NETWORKS["vit"],
    "swin": NETWORKS["swin"],
    "convnext": NETWORKS["convnext"],
    "densenet": (lambda: DenseNet(growth_rate=8, block_config=(2, 2), **GREY), 64),
}


class _Mean(nn.Module):
    def __init__(self, keepdim: bool) -> None:
        super().__init__()
        self.keepdim = keepdim

    def forward(self, x):
        return x.mean((2, 3), keepdim=self.keepdim)


def _without_what_rules_differ_in(name: str) -> tuple[nn.Module, torch.Tensor]:
    """Autolrp splits off biases by magnitude, hands norms of channels and average pooling on unchanged."""
    build, side = AGREEING[name]
    generator = torch.Generator().manual_seed(2)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        network = build().eval().requires_grad_(False).double()
    for key, weight in network.named_parameters():
        weight.mul_(0 if key.endswith("bias") else 1.5 if weight.ndim > 1 else 1)
    if name == "convnext":
        network.head.global_pool = _Mean(True)
    if name == "densenet":
        network.global_pool, network.features.transition1.pool = _Mean(False), nn.MaxPool2d(2)
    return network, torch.randn(1, 1, side, side, generator=generator, dtype=torch.double)


@pytest.mark.parametrize("name", AGREEING)
def test_agrees_with_autolrp_for_the_same_rules(name):
    autolrp = pytest.importorskip("autolrp")
    from autolrp.nodes import ADD_NODES, LAYERNORM_NODES, REDUCTION_NODES

    def away(z, epsilon):
        return z + torch.where(z < 0, -epsilon, epsilon).to(z)

    def add(a, b, upper, epsilon, *_, attribute="both"):
        return a * upper / away(a + b, epsilon), b * upper / away(a + b, epsilon)

    def norm(x, y, upper, epsilon, *, weight, **_):
        centred = x - x.mean(-1, keepdim=True)
        scale = (centred.square().mean(-1, keepdim=True) + 1e-6).rsqrt() * weight
        share = upper / away(centred * scale, epsilon) * scale
        return x * (share - share.mean(-1, keepdim=True))

    def mean(x, y, upper, epsilon, *, dim=None, keepdim=False, **_):
        found = x.mean(dim, keepdim=True)
        return x * upper.reshape(found.shape) / away(found, epsilon) * found.numel() / x.numel()

    same = {**autolrp.BASE, **autolrp.on(LAYERNORM_NODES, norm)}
    same |= autolrp.on([n for n in ADD_NODES if n.startswith("Add")], add)
    same |= autolrp.on([n for n in REDUCTION_NODES if n.startswith("Mean")], mean)
    network, film = _without_what_rules_differ_in(name)
    for rule, preset in (("attnlrp", autolrp.ATTNLRP), ("cp-lrp", autolrp.CPLRP)):
        ours, logit = flow_of(network, film, "epsilon", rule, epsilon=1e-11)
        wrapped = autolrp.tensor(film.clone())
        network(wrapped)[0, 1].lrp(config=autolrp.LRPConfig(rule={**same, **preset}))
        theirs = wrapped.relevance.as_subclass(torch.Tensor)
        cosine = F.cosine_similarity(theirs.flatten(), ours.relevance.flatten(), dim=0)
        assert float(cosine) * (1 if logit > 0 else -1) > 0.999, rule
