"""LRP and the Jacobian on ViT-B/16 with random weights: against autolrp for the same rules, and against torch."""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Iterator
from typing import Any

import torch

from benchmarks.films import limited
from benchmarks.timing import TimingRow, compare
from classifiers import ChestClassifier, ModelCard, Preprocessing
from classifiers.precision import settle_precision
from classifiers.torchvision_guard import ensure_torchvision
from radiographs import Radiograph
from xai_methods import get_method
from xai_methods.gradient.jacobian import jacobian
from xai_methods.relevance.lrp import LrpParameters

TITLE, SIDE, FINDINGS = "ViT-B/16", 224, 14


def vit_b16() -> ChestClassifier:
    """Timm's ViT-B/16 for grey films, its weights drawn from seed 0."""
    ensure_torchvision()
    import timm

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        network = timm.create_model("vit_base_patch16_224", in_chans=1, num_classes=FINDINGS)
    card = ModelCard("vit-b16", TITLE, "", "nothing", "none needed", "", "For timing only.")
    findings = tuple(f"Finding {number + 1}" for number in range(FINDINGS))
    return ChestClassifier(network.eval(), findings, card, "patch_embed.proj", Preprocessing(SIDE, "pad", -2.0, 2.0))


def a_film() -> Radiograph:
    """A random film."""
    grey = torch.rand((SIDE, SIDE), generator=torch.Generator().manual_seed(0))
    return Radiograph(grey.numpy())


def rows(pairs: int) -> Iterator[TimingRow]:
    """LRP (epsilon everywhere, AttnLRP), then the Jacobian of all findings."""
    if limited():
        return
    classifier, film = vit_b16(), a_film()
    if importlib.util.find_spec("autolrp") is not None:
        yield _lrp(classifier, film, pairs)
    one = classifier.prepare(film)
    settled = settle_precision("auto", classifier.device)
    for precision in dict.fromkeys((settled, "float32")):
        yield compare(
            f"Jacobian of {FINDINGS} findings in {precision}, {TITLE}",
            "torch.autograd.functional.jacobian",
            lambda p=precision: jacobian(classifier, one, precision=p),
            lambda: torch.autograd.functional.jacobian(lambda x: classifier(x)[0], one),
            pairs=pairs,
            target=0.6 if precision == settled else None,
        )


def _lrp(classifier: ChestClassifier, film: Radiograph, pairs: int) -> TimingRow:
    autolrp = importlib.import_module("autolrp")
    config = autolrp.LRPConfig(rule={**autolrp.BASE, **autolrp.ATTNLRP})
    method, finding = get_method("lrp"), classifier.findings[1]
    parameters = LrpParameters(composite="epsilon")

    def theirs() -> Any:
        pixels = autolrp.tensor(classifier.prepare(film))
        classifier.network(pixels)[0, 1].lrp(config=config)
        return pixels.relevance

    def ours() -> Any:
        return method.explain(classifier, film, finding, parameters=parameters)

    return compare(f"LRP, epsilon and AttnLRP, {TITLE}", "autolrp", ours, theirs, pairs=pairs, target=1.0)
