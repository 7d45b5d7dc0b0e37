"""The widgets by which a person chooses methods, their parameters and the seed."""

from __future__ import annotations

from typing import Any

import streamlit as st

from dashboard.settings import settings
from dashboard.shared.families import family
from dashboard.shared.state import LARGEST_SEED, Choice
from xai_methods import Method, Parameters, main_methods, methods


def usual_methods() -> tuple[str, ...]:
    """The methods shown where nothing is chosen: those set as usual that are registered, else the main ones."""
    return tuple(name for name in settings.load().default_methods if name in methods()) or main_methods()


def choose_methods(link: Choice) -> dict[str, Parameters]:
    """Draw the methods' widgets; return the chosen methods' parameters by name."""
    known = methods()
    usual = link.methods or usual_methods()
    first = main_methods()
    further = sorted((m for m in known if m not in first), key=lambda m: known[m].role == "baseline")
    chosen = st.pills(
        "Methods",
        first,
        selection_mode="multi",
        default=[m for m in usual if m in first],
        format_func=lambda name: known[name].title,
        key="methods",
        persist_state="session",
    )
    more = st.multiselect(
        "More methods and baselines",
        further,
        default=[m for m in usual if m in further],
        format_func=lambda name: f"{known[name].title} ({family(known[name].family).short})",
        placeholder="Add to compare",
        key="more_methods",
        persist_state="session",
    )
    parameters: dict[str, Parameters] = {}
    with st.expander("Method settings", icon=":material/tune:"):
        # The fast ones hang first: their maps are there while the slow ones are made.
        for name in sorted({*chosen, *more}, key=lambda m: (known[m].speed != "fast", list(known).index(m))):
            parameters[name] = _settings(known[name], link.parameters.get(name, {}))
        if not parameters:
            st.caption("Choose a method to see its settings.")
    return parameters


def _settings(method: Method, given: dict[str, Any]) -> Parameters:
    usual = method.parameters.parse(given)
    described = usual.described()
    if not described:
        return usual
    st.markdown(f"**{method.title}**", help=method.question)
    return method.parameters(**{name: _widget(method.name, name, bounds, value) for name, bounds, value in described})


def _widget(method: str, name: str, bounds: Any, value: Any) -> Any:
    label = name.replace("_", " ").capitalize()
    common: dict[str, Any] = {"help": bounds.help, "key": f"set {method} {name}", "persist_state": "session"}
    if bounds.choices is not None:
        return st.selectbox(label, bounds.choices, index=bounds.choices.index(value), **common)
    if isinstance(value, bool):
        return st.toggle(label, value, **common)
    kind = type(value)
    low, high, step = (None if b is None else kind(b) for b in (bounds.low, bounds.high, bounds.step))
    return st.number_input(label, low, high, value, step=step, format="%d" if kind is int else "%g", **common)


def choose_seed(link: Choice) -> int:
    """Draw the seed's widget."""
    words = "The same seed gives the same map. Try another to see how far LIME and SHAP depend on chance."
    return int(st.number_input("Seed", 0, LARGEST_SEED, link.seed, help=words, key="seed", persist_state="session"))
