"""What the counterfactual page draws: the choice, the series in the background, the film between its two ends."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import altair as alt
import numpy as np
import pandas as pd
import streamlit as st

from classifiers import ChestClassifier
from dashboard.counterfactual import files, player
from dashboard.jobs import stopping
from dashboard.shared.background import draw_until_done, worked_out
from dashboard.shared.file_button import file_button
from dashboard.shared.film_and_model import film_and_model
from dashboard.shared.film_context import FilmContext, short_digest
from dashboard.shared.fragments import fragment
from dashboard.shared.session import write_address
from evaluation.counterfactuals.exaggerated import (
    Exaggerated,
    ExaggeratedPlane,
    exaggerated_film,
    exaggerated_plane,
    in_words,
    plane_in_words,
)
from evaluation.counterfactuals.measures import share_outside
from radiographs.findings import display_name
from xai_methods import get_method
from xai_methods.counterfactual import EXPLAINERS

TITLE = "What would have to look different?"
WHAT = (
    "This very film is redrawn so that the model finds less or more of a finding, and all else is kept as far as may "
    "be (Singla et al. 2023, arXiv 2101.04230; Cohen et al. 2021, arXiv 2102.09475). It shows what the model reacts "
    "to, not what the patient would look like."
)


@dataclass(frozen=True, eq=False)
class CounterfactualRequest:
    """One film, one model, one explainer, one finding or two."""

    film: FilmContext
    classifier: ChestClassifier
    finding: str
    method: str
    second: str = ""

    @property
    def key(self) -> tuple[str, ...]:
        """Content address of what is made."""
        film, model = self.film.radiograph.digest, self.classifier.digest
        return "counterfactual", film, model, self.finding, self.second, self.method

    def work(self) -> Callable[[Callable[[float], None], Callable[[], bool]], Exaggerated | ExaggeratedPlane]:
        """The films and their anatomy, for the job manager."""

        def work(progress: Callable[[float], None], cancelled: Callable[[], bool]) -> Exaggerated | ExaggeratedPlane:
            report = stopping(progress, cancelled)
            film, classifier = self.film.radiograph, self.classifier
            if self.second:
                return exaggerated_plane(classifier, film, (self.finding, self.second), self.method, report)
            return exaggerated_film(classifier, film, self.finding, self.method, report)

        return work


def served(classifier: ChestClassifier) -> dict[str, list[str]]:
    """Findings of the classifier by explainer that can exaggerate them."""
    found = {
        name: [f for f in classifier.findings if get_method(name).serves(classifier, f) is None] for name in EXPLAINERS
    }
    return {name: findings for name, findings in found.items() if findings}


def choose() -> CounterfactualRequest | None:
    """Draw the widgets; None, with words on the page, where nothing can be redrawn."""
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
            "Explainer",
            names,
            index=names.index(wished) if wished in names else 0,
            format_func=_title,
            key="explainer",
            persist_state="session",
        )
        finding = _choose_finding(film, choices[method], method)
        second = _choose_second([name for name in choices[method] if name != finding], method)
    address = {"film": [film.reference], "model": [classifier.name], "finding": [finding], "method": [method]}
    write_address(address | ({"second": [second]} if second else {}))
    return CounterfactualRequest(film, classifier, finding, method, second)


def _title(name: str) -> str:
    return get_method(name).title


def _choose_finding(film: FilmContext, findings: list[str], method: str) -> str:
    wished = st.query_params.get("finding")
    outlined = [finding for finding in findings if film.outlines(finding)]
    first = wished if wished in findings else outlined[0] if outlined else findings[0]
    return st.selectbox(
        "Finding",
        findings,
        index=findings.index(first),
        format_func=display_name,
        key=f"exaggerated {method}",
        persist_state="session",
    )


def _choose_second(findings: list[str], method: str) -> str:
    wished = st.query_params.get("second", "")
    names = ["", *findings]
    return st.selectbox(
        "With a second finding",
        names,
        index=names.index(wished) if wished in names else 0,
        format_func=lambda name: display_name(name) if name else "None",
        key=f"second {method}",
        persist_state="session",
        help="Two sliders: the film between absent and present of two findings at once.",
    )


def draw(request: CounterfactualRequest) -> None:
    """Have the series made, and draw how far it is, or what came out."""
    status = worked_out(request.key, request.work(), "counterfactual")
    if status is None:
        return
    if status.pending:
        fragment(draw_until_done, ticking=True)(request.key, "Redrawing the film and measuring it")
    elif status.state == "failed":
        st.error(status.error, icon=":material/error:")
    else:
        draw_made(request, status.result)


def draw_made(request: CounterfactualRequest, made: Exaggerated | ExaggeratedPlane) -> None:
    """Draw the player with what goes with it, or why the series is refused."""
    refusal = made.series.refusal if isinstance(made, Exaggerated) else made.plane.refusal
    if refusal:
        st.warning(f"Refused: {refusal}", icon=":material/block:")
    else:
        draw_player(request, made)
        words = (
            f"{in_words(made)} {outside_words(request, made)}"
            if isinstance(made, Exaggerated)
            else plane_in_words(made)
        )
        st.markdown(words)
    if isinstance(made, Exaggerated):
        if not refusal:
            draw_course(made)
            draw_downloads(request, made)
        draw_trust(made)
    elif not refusal:
        draw_plane(made)


def outside_words(request: CounterfactualRequest, made: Exaggerated) -> str:
    """Which share of the change lies outside what an expert outlined; "" where nobody outlined the finding."""
    mask = request.film.mask(request.finding)
    if mask is None:
        return ""
    region = request.classifier.preprocessing.prepare_mask(mask)
    share = share_outside(made.series.difference, region)
    if np.isnan(share):
        return ""
    return (
        f"**{share:.0%} of the change lies outside the expert's outline**, which covers {region.mean():.0%} of the "
        "film: what moves the model need not be the finding."
    )


def draw_player(request: CounterfactualRequest, made: Exaggerated | ExaggeratedPlane) -> None:
    """Draw the sliders and what moves with them: film, difference, probabilities, anatomy."""
    shown = player.one_axis(made) if isinstance(made, Exaggerated) else player.two_axes(made)
    player.draw(shown, " ".join(request.key))


def draw_course(made: Exaggerated) -> None:
    """Draw what was reached against the target, and the anatomy along the series."""
    series = made.series
    table = pd.DataFrame({"target": series.levels, "reached": series.reached, "ratio": made.ratios})
    left, right = st.columns(2)
    line = alt.Chart(table).mark_line(point=True, color="#e76f51")
    target = alt.X("target:Q", title="Asked", axis=alt.Axis(format="%"), scale=alt.Scale(domain=[0, 1]))
    diagonal = alt.Chart(pd.DataFrame({"x": [0, 1], "y": [0, 1]})).mark_line(color="#8a949c", strokeDash=[4, 4])
    with left:
        reached = alt.Y("reached:Q", title="Reached", axis=alt.Axis(format="%"), scale=alt.Scale(domain=[0, 1]))
        st.altair_chart(alt.layer(diagonal.encode(x="x:Q", y="y:Q"), line.encode(x=target, y=reached)), width="stretch")
        st.caption("Does the model answer the redrawn film as it should? On the dashed line it does.")
    with right:
        if np.isnan(made.ratios).all():
            st.info("The segmentation is unsure of this film's heart, so its width is not shown.")
            return
        ratio = alt.Y("ratio:Q", title="Heart to chest width", scale=alt.Scale(zero=False))
        st.altair_chart(line.encode(x=target, y=ratio), width="stretch")
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
            "What the explainer cannot preserve when nothing is to change, it cannot explain."
        )


def draw_downloads(request: CounterfactualRequest, made: Exaggerated) -> None:
    """Draw what can be taken home."""
    stem = f"counterfactual-{short_digest(request.film.radiograph.digest)}-{request.finding}"
    card, reference, notes = request.classifier.card, request.film.reference, request.film.radiograph.notes
    with st.container(horizontal=True):
        file_button("Animation (GIF)", lambda: files.animation(made), f"{stem}.gif")
        file_button("Strip (PNG)", lambda: files.strip(made), f"{stem}.png")
        file_button("Report (HTML)", lambda: files.html_report(made, card, reference, notes), f"{stem}.html")


def draw_plane(made: ExaggeratedPlane) -> None:
    """Draw what was reached for each pair of levels, one square a pair, a chart for each finding."""
    plane = made.plane
    names = [display_name(finding) for finding in plane.findings]
    levels = [f"{level:.0%}" for level in plane.levels]
    for axis, column in enumerate(st.columns(2)):
        table = pd.DataFrame(
            [
                (levels[i], levels[j], float(plane.reached[i, j, axis]))
                for i in range(len(levels))
                for j in range(len(levels))
            ],
            columns=["first", "second", "reached"],
        )
        base = alt.Chart(table).encode(
            x=alt.X(
                "first:O",
                sort=levels,
                title=f"Asked of {names[0].lower()}",
                axis=alt.Axis(labelAngle=0, labelFlush=False),
            ),
            y=alt.Y(
                "second:O", sort=levels[::-1], title=f"Asked of {names[1].lower()}", axis=alt.Axis(labelFlush=False)
            ),
        )
        colour = alt.Color("reached:Q", scale=alt.Scale(scheme="cividis", domain=[0, 1]), legend=None)
        dark = alt.condition(alt.datum.reached < 0.55, alt.value("white"), alt.value("black"))
        text = base.mark_text().encode(text=alt.Text("reached:Q", format=".0%"), color=dark)
        with column:
            squares = alt.layer(base.mark_rect().encode(color=colour), text).resolve_scale(color="independent")
            st.altair_chart(squares.properties(height=260), width="stretch")
            st.caption(f"What the model answered for {names[axis].lower()}")
