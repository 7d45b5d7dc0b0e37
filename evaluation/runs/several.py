"""Several runs in one report: maps of all stand in one table where films, outlines and scores are the same."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from evaluation.runs.doubts import doubts_of
from evaluation.runs.provenance import units_of
from evaluation.runs.report import RunReport, Section, provenance_of, section_of
from evaluation.runs.run_progress import unfinished_words
from evaluation.runs.store import Store
from evaluation.runs.tables import Pair, PairContext, costs, map_titles, metrics_of, pairs_of, values, verdicts
from evaluation.scores import headline_metrics, localisation_metrics
from evaluation.validity.gate import Verdict
from radiographs.findings import display_name

TOLERANCE = 1e-6
"""Relative difference up to which chance levels, outlines' shares and baselines' scores count as the same."""


@dataclass(frozen=True, eq=False)
class _Part:
    """What one run says of one collection and classifier; maps bear the run's label."""

    label: str
    store: Store
    pair: Pair
    pairs: pd.DataFrame

    @property
    def name(self) -> str:
        return f"{self.label} ({self.pair.classifier} on {self.pair.collection})"


def make_joint_report(runs: Mapping[str, Store], names: Sequence[str] | None = None) -> RunReport:
    """Set the maps of several runs beside each other.

    A part of a run (a collection under a classifier) is compared with those of other runs that scored the same films.
    For each finding that both have, films, outlines, polarity and the scores of baselines that both have must be the
    same; else the part is left out and the report says why.

    Args:
        runs: by label; others are compared with the first. names: of the scores, by default those that all have.

    Raises:
        ValueError: nothing can be set beside each other, or a score of ``names`` is not in all runs.
    """
    there = [set(metrics_of(store)) for store in runs.values()]
    common = [name for name in metrics_of(next(iter(runs.values()))) if all(name in one for one in there)]
    lacking = [name for name in names or () if name not in common]
    if lacking or not common:
        words = f"not all runs have the score {lacking[0]}" if lacking else "the runs have no score in common"
        raise ValueError(f"{words}; all of them have: {', '.join(common) or 'none'}")
    usual = [name for name in common if name in headline_metrics() or name not in localisation_metrics()]
    chosen = list(names or usual or common)
    parts = [_part(label, store, pair) for label, store in runs.items() for pair in pairs_of(store)]
    groups, refused = _groups(parts, chosen)
    if not groups:
        why = " ".join(refused) or "No film is in two of them."
        raise ValueError(f"these runs cannot be set beside each other. {why}")
    sections = tuple(_section(group, chosen) for group in groups)
    shown = [label for label in runs if any(part.label == label for group in groups for part in group)]
    first = next(iter(runs.values()))
    films = {film for group in groups for film in group[0].pairs.film}
    rows = sum(len(part.pairs) for group in groups for part in group)
    versions = dict.fromkeys(
        f"{label}: {line}"
        for label, store in runs.items()
        for line in store.query("SELECT DISTINCT versions FROM scores ORDER BY ALL").versions.astype(str)
    )
    unfinished = [f"{label}: {words}" for label, store in runs.items() if (words := unfinished_words(store.status()))]
    return RunReport(
        " beside ".join(runs), len(films), rows, tuple(versions), tuple(chosen), sections,
        pd.concat([_costs(label, runs[label]) for label in shown], ignore_index=True),
        pd.concat([runs[label].failures() for label in shown], ignore_index=True),
        doubts_of(first), " ".join(unfinished), _unnamed(groups), tuple(refused),
    )  # fmt: skip


def _part(label: str, store: Store, pair: Pair) -> _Part:
    """The pairs of film and finding with what must be the same everywhere, by film's digest and finding."""
    table = store.query(
        "SELECT film, finding, any_value(film_id) AS film_id, any_value(patient) AS patient, any_value(area) AS area, "
        "any_value(reading) AS reading FROM scores WHERE collection = ? AND classifier = ? "
        "GROUP BY film, finding ORDER BY ALL",
        [pair.collection, pair.classifier],
    )
    return _Part(label, store, pair, table.astype({"film": str, "finding": str, "reading": str}))


def _groups(parts: Sequence[_Part], names: Sequence[str]) -> tuple[list[list[_Part]], list[str]]:
    """Parts that can be set beside each other, each cut to the findings of all; and why others cannot."""
    groups: list[list[_Part]] = []
    refused: list[str] = []
    for part in parts:
        near = [group for group in groups if set(group[0].pairs.film) & set(part.pairs.film)]
        if not near:
            groups.append([part])
            continue
        group = near[0]
        problems = list(_problems(group[0], part, names))
        if problems:
            refused.append(f"{part.name} is not set beside {group[0].name}: {'; '.join(problems)}.")
        else:
            group.append(part)
    several = [group for group in groups if len({part.label for part in group}) > 1]
    if several:
        refused += [f"{group[0].name} shares no film with another run." for group in groups if group not in several]
    return [_cut(group) for group in several], refused


def _cut(group: list[_Part]) -> list[_Part]:
    shared = set.intersection(*(set(part.pairs.finding) for part in group))
    return [replace(part, pairs=part.pairs[part.pairs.finding.isin(shared)]) for part in group]


def _problems(first: _Part, second: _Part, names: Sequence[str]) -> Iterator[str]:
    """Why two parts are not comparable, in words."""
    findings = sorted(set(first.pairs.finding) & set(second.pairs.finding))
    if not findings:
        yield "they have no finding in common"
        return
    both = [part.pairs[part.pairs.finding.isin(findings)].set_index(["finding", "film"]) for part in (first, second)]
    for finding in findings:
        films = [set(part.loc[finding].index) for part in both]
        if films[0] != films[1]:
            more, fewer = len(films[1] - films[0]), len(films[0] - films[1])
            yield f"other films of {display_name(finding).lower()} ({more} that the first lacks, {fewer} lacking)"
            return
    joined = both[0].join(both[1].add_suffix("_second"))
    areas = ~np.isclose(joined.area, joined.area_second, rtol=TOLERANCE, atol=0, equal_nan=True)
    if areas.any():
        yield f"other outlines on {areas.sum()} of {len(joined)} pairs of film and finding"
    if (joined.reading != joined.reading_second).any():
        yield "another polarity of signed maps was scored"
    yield from _baselines_differ(first, second, names)


def _baselines_differ(first: _Part, second: _Part, names: Sequence[str]) -> Iterator[str]:
    """Chance levels and baselines hang on films, outlines and the score alone, so that they tell other settings."""
    key = ["film", "finding", "map"]
    for name in names:
        one, other = (values(part.store, name, part.pair) for part in (first, second))
        joined = one[one.kind == "baseline"].merge(other[other.kind == "baseline"], on=key, suffixes=("", "_second"))
        # The average mask leaves patients out by what else the collection holds.
        joined = joined[~joined["map"].str.startswith("average-mask/")]
        differ = [
            ~np.isclose(joined[column], joined[f"{column}_second"], rtol=TOLERANCE, atol=1e-9, equal_nan=True)
            for column in ("value", "chance")
        ]
        number = int((differ[0] | differ[1]).sum())
        if number:
            yield f"{number} scores of baselines differ in {name}: its settings or the outlines were others"
            return


def _section(group: Sequence[_Part], names: Sequence[str]) -> Section:
    first = group[0]
    titles: dict[str, str] = {}
    tables: dict[str, list[pd.DataFrame]] = {name: [] for name in names}
    people = first.pairs.drop_duplicates("film").set_index("film").patient
    for part in group:
        own, there = map_titles(part.store), {key for key in titles if _is_baseline(key)}
        for name in names:
            table = values(part.store, name, part.pair)
            table = table[table.finding.isin(set(part.pairs.finding)) & table.film.isin(set(part.pairs.film))]
            table = table[~table["map"].isin(there) | table.kind.ne("baseline")]
            explained = table.kind == "method"
            keys = table["map"].where(~explained, table["map"] + f"/{part.label}/{part.pair.classifier}")
            for key, old in zip(keys, table["map"]):
                titles.setdefault(key, own[old] if key == old else f"{own[old]} [{_label(part, group)}]")
            tables[name].append(table.assign(map=keys, film_id=table.film, patient=table.film.map(people)))
    collection = " and ".join(dict.fromkeys(part.pair.collection for part in group))
    pair = Pair(collection, " and ".join(dict.fromkeys(part.pair.classifier for part in group)))
    ordered = dict(sorted(titles.items(), key=lambda item: _is_baseline(item[0])))
    context = PairContext(pair, ordered, _verdicts(group))
    made = section_of(context, {name: pd.concat(found, ignore_index=True) for name, found in tables.items()})
    said = [f"{part.name}: {' '.join(provenance_of(part.store, part.pair))}" for part in group]
    unnamed = int((first.pairs.patient == first.pairs.film_id).sum())
    return replace(made, provenance=tuple(said), units=units_of(unnamed, len(first.pairs)))


def _is_baseline(key: str) -> bool:
    """Whether a map is a baseline: keys of methods bear the run and the model as well."""
    return key.count("/") == 1


def _label(part: _Part, group: Sequence[_Part]) -> str:
    one_model = len({other.pair.classifier for other in group}) == 1
    return part.label if one_model else f"{part.label}, {part.pair.classifier}"


def _verdicts(group: Sequence[_Part]) -> dict[str, Verdict]:
    """A finding's verdict: the first that is not "shown" of any model, else that of all."""
    found: dict[str, Verdict] = {}
    for part in group:
        for finding, one in verdicts(part.store, part.pair).items():
            if finding in set(part.pairs.finding) and (finding not in found or found[finding].passed):
                named = replace(one, reason=f"{part.pair.classifier}: {one.reason}")
                found[finding] = one if len(group) == 1 else named
    return found


def _costs(label: str, store: Store) -> pd.DataFrame:
    table = costs(store)
    return table.assign(title=table.title + f" [{label}]")


def _unnamed(groups: Sequence[Sequence[_Part]]) -> int:
    films = [group[0].pairs[group[0].pairs.patient == group[0].pairs.film_id] for group in groups]
    return len({film for one in films for film in one.film})
