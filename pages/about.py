"""About: the models, the methods and the collections, each with its card."""

import streamlit as st

from classifiers.shelf import shelf
from dashboard.cards import draw_collection, draw_method, draw_model
from radiographs.shelf import collections
from xai_methods import methods

st.title("About", anchor=False)
st.markdown(
    "XAI Lightbox hangs explanations of a chest X-ray classifier side by side, and says how far each agrees with what "
    "an expert outlined. It is for research and teaching, not for diagnosis."
)
shown = st.segmented_control(
    "Cards of",
    ["Methods", "Models", "Films"],
    default="Methods",
    required=True,
    key="cards",
    label_visibility="collapsed",
)
if shown == "Methods":
    for method in methods().values():
        draw_method(method)
elif shown == "Models":
    for entry in shelf():
        draw_model(entry)
else:
    for collection in collections().values():
        draw_collection(collection)
