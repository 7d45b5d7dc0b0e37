"""Glossary: the terms that pages, reports and tooltips use."""

import streamlit as st

from dashboard.shared.glossary import TERMS

st.header("Glossary", anchor=False)
st.caption("The same sentences stand in the tooltips.")
wanted = st.text_input("Search", key="glossary_search", placeholder="AUPRC, logit, superpixel ...").strip().lower()
found = {term: words for term, (_, words) in TERMS.items() if wanted in f"{term} {words}".lower()}
for term, words in found.items():
    st.markdown(f"**{term}.** {words}")
if not found:
    st.info("No term fits. Scores and methods have cards of their own on the Methods page.")
