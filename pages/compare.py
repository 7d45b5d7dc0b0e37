"""Compare: one film, one model, and what each method says of it, side by side."""

import streamlit as st

from classifiers.shelf import shelf
from dashboard import caches, choosing, panels, regions
from dashboard.exports import draw_downloads
from dashboard.facts import draw_facts
from dashboard.jobs import QueueFullError, sentence
from dashboard.question import Question, default_findings, seen_in_training
from dashboard.scores import draw_scores
from dashboard.session import owner, remember, restored
from radiographs import FilmError
from radiographs.findings import display_name
from xai_methods import get_method

TICK_SECONDS = 1.0


def ask() -> Question | None:
    choice, words = restored(shelf())
    for word in words:
        st.warning(word, icon=":material/link_off:")
    with st.sidebar:
        reference = choosing.choose_film()
        entry = choosing.choose_model(shelf()) if shelf() else None
    if entry is None:
        st.info("There is no model yet. See the About page for how to get one.", icon=":material/download:")
        return None
    if not reference or not entry.available:
        st.info("Choose a film and a model that are at hand on the left to begin.", icon=":material/arrow_back:")
        return None
    try:
        film, model = choosing.open_film(reference), caches.classifier(entry.name)
    except (FilmError, LookupError, ValueError, OSError) as error:
        st.error(sentence(error), icon=":material/error:")
        return None
    chances = caches.probabilities(film.radiograph.digest, model.digest, film, model)
    with st.sidebar:
        if seen_in_training(film, entry.card.split):
            st.warning("This model was trained on films of this patient; its scores here flatter it.")
        findings = choosing.choose_findings(film, entry.name, chances, choice)
        parameters = choosing.choose_methods(choice)
        seed = choosing.choose_seed(choice)
    return Question(film, model, findings or default_findings(film, chances), parameters, seed)


def start(question: Question) -> None:
    jobs = caches.manager()
    jobs.cancel(owner(), keep=set(question.keys()))
    try:
        for urgency, speed in enumerate(("fast", "slow")):
            for finding in question.findings:
                for method in (m for m in question.parameters if get_method(m).speed == speed):
                    work = question.work(finding, method)
                    jobs.submit(question.key(finding, method), work, owner=owner(), urgency=urgency)
    except QueueFullError as error:
        st.warning(sentence(error), icon=":material/hourglass:")


def pending(question: Question) -> bool:
    states = [caches.manager().status(key) for key in question.keys()]
    return any(state is not None and state.pending for state in states)


def draw_results(question: Question, was_pending: bool) -> None:
    choice = st.session_state["choice"]
    view = choice.view
    results = {}
    for place, finding in enumerate(question.findings):
        result, states = panels.results_so_far(question, caches.manager(), finding)
        results[finding] = result
        st.subheader(f"{display_name(finding)}: {result.probability:.0%}", anchor=False, help=PROBABILITY)
        seen, drawn = panels.draw_panels(question, result, states, choice.view, controls=place == 0)
        regions.take(question, finding, drawn)
        view = seen if place == 0 else view
        draw_scores(result)
    regions.draw_own(question)
    remember(question, view)
    draw_downloads(question, results)
    if was_pending and not pending(question):
        st.rerun()


PROBABILITY = "The model's own probability that the finding is on the film. How well it is calibrated, its card says."


st.header("Compare explanations", anchor=False)
st.caption("For research and teaching, not for diagnosis.")
question = ask()
if question is not None:
    with st.sidebar, st.container(horizontal=True):
        run = st.button(
            "Run", type="primary", icon=":material/play_arrow:", disabled=not question.parameters, key="run"
        )
        stop = st.button("Cancel", icon=":material/stop:", disabled=not (run or pending(question)), key="cancel")
    if run or st.session_state.pop("run_at_once", False):
        start(question)
    if stop:
        caches.manager().cancel(owner())
    draw_facts(question)
    busy = pending(question)
    st.fragment(draw_results, run_every=TICK_SECONDS if busy else None)(question, busy)
