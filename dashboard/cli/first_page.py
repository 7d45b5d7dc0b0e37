"""What the first page needs, loaded in the background as soon as the dashboard starts, so that its visitor waits less.

Modules first, and a page waits for them: two threads that import the same modules at once can meet half-made ones. Then
the first film, the first model and what it says of the film: the page finds them in its caches or waits for them there.
Last, once a page has been drawn, what a first Run and a first export will need.
"""

from __future__ import annotations

import logging
import threading
import time
from importlib import import_module

_FIRST = ("torch", "pandas", "scipy.ndimage", "matplotlib")
"""Slow to import, and nothing in them asks for the server."""
_PAGE = (
    "dashboard.shared.admission", "dashboard.shared.resumption",
    "dashboard.compare.page", "dashboard.compare.sharing", "dashboard.compare.facts",
    "dashboard.shared.fragments", "dashboard.shared.tour", "radiographs.collections.known_truth",
)  # fmt: skip
_LATER = (
    "dashboard.cli.leaving",
    "scipy.stats",
    "dashboard.exports.dicom",
    "dashboard.exports.pdf",
)
_NAME, _WARNS = "first page", "streamlit.runtime.scriptrunner_utils.script_run_context"
_PATIENCE, _GRACE, _SETTLED = 60.0, 3.0, 5.0
"""Seconds to wait for the server; for a first visitor, whose page shows the film before anything is scored; and from
the first page's end until what can wait is loaded."""
_log = logging.getLogger(__name__)
_imported, _drawn = threading.Event(), threading.Event()
_begun = False


def load() -> None:
    """Begin to load what the first page needs; returns at once."""
    global _begun
    _begun = True
    # Streamlit would warn that a cache with a spinner is filled where there is no page to draw it on.
    logging.getLogger(_WARNS).addFilter(lambda record: record.threadName != _NAME)
    threading.Thread(target=_load, name=_NAME, daemon=True).start()


def wait() -> None:
    """Wait until the first page's modules are imported; returns at once where nobody began to load them."""
    if _begun:
        _imported.wait(_PATIENCE)


def drawn() -> None:
    """Tell that a page has been drawn: what can wait is loaded now."""
    _drawn.set()


def _load() -> None:
    try:
        for name in _FIRST:
            import_module(name)
        _until_served()
        for name in _PAGE:
            import_module(name)
        _imported.set()
        models = _fill_caches()
        _drawn.wait()
        for name in _LATER:
            import_module(name)
        # The browser and the next visitors still want the processor; until then maps are made in this process.
        time.sleep(_SETTLED)
        if models:
            _start_explainer(models)
    except Exception as error:
        # A page that meets the same says it in a sentence; without this thread it is only slower.
        _log.warning("what the first page needs could not be loaded early (%s)", type(error).__name__)
    finally:
        _imported.set()


def _start_explainer(models: dict[str, str]) -> None:
    from dashboard.jobs import explaining
    from dashboard.shared.caches import THREADS

    explaining.start(THREADS, models)


def _until_served() -> None:
    """Wait for Streamlit's runtime: components and caches of the page are entered there."""
    from streamlit import runtime

    until = time.monotonic() + _PATIENCE
    while not runtime.exists() and time.monotonic() < until:
        time.sleep(0.01)


def _fill_caches() -> dict[str, str]:
    """Have the first film and model ready, and what the page draws of them before any method runs.

    Returns:
        The model's digest by its name; nothing where there is none, or a graphics card holds it.
    """
    from classifiers.film_check import look_at
    from classifiers.registry import list_models
    from dashboard.compare import caches
    from dashboard.shared import choosing
    from dashboard.shared.caches import classifier, film_table, probabilities
    from dashboard.shared.caches import film as cached_film
    from xai_methods import methods

    methods()
    reference = choosing.first_film()
    models = [entry.name for entry in list_models() if entry.available]
    if not reference or not models:
        return {}
    film, model = cached_film(reference), classifier(choosing.first_model(models, reference))
    look_at(film.radiograph)
    findings = choosing.default_findings(film, probabilities(film.radiograph, model))
    if film.collection is not None:
        film_table(film.collection.name, len(film.collection.entries()))
    caches.film_png(film.radiograph)
    caches.film_windows(film.radiograph)
    for finding in findings:
        mask = film.mask(finding)
        if mask is not None:
            caches.outline_png(mask)
    _drawn.wait(_GRACE)
    for finding in findings:
        caches.unexplained(model, film, finding)
    return {model.name: model.digest} if model.device.type == "cpu" else {}
