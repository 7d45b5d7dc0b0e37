"""Library: available films and models, what can be fetched, and folders of one's own."""

import streamlit as st

from dashboard.library import folder as library_folder
from dashboard.library import own_model
from dashboard.library import page as library
from dashboard.shared.unforeseen import guarded

PARTS = {"films": "Films", "models": "Models", "folder": "Add a folder", "model": "Add a model"}

st.header("Library", anchor=False)
linked = st.query_params.get("part", "films")
part = st.segmented_control(
    "Part of the library",
    list(PARTS),
    default=linked if linked in PARTS else "films",
    format_func=PARTS.__getitem__,
    required=True,
    key="library_part",
    label_visibility="collapsed",
)
if st.query_params.get("part") != part:
    st.query_params["part"] = part
library_folder.draw_added()
with guarded("Extensions cannot be shown"):
    library.draw_extension_problems()
library.open_collection()
with guarded(f"{PARTS[part]} cannot be shown"):
    if part == "films":
        library.draw_films()
    elif part == "models":
        library.draw_models()
    elif part == "folder":
        library_folder.draw()
    else:
        own_model.draw()
with guarded("The room on disk cannot be shown"):
    library.draw_disk_use()
