"""What the compare page draws: the choice, the run in the background, then each finding with its maps and scores."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from dashboard.compare import gate, scorecard
from dashboard.compare.downloads import draw_downloads
from dashboard.compare.finding_view import draw_finding
from dashboard.compare.request import CompareRequest
from dashboard.shared import choosing, choosing_methods
from dashboard.shared.background import owner, warning_when_full
from dashboard.shared.caches import manager, probabilities
from dashboard.shared.display import View
from dashboard.shared.film_and_model import film_and_models
from dashboard.shared.session import write_address
from dashboard.shared.state import Choice, differing, to_query
from dashboard.shared.unforeseen import guarded
from evaluation.one_film.compare import FindingResult
from radiographs.findings import display_name
from xai_methods import get_method

FIRST_MAP_SECONDS = 1.2
"""So long a run waits for its first fast map, so that it is there when the page is drawn and not a tick later."""

STOPS = "Stops all that is still being computed. Maps that show themselves already stay as they stand."


def choose() -> list[CompareRequest]:
    """Draw the sidebar's widgets; return a request for each model, none, with words, where there is nothing to do."""
    found = film_and_models(second=True)
    if found is None:
        return []
    film, models, link = found
    with st.sidebar:
        if any(film.seen_in_training(model.card) for model in models):
            st.warning("A model was trained on films of this patient; its scores here flatter it.")
        chances = probabilities(film.radiograph, models[0])
        findings = choosing.choose_findings(film, models[0].name, chances, link)
        parameters = choosing_methods.choose_methods(link)
        seed = choosing_methods.choose_seed(link)
    st.session_state.setdefault("view", replace(link.view, outline=True))
    main = CompareRequest(film, models[0], findings, parameters, seed)
    return [main, *(main.with_model(model) for model in models[1:])]


def press_run() -> None:
    """Remember that Run was pressed until maps are begun: a run of the page that is broken off forgets its buttons."""
    st.session_state["run_pressed"] = True


def start(requests: list[CompareRequest], by_link: bool = False) -> None:
    """Have all maps made, the fast ones first; this person's other work is cancelled.

    Args:
        by_link: whether a link alone wants it: then slow methods are left out, unless they are done or begun already.
    """
    jobs = manager()
    jobs.cancel(owner(), keep={key for request in requests for key in request.keys()})
    wanted = [(request, finding, method) for request in requests for finding, method in request.pairs()]
    wanted.sort(key=lambda item: get_method(item[2]).speed != "fast")
    fast = []
    with warning_when_full():
        for request, finding, method in wanted:
            key, slow = request.key(finding, method), get_method(method).speed != "fast"
            work = request.work(finding, method)
            if by_link and slow and jobs.status(key) is None and work.known() is None:
                continue
            jobs.submit(key, work, owner=owner(), urgency=int(slow))
            fast += [] if slow else [key]
    if fast:
        jobs.wait(fast, FIRST_MAP_SECONDS)


def pending(requests: list[CompareRequest]) -> bool:
    """Whether maps, scorecards or the validity gate are still being worked out."""
    jobs = manager()
    states = [jobs.status(key) for request in requests for key in request.keys()]
    return any(state is not None and state.pending for state in states) or any(
        scorecard.pending(request, jobs) or gate.pending(request, jobs) for request in requests
    )


def draw_results(requests: list[CompareRequest], was_pending: bool) -> None:
    """Draw each finding and the export menu, and make the address say what is shown."""
    main = requests[0]
    first: View = st.session_state["view"]
    view = first
    results: dict[str, dict[str, FindingResult]] = {request.classifier.name: {} for request in requests}
    for place, finding in enumerate(main.findings):
        with guarded(f"{display_name(finding)} cannot be shown"):
            seen, found = draw_finding(requests, finding, first, controls=place == 0)
            view = seen if place == 0 else view
            for model, result in found.items():
                results[model][finding] = result
    st.session_state["view"] = view
    choice = _choice(requests, view)
    usual = set(choice.methods) == set(choosing_methods.usual_methods())
    write_address(to_query(replace(choice, methods=()) if usual else choice))
    with guarded("The exports cannot be offered"):
        draw_downloads(requests, results, choice)
    if was_pending != pending(requests):
        st.rerun()


def _choice(requests: list[CompareRequest], view: View) -> Choice:
    """What is shown, as a link says it."""
    main = requests[0]
    parameters = {name: differing(get_method(name), given.as_dict()) for name, given in main.parameters.items()}
    return Choice(
        film=main.film.reference,
        model=main.classifier.name,
        second=requests[1].classifier.name if len(requests) > 1 else "",
        findings=main.findings,
        methods=tuple(main.parameters),
        parameters={name: given for name, given in parameters.items() if given},
        seed=main.seed,
        # The link hides from others what is hidden here.
        view=replace(view, outline=view.outline and not main.film.reference_hidden),
        run=any(manager().status(key) is not None for key in main.keys()),
    )
