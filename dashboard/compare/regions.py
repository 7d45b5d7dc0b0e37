"""Regions that a person draws in the viewer: taken in, named, scored against, saved as files."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import streamlit as st

from dashboard.compare.request import CompareRequest
from dashboard.jobs import sentence
from dashboard.settings import settings
from dashboard.settings.settings import LONGEST_NAME
from dashboard.shared import own_regions
from dashboard.shared.file_button import file_button
from dashboard.shared.film_context import short_digest
from dashboard.shared.unforeseen import safely
from dashboard.viewer.pictures import region_mask
from radiographs import Annotation, Radiograph
from radiographs.annotation import Kind
from radiographs.annotation_writing import coco_json, mask_png
from radiographs.findings import display_name

KINDS: dict[str, Kind] = {"box": "box", "polygon": "polygon", "brush": "mask"}


def take(request: CompareRequest, finding: str, told: dict[str, Any] | None) -> None:
    """Add a region that the viewer has just told of, under the finding beside which it was drawn."""
    if not told:
        return
    film = request.film.radiograph
    try:
        mask = region_mask(str(told.get("png", "")), film.shape)
    except ValueError as error:
        st.warning(sentence(error), icon=":material/draw:")
        return
    own_regions.add(film, Annotation(finding, mask, KINDS.get(str(told.get("kind")), "mask"), _reader()))
    st.rerun()


def draw_own(request: CompareRequest) -> None:
    """Draw what this person outlined on the film: name it, score against it, save it, remove it."""
    film = request.film.radiograph
    drawn = own_regions.regions_on(film)
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
            _draw_files(film, drawn)
            st.button("Undo the last", icon=":material/undo:", on_click=safely(own_regions.remove), args=(film, -1))
            st.button("Remove all", icon=":material/delete:", on_click=safely(own_regions.remove), args=(film,))


def _draw_files(film: Radiograph, drawn: list[Annotation]) -> None:
    stem = f"region-{short_digest(film.digest)}"
    mine = named(drawn)
    file_button("Mask (PNG)", lambda: mask_png(drawn[-1].mask), f"{stem}.png", help="The region drawn last.")
    file_button("COCO (JSON)", lambda: coco_json(f"{stem}.png", mine), f"{stem}.json", help="All regions.")
    file_button("DICOM SEG", lambda: _seg(film, mine), f"{stem}.dcm", help="All regions, nameless film.")


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
