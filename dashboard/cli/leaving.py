"""What goes when people leave: their sessions, uploaded films with all that shows them, work that nobody waits for."""

from __future__ import annotations

import time

from streamlit.runtime import Runtime

from dashboard.compare import caches as pictures
from dashboard.jobs import explaining
from dashboard.people import identity
from dashboard.settings import settings
from dashboard.shared import belongings, caches
from evaluation.baselines.anatomy_prior import film_anatomy
from radiographs.bounded_cache import forget_unused, name_sessions

UNUSED_SECONDS, LOOK_SECONDS = 120.0, 60.0
"""After how long films, maps and scores that are on nobody's page are forgotten, and how often that is looked for."""
_looked = time.monotonic()
name_sessions(identity.session)


def end_sessions(runtime: Runtime) -> bool:
    """End what ended sessions and removed films left, and forget what nobody looks at any more.

    Called on the server's event loop. Returns whether anything went.
    """
    ended, people, films = belongings.end_sessions(runtime.is_active_session)
    for session in ended:
        runtime.close_session(session)
        runtime.uploaded_file_mgr.remove_session_files(session)
    for person in people:
        if not settings.load(person).go_on:
            caches.manager().withdraw(person)
    explaining.forget(films)
    for digest in films:
        caches.manager().forget(digest)
    if films:
        _forget_pictures()
        _overwrite_free_memory()
    return bool(ended or films) | _forget_unused()


def _forget_unused() -> bool:
    global _looked
    if time.monotonic() < _looked + LOOK_SECONDS:
        return False
    _looked = time.monotonic()
    return forget_unused(UNUSED_SECONDS, belongings.pages_drawn())


def _forget_pictures() -> None:
    """Forget what was drawn and found of films; what others still look at is worked out again in a moment."""
    for cache in (
        pictures.film_png,
        pictures.outline_png,
        pictures.map_picture,
        pictures.scored,
        pictures.unexplained,
        pictures.marks_on,
        film_anatomy,
    ):
        cache.clear()


def _overwrite_free_memory() -> None:
    """Write over the buffers in which the event loop received films: freed, they hold what came in last."""
    del [b"\0" * (size << 10) for size, count in ((256, 8), (64, 32), (16, 128), (4, 256)) for _ in range(count)][:]
