"""Regions that a person draws: kept for the session under the film's digest, scored against, saved as files."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import streamlit as st

from dashboard.compare.question import Film, Question, short_digest
from dashboard.jobs import sentence
from dashboard.settings import settings
from dashboard.settings.settings import LONGEST_NAME
from dashboard.viewer.pictures import region_mask
from radiographs import Annotation, Radiograph
from radiographs.annotation_writing import coco_json, mask_png
from radiographs.findings import canonical, display_name

KINDS = {"box": "box", "polygon": "polygon", "brush": "mask"}


def with_own(film: Film) -> Film:
    """The film with what this person drew; their region of a finding stands in for the experts' where they say so."""
    drawn = _kept().get(film.radiograph.digest, [])
    if not drawn:
        return film
    mine = {canonical(a.finding) for a in drawn} if st.session_state.get("score_against_mine", True) else set()
    experts = [a for a in film.annotations if canonical(a.finding) not in mine]
    known = {canonical(a.finding) for a in experts}
    return replace(film, annotations=(*experts, *(a for a in drawn if canonical(a.finding) not in known)))


def _kept() -> dict[str, list[Annotation]]:
    return st.session_state.setdefault("own_regions", {})


def take(question: Question, finding: str, told: dict[str, Any] | None) -> None:
    """Keep a region that the viewer has just told of, under the finding beside which it was drawn."""
    if not told:
        return
    shape = question.film.radiograph.shape
    try:
        mask = region_mask(str(told.get("png", "")), shape)
    except ValueError as error:
        st.warning(sentence(error), icon=":material/draw:")
        return
    kind = KINDS.get(str(told.get("kind")), "mask")
    kept = _kept().setdefault(question.film.radiograph.digest, [])
    kept.append(Annotation(finding, mask, kind, _reader()))
    st.session_state["score_against_mine"] = True
    st.rerun()


def draw_own(question: Question) -> None:
    """Draw what this person outlined on the film: name it, score against it, save it, remove it."""
    film = question.film.radiograph
    digest = film.digest
    drawn = _kept().get(digest, [])
    if not drawn:
        return
    with st.container(border=True):
        findings = ", ".join(sorted({display_name(a.finding).lower() for a in drawn}))
        share = 100 * max(a.mask.mean() for a in drawn)
        st.markdown(f"**Your region**: {findings} ({len(drawn)} drawn, the largest {share:.1f} % of the film)")
        with st.container(horizontal=True, vertical_alignment="bottom"):
            if "own_name" not in st.session_state:
                st.session_state["own_name"] = settings.load().reader
            st.text_input(
                "Reader's name in files", key="own_name", max_chars=LONGEST_NAME, width=180, placeholder="you"
            )
            st.toggle("Score against it", key="score_against_mine", help="Off: scores go by what experts outlined.")
            stem = f"region-{short_digest(digest)}"
            mine = named(drawn)
            for label, make, ending, mime, words in (
                ("Mask (PNG)", lambda: mask_png(drawn[-1].mask), "png", "image/png", "The region drawn last."),
                ("COCO (JSON)", lambda: coco_json(f"{stem}.png", mine), "json", "application/json", "All regions."),
                (
                    "DICOM SEG",
                    lambda: _seg(film, mine),
                    "dcm",
                    "application/dicom",
                    "All regions, nameless film.",
                ),
            ):
                st.download_button(label, make, f"{stem}.{ending}", mime, on_click="ignore", help=words)
            st.button("Undo the last", icon=":material/undo:", on_click=drawn.pop)
            st.button("Remove all", icon=":material/delete:", on_click=_kept().pop, args=(digest, None))


def _seg(film: Radiograph, mine: list[Annotation]) -> bytes:
    # pydicom's tables of codes are slow to import, and most people never need them.
    from dashboard.exports.dicom_maps import region_seg

    return region_seg(film, mine)


def named(drawn: list[Annotation]) -> list[Annotation]:
    """The regions under the name that stands beside them now."""
    return [replace(annotation, reader=_reader()) for annotation in drawn]


def _reader() -> str:
    """The name beside the regions, else the one in the settings, else "you"."""
    name = st.session_state.get("own_name")
    return (settings.load().reader if name is None else name).strip()[:LONGEST_NAME] or "you"
