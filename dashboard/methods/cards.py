"""Method cards: an index by family, and for each method a page of its own."""

from __future__ import annotations

from typing import Any

import pandas as pd
import streamlit as st

from dashboard.methods import example
from dashboard.shared.families import FAMILIES, family
from dashboard.shared.glossary import explained
from dashboard.shared.session import forget_link
from dashboard.shared.state import quoted
from dashboard.shared.unforeseen import guarded
from xai_methods import Method, get_method, main_methods, methods

PAGE = "pages/methods.py"
SPEEDS = {"fast": "as fast as a few passes", "slow": "takes many passes"}


def sections(name: str) -> dict[str, str]:
    """The parts of a method's written card by heading, in order; empty where no card is written."""
    found: dict[str, list[str]] = {}
    lines: list[str] = []
    for line in get_method(name).card().splitlines():
        if line.startswith("## "):
            lines = found.setdefault(line[3:].strip(), [])
        elif not line.startswith("# "):
            lines.append(line)
    return {heading: "\n".join(body).strip() for heading, body in found.items()}


def chosen(query: str | None) -> tuple[Method | None, str]:
    """The method that the address names, None for the index; and a sentence where it names one that is not here."""
    if not query:
        return None, ""
    known = methods()
    if query in known:
        return known[query], ""
    return None, f"The link names a method that is not here, {quoted(query)}; all methods are shown instead."


def parameter_table(method: Method) -> pd.DataFrame:
    """A method's parameters: a row each with what it does, its default, and what it may be; empty where it has none."""
    rows = [
        (name.replace("_", " ").capitalize(), bounds.help, _said(value), _allowed(bounds, value))
        for name, bounds, value in method.parameters().described()
    ]
    return pd.DataFrame(rows, columns=["Setting", "What it does", "Default", "Allowed"])


def _said(value: Any) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    return f"{value:g}" if isinstance(value, float) else str(value)


def _allowed(bounds: Any, value: Any) -> str:
    if bounds.choices is not None:
        return ", ".join(bounds.choices)
    if isinstance(value, bool):
        return "on, off"
    return f"{bounds.low:g} to {bounds.high:g}" if bounds.low is not None and bounds.high is not None else "any"


def draw_index() -> None:
    """Draw all methods by family, each with its question and a link to its page."""
    known = methods()
    families = [*FAMILIES, *sorted({m.family for m in known.values()} - set(FAMILIES))]
    for name in families:
        members = [method for method in known.values() if method.family == name]
        if not members:
            continue
        st.subheader(family(name).heading, anchor=False)
        if family(name).common:
            st.caption(family(name).common)
        with st.grid(min_column_width=300):
            for method in members:
                with st.container(border=True, height="stretch"):
                    st.page_link(PAGE, label=f"**{method.title}**", query_params={"method": method.name})
                    st.markdown(method.question)


def draw_method(method: Method) -> None:
    """Draw one method's page: its card, its settings, and an example on a film whose truth is known."""
    st.page_link(PAGE, label="All methods", icon=":material/arrow_back:", query_params={})
    st.header(method.title, anchor=False)
    st.markdown(f"**{method.question}**", help=explained(method.card()) or None)
    sign = "shows positive and negative evidence" if method.signed else "shows only how much a place matters"
    st.caption(f"{family(method.family).heading} · {SPEEDS[method.speed]} · {sign}")
    words, picture = st.columns([3, 2], gap="large")
    with words:
        written = sections(method.name)
        if not written:
            st.info("No card is written for this method yet.", icon=":material/edit_note:")
        for title, body in written.items():
            st.subheader(title, anchor=False)
            st.markdown(body)
        if "Reference" not in written:
            st.subheader("Reference", anchor=False)
            st.markdown(method.reference)
    with picture:
        st.subheader("Example", anchor=False)
        with guarded("The example cannot be shown"):
            example.draw(method)
        if st.button("Compare it with others", icon=":material/compare:", key="compare_it"):
            _compare(method)
    with guarded("The settings cannot be shown"):
        _draw_parameters(method)


def _draw_parameters(method: Method) -> None:
    st.subheader("Settings", anchor=False)
    table = parameter_table(method)
    if table.empty:
        st.markdown("It has none.")
    else:
        st.table(table, hide_index=True)
    command = f"lightbox explain --film known-truth/mass-01 --model known-truth --finding Mass --method {method.name}"
    st.code(f"{command} --out map.npz", language=None, wrap_lines=True)


def _compare(method: Method) -> None:
    """Open the compare page with this method beside the main ones, on the film that was looked at last."""
    together = tuple(dict.fromkeys((*main_methods(), method.name)))
    forget_link("methods", "more_methods")
    st.switch_page("pages/compare.py", query_params={"method": list(together)})
