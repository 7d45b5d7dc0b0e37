"""Methods: what each asks of the model, how to read it, and when it misleads."""

import streamlit as st

from dashboard.methods import cards

method, words = cards.chosen(st.query_params.get("method"))
if words:
    st.warning(words, icon=":material/link_off:")
# A link from this page to itself changes the page but not the address; said again, the address follows.
st.query_params.from_dict({} if method is None else {"method": method.name})
if method is None:
    st.header("Methods", anchor=False)
    st.caption("Each asks the model another question. None says what the patient has.")
    cards.draw_index()
else:
    cards.draw_method(method)
