"""The form in which a person sets what holds from one start to the next."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from classifiers import registry as model_registry
from dashboard.jobs import sentence
from dashboard.settings import settings
from dashboard.settings.settings import LONGEST_NAME, SettingsError, UserSettings
from xai_methods import main_methods, methods

SAVED = "Saved. It holds from the next view on, and after a restart."


def draw() -> None:
    """Draw all settings as they are; saving writes them and says so."""
    saved, words = settings.read()
    if words:
        st.warning(words, icon=":material/warning:")
    with st.form("settings"):
        wanted = _widgets(saved)
        if st.form_submit_button("Save", type="primary", icon=":material/save:"):
            _save(wanted, SAVED)
    if st.button("Back to the usual settings", icon=":material/restart_alt:", key="reset_settings"):
        # Widgets of a new name: the browser keeps what was typed into the old ones.
        st.session_state["settings_again"] = st.session_state.get("settings_again", "") + "'"
        _save(UserSettings(tour_seen=saved.tour_seen), "The usual settings hold again.")
        st.rerun()
    said = st.session_state.pop("settings_said", "")
    if said:
        st.success(said, icon=":material/check_circle:")
    whose = "for everybody who uses this dashboard" if settings.path() == settings.house_path() else "for you alone"
    st.caption(f"Saved in {settings.path()}, {whose}.")


def _widgets(saved: UserSettings) -> UserSettings:
    entries = model_registry.list_models()
    titles = {"": "The one that fits the first film"} | {e.name: e.title for e in entries}
    known = methods()
    names = list(titles)
    again = st.session_state.get("settings_again", "")
    model = st.selectbox(
        "Model on a first visit",
        names,
        index=names.index(saved.default_model) if saved.default_model in names else 0,
        format_func=titles.__getitem__,
        key=f"set_model{again}",
    )
    chosen = st.multiselect(
        "Methods on a first visit",
        list(known),
        default=[name for name in saved.default_methods or main_methods() if name in known],
        format_func=lambda name: known[name].title,
        key=f"set_methods{again}",
        help="A link to a view brings its own methods along.",
    )
    hide = st.toggle(
        "Hide the expert's outline until I ask for it",
        saved.hide_outline,
        key=f"set_hide{again}",
        help="For teaching: look first, then compare.",
    )
    reader = st.text_input(
        "Your name as a reader",
        saved.reader,
        max_chars=LONGEST_NAME,
        key=f"set_reader{again}",
        help="It stands in the files of regions you draw. It never enters a link.",
    )
    go_on = st.toggle(
        "Let my work go on when I close the page",
        saved.go_on,
        key=f"set_go_on{again}",
        help="Off: what is still being computed stops a minute after your last page is closed.",
    )
    st.caption("Light or dark follows your browser's or system's own setting.")
    usual = tuple(chosen) == main_methods()
    return replace(
        saved,
        default_model=model,
        default_methods=() if usual else tuple(chosen),
        hide_outline=hide,
        reader=reader,
        go_on=go_on,
    )


def _save(wanted: UserSettings, words: str) -> None:
    try:
        settings.save(wanted)
    except SettingsError as error:
        st.error(sentence(error), icon=":material/error:")
    else:
        st.session_state["settings_said"] = words
