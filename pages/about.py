"""About: what the program is for, what it is not, and where to go on."""

from importlib import metadata

import streamlit as st

from dashboard.shared import tour

PACKAGES = ("xai-lightbox", "torch", "torchvision", "streamlit", "captum", "pydicom", "scikit-image")

st.header("About XAI Lightbox", anchor=False)
st.markdown(
    "XAI Lightbox hangs explanations of a chest X-ray classifier side by side, and says how far each agrees with what "
    "an expert outlined. **It is for research and teaching, not for diagnosis.**"
)
if st.button("Take the tour", icon=":material/tour:", key="begin_tour", help="Five steps, under a minute."):
    tour.begin()
    st.switch_page("pages/compare.py")
st.subheader("Where to find what", anchor=False)
for page, words in (
    ("pages/compare.py", "one film, one model, and what each method says of it, with scores"),
    ("pages/stability.py", "how stable the answer is to small changes of the film"),
    ("pages/counterfactual.py", "counterfactual images: the film as the model would answer otherwise"),
    ("pages/benchmark.py", "methods over whole collections of films, in the background"),
    ("pages/class.py", "lessons for a class that joins by a code, or for one alone"),
    ("pages/study.py", "where readers of a blinded reader study read"),
    ("pages/methods.py", "what each method computes, how to read its map, and when it misleads"),
    ("pages/glossary.py", "the terms that pages, reports and tooltips use"),
    ("pages/library.py", "available films and models, downloads, and folders of your own"),
    ("pages/settings.py", "what holds from one start to the next"),
):
    with st.container(horizontal=True, vertical_alignment="center"):
        st.page_link(page, width=160)
        st.caption(words)
st.subheader("What the maps can say", anchor=False)
st.markdown(
    "- A map says what a model reacts to, not what a patient has.\n"
    "- Agreement with an outline judges the model before it judges the method: a good method shows a model that looks "
    "elsewhere as looking elsewhere. Hence the validity gate, which says whether the model looks at the finding at all "
    "([Baniecki et al. 2023](https://arxiv.org/abs/2311.04813)).\n"
    "- No score stands alone: chance, a uniform map, a centre prior and the mean annotation stand beside it.\n"
    "- The shipped models are small and were trained on few films; their cards in the library state figures and limits."
)
st.subheader("Your films", anchor=False)
st.markdown(
    "Films stay on the computer that runs the program. Names, identifiers and dates of a DICOM file are dropped when "
    "it is read, and file names never enter a link, a result or a report. Nothing is sent anywhere; the network is "
    "used only when you fetch something in the library."
)
with st.expander("Versions"):
    for package in PACKAGES:
        try:
            st.markdown(f"{package} {metadata.version(package)}")
        except metadata.PackageNotFoundError:
            st.markdown(f"{package}: not installed")
