"""A run's report as one HTML page that loads nothing from outside."""

from __future__ import annotations

import math
from html import escape
from typing import TYPE_CHECKING

import pandas as pd

from evaluation.runs.tables import ALL, PASSED, score_of
from radiographs.findings import display_name

if TYPE_CHECKING:
    from evaluation.runs.report import Report, Section

STYLE = """
:root { color-scheme: light dark; --ink: #17212b; --paper: #fff; --soft: #5c6770; --line: #d5dbe0; }
@media (prefers-color-scheme: dark) { :root { --ink: #e3e8eb; --paper: #0d1114; --soft: #9aa5ad; --line: #333c43; } }
body { font: 16px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper); margin: 2rem auto;
  max-width: 1400px; padding: 0 1.5rem; }
h1, h2, h3 { line-height: 1.2; } .soft { color: var(--soft); } .scroll { overflow-x: auto; }
table { border-collapse: collapse; margin: 1rem 0; } th, td { text-align: right; padding: .3rem .8rem;
  border-bottom: 1px solid var(--line); vertical-align: top; } th:first-child, td:first-child { text-align: left; }
td.words { text-align: left; } tr.known td, td.known { color: var(--soft); } small { color: var(--soft); }
.diagram { background: #fff; max-width: 820px; } .diagram svg { width: 100%; height: auto; }
"""
SHOWN_FAILURES = 50


def html_page(report: Report) -> str:
    """Write the report; figures and tables are in it."""
    sections = "".join(_section(section, report) for section in report.sections)
    facts = (
        f"{report.films} films, {report.rows} scores. Means are over pairs of film and finding; in brackets the 95 % "
        "interval of a bootstrap over patients. Several seeds of one map are averaged first."
    )
    versions = "".join(f"<p class='soft'>{escape(line)}</p>" for line in report.versions)
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>XAI Lightbox benchmark</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<style>{STYLE}</style></head><body><main><h1>{escape(report.name)}</h1>"
        f'<p class="soft">For research and teaching, not for diagnosis.</p><p>{facts}</p>{sections}'
        f"{_costs(report.costs)}{_failures(report.failures)}<h2>Made with</h2>{versions}</main></body></html>"
    )


def _section(section: Section, report: Report) -> str:
    where = f"{section.pair.classifier} on {section.pair.collection}"
    scopes = [scope for scope in (PASSED, ALL) if scope in set(section.board.scope)]
    boards = "".join(_board(section, scope, report.metrics) for scope in scopes)
    diagrams = "".join(
        f'<details><summary>{escape(score_of(name).title)}</summary><div class="diagram">{svg}</div>'
        f"{_pairs(section, name)}</details>"
        for name, svg in section.diagrams.items()
    )
    plots = "".join(
        f"<details><summary>{escape(score_of(name).title)}</summary><div class='diagram'>{svg}</div></details>"
        for name, svg in section.plots.items()
        if svg
    )
    findings = "".join(_by_finding(section, name) for name in report.metrics)
    return (
        f"<h2>{escape(where)}</h2>{_gate(section)}{boards}<h3>Plots</h3>{plots}<h3>What differs from what</h3>"
        "<p>Mean ranks over patients, and paired tests of all maps on the same films.</p>"
        f"{diagrams or '<p>Too few maps or patients for tests.</p>'}<h3>By finding</h3>{findings}"
    )


def _gate(section: Section) -> str:
    rows = "".join(
        f"<tr{'' if verdict.passed else ' class=known'}><td>{escape(display_name(finding))}</td>"
        f"<td>{escape(verdict.status)}</td><td class='words'>{escape(verdict.reason)}</td></tr>"
        for finding, verdict in section.verdicts.items()
    )
    return (
        "<h3>Validity gate</h3><p>A score of a finding that fails judges the classifier, not the method.</p>"
        f"<table><thead><tr><th>Finding</th><th>Gate</th><th>Why</th></tr></thead><tbody>{rows}</tbody></table>"
    )


def _board(section: Section, scope: str, names: tuple[str, ...]) -> str:
    board = section.board[section.board.scope == scope]
    shown = [name for name in names if name in set(board.metric)]
    heads = "".join(
        f'<th scope="col" title="{escape(score_of(name).meaning)}">{escape(score_of(name).title)}<br>'
        f"<small>{score_of(name).direction}</small></th>"
        for name in shown
    )
    rows = []
    for title, part in board.groupby("title", sort=False):
        by_name = part.set_index("metric")
        cells = "".join(_cell(by_name.loc[name]) if name in by_name.index else "<td>–</td>" for name in shown)
        known = "" if part.kind.iloc[0] == "method" and scope == PASSED else ' class="known"'
        rows.append(f"<tr{known}><td>{escape(str(title))}</td>{cells}</tr>")
    said = "".join(f"<li>{escape(words)}</li>" for name in shown if (words := verdict_words(board, section, name)))
    return (
        f'<h3>Leaderboard: {escape(scope)}</h3><div class="scroll"><table><thead><tr><th scope="col">Map</th>{heads}'
        f"</tr></thead><tbody>{''.join(rows)}</tbody></table></div><ul>{said}</ul>"
    )


def _cell(row: pd.Series) -> str:
    if math.isnan(row["mean"]):
        return "<td>–</td>"
    text = f"{row['mean']:.3f}"
    if not math.isnan(row["low"]):
        text += f" <small>({row['low']:.3f} to {row['high']:.3f}; n {row['n']:.0f})</small>"
    return f"<td>{text}</td>"


def verdict_words(board: pd.DataFrame, section: Section, name: str) -> str:
    """Which method has the best mean of one score, and how it stands to the best baseline; "" without one."""
    score = score_of(name)
    methods = board[(board.metric == name) & (board.kind == "method")].dropna(subset=["mean"])
    if methods.empty or score.direction == "neither":
        return ""
    best = methods.loc[methods["mean"].idxmin() if score.direction == "lower" else methods["mean"].idxmax()]
    words = f"{score.title}: {best['title']} has the best mean, {best['mean']:.3f}"
    if not math.isnan(best["gain"]):
        titles = dict(zip(board["map"], board["title"]))
        beaten = best["gain_low"] > 0
        words += (
            f"; it is {abs(best['gain']):.3f} {'better' if best['gain'] >= 0 else 'worse'} than the best baseline, "
            f"{titles[best['baseline']]} (interval {best['gain_low']:.3f} to {best['gain_high']:.3f}, "
            f"{'so better' if beaten else 'so not told from it' if best['gain_high'] >= 0 else 'so worse'})"
        )
    return words + "."


def _pairs(section: Section, name: str) -> str:
    rows = "".join(
        f"<tr><td>{escape(one.first)} less {escape(one.second)}</td><td>{one.difference:+.3f}</td><td>{one.n}</td>"
        f"<td>{_p(one.p_holm)}</td><td>{one.effect:+.2f}</td></tr>"
        for one in section.tests[name].pairs
    )
    return (
        "<table><thead><tr><th>Pair</th><th>Median difference</th><th>Patients</th><th>p (Holm)</th>"
        f"<th>Rank-biserial</th></tr></thead><tbody>{rows}</tbody></table>"
    )


def _p(p: float) -> str:
    return "–" if math.isnan(p) else "&lt; 0.001" if p < 0.001 else f"{p:.3f}"


def _by_finding(section: Section, name: str) -> str:
    board = section.board[(section.board.metric == name) & section.board.scope.isin(section.verdicts)]
    if board.empty:
        return ""
    findings = [finding for finding in section.verdicts if finding in set(board.scope)]
    heads = "".join(f"<th>{escape(display_name(finding))}</th>" for finding in findings)
    rows = []
    for title, part in board.groupby("title", sort=False):
        by_scope = part.set_index("scope")
        cells = "".join(
            _cell(by_scope.loc[f]).replace("<td>", "<td>" if section.verdicts[f].passed else '<td class="known">')
            if f in by_scope.index
            else "<td>–</td>"
            for f in findings
        )
        rows.append(f"<tr><td>{escape(str(title))}</td>{cells}</tr>")
    return (
        f"<details><summary>{escape(score_of(name).title)}</summary><div class='scroll'><table><thead><tr><th>Map</th>"
        f"{heads}</tr></thead><tbody>{''.join(rows)}</tbody></table></div></details>"
    )


def _costs(costs: pd.DataFrame) -> str:
    if costs.empty:
        return ""
    rows = "".join(
        f"<tr><td>{escape(str(row.title))}</td><td>{escape(str(row.classifier))}</td><td>{row.maps}</td>"
        f"<td>{row.median_seconds:.2f}</td><td>{row.mean_seconds:.2f}</td><td>{row.median_evaluations:.0f}</td></tr>"
        for row in costs.itertuples()
    )
    return (
        "<h2>Cost of one map</h2><table><thead><tr><th>Method</th><th>Classifier</th><th>Maps</th>"
        f"<th>Median seconds</th><th>Mean seconds</th><th>Median passes</th></tr></thead><tbody>{rows}</tbody></table>"
    )


def _failures(failures: pd.DataFrame) -> str:
    if failures.empty:
        return "<h2>Failures</h2><p>None.</p>"
    grouped = failures.groupby(["collection", "classifier", "method", "metric", "reason"], dropna=False).size()
    rows = "".join(
        f"<tr><td>{escape(str(key[2]))}</td><td>{escape(str(key[3]) or 'all')}</td><td>{number}</td>"
        f"<td class='words'>{escape(str(key[4]))}</td></tr>"
        for key, number in grouped.sort_values(ascending=False).head(SHOWN_FAILURES).items()
    )
    return (
        f"<h2>Failures</h2><p>{len(failures)} scores or maps could not be had.</p><table><thead><tr><th>Map</th>"
        f"<th>Score</th><th>Times</th><th>Why</th></tr></thead><tbody>{rows}</tbody></table>"
    )
