"""Cards of methods, models and collections, as the About page shows them."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from classifiers import ModelCard
from classifiers.shelf import ShelfEntry
from radiographs.collection import Collection
from radiographs.findings import display_name
from radiographs.places import asset
from xai_methods import Method


def draw_method(method: Method) -> None:
    """Draw one method: its question, and its card where one is written."""
    with st.expander(method.title, icon=":material/layers:"):
        st.markdown(f"**What it asks.** {method.question}")
        path = asset("methods", f"{method.name}.md")
        if path.is_file():
            st.markdown(_without_title(path.read_text(encoding="utf-8")))
        st.caption(f"Reference: {method.reference}")


def _without_title(text: str) -> str:
    lines = text.strip().splitlines()
    kept = lines[1:] if lines and lines[0].startswith("# ") else lines
    return "\n".join("#" * 4 + " " + line.lstrip("# ") if line.startswith("#") else line for line in kept)


def draw_model(entry: ShelfEntry) -> None:
    """Draw one model: its card and its measured figures."""
    card = entry.card
    with st.expander(card.title, icon=":material/neurology:"):
        st.markdown(card.summary)
        if not entry.available and entry.missing:
            st.info(entry.missing, icon=":material/download:")
        _facts({"Trained on": card.trained_on, "Limits": card.limits, "Licence": card.licence, "Source": card.citation})
        table = figures_table(card)
        if not table.empty:
            st.dataframe(table, hide_index=True, width="content", alt=f"Measured figures of {card.title}")


def figures_table(card: ModelCard) -> pd.DataFrame:
    """The measured classification figures of a card: a row a finding; empty where none were measured."""
    rows = []
    for finding, given in card.figures.get("findings", {}).items():
        if "auroc" not in given:
            continue
        interval = f"{given['auroc_low']:.2f} to {given['auroc_high']:.2f}" if "auroc_low" in given else "–"
        rows.append((display_name(finding), round(given["auroc"], 3), interval, given.get("films")))
    return pd.DataFrame(rows, columns=["Finding", "AUROC", "95 % interval", "Films"])


def draw_collection(collection: Collection) -> None:
    """Draw one collection: its card, and how to have its films where they are missing."""
    card = collection.card
    missing = collection.missing()
    with st.expander(card.title, icon=":material/radiology:"):
        st.markdown(card.summary)
        if missing:
            st.info(missing, icon=":material/download:")
        else:
            st.caption(f"{len(collection.entries())} films at hand.")
        _facts(
            {"Outlined by": card.annotators, "Licence": card.licence, "Citation": card.citation, "Address": card.url}
        )


def _facts(facts: dict[str, str]) -> None:
    for name, words in facts.items():
        if words:
            st.markdown(f"**{name}.** {words}")
