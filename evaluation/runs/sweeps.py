"""What a sweep over parameters answers: score and cost against the setting, and which setting to take, if any.

The rule: patients are cut into two halves. On the one the setting with the highest lower bound of its interval is
chosen (the lowest upper bound where lower is better); on the other it is tested against the default. No film that is
tuned on is tested on.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from evaluation.runs.plots import COLOURS, GREY, bare
from evaluation.runs.tables import ALL, PASSED, PairContext, wide_of
from evaluation.scores import Metric, get_metric
from evaluation.statistics.critical_difference import LEVEL
from evaluation.statistics.intervals import FEWEST, Interval, mean_interval, mean_intervals
from evaluation.statistics.paired_tests import holm, patient_means, wilcoxon_holm
from xai_methods import methods

_DRAWS = 1000


@dataclass(frozen=True, eq=False)
class VariantChoice:
    """The setting that one half of the patients chose, and what the other half says of it.

    Attributes:
        setting, default: labels; default is "" where it was not swept. validation, test: patients in the halves.
        gain: of the setting over the default on the test half, positive is better. p: of the paired test there,
            corrected for the sweeps of the section.
    """

    setting: str
    default: str
    validation: int
    test: int
    gain: Interval | None = None
    p: float = math.nan


@dataclass(frozen=True, eq=False)
class Sweep:
    """One method under several settings, by one score.

    Attributes:
        method: its title. metric: name of the score. swept: names of the parameters that differ.
        table: a row a setting: ``setting`` (label), ``default`` (bool), a column for each of ``swept``, ``mean``,
            ``low``, ``high``, ``n``, ``patients``, ``seconds`` (mean of a map).
        choice: None where there are too few patients to choose and test.
    """

    method: str
    metric: str
    swept: tuple[str, ...]
    table: pd.DataFrame
    choice: VariantChoice | None = None

    @property
    def recommended(self) -> bool:
        """Whether a setting was shown to be better than the default."""
        found = self.choice
        return found is not None and found.gain is not None and found.gain.value > 0 and found.p < LEVEL

    @property
    def words(self) -> str:
        """What the sweep answers, in a sentence or two."""
        title, found = get_metric(self.metric).title, self.choice
        if found is None:
            few = int(self.table.patients.max())
            return f"{title}: {few} patients are too few to choose a setting on one half and test it on the other."
        half = f"the {found.validation} patients of the validation half"
        chosen = f"{title}: {found.setting} has the best bound on {half}"
        if not found.default:
            return f"{chosen}; the default was not swept, so that no setting can be recommended over it."
        if found.setting == found.default:
            return f"{chosen}, and is the default: no setting is better than the default."
        assert found.gain is not None
        ends = "" if math.isnan(found.gain.low) else f", interval {found.gain.low:+.3f} to {found.gain.high:+.3f}"
        p = "p < 0.001" if found.p < 0.001 else f"p = {found.p:.3f}"
        tested = f"on the {found.test} patients of the other half it gains {found.gain.value:+.3f} on the default{ends}"
        verdict = f"{found.setting} is recommended" if self.recommended else "no setting is better than the default"
        return f"{chosen}; {tested}, {p} after Holm: {verdict}.{self._cost()}"

    def _cost(self) -> str:
        seconds = self.table.set_index("setting").seconds
        assert self.choice is not None
        chosen, usual = seconds[self.choice.setting], seconds[self.choice.default]
        return f" A map takes {chosen:.2f} s instead of {usual:.2f} s." if chosen > 0 and usual > 0 else ""


def sweeps_of(context: PairContext, tables: Mapping[str, pd.DataFrame]) -> tuple[Sweep, ...]:
    """The sweeps of a section: every method that ran under several settings, by every score with a better end.

    Args:
        context: of the collection and the classifier. tables: values by score (:func:`evaluation.runs.tables.values`).
    """
    groups = context.scopes
    findings = groups[PASSED if PASSED in groups else ALL]
    found = []
    for name, table in tables.items():
        chosen = table[(table.kind == "method") & table.finding.isin(findings)]
        for method, part in chosen.groupby("method", sort=False):
            if part["map"].nunique() > 1 and method in methods() and get_metric(name).direction != "neither":
                found.append(_sweep(str(method), get_metric(name), part))
    corrected = holm(np.array([one.choice.p if one.choice else math.nan for one in found]))
    return tuple(
        one if one.choice is None else replace(one, choice=replace(one.choice, p=float(p)))
        for one, p in zip(found, corrected)
    )


def _sweep(method: str, score: Metric, part: pd.DataFrame) -> Sweep:
    by_map = {str(key): json.loads(str(text)) for key, text in part.groupby("map").parameters.first().items()}
    swept = tuple(n for n in next(iter(by_map.values())) if len({str(one.get(n)) for one in by_map.values()}) > 1)
    order = sorted(by_map, key=lambda key: [_place(by_map[key].get(name)) for name in swept])
    usual = methods()[method].parameters().as_dict()
    labels = {key: ", ".join(f"{name} {by_map[key].get(name)}" for name in swept) for key in order}
    wide = wide_of(part).reindex(columns=order)
    patients = wide.index.get_level_values("patient").to_numpy()
    found = mean_intervals([wide[key].to_numpy() for key in order], patients, np.random.default_rng(0), draws=_DRAWS)
    seconds = part.groupby("map").seconds.mean()
    rows = [
        {"setting": labels[key], "default": by_map[key] == usual} | {name: by_map[key].get(name) for name in swept}
        | {"mean": one.value, "low": one.low, "high": one.high, "n": one.films, "patients": one.patients}
        | {"seconds": float(seconds[key])}
        for key, one in zip(order, found)
    ]  # fmt: skip
    default = next((labels[key] for key in order if by_map[key] == usual), "")
    choice = _choice(wide.rename(columns=labels).dropna(), default, score.direction == "lower")
    return Sweep(methods()[method].title, score.name, swept, pd.DataFrame(rows), choice)


def _place(value: object) -> tuple[bool, float, str]:
    """Where a value stands among others: numbers by size, before texts."""
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return not number, float(value) if isinstance(value, (int, float)) else 0.0, str(value)


def halves(patients: Sequence[str]) -> tuple[set[str], set[str]]:
    """Patients in a validation and a test half, by the SHA-256 of their pseudonyms: the same for every sweep."""
    ordered = sorted(set(patients), key=lambda name: hashlib.sha256(name.encode()).hexdigest())
    return set(ordered[0::2]), set(ordered[1::2])


def _choice(wide: pd.DataFrame, default: str, lower: bool) -> VariantChoice | None:
    """Choose on one half, test on the other; ``wide`` has a column a setting and no gap."""
    patients = wide.index.get_level_values("patient").astype(str)
    validation, test = halves(list(patients))
    if min(len(validation), len(test)) < FEWEST:
        return None
    sign = -1.0 if lower else 1.0
    first, second = wide[patients.isin(validation)], wide[patients.isin(test)]
    bounds = {
        str(name): mean_interval(
            sign * first[name].to_numpy(), first.index.get_level_values("patient").to_numpy(),
            np.random.default_rng(0), draws=_DRAWS,
        ).low
        for name in wide
    }  # fmt: skip
    # Of equals the default is taken, so that nothing is changed for nothing.
    best = max(bounds, key=lambda name: (bounds[name], name == default))
    if not default or best == default:
        return VariantChoice(best, default, len(validation), len(test))
    groups = second.index.get_level_values("patient").to_numpy()
    gains = sign * (second[best] - second[default]).to_numpy()
    gain = mean_interval(gains, groups, np.random.default_rng(0), draws=_DRAWS)
    tested = wilcoxon_holm(patient_means(second[[best, default]].to_numpy(), groups), (best, default))[0]
    return VariantChoice(best, default, len(validation), len(test), gain, tested.p)


def sweep_figure(sweep: Sweep) -> Figure:
    """Score with its interval, and seconds of a map, against the setting; the default is marked."""
    figure = Figure(figsize=(8.0, 4.6), layout="constrained")
    above, below = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1))
    table = sweep.table
    numeric = len(sweep.swept) == 1 and pd.api.types.is_numeric_dtype(table[sweep.swept[0]])
    x = table[sweep.swept[0]].to_numpy(dtype=float) if numeric else np.arange(len(table), dtype=float)
    known = table.low.notna().to_numpy()
    above.vlines(x[known], table.low[known], table.high[known], color=COLOURS[0], linewidth=3)
    above.plot(x, table["mean"], "-o" if numeric else "o", color=COLOURS[0], markersize=6)
    usual = table.default.to_numpy(dtype=bool)
    above.plot(x[usual], table["mean"][usual], "o", color=COLOURS[3], markersize=9, label="default")
    below.plot(x, table.seconds, "-o" if numeric else "o", color=GREY, markersize=5)
    if usual.any():
        above.legend(frameon=False)
    above.set_ylabel(get_metric(sweep.metric).title)
    below.set_ylabel("seconds a map")
    below.set_ylim(bottom=0)
    if numeric:
        below.set_xlabel(sweep.swept[0])
        if x.min() > 0 and x.max() / x.min() > 10:
            below.set_xscale("log")
            below.set_xticks(x, [f"{value:g}" for value in x])
    else:
        below.set_xticks(x, table.setting, rotation=30, ha="right", fontsize=8)
    for axes in (above, below):
        bare(axes)
    return figure


def sweep_table(sweeps: Sequence[Sweep]) -> pd.DataFrame:
    """All settings of all sweeps as one table."""
    parts = [
        one.table[["setting", "default", "mean", "low", "high", "n", "patients", "seconds"]].assign(
            method=one.method, metric=one.metric, answer=one.words
        )
        for one in sweeps
    ]
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=["method", "metric", "setting"])
