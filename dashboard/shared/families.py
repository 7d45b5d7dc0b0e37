"""Families of methods, in words; a family that is not listed goes by its own name."""

from __future__ import annotations

from typing import NamedTuple


class Family(NamedTuple):
    """Words for one family: in brackets behind a method's title, as a heading, and what its methods have in common."""

    short: str
    heading: str
    common: str


FAMILIES = {
    "perturbation": Family(
        "perturbation", "Perturb the film", "They change the film many times and watch the model's answer."
    ),
    "cam": Family(
        "class activation", "Class activation maps", "They weigh and add what the network's last layers light up for."
    ),
    "relevance": Family(
        "relevance",
        "Propagate relevance back",
        "They propagate the answer back to the pixels, layer by layer, and conserve it.",
    ),
    "attention": Family(
        "attention", "Transformer attention", "They follow which parts of the film each token attends to."
    ),
    "gradient": Family("gradient", "Gradients", "They ask how the answer moves when pixels move a little."),
    "counterfactual": Family(
        "counterfactual",
        "Counterfactual images",
        "They generate the film on which the model would answer otherwise.",
    ),
    "baseline": Family(
        "model-independent",
        "Model-independent baselines",
        "What a score gives to these, a method must beat before it means anything.",
    ),
}


def family(name: str) -> Family:
    """The words for a family."""
    return FAMILIES.get(name, Family(name, name.capitalize(), ""))
