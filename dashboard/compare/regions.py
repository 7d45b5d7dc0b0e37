"""Regions that a person draws in the viewer: taken in, named, set against the reference, saved as files."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import streamlit as st

from dashboard.jobs import sentence
from dashboard.settings import settings
from dashboard.settings.settings import LONGEST_NAME
from dashboard.shared import own_regions
from dashboard.shared.file_button import file_button
from dashboard.shared.film_context import FilmContext
from dashboard.shared.style import literal
from dashboard.shared.unforeseen import safely
from dashboard.viewer.pictures import region_mask
from evaluation.scores.outline_agreement import outline_agreement
from radiographs import Annotation, Radiograph
from radiographs.annotation import Kind, union_mask
from radiographs.annotation_writing import coco_json, mask_png
from radiographs.findings import display_name

KINDS: dict[str, Kind] = {"box": "box", "polygon": "polygon", "brush": "mask"}


def take(film: FilmContext, finding: str, told: dict[str, Any] | None) -> None:
    """Take in what the viewer has just told of: a region drawn beside ``finding``, or that the last one is undone."""
    if not told:
        return
    radiograph, kind = film.radiograph, str(told.get("kind"))
    try:
        if kind == "undo":
            own_regions.undo(radiograph)
        elif kind == "redo":
            own_regions.redo(radiograph)
        else:
            mask = region_mask(str(told.get("png", "")), radiograph.shape)
            own_regions.add(radiograph, Annotation(finding, mask, KINDS.get(kind, "mask"), own_regions.reader()))
    except ValueError as error:
        st.warning(sentence(error), icon=":material/draw:")
        return
    except OSError as error:
        st.session_state["region_words"] = f"Your region holds for now, but could not be stored: {error.strerror}."
    st.rerun()


def draw_own(film: FilmContext) -> None:
    """Draw the menu of what this person outlined on the film: name it, score by it, save it, remove it."""
    radiograph, drawn = film.radiograph, own_regions.regions_on(film.radiograph)
    if "region_words" in st.session_state:
        st.warning(st.session_state.pop("region_words"), icon=":material/save:")
    with st.popover(f"Your regions ({len(drawn)})", icon=":material/draw:"):
        if not drawn:
            st.caption("Draw on a film with Box, Polygon or Brush: your region stands beside the reference.")
        for number, region in enumerate(drawn, start=1):
            share = f"{100 * region.mask.mean():.1f} % of the film"
            st.markdown(f"{number}. {literal(display_name(region.finding))}, {share}.")
        for finding in sorted({region.finding for region in drawn}):
            st.markdown(literal(against_reference(film, finding)))
        if drawn:
            _draw_controls(film, drawn)
        with st.container(horizontal=True):
            undo, redo = not drawn, not own_regions.can_redo(radiograph)
            _change("Undo the last", "undo", own_regions.undo, radiograph, undo)
            _change("Redo", "redo", own_regions.redo, radiograph, redo)
            _change("Remove all", "delete", own_regions.remove_all, radiograph, undo)


def _change(label: str, icon: str, change: Any, film: Radiograph, disabled: bool) -> None:
    st.button(label, icon=f":material/{icon}:", on_click=safely(change), args=(film,), disabled=disabled)


def _draw_controls(film: FilmContext, drawn: list[Annotation]) -> None:
    if "own_name" not in st.session_state:
        st.session_state["own_name"] = settings.load().reader
    st.text_input("Reader's name in files", key="own_name", max_chars=LONGEST_NAME, placeholder="you")
    st.toggle(
        "Score maps by your regions",
        key="score_against_mine",
        help="Off: maps are scored by the reference where an expert outlined the finding, else by your region.",
    )
    _draw_files(film, drawn)


def against_reference(film: FilmContext, finding: str) -> str:
    """How far this person's outline of a finding agrees with the experts', in a sentence; "" where one is not there."""
    own, experts = own_mask(film, finding), union_mask(list(film.annotations), finding)
    if own is None or experts is None:
        return ""
    readers = " and ".join(sorted({a.reader for a in film.outlines(finding)}))
    found = outline_agreement(own, experts, film.radiograph.pixel_spacing_mm)
    return f"Yours against the reference ({readers}): {found.words}."


def _draw_files(film: FilmContext, drawn: list[Annotation]) -> None:
    stem = file_stem("region", film, sorted({a.finding for a in drawn}), own_regions.reader())
    last, radiograph = drawn[-1].mask, film.radiograph
    with st.container(horizontal=True):
        file_button("Mask (PNG)", lambda: mask_png(last), f"{stem}.png", help="The region drawn last.")
        file_button("COCO (JSON)", lambda: coco_json(f"{stem}.png", drawn), f"{stem}.json", help="All regions.")
        file_button("DICOM SEG", lambda: _seg(radiograph, drawn), f"{stem}.dcm", help="All regions, nameless film.")


def file_stem(kind: str, film: FilmContext, findings: list[str], *further: str) -> str:
    """A file's name without its ending: what it is, of which film and findings, and what else tells it apart."""
    parts = [kind, film.reference, *findings, *further]
    return "-".join(re.sub(r"[^\w.]+", "-", part, flags=re.ASCII).strip("-.") or "x" for part in parts)[:150]


def _seg(film: Radiograph, mine: list[Annotation]) -> bytes:
    # pydicom's tables of codes are slow to import, and most people never need them.
    from dashboard.exports.dicom_maps import region_seg

    return region_seg(film, mine)


def own_mask(film: FilmContext, finding: str) -> np.ndarray | None:
    """What this person outlined for ``finding``, joined: (H, W) bool; None where they drew nothing for it."""
    return union_mask(list(film.drawn), finding)
