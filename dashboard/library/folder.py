"""A folder of one's own: scan it first, then add it."""

from __future__ import annotations

import numpy as np
import streamlit as st

from dashboard.jobs import Status, sentence
from dashboard.library import store
from dashboard.library.downloads import downloads, draw_work
from dashboard.library.page import draw_refused
from dashboard.library.store import Preview
from dashboard.people.roles import NotAllowedError, may, permit
from dashboard.shared import display
from dashboard.shared.background import owner, warning_when_full
from radiographs import FilmError
from radiographs.collections.remembered import LONGEST_TITLE
from radiographs.findings import display_name
from radiographs.plain_text import neutral

SHOWN = 6
LAYOUT = """
    your-folder/
        any name                       the films: PNG, JPEG, DICOM by content, also in folders below
        films.csv                      image, labels (separated by |), patient; or the table of labels of
                                       CheXpert, VinDr-CXR, NIH or PadChest
        any table.csv                  boxes: image, finding, x, y, width, height (pixels), or the table of
                                       VinDr-CXR, RSNA, SIIM-ACR or NIH
        any table.json                 outlines of COCO, CheXlocalize or ChestX-Det
        masks/<film>_<finding>.png     painted where the finding is (also .jpg, .bmp, .tif)
"""


def draw() -> None:
    """Draw the form, the look into the folder in the background, and what it found."""
    if not may("look into folder"):
        st.info("Folders of the server's computer are added by a keeper of this dashboard.", icon=":material/lock:")
        return
    st.markdown("Films stay where they are: the program remembers the folder and reads it anew at each start.")
    with st.expander("What may lie in the folder"):
        st.code(LAYOUT.strip("\n"), language=None)
        st.markdown("All but the films may be missing. File names never enter a link, a result or a report.")
    with st.form("folder", border=False):
        path = st.text_input("Folder on this computer", key="folder_path", placeholder="/home/me/films")
        if st.form_submit_button("Scan folder", icon=":material/folder_open:", type="primary"):
            _start(path)
    draw_work(_name(), "Reading every file of the folder", _draw_preview)


def _name() -> str:
    return f"folder {owner()}"


def _start(path: str) -> None:
    downloads().forget(_name())
    st.session_state.pop("folder_added", None)
    try:
        permit("look into folder", path)
    except NotAllowedError as error:
        st.error(sentence(error), icon=":material/lock:")
        return
    with warning_when_full():
        downloads().start(_name(), lambda progress, cancelled: store.look_into(path))


def _draw_preview(status: Status) -> None:
    found: Preview = status.result
    count = len(found.read)
    named = store.findings_in_words(display_name(f) for f in found.findings)
    st.markdown(
        f"**{count:,} film{'' if count == 1 else 's'} read**, {found.outlined:,} with outlines; "
        f"{len(found.refused):,} refused. " + (f"Findings: {named}." if named else "No finding is named.")
    )
    if found.fit.doubt is not None:
        st.warning(found.fit.doubt.words, icon=":material/help:")
    _draw_first_films(found)
    if found.refused:
        draw_refused(found.refused)
    if not count:
        st.warning("There is nothing to add: no file of the folder could be read as a film.", icon=":material/warning:")
    else:
        _draw_adding(found, count)


def _draw_adding(found: Preview, count: int) -> None:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        title = st.text_input(
            "Name of the collection", key="folder_title", max_chars=LONGEST_TITLE, width=320,
            placeholder=found.collection.path.name,
            help="It stands in lists, links and results. Without one, these say folder-1, folder-2 ...",
        )  # fmt: skip
        pressed = st.button(f"Add to the library ({count:,})", type="primary", icon=":material/add:", key="add_folder")
    if not pressed:
        return
    try:
        permit("add folder", str(found.collection.path))
        added = store.add_folder(found, title)
    except (LookupError, NotAllowedError) as error:
        st.error(sentence(error), icon=":material/error:")
        return
    downloads().forget(_name())
    st.session_state["folder_added"] = f"The folder was added as {added}. Find it under Films."
    st.rerun()


def _draw_first_films(found: Preview) -> None:
    """Draw a few films with all that is outlined on them, those with outlines first."""
    entries = sorted(found.collection.entries(), key=lambda entry: not entry.annotated)[:SHOWN]
    with st.container(horizontal=True):
        for entry in entries:
            try:
                film = found.collection.read(entry.film_id)
                masks = [annotation.mask for annotation in found.collection.annotations(entry.film_id)]
            except (FilmError, LookupError, OSError) as error:
                st.caption(sentence(error))
                continue
            picture = display.film_picture(film)
            named = ", ".join(display_name(finding).lower() for finding in entry.annotated)
            st.image(
                display.outlined(picture, np.logical_or.reduce(masks)) if masks else picture,
                width=180,
                caption=neutral(found.collection.display_name(entry.film_id)) + (f" · {named}" if named else ""),
                alt="A film of the folder" + (f" with its outlines: {named}" if named else ""),
            )


def draw_added() -> None:
    """Say once that a folder was added."""
    words = st.session_state.pop("folder_added", "")
    if words:
        st.success(words, icon=":material/check_circle:")
