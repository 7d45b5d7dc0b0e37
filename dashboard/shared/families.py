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
        "hides parts", "Hide parts of the film", "They change the film many times and watch the model's answer."
    ),
    "cam": Family(
        "class map", "Read the last feature maps", "They weigh and add what the network's last layers light up for."
    ),
    "relevance": Family(
        "relevance", "Hand the answer back", "They share the answer out among the inputs, layer by layer."
    ),
    "attention": Family(
        "attention", "Read a transformer's attention", "They follow which parts of the film the others take from."
    ),
    "gradient": Family("gradient", "Follow the gradient", "They ask how the answer moves when pixels move a little."),
    "counterfactual": Family(
        "changes the film",
        "Change the film until the answer changes",
        "They show what would have to look different.",
    ),
    "baseline": Family(
        "knows no model",
        "Know nothing of the model",
        "What a score gives to these, a method must beat before it means anything.",
    ),
}


def family(name: str) -> Family:
    """The words for a family."""
    return FAMILIES.get(name, Family(name, name.capitalize(), ""))
