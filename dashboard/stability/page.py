"""What the stability page draws: the choice, the study in the background, then each figure with its words."""

from __future__ import annotations

import math
from collections.abc import Callable

import pandas as pd
import streamlit as st

from classifiers import ChestClassifier
from dashboard.jobs import Work
from dashboard.shared.background import draw_until_done, worked_out
from dashboard.shared.display import png
from dashboard.shared.file_button import file_button
from dashboard.shared.film_and_model import film_and_model
from dashboard.shared.film_context import FilmContext, short_digest
from dashboard.shared.fragments import fragment
from dashboard.shared.glossary import meaning
from dashboard.shared.session import write_address
from dashboard.shared.unforeseen import guarded
from dashboard.stability import charts, pictures, tables, words
from dashboard.stability.report import html_report
from evaluation.stability import Stability, study
from evaluation.stability.perturbations import USUAL
from radiographs.findings import display_name

LEVELS = {0: "Mild", 1: "Usual", 2: "Strong"}
VERDICTS: dict[str, tuple[Callable[..., object], str, str]] = {
    "available": (st.success, ":material/check_circle:", "The Jacobian is numerically available here."),
    "available with care": (st.warning, ":material/warning:", "The Jacobian is available here, with care."),
    "not available": (st.error, ":material/error:", "The Jacobian is not numerically available here."),
}


def choose() -> tuple[FilmContext, ChestClassifier] | None:
    """Draw the film's and the model's widgets; None, with words on the page, where there is nothing to study yet."""
    chosen = film_and_model()
    if chosen is not None:
        write_address({"film": [chosen[0].reference], "model": [chosen[1].name]})
    return chosen


def draw(film: FilmContext, classifier: ChestClassifier) -> None:
    """Have the study made, and draw how far it is, or all that came out."""
    key = ("stability", film.radiograph.digest, classifier.digest)
    status = worked_out(key, _work(film, classifier), "stability")
    if status is None:
        return
    if status.pending:
        fragment(draw_until_done, ticking=True)(key, "Asking the model about this film, slightly changed")
    elif status.state == "failed":
        st.error(status.error, icon=":material/error:")
    else:
        found = status.result
        fragment(draw_slider)(found)
        fragment(draw_perturbed)(found)
        with guarded("The report cannot be offered"):
            draw_download(film, classifier, found)
        with st.expander(words.MATHEMATICS, icon=":material/function:"):
            st.markdown(words.JACOBIAN)
            with guarded("The verdict cannot be shown"):
                draw_verdict(found)
            fragment(draw_findings)(film, classifier, found)
            with guarded("What moves together cannot be shown"):
                draw_spectrum(found)
            with guarded("Whether it can be computed cannot be shown"):
                draw_availability(found)


def _work(film: FilmContext, classifier: ChestClassifier) -> Work:
    return lambda progress, cancelled: study(classifier, film.radiograph, report=progress, cancelled=cancelled)


def draw_verdict(found: Stability) -> None:
    """Draw the verdict in words and the figures that matter most."""
    show, icon, title = VERDICTS[found.availability.status]
    show(f"**{title}** {found.availability.reason}", icon=icon)
    usual = [done for done in found.perturbed if done.level == USUAL]
    overturned = [done for done in usual if done.flips.any()]
    with st.grid(4, min_column_width=170, gap="small"):
        strength = found.sensitivity.singular[0] * found.side / 255
        st.metric(
            "Largest response",
            f"{strength:.3g}",
            help=f"Logits moved by one grey level at worst. {words.LEVEL}",
        )
        held = found.strongest.radius()
        shown = f"{held:.2g}" if math.isfinite(held) else f"> {found.strongest.steps.max():.2g}"
        st.metric("Forecast holds to", shown, help="Grey levels: right to 10 %, along the most sensitive direction.")
        nearest = words.nearest(found)
        whose = f"{nearest[0]}: grey levels" if nearest else "Grey levels"
        st.metric("Nearest threshold", f"{nearest[1]:.2g}" if nearest else "–", help=f"{whose}, by the forecast.")
        st.metric(
            "Perturbations that flip the decision",
            f"{len(overturned)} of {len(usual)}",
            help="Of noise, blur, shift, rotation, exposure, contrast and JPEG, at usual strength.",
        )
    st.markdown(words.reach_words(found))


def draw_slider(found: Stability) -> None:
    """Draw the most sensitive direction with its slider; every step was computed beforehand, so it answers at once."""
    st.subheader(
        "A change that the eye misses and the model does not", anchor=False, help=meaning("Jacobian", "Grey level")
    )
    st.caption(words.SLIDER)
    steps = [float(step) for step in found.strongest.steps]
    index = st.select_slider(
        "Move the film, grey levels",
        list(range(len(steps))),
        value=len(steps) // 2,
        format_func=lambda i: f"{steps[i]:+.1f}" if steps[i] else "0",
        key=f"move {found.film[:12]} {found.classifier[:12]}",
        help=words.LEVEL,
    )
    left, middle, right = st.columns([1, 1, 2])
    step = f"{steps[index]:+.1f} grey levels"
    left.image(png(pictures.moved(found, index)), width="stretch", alt=f"Film at {step}")
    left.caption("The film, as the model sees it")
    middle.image(png(pictures.direction(found, index)), width="stretch", alt=f"Change at {step}")
    middle.caption("What was added, in strong colours" if steps[index] else "Nothing is added yet: move the slider")
    right.altair_chart(charts.probabilities(found, index), width="stretch")


def draw_findings(film: FilmContext, classifier: ChestClassifier, found: Stability) -> None:
    """Draw the table of findings, then the map, the stages and the line of the chosen one."""
    st.subheader("Finding by finding", anchor=False, help=meaning("Logit", "Decision threshold"))
    st.caption(words.REACH)
    table = tables.findings_table(found)
    _table(table)
    order = sorted(range(len(found.findings)), key=lambda c: _distance(found, c))
    column = st.selectbox(
        "Finding",
        order,
        format_func=lambda c: display_name(found.findings[c]),
        key=f"row {found.classifier[:12]}",
    )
    name = display_name(found.findings[column])
    left, right = st.columns([1, 1.4])
    with left:
        made = pictures.sensitivity_map(found, column, film.radiograph, classifier)
        st.image(made.png, width="stretch", alt=f"Sensitivity map of {name}")
        if made.bar is not None:
            st.image(made.bar, width="stretch", alt=f"Colour bar from {made.low:.2g} to {made.high:.2g}")
            with st.container(horizontal=True, horizontal_alignment="distribute", gap=None):
                st.caption(f"{made.low:.2g}", width="content")
                st.caption(f"{made.high:.2g}", width="content")
        st.caption(f"Logit per grey level of one input pixel. {words.MAP}")
    with right:
        st.altair_chart(charts.line(found, column), width="stretch")
        st.caption(words.LINE)
        st.caption(f"Forecast right to 10 % up to {words.levels(found.radius(column))}.")
    st.caption(words.STAGES)
    with st.grid(4, min_column_width=160, gap="small"):
        for caption, picture in pictures.stage_maps(found, column):
            with st.container():
                if picture:
                    st.image(picture, width="stretch", alt=f"Stage {caption}")
                st.caption(caption)


def _distance(found: Stability, column: int) -> float:
    distance = found.distances[column].l2
    return math.inf if math.isnan(distance) else distance


def _table(table: pd.DataFrame) -> None:
    number, text = st.column_config.NumberColumn, st.column_config.TextColumn
    shown = table.assign(beyond=[">" if beyond else "" for beyond in table["beyond"]])
    st.dataframe(
        shown,
        hide_index=True,
        height="content",
        placeholder="–",
        column_config={
            "finding": text("Finding", pinned=True),
            "probability": number("Probability", format="percent"),
            "threshold": number(
                "Decision threshold", format="percent", help="The card's operating point, else one half."
            ),
            "distance": number("Distance", format="%.3f", help="Grey levels, root mean square (L2)."),
            "distance_max": number("Distance, even", format="%.3f", help="Grey levels, every pixel alike (L∞)."),
            "radius": number("Holds to", format="%.3f", help="Grey levels, root mean square, along the same way."),
            "beyond": text(" ", help="> : the forecast holds as far as the film was followed."),
            "norm": number("Response", format="%.2f", help="Logit per grey level, root mean square (L2 norm)."),
            "l1": number("L1", format="%.2f", help="Logit for one grey level in every pixel."),
            "linf": number("L∞", format="%.4f", help="Logit for one grey level in the one most sensitive pixel."),
            "per_deviation": number("Per deviation", format="%.2f", help="L2 norm per standard deviation of the film."),
            "condition": number("Condition", format="%.0f", help="Relative change of the logit over that of the film."),
            "flip": text("First decision flip", help="The mildest realistic perturbation that flips the decision."),
        },
        alt="Distance to the threshold, reach of the forecast and first flip for each finding",
    )


def draw_perturbed(found: Stability) -> None:
    """Draw what realistic changes of the film do."""
    st.subheader("Everyday changes of a film", anchor=False, help=meaning("Perturbation"))
    st.caption(words.PERTURBED)
    for text in words.flip_words(found) or ["None of the perturbations tried flips a decision."]:
        st.markdown(f"- {text}")
    level = st.segmented_control(
        "Strength", list(LEVELS), default=USUAL, format_func=LEVELS.__getitem__, required=True, key="strength"
    )
    st.altair_chart(charts.perturbed(found, level), width="stretch")
    with st.expander("All changes in numbers", icon=":material/table_rows:"):
        st.dataframe(
            tables.changes_table(found),
            hide_index=True,
            height="content",
            placeholder="–",
            column_config={
                "change": "Change",
                "level": "Strength",
                "words": "The film comes out",
                "size": st.column_config.NumberColumn("Size", format="%.2f", help=words.LEVEL),
                "error": st.column_config.NumberColumn("Forecast off by", format="percent"),
                "flips": "Decisions flipped",
            },
            alt="Size, error of the forecast and flipped decisions of each change",
        )


def draw_spectrum(found: Stability) -> None:
    """Draw the spectrum, and which findings move together."""
    st.subheader("What moves together", anchor=False)
    left, right = st.columns(2)
    left.altair_chart(charts.spectrum(found), width="stretch")
    left.caption(words.SPECTRUM)
    rank, condition = found.sensitivity.effective_rank, found.sensitivity.condition
    count = len(found.findings)
    left.caption(f"Of {count} possible directions about {rank:.1f} count; largest over smallest: {condition:.3g}.")
    right.altair_chart(charts.together(found), width="stretch")
    right.caption(words.TOGETHER)


def draw_availability(found: Stability) -> None:
    """Draw the evidence for the verdict."""
    st.subheader("Can it be computed?", anchor=False)
    left, right = st.columns(2)
    left.altair_chart(charts.curves(found), width="stretch")
    left.caption(words.CURVE)
    right.altair_chart(charts.forecast(found), width="stretch")
    right.caption(words.FORECAST)
    st.markdown(words.precision_words(found))
    st.caption(f"Measured in {found.seconds:.1f} s with {found.passes} passes of the model.")


def draw_download(film: FilmContext, classifier: ChestClassifier, found: Stability) -> None:
    """Offer the report and the numbers."""
    stem = f"stability-{short_digest(film.radiograph.digest)}-{classifier.name}"
    with st.container(horizontal=True):
        file_button(
            "Report (HTML)",
            lambda: html_report(found, classifier.card, film.reference, film.radiograph),
            f"{stem}.html",
            icon="description",
        )
        file_button(
            "Numbers (CSV)",
            lambda: tables.numbers_csv(found, film.reference, classifier.name),
            f"{stem}.csv",
            icon="table",
        )
