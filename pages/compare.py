"""Compare: one film, one model or two, and what each method says of it, side by side."""

from dataclasses import replace

import streamlit as st

from classifiers import ChestClassifier
from classifiers.registry import list_models
from dashboard.compare import regions
from dashboard.compare.facts import draw_facts
from dashboard.compare.finding_view import draw_finding, scorecards_pending
from dashboard.compare.question import Question, default_findings, seen_in_training
from dashboard.exports.downloads import draw_downloads
from dashboard.jobs import QueueFullError, sentence
from dashboard.shared import caches, choosing, style
from dashboard.shared.display import View
from dashboard.shared.redrawing import by_itself
from dashboard.shared.session import owner, remember, restored
from evaluation.one_film.compare import FindingResult
from radiographs import FilmError
from xai_methods import get_method

# So long a run waits for its first fast map, so that it is there when the page is drawn and not a tick later.
FIRST_MAP_SECONDS = 1.2


def ask() -> list[Question]:
    models_known = list_models()
    choice, words = restored(models_known)
    for word in words:
        st.warning(word, icon=":material/link_off:")
    with st.sidebar:
        reference = choosing.choose_film()
        entry = choosing.choose_model(models_known) if models_known else None
        second = choosing.choose_second(models_known, entry.name) if entry else ""
    if entry is None:
        st.info("There is no model yet. See the About page for how to get one.", icon=":material/download:")
        return []
    if not reference or not entry.available:
        st.info("Choose a film and a model that are at hand on the left to begin.", icon=":material/arrow_back:")
        return []
    try:
        film, models = choosing.open_film(reference), [caches.classifier(n) for n in (entry.name, second) if n]
    except (FilmError, LookupError, ValueError, OSError) as error:
        st.error(sentence(error), icon=":material/error:")
        return []
    chances = caches.probabilities(film.radiograph.digest, models[0].digest, film, models[0])
    with st.sidebar:
        if any(seen_in_training(film, model.card.split) for model in models):
            st.warning("A model was trained on films of this patient; its scores here flatter it.")
        findings = choosing.choose_findings(film, entry.name, chances, choice)
        parameters = choosing.choose_methods(choice)
        seed = choosing.choose_seed(choice)
    main = Question(film, models[0], findings or default_findings(film, chances), parameters, seed)
    return [main, *(_beside(main, model) for model in models[1:])]


def _beside(main: Question, model: ChestClassifier) -> Question:
    return replace(main, classifier=model, findings=tuple(f for f in main.findings if f in model.findings))


def start(questions: list[Question]) -> None:
    jobs = caches.manager()
    jobs.cancel(owner(), keep={key for question in questions for key in question.keys()})
    asked = [(question, finding, method) for question in questions for finding, method in question.pairs()]
    try:
        for urgency, speed in enumerate(("fast", "slow")):
            for question, finding, method in asked:
                if get_method(method).speed == speed:
                    work = question.work(finding, method)
                    jobs.submit(question.key(finding, method), work, owner=owner(), urgency=urgency)
    except QueueFullError as error:
        st.warning(sentence(error), icon=":material/hourglass:")
    fast = [question.key(finding, method) for question, finding, method in asked if get_method(method).speed == "fast"]
    if fast:
        jobs.wait(fast, FIRST_MAP_SECONDS)


def pending(questions: list[Question]) -> bool:
    states = [caches.manager().status(key) for question in questions for key in question.keys()]
    return any(state is not None and state.pending for state in states) or scorecards_pending(questions)


def draw_results(questions: list[Question], was_pending: bool) -> None:
    main = questions[0]
    choice = st.session_state["choice"]
    view: View = choice.view
    results: dict[str, dict[str, FindingResult]] = {question.classifier.name: {} for question in questions}
    for place, finding in enumerate(main.findings):
        seen, found = draw_finding(questions, finding, choice.view, controls=place == 0)
        view = seen if place == 0 else view
        for model, result in found.items():
            results[model][finding] = result
    remember(main, view, questions[1].classifier.name if len(questions) > 1 else "")
    draw_downloads(questions, results)
    if was_pending != pending(questions):
        st.rerun()


style.heading("Compare explanations")
questions = ask()
if questions:
    at_once = st.session_state.get("run_at_once", False)
    with st.sidebar, st.container(horizontal=True, key="run_bar"):
        run = st.button(
            "Run", type="primary", icon=":material/play_arrow:", disabled=not questions[0].parameters, key="run"
        )
        stop = st.button(
            "Cancel", icon=":material/stop:", disabled=not (run or at_once or pending(questions)), key="cancel"
        )
    if run or at_once:
        start(questions)
        # Forgotten only now: this run of the page may have been broken off before it came here.
        st.session_state["run_at_once"] = False
    if stop:
        caches.manager().cancel(owner())
    # One place for both, so that what follows stays where it is when a region comes.
    with st.container():
        draw_facts(questions[0])
        regions.draw_own(questions[0])
    busy = pending(questions)
    by_itself(draw_results, ticking=busy)(questions, busy)
