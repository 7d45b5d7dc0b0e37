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
from dashboard.shared import choosing
from dashboard.shared.background import draw_until_done, worked_out
from dashboard.shared.file_button import file_button
from dashboard.shared.film_and_model import film_and_model
from dashboard.shared.film_context import FilmContext, short_digest
from dashboard.shared.fragments import fragment
from dashboard.shared.glossary import meaning
from dashboard.shared.session import write_address
from dashboard.shared.style import literal
from dashboard.shared.unforeseen import guarded
from evaluation.counterfactuals.exaggerated import (
    Exaggerated,
    ExaggeratedPlane,
    exaggerated_film,
    exaggerated_plane,
    in_words,
    percent,
    plane_in_words,
)
from evaluation.counterfactuals.measures import share_outside
from radiographs.findings import display_name, is_named
from xai_methods import get_method
from xai_methods.counterfactual import EXPLAINERS

TITLE = "Counterfactual images"
WHAT = (
    "The film is generated anew so that the model finds less or more of a finding, and all else stays as far as "
    "possible (Singla et al. 2023, arXiv 2101.04230; Cohen et al. 2021, arXiv 2102.09475). It shows what the model "
    "reacts to, not what the patient would look like."
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
    """Draw the widgets; None, with words on the page, where nothing can be generated."""
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
        requested = st.query_params.get("method")
        names = list(choices)
        in_address = st.query_params.get("finding")
        likely = [in_address] if in_address else _likely(film)
        serving = [name for name in names if any(is_named(finding, likely) for finding in choices[name])]
        first = requested if requested in names else [*serving, names[0]][0]
        method = st.selectbox(
            "Explainer",
            names,
            help=meaning("Counterfactual image", "Target", "Achieved", "Cardiothoracic ratio", "SSIM"),
            index=names.index(first),
            format_func=_title,
            key="explainer",
            persist_state="session",
        )
        finding = _choose_finding(film, choices[method], f"exaggerated {method} {classifier.name} {film.reference}")
        second = _choose_second([name for name in choices[method] if name != finding], method)
    address = {"film": [film.reference], "model": [classifier.name], "finding": [finding], "method": [method]}
    write_address(address | ({"second": [second]} if second else {}))
    return CounterfactualRequest(film, classifier, finding, method, second)


def _title(name: str) -> str:
    return get_method(name).title


def _likely(film: FilmContext) -> list[str]:
    """The findings to open on: those looked at on Compare, and, unless hidden, what experts say of the film."""
    reference, looked_at = st.session_state.get(choosing.LOOKED_AT, ("", ()))
    likely = list(looked_at) if reference == film.reference else []
    labels = film.entry.labels if film.entry is not None and not film.reference_hidden else ()
    return [*likely, *(a.finding for a in film.annotations), *labels]


def _choose_finding(film: FilmContext, findings: list[str], key: str) -> str:
    """Draw the finding's widget; it opens on the link's, else on the first likely one that can be generated."""
    state = st.session_state
    requested = st.query_params.get("finding")
    likely = [finding for name in _likely(film) for finding in findings if is_named(finding, [name])]
    reference, looked_at = state.pop(choosing.LOOKED_AT, ("", ()))
    new = reference == film.reference and not any(is_named(state.get(key, ""), [name]) for name in looked_at)
    if key not in state:
        state[key] = requested if requested in findings and not (new and likely) else [*likely, findings[0]][0]
    elif new and likely:
        state[key] = likely[0]
    return st.selectbox("Finding", findings, format_func=display_name, key=key, persist_state="session")


def _choose_second(findings: list[str], method: str) -> str:
    requested = st.query_params.get("second", "")
    names = ["", *findings]
    return st.selectbox(
        "With a second finding",
        names,
        index=names.index(requested) if requested in names else 0,
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
        fragment(draw_until_done, ticking=True)(request.key, "Generating the films and measuring them")
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
        with guarded("The film cannot be shown"):
            draw_player(request, made)
            words = (
                f"{in_words(made)} {outside_words(request, made)}"
                if isinstance(made, Exaggerated)
                else plane_in_words(made)
            )
            st.markdown(words)
    if isinstance(made, Exaggerated):
        if not refusal:
            with guarded("The course of the series cannot be shown"):
                draw_course(made)
            with guarded("The files cannot be offered"):
                draw_downloads(request, made)
        with guarded("The reconstruction cannot be shown"):
            draw_trust(made)
    elif not refusal:
        with guarded("The plane cannot be shown"):
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
    whose = literal(request.film.whose(request.finding))
    return (
        f"**{share:.0%} of the change lies outside the outline** ({whose}), which covers {region.mean():.0%} of the "
        "film: what moves the model need not be the finding."
    )


def draw_player(request: CounterfactualRequest, made: Exaggerated | ExaggeratedPlane) -> None:
    """Draw the sliders and what moves with them: film, difference, probabilities, anatomy."""
    shown = player.one_axis(made) if isinstance(made, Exaggerated) else player.two_axes(made)
    player.draw(shown, " ".join(request.key))


def draw_course(made: Exaggerated) -> None:
    """Draw what was achieved against the target, and the anatomy along the series."""
    table = pd.DataFrame(
        {"target": made.targets, "achieved": made.achieved, "missed": made.missed, "ratio": made.ratios}
    )
    left, right = st.columns(2)
    colour = "#e76f51"
    line = alt.Chart(table).mark_line(color=colour)
    top = float(max(made.targets.max(), made.achieved.max()))
    scale = alt.Scale(domain=[0, top], nice=True)
    target = alt.X("target:Q", title="Target", axis=alt.Axis(format="%"), scale=scale)
    achieved = alt.Y("achieved:Q", title="Achieved", axis=alt.Axis(format="%"), scale=scale)
    ends = pd.DataFrame({"x": [0, top], "y": [0, top]})
    diagonal = alt.Chart(ends).mark_line(color="#8a949c", strokeDash=[4, 4]).encode(x="x:Q", y="y:Q")
    shape = alt.Shape("missed:N", scale=alt.Scale(domain=[False, True], range=["circle", "cross"]), legend=None)
    points = alt.Chart(table).mark_point(filled=True, size=70, color=colour).encode(x=target, y=achieved, shape=shape)
    with left:
        st.altair_chart(alt.layer(diagonal, line.encode(x=target, y=achieved), points), width="stretch")
        st.caption(
            "Does the model answer the generated film as it should? On the dashed line it does. Crosses: steps that "
            "miss their target by 10 points or more."
        )
    with right:
        if np.isnan(made.ratios).all():
            st.info("The segmentation is unsure of this film's heart, so its width is not shown.")
            return
        ratio = alt.Y("ratio:Q", title="Cardiothoracic ratio", scale=alt.Scale(zero=False))
        course = alt.Chart(table).mark_line(point=True, color=colour).encode(x=target, y=ratio)
        own = pd.DataFrame({"target": [made.own], "ratio": [made.own_ratio]}).dropna()
        as_it_is = alt.Chart(own).mark_point(filled=True, shape="diamond", size=110, color="#8a949c")
        st.altair_chart(alt.layer(course, as_it_is.encode(x=target, y=ratio)), width="stretch")
        st.caption(
            "Does the heart grow along the series? Expected for cardiomegaly, not for other findings. Grey: the film "
            "as it is."
        )


def draw_trust(made: Exaggerated) -> None:
    """Draw the reconstruction beside the film, with what it cost, and what was refused."""
    cost = made.series.cost
    with st.expander("How far to trust it: the film reconstructed", icon=":material/fact_check:"):
        left, right, words = st.columns([1, 1, 2])
        left.image(files.film_png(made.series.film), width="stretch", caption="The film", alt="The film as it is")
        right.image(
            files.film_png(made.series.reconstruction),
            width="stretch",
            caption="There and back",
            alt="The reconstruction",
        )
        words.markdown(
            f"Reconstructed unchanged, the film changes the model's probability by **{100 * made.answer:.1f} points**. "
            f"Its likeness to the film (SSIM) is **{cost.likeness:.3f}** of 1; a pixel differs by "
            f"{255 * cost.difference:.1f} grey levels on average. "
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
    """Draw what was achieved for each pair of targets, one square a pair, a chart for each finding."""
    names = [display_name(finding) for finding in made.plane.findings]
    targets = [[percent(target) for target in axis] for axis in made.targets]
    for axis, column in enumerate(st.columns(2)):
        rows = []
        for (i, j), achieved in np.ndenumerate(made.achieved[..., axis]):
            missed = made.missed[i, j, axis]
            words = percent(float(achieved)) + files.MISS * bool(missed)
            rows.append((targets[0][i], targets[1][j], float(achieved), words))
        table = pd.DataFrame(rows, columns=["first", "second", "achieved", "words"])
        top = float(table["achieved"].max()) or 1.0
        plain = alt.Axis(labelAngle=0, labelFlush=False)
        base = alt.Chart(table).encode(
            x=alt.X("first:O", sort=targets[0], title=f"Target of {names[0].lower()}", axis=plain),
            y=alt.Y("second:O", sort=targets[1][::-1], title=f"Target of {names[1].lower()}", axis=plain),
        )
        colour = alt.Color("achieved:Q", scale=alt.Scale(scheme="cividis", domain=[0, top]), legend=None)
        dark = alt.condition(alt.datum.achieved < 0.55 * top, alt.value("white"), alt.value("black"))
        text = base.mark_text().encode(text="words:N", color=dark)
        with column:
            squares = alt.layer(base.mark_rect().encode(color=colour), text).resolve_scale(color="independent")
            st.altair_chart(squares.properties(height=260), width="stretch")
            st.caption(f"Achieved probability of {names[axis].lower()}; ✕: 10 points or more from its target.")
