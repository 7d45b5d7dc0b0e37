"""How all pages look: less air than usual, so that films stand high on the page; greys that can be read."""

from __future__ import annotations

import re

import streamlit as st

from dashboard import NOTICE

GREYS = {"light": "#5c6870", "dark": "#9aa5ad"}
"""Grey of what stands back in a table, by theme: at least 4.5 to 1 against the page."""
_CSS = """
[data-testid=stMainBlockContainer] { padding: 4.25rem 2.25rem 4rem; }
[data-testid=stMainBlockContainer] h2 { font-size: 1.75rem; padding: .25rem 0 .5rem; }
[data-testid=stMainBlockContainer] h3 { font-size: 1.35rem; padding: .5rem 0 .25rem; }
[data-testid=stSidebarUserContent] [data-testid=stVerticalBlock] { gap: .6rem; }
[data-testid=stSidebarUserContent] { padding-bottom: 0; }
[data-testid=stLayoutWrapper]:has(> .st-key-run_bar) {
  position: sticky; bottom: 0; z-index: 2; padding: .75rem 0 1rem; background: light-dark(#f1f4f6, #13181c); }
@media (min-width: 769px) {
  [data-testid=stHeader] {
    position: fixed; left: 0; width: 100vw; z-index: 999992; background: light-dark(#ffffff, #0d1114); }
  [data-testid=stSidebar] { top: 3.75rem; height: calc(100vh - 3.75rem) !important; }
  [data-testid=stSidebarHeader] { height: 1.5rem; padding-top: 0; margin-bottom: 0; }
}
button[data-selected='true'] * { color: light-dark(#0b6e8a, #7cc7dc); }
"""
# The menu lies above the sidebar, so that it stays where it is on pages that have none. The last rule: Streamlit writes
# a chosen pill in the accent on its own tint, too dark to read where the theme is dark.

_DOUBTED = """
[data-testid=stMainBlockContainer] :is([data-testid=stDataFrame], [data-testid=stTable], [data-testid=stMetric],
  [data-testid=stVegaLiteChart], [data-testid=stImage], [data-testid=stBidiComponentRegular],
  [data-testid=stHeading] h3, [data-testid=stMarkdown] table, .st-key-model_output) {
  filter: grayscale(1); opacity: .7; }
"""


def apply() -> None:
    """Give the page this program's look."""
    st.html(f"<style>{_CSS}</style>")


def grey_numbers() -> None:
    """Draw the page's numbers and maps grey, for the film that they are of is in doubt."""
    st.html(f"<style>{_DOUBTED}</style>")


def heading(title: str) -> None:
    """Draw a page's heading and, beside it, what the program is not for."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.header(title, anchor=False, width="content")
        st.caption(NOTICE, width="content")


def literal(text: str) -> str:
    """Text as Markdown that shows it letter for letter: names of readers and the like are anybody's text."""
    return re.sub(r"([\\`*_{}\[\]()#+!|<>~:$-])", r"\\\1", text)


def grey() -> str:
    """CSS for what stands back in a table, readable in the theme that the page is shown in."""
    return f"color: {GREYS['dark' if st.context.theme.type == 'dark' else 'light']}"
