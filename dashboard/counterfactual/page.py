"""What the counterfactual page draws: the question, the series in the background, the film between its two ends."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass

import altair as alt
import numpy as np
import pandas as pd
import streamlit as st

from classifiers import ChestClassifier
from dashboard.asking import draw_progress, film_and_model, worked_out, write_address
from dashboard.counterfactual import files
from dashboard.jobs import Status
from dashboard.question import Film, short_digest
from evaluation.exaggerated import Exaggerated, exaggerated_film
from radiographs.findings import display_name
from xai_methods import Cancelled, get_method
from xai_methods.counterfactual import EXPLAINERS

TITLE = "What would have to look different?"
WHAT = (
    "This very film is redrawn so that the model finds less or more of a finding, and all else is kept as far as may "
    "be (Singla et al. 2023, arXiv 2101.04230; Cohen et al. 2021, arXiv 2102.09475). It shows what the model reacts "
    "to, not what the patient would look like."
)


@dataclass(frozen=True, eq=False)
class Asked:
    """One film, one model, one finding, one explainer."""

    film: Film
    classifier: ChestClassifier
    finding: str
    method: str

    @property
    def key(self) -> Hashable:
        """Content address of the series."""
        return "counterfactual", self.film.radiograph.digest, self.classifier.digest, self.finding, self.method

    def work(self) -> Callable[[Callable[[float], None], Callable[[], bool]], Exaggerated]:
        """The series and its anatomy, for the job manager."""

        def work(progress: Callable[[float], None], cancelled: Callable[[], bool]) -> Exaggerated:
            def report(share: float) -> None:
                if cancelled():
                    raise Cancelled
                progress(share)

            return exaggerated_film(self.classifier, self.film.radiograph, self.finding, self.method, report)

        return work


def served(classifier: ChestClassifier) -> dict[str, list[str]]:
    """Findings of the classifier by explainer that can exaggerate them."""
    found = {
        name: [f for f in classifier.findings if get_method(name).serves(classifier, f) is None] for name in EXPLAINERS
    }
    return {name: findings for name, findings in found.items() if findings}


def ask() -> Asked | None:
    """Draw the widgets; None, with words on the page, where nothing can be asked."""
    chosen = film_and_model()
    if chosen is None:
        return None
    film, classifier = chosen
    choices = served(classifier)
    if not choices:
        reasons = {get_method(name).serves(classifier, classifier.findings[0]) for name in EXPLAINERS}
        st.info(" ".join(sorted(reason for reason in reasons if reason)), icon=":material/info:")
        return None
    with st.sidebar:
        wished = st.query_params.get("method")
        names = list(choices)
        method = st.selectbox(
            "Explainer", names, index=names.index(wished) if wished in names else 0, format_func=_title, key="explainer"
        )
        finding = _choose_finding(film, choices[method], method)
    asked = Asked(film, classifier, finding, method)
    address = {"film": film.reference, "model": classifier.name, "finding": finding, "method": method}
    write_address(address)
    return asked


def _title(name: str) -> str:
    return get_method(name).title


def _choose_finding(film: Film, findings: list[str], method: str) -> str:
    wished = st.query_params.get("finding")
    outlined = [finding for finding in findings if film.outlines(finding)]
    first = wished if wished in findings else outlined[0] if outlined else findings[0]
    return st.selectbox(
        "Finding", findings, index=findings.index(first), format_func=display_name, key=f"exaggerated {method}"
    )


def start(asked: Asked) -> Status | None:
    """Have the series made, unless it is."""
    return worked_out(asked.key, asked.work(), "counterfactual")


def draw_waiting(asked: Asked) -> None:
    """Draw how far the series is."""
    draw_progress(asked.key, "Redrawing the film and measuring it")


def draw_slider(made: Exaggerated) -> None:
    """Draw the slider and what moves with it: film, difference, probabilities, anatomy. It asks the model nothing."""
    series = made.series
    steps = list(range(len(series.levels)))
    own = int(np.argmin(np.abs(series.reached - series.own)))
    step = st.select_slider(
        f"{display_name(series.finding)}: from absent to present",
        steps,
        value=own,
        format_func=lambda i: f"{series.levels[i]:.0%}",
        key=f"step {series.finding} {series.method}",
        help="The probability asked of the redrawn film, on a scale where half of all films have the finding.",
    )
    film, redrawn, change, numbers = st.columns([1, 1, 1, 1.25])
    with film:
        st.image(files.film_png(series.film), width="stretch", alt="The film as it is")
        st.caption(f"The film as it is: {series.own:.0%}")
    with redrawn:
        st.image(
            files.film_png(series.films[step]), width="stretch", alt=f"The film redrawn for {series.levels[step]:.0%}"
        )
        st.caption(f"Redrawn: asked {series.levels[step]:.0%}, reached {series.reached[step]:.0%}")
    with change:
        st.image(files.change_png(series, step), width="stretch", alt="What became brighter and darker")
        st.caption("Change: red brighter, blue darker")
    with numbers:
        st.altair_chart(probabilities(made, step), width="stretch")
    with st.container(horizontal=True):
        _metric("Heart to chest width", made.ratios, step, "Cardiothoracic ratio by our segmentation; –: it is unsure.")
        _metric("Lung, share of film", made.lungs, step, "Area of both lungs by our segmentation; –: it is unsure.")


def _metric(label: str, values: np.ndarray, step: int, words: str) -> None:
    value = values[step]
    before = values[0]
    delta = None if np.isnan(value) or np.isnan(before) or step == 0 else f"{value - before:+.3f} from absent"
    st.metric(label, "–" if np.isnan(value) else f"{value:.3f}", delta, delta_color="off", help=words)


def probabilities(made: Exaggerated, step: int) -> alt.LayerChart:
    """Bars of all findings' probabilities at one step, with ticks where they are on the film as it is."""
    series = made.series
    table = pd.DataFrame(
        {
            "finding": [display_name(name) for name in series.findings],
            "now": series.probabilities[step],
            "before": series.own_probabilities,
        }
    )
    base = alt.Chart(table).encode(
        y=alt.Y("finding:N", sort=None, title=None, axis=alt.Axis(labelLimit=160, labelOverlap=False)),
        tooltip=[alt.Tooltip("finding"), alt.Tooltip("now", format=".1%"), alt.Tooltip("before", format=".1%")],
    )
    scale = alt.Scale(domain=[0, 1])
    chosen = alt.condition(
        alt.datum.finding == display_name(series.finding), alt.value("#e76f51"), alt.value("#2a9d8f")
    )
    bars = base.mark_bar(height=11).encode(
        x=alt.X("now:Q", scale=scale, title="Probability", axis=alt.Axis(format="%")), color=chosen
    )
    ticks = base.mark_tick(thickness=3, height=15, color="#8a949c").encode(x=alt.X("before:Q", scale=scale))
    return alt.layer(bars, ticks).properties(height=18 * len(table) + 50)


def draw_course(made: Exaggerated) -> None:
    """Draw asked against reached, and the anatomy along the series."""
    series = made.series
    table = pd.DataFrame({"asked": series.levels, "reached": series.reached, "ratio": made.ratios})
    left, right = st.columns(2)
    line = alt.Chart(table).mark_line(point=True, color="#e76f51")
    asked = alt.X("asked:Q", title="Asked", axis=alt.Axis(format="%"), scale=alt.Scale(domain=[0, 1]))
    diagonal = alt.Chart(pd.DataFrame({"x": [0, 1], "y": [0, 1]})).mark_line(color="#8a949c", strokeDash=[4, 4])
    with left:
        reached = alt.Y("reached:Q", title="Reached", axis=alt.Axis(format="%"), scale=alt.Scale(domain=[0, 1]))
        st.altair_chart(alt.layer(diagonal.encode(x="x:Q", y="y:Q"), line.encode(x=asked, y=reached)), width="stretch")
        st.caption("Does the model answer the redrawn film as was asked? On the dashed line it does.")
    with right:
        if np.isnan(made.ratios).all():
            st.info("The segmentation is unsure of this film's heart, so its width is not shown.")
            return
        ratio = alt.Y("ratio:Q", title="Heart to chest width", scale=alt.Scale(zero=False))
        st.altair_chart(line.encode(x=asked, y=ratio), width="stretch")
        st.caption("Does the heart grow as the film is redrawn? Expected for cardiomegaly, not for other findings.")


def draw_trust(made: Exaggerated) -> None:
    """Draw the reconstruction beside the film, with what it cost, and what was refused."""
    cost = made.series.cost
    with st.expander("How far to trust it: the film redrawn as it is", icon=":material/fact_check:"):
        left, right, words = st.columns([1, 1, 2])
        left.image(files.film_png(made.series.film), width="stretch", caption="The film", alt="The film as it is")
        right.image(
            files.film_png(made.series.reconstruction),
            width="stretch",
            caption="There and back",
            alt="The reconstruction",
        )
        words.markdown(
            f"Redrawn as it is, the film changes the model's answer by **{cost.answer:.2f}**. Its likeness to the film "
            f"(SSIM) is **{cost.likeness:.3f}** of 1; a pixel differs by {255 * cost.difference:.1f} grey levels on "
            "average. "
            "What the explainer cannot keep when nothing is asked of it, it cannot explain."
        )


def draw_animation(asked: Asked, made: Exaggerated) -> None:
    """Draw the series as an animation, and what can be taken home."""
    stem = f"counterfactual-{short_digest(asked.film.radiograph.digest)}-{asked.finding}"
    with st.container(horizontal=True, vertical_alignment="bottom"):
        playing = st.toggle("Play", key="play", help="Absent to present and back, again and again.")
        st.download_button(
            "Animation (GIF)", lambda: files.animation(made), f"{stem}.gif", "image/gif", on_click="ignore"
        )
        st.download_button("Strip (PNG)", lambda: files.strip(made), f"{stem}.png", "image/png", on_click="ignore")
        st.download_button(
            "Report (HTML)",
            lambda: files.html_report(made, asked.classifier.card, asked.film.reference),
            f"{stem}.html", "text/html", on_click="ignore",
        )  # fmt: skip
    if playing:
        st.image(
            files.animation(made), width=360, alt=f"The film between {display_name(asked.finding)} absent and present"
        )
