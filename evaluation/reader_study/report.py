"""A closed study's results as one HTML file, as CSV tables, and as a summary that scorecards read."""

from __future__ import annotations

import io
import json
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from evaluation.csv_table import write_csv
from evaluation.html_pages import number, render
from evaluation.reader_study.analysis import StudyResult, analyse_study
from evaluation.reader_study.endpoints import ENDPOINTS, Endpoint
from evaluation.reader_study.results import SUMMARY
from evaluation.reader_study.store import StudyStore
from evaluation.reader_study.study_file import NO_MAP
from radiographs.files import write_text

TEMPLATES = Path(__file__).resolve().parent / "templates"


def write_report(store: StudyStore, folder: Path) -> StudyResult:
    """Analyse a closed study and write ``report.html`` and a CSV of each table into a folder.

    Raises:
        StudyError: the study is still open, or damaged. OSError: a file cannot be written.
    """
    result = analyse_study(store)
    folder.mkdir(parents=True, exist_ok=True)
    for name, table in result.tables.items():
        write_csv(folder / f"{name}.csv", table)
    write_text(folder / "report.html", html_report(result))
    write_text(store.folder / SUMMARY, json.dumps(summary(result), indent=1, allow_nan=False))
    return result


def html_report(result: StudyResult) -> str:
    """Write the report: one HTML document that refers to nothing outside."""
    counted = int(result.readers["counts"].sum())
    return render(
        TEMPLATES,
        "report.html.j2",
        study=result.study,
        key=result.key,
        counted=counted,
        left_out=result.readers.loc[~result.readers["counts"], "reader"].tolist(),
        answers=len(result.readings),
        sentences=in_words(result),
        arms=_arms(result),
        figure=_figure(result),
        differences=_differences(result),
        agreement=_rounded(result.agreement),
        liking=_rounded(result.liking),
        readers=result.readers.assign(counts=np.where(result.readers["counts"], "yes", "no")),
        endpoints=[one for one in ENDPOINTS if one.name in set(result.arms["endpoint"])],
        doubtful=sorted(set(result.readings.loc[result.readings["late"].astype(bool), "reader"])),
    )


def in_words(result: StudyResult) -> list[str]:
    """What the study shows, a sentence for each measure that is compared with reading without a map."""
    plain = next((arm.name for arm in result.study.arms if arm.kind == NO_MAP), result.study.arms[0].name)
    found = []
    for endpoint in ENDPOINTS:
        pairs = result.differences[result.differences["endpoint"] == endpoint.name]
        for pair in pairs.itertuples():
            if plain in (pair.first, pair.second) and endpoint.name in ("accuracy", "auroc", "accuracy_model_wrong"):
                found.append(_sentence(result, endpoint, pair, plain))
    for row in result.liking.itertuples(index=False):
        words = "" if np.isnan(row.low) else f" ({row.low:.2f} to {row.high:.2f})"
        if not np.isnan(row[3]):
            found.append(
                f"Over {row.maps} maps, usefulness as readers see it goes with {row.metric[:1].lower()}"
                f"{row.metric[1:]} by a rank correlation of {row[3]:.2f}{words}."
            )
    return found


def _sentence(result: StudyResult, endpoint: Endpoint, pair: object, plain: str) -> str:
    sign = 1 if pair.first != plain else -1  # type: ignore[attr-defined]
    arm = pair.first if sign == 1 else pair.second  # type: ignore[attr-defined]
    gain, low, high = (sign * getattr(pair, name) for name in ("difference", "low", "high"))
    low, high = min(low, high), max(low, high)
    values = result.arms[result.arms["endpoint"] == endpoint.name].set_index("arm")["value"]
    head = f"{endpoint.title}: {values[arm]:.2f} with {arm}, {values[plain]:.2f} with {plain}"
    if np.isnan(low):
        return f"{head}; too few readers or cases for an interval."
    p = pair.p_holm  # type: ignore[attr-defined]
    told = "no difference is shown" if np.isnan(p) or p >= 0.05 else "a difference is shown"
    return f"{head}: {gain:+.2f} ({low:+.2f} to {high:+.2f}; p = {number(p)} after Holm), {told}."


def _arms(result: StudyResult) -> pd.DataFrame:
    """One row a measure, one column an arm: value, interval, readers and cases."""
    rows = []
    for endpoint in ENDPOINTS:
        own = result.arms[result.arms["endpoint"] == endpoint.name].set_index("arm")
        if own.empty or own["value"].isna().all():
            continue
        row = {"Measure": endpoint.title}
        for arm in result.study.arms:
            row[arm.name] = _cell(own.loc[arm.name]) if arm.name in own.index else "–"
        rows.append(row)
    return pd.DataFrame(rows)


def _cell(row: pd.Series) -> str:
    if np.isnan(row["value"]):
        return "–"
    ends = "" if np.isnan(row["low"]) else f" ({row['low']:.2f} to {row['high']:.2f})"
    return f"{row['value']:.2f}{ends}; {int(row['readers'])} readers, {int(row['cases'])} cases"


def _differences(result: StudyResult) -> pd.DataFrame:
    titles = {endpoint.name: endpoint.title for endpoint in ENDPOINTS}
    ratios = {endpoint.name for endpoint in ENDPOINTS if endpoint.logarithmic}
    rows = [
        {
            "Measure": titles[pair.endpoint] + (" (ratio)" if pair.endpoint in ratios else ""),
            "Arms": f"{pair.first} – {pair.second}",
            "Difference": f"{number(pair.difference, '.2f' if pair.endpoint in ratios else '+.3f')}",
            "95 % interval": "–" if np.isnan(pair.low) else f"{pair.low:.3f} to {pair.high:.3f}",
            "p": number(pair.p),
            "p (Holm)": number(pair.p_holm),
        }
        for pair in result.differences.itertuples()
        if not np.isnan(pair.difference)
    ]
    return pd.DataFrame(rows, columns=["Measure", "Arms", "Difference", "95 % interval", "p", "p (Holm)"])


def _rounded(table: pd.DataFrame) -> pd.DataFrame:
    numbers = [name for name in table if pd.api.types.is_float_dtype(table[name])]
    return table.assign(**{name: [number(value, ".2f") for value in table[name]] for name in numbers})


def _figure(result: StudyResult) -> bytes:
    """The main measures by arm with their intervals, as PNG."""
    shown = [one for one in ENDPOINTS if one.name in ("accuracy", "auroc", "hit", "accuracy_model_wrong")]
    known = set(result.arms.loc[result.arms["value"].notna(), "endpoint"])
    shown = [one for one in shown if one.name in known] or shown[:1]
    names = [arm.name for arm in result.study.arms]
    figure = Figure(figsize=(9, 0.5 + 0.35 * len(names)), layout="constrained")
    for endpoint, axes in zip(shown, np.ravel(figure.subplots(1, len(shown), sharey=True))):
        own = result.arms[result.arms["endpoint"] == endpoint.name].set_index("arm").reindex(names)
        axes.hlines(range(len(names)), own["low"].astype(float), own["high"].astype(float), color="#2a9d8f")
        axes.plot(own["value"].astype(float), range(len(names)), "o", color="#2a9d8f")
        axes.set(xlim=(0, 1), title=endpoint.title.replace("Accuracy where the m", "M"))
        axes.title.set_fontsize(9)
        axes.set_yticks(range(len(names)), names)
        axes.set_ylim(len(names) - 0.5, -0.5)
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=110)
    return buffer.getvalue()


def summary(result: StudyResult) -> dict[str, object]:
    """What scorecards show of a study: by arm, the measures that speak of recognizability and actionability."""
    rows = result.arms[result.arms["endpoint"].isin(["usefulness", "hit", "accuracy", "accuracy_model_wrong"])]
    methods = {arm.name: arm.method for arm in result.study.arms}
    plain = [
        {key: None if isinstance(value, float) and np.isnan(value) else value for key, value in row.items()}
        | {"method": methods[str(row["arm"])]}
        for row in rows.to_dict("records")
    ]
    return {
        "study": result.study.name,
        "models": sorted({case.model for case in result.study.cases}),
        "findings": sorted({case.finding for case in result.study.cases}),
        "arms": plain,
    }
