"""A commented plan to begin with."""

from __future__ import annotations

import json
from collections.abc import Sequence

from evaluation.runs.plan import Plan
from xai_methods import get_method

_HEAD = """# A plan for `lightbox run`. `lightbox plan THIS.toml` checks it and says how long it will take.
# What a key is left out for: its default, shown here unless said otherwise.

"""


def plan_text(plan: Plan) -> str:
    """Write a plan as commented TOML, which :func:`evaluation.runs.plan.parse_plan` reads back."""
    lines = [
        f"name = {_value(plan.name)}",
        "",
        "# Names from `lightbox films` and `lightbox models`.",
        f"collections = {_value(plan.collections)}",
        f"classifiers = {_value(plan.classifiers)}",
        "",
        "# Empty: all findings that a classifier knows and `films` admits.",
        f"findings = {_value(plan.findings)}",
        '# "outlined": film and finding where an expert outlined it; "labelled": where the collection names it;',
        '# "all": every film with every finding (scores against outlines are then left out where there is none).',
        f"films = {_value(plan.films)}",
        "# Films drawn for each finding; 0 takes all. The same draw_seed draws the same films.",
        f"per_finding = {_value(plan.per_finding)}",
        f"draw_seed = {_value(plan.draw_seed)}",
        "# Leave out films of patients that the models may have been trained on.",
        f"held_out = {_value(plan.held_out)}",
        "",
        "# Each method runs under each seed.",
        f"seeds = {_value(plan.seeds)}",
        '# Names from `lightbox metrics`, or the groups "headline" and "localisation"; also the scores that need the',
        "# model, such as deletion_blur, road, max_sensitivity, gini_sparseness. Default: headline.",
        f"metrics = {_value(plan.metrics)}",
        "# Model-independent baselines, scored beside the methods.",
        f"baselines = {_value(plan.baselines)}",
        '# Which part of a signed map is scored: "positive", "abs" or "raw".',
        f"polarity = {_value(plan.polarity)}",
        "# Save every map as float16 .npz beside the scores.",
        f"maps = {_value(plan.maps)}",
        "",
        "# Names from `lightbox methods`. `parameters` sets some, `sweep` runs every combination of its lists:",
        "#   sweep = { samples = [250, 500, 1000] }",
        "# `maps` takes maps of other code instead: a folder of <film>_<finding>.npz, .npy or .png, a CSV table with",
        "# film, finding and map, or CheXlocalize's predicted segmentations (JSON):",
        "#   [[methods]]",
        '#   name = "my method"',
        '#   maps = "maps/my-method"',
        "# Default: the five main methods.",
    ]
    for variant in plan.methods:
        lines += ["[[methods]]", f"name = {_value(variant.method)}"]
        if variant.maps:
            lines += [f"maps = {_value(variant.maps)}", ""]
            continue
        usual = get_method(variant.method).parameters().as_dict()
        differing = {name: value for name, value in variant.parameters.items() if value != usual.get(name)}
        if differing:
            pairs = ", ".join(f"{name} = {_value(value)}" for name, value in differing.items())
            lines.append(f"parameters = {{ {pairs} }}")
        lines.append("")
    return _HEAD + "\n".join(lines).rstrip() + "\n"


def _value(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, Sequence):
        items = ", ".join(_value(item) for item in value)
        return f"[{items}]"
    return repr(value)
