"""The questions of one case as widgets, and what was answered to them."""

from __future__ import annotations

from typing import Any

import streamlit as st

from evaluation.reader_study.design import StudyTrial
from evaluation.reader_study.study_file import Study
from radiographs.findings import display_name

USEFULNESS = {1: "1 not at all", 2: "2", 3: "3", 4: "4", 5: "5 very"}
YES_NO = {True: "Yes", False: "No"}


def key(trial: StudyTrial, name: str) -> str:
    """The key of a question's widget, of one case only."""
    return f"study {trial.number} {name}"


def draw(study: Study, trial: StudyTrial, finding: str, letter: str) -> None:
    """Draw what the study asks; ``letter``: of the map that is shown, "" where there is none."""
    st.radio(
        f"{display_name(finding)}: is it on this film?", list(YES_NO), index=None, format_func=YES_NO.__getitem__,
        horizontal=True, key=key(trial, "present"),
    )  # fmt: skip
    if "confidence" in study.questions:
        st.slider("How sure are you? 0: a guess, 100: certain", 0, 100, 50, key=key(trial, "confidence"))
    if letter and "usefulness" in study.questions:
        st.radio(
            f"How useful is map {letter}?", list(USEFULNESS), index=None, format_func=USEFULNESS.__getitem__,
            horizontal=True, key=key(trial, "usefulness"),
        )  # fmt: skip
    if letter and "misled" in study.questions:
        st.radio(
            f"Would map {letter} have misled you?", list(YES_NO), index=None, format_func=YES_NO.__getitem__,
            horizontal=True, key=key(trial, "misled"),
        )  # fmt: skip


def answered(study: Study, trial: StudyTrial, letter: str) -> tuple[dict[str, Any], str]:
    """What was answered, by question, and a sentence that says what is missing, "" where nothing is."""
    state = st.session_state
    asked = [name for name in study.questions if name != "place" and (letter or name in ("present", "confidence"))]
    given: dict[str, Any] = {name: state.get(key(trial, name)) for name in asked}
    missing: list[str] = [name for name, value in given.items() if value is None]
    place = state.get(key(trial, "place given"))
    if "place" in study.questions:
        given["place"] = place if given["present"] else None
        if given["present"] and place is None:
            missing.append("place")
    words = {
        "present": "whether the finding is there", "confidence": "how sure you are", "place": "where it is",
        "usefulness": "how useful the map is", "misled": "whether the map would have misled you",
    }  # fmt: skip
    said = " and ".join(words[name] for name in missing)
    return given, f"Please say {said}." if said else ""
