"""A finished run whose numbers are known, written without running anything."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pyarrow as pa

from evaluation.runs.plan import digest_of
from evaluation.runs.store import SCHEMA, Store

VALUES = {"grad-cam": 0.8, "jacobian": 0.5, "uniform": 0.2, "centre-prior": 0.3}
FILMS = 24


def made_store(folder: Path, shift: float = 0.0, leave_out: int = 0, silent: int = 0) -> Store:
    """Two methods and two baselines on 24 films of twelve patients; film i scores i/100 above the map's mean.

    Args:
        shift: added to grad-cam's values. leave_out: films at the end that are not there. silent: films
            at the start on which grad-cam's score is undefined.
    """
    store = Store(folder)
    store.make()
    rows = []
    for i in range(FILMS - leave_out):
        for method, mean in VALUES.items():
            kind = "baseline" if method in ("uniform", "centre-prior") else "method"
            for seed in (0, 1) if kind == "method" else (0,):
                value = mean + i / 100 + (seed - 0.5) * 0.01 * (kind == "method") + shift * (method == "grad-cam")
                undefined = method == "grad-cam" and i < silent
                rows.append(made_row(i, method, kind, seed, math.nan if undefined else value))
    store.write([pa.Table.from_pylist(rows, schema=SCHEMA)], [], {})
    (folder / "plan.toml").write_text('collections = ["tiny-films"]\nclassifiers = ["tiny"]\nname = "<Made>"\n')
    store.write_text("status.json", json.dumps({"state": "done", "films": FILMS, "done": FILMS, "failures": 0}))
    return store


def made_row(i: int, method: str, kind: str, seed: int, value: float) -> dict[str, object]:
    given = "{}" if method != "jacobian" else '{"reading": "signed"}'
    return {
        "question": digest_of([i, method, seed]), "collection": "tiny-films", "film_id": f"film-{i % 3}-{i}",
        "film": f"{i:064d}", "patient": f"p{i // 2}", "finding": "Nodule" if i % 2 else "Effusion",
        "classifier": "tiny",
        "classifier_digest": "d", "kind": kind, "method": method, "parameters": given,
        "parameters_digest": digest_of(given), "seed": seed, "reading": "positive", "metric": "pixel_auprc",
        "value": value, "chance": 0.1, "direction": "higher", "seconds": 0.5 if kind == "method" else None,
        "evaluations": 2 if kind == "method" else None, "logit": i / 10, "area": 0.01 * (i + 1), "versions": "none",
    }  # fmt: skip
