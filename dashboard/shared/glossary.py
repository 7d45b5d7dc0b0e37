"""The glossary: the terms that pages use, each in a sentence or two, for the glossary's page and for tooltips."""

from __future__ import annotations

import re

TERMS: dict[str, tuple[str, str]] = {
    "Achieved": (r"achieved", "The model's probability on a generated film, beside the target that it should have."),
    "Additivity": (
        r"adds? up", "A map is additive where its values sum to the logit, or to its distance from a baseline film."
    ),
    "Anatomical prior": (
        r"anatomical prior",
        "A model-independent baseline: the lungs or the heart of this film, whichever the finding belongs to.",
    ),
    "Annotation": (r"annotat(?:ion|ed)", "What an expert drew around a finding on a film; maps are scored against it."),
    "AUPRC": (
        r"AUPRC",
        "Area under the precision-recall curve over pixels: how purely a map's strongest pixels lie in the annotation. "
        "Chance is about the share of the film that is annotated.",
    ),
    "AUROC": (
        r"AUROC",
        "Area under the ROC curve: how often a positive case ranks above a negative one. Chance is 0.5.",
    ),
    "Baseline, model-independent": (
        r"baselines?",
        "A map made without the model, such as a centre prior. A method that does not beat it has shown nothing.",
    ),
    "Biases": (r"biases", "Constants inside a network; relevance that they absorb reaches no pixel."),
    "Cardiothoracic ratio": (
        r"cardiothoracic", "Greatest width of the heart over that of the chest; above 0.5 on a frontal film is large."
    ),
    "Chance": (r"chance", "What a map of random numbers gets by the same score."),
    "Class activation map": (
        r"class activation|CAM", "A map read from a network's last feature maps; coarse, with a few cells a side."
    ),
    "Conservation": (
        r"conserved", "Relevance is conserved where the values of all pixels sum to the logit that they explain."
    ),
    "Counterfactual image": (
        r"counterfactual",
        "The film generated anew so that the model answers otherwise, all else unchanged as far as possible.",
    ),
    "Decision threshold": (r"decision threshold|threshold", "The probability from which a finding counts as present."),
    "Early map": (
        r"as it stands after",
        "A map drawn before its work is done, from the films evaluated so far; it sharpens until it is settled.",
    ),
    "Evidence, positive and negative": (
        r"evidence", "Positive evidence raises the finding's logit, negative evidence lowers it."
    ),
    "Grey level": (r"grey levels?", "One of 256 steps from black to white."),
    "IoU": (r"IoU", "Intersection over union of two regions: 1 where they are the same, 0 where they do not touch."),
    "Jacobian": (
        r"Jacobian", "The derivative of every logit with respect to every pixel: how each moves for a small change."
    ),
    "Logit": (
        r"logits?", "The model's raw score of a finding before it becomes a probability; 0 stands for 50 %."
    ),
    "Mean annotation": (
        r"mean annotation|location prior",
        "A model-independent baseline: where experts usually annotate the finding, this patient's films left out.",
    ),
    "Native resolution": (
        r"native resolution", "The cells that a map really has; what is drawn between them is interpolated."
    ),
    "Perturbation": (r"perturbations?", "A small realistic change of a film, such as noise, blur, shift or exposure."),
    "Pointing game": (
        r"pointing game", "Whether a map's strongest pixel lies inside the annotation, or within a tolerance of it."
    ),
    "Rank correlation": (r"rank correlation", "Spearman's: 1 where two maps rank all pixels alike, 0 by chance."),
    "Reader study": (
        r"reader stud(?:y|ies)",
        "A blinded comparison of how people read films with and without maps, over several readers and cases.",
    ),
    "Relevance": (
        r"relevance", "What LRP gives a pixel: its share of the logit, propagated back through the network by layers."
    ),
    "ReLU": (
        r"ReLUs?", "The activation that passes what is positive. Guided backpropagation is defined for it alone."
    ),
    "Repeatability": (
        r"repeatability", "How alike maps of the same method are when only its random numbers (the seed) differ."
    ),
    "Seed": (r"seeds?", "The start of a method's random numbers; the same seed gives the same map."),
    "SSIM": (r"SSIM", "Structural similarity of two images; 1 where they are the same."),
    "Superpixel": (
        r"superpixels?", "A patch of neighbouring pixels of like grey that LIME and SHAP hide or show as a whole."
    ),
    "Surrogate fit, R²": (
        r"R²", "Share of the model's variation near this film that LIME's simple model explains; 1 is all of it."
    ),
    "Target": (r"targets?", "The probability that a generated film should have, on the model's own scale."),
    "Validity gate": (
        r"validity gate",
        "A test whether the model detects the finding by the annotated region; without it, scores against the "
        "annotation say nothing of a method.",
    ),
}  # fmt: skip
"""By term: a pattern of how texts write it, and what it means."""


def meaning(*terms: str) -> str:
    """What the terms mean, for a tooltip: a paragraph each.

    Raises:
        KeyError: a term is not in the glossary.
    """
    return "\n\n".join(f"{term}: {TERMS[term][1]}" for term in terms)


def explained(text: str) -> str:
    """What the terms in ``text`` mean, for a tooltip; "" where it uses none."""
    return meaning(
        *(term for term, (written, _) in TERMS.items() if re.search(rf"\b(?:{written})", text, re.IGNORECASE))
    )
