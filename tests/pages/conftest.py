"""The dashboard over a tiny collection and a tiny model, so that page tests need no weights and no films."""

from __future__ import annotations

from pathlib import Path

import pytest
import streamlit as st
from streamlit.runtime.pages_manager import PagesManager
from streamlit.testing.v1 import AppTest

from dashboard.cli.serving import only_named_pages
from radiographs import bounded_cache
from tests.dashboard.made import TinyCollection, tiny_classifier, tiny_models

APP = str(Path(__file__).resolve().parents[2] / "app.py")


def clear_caches() -> None:
    st.cache_data.clear()
    st.cache_resource.clear()
    bounded_cache.clear_all()


@pytest.fixture
def registries(monkeypatch):
    """Put the tiny collection and model in the registries; returns a function that empties the model registry."""
    import classifiers.registry
    import radiographs.registry
    from dashboard.shared import caches, choosing, film_and_model

    found = {"tiny-films": TinyCollection()}
    for place in (radiographs.registry, choosing):
        monkeypatch.setattr(place, "collections", lambda: found)
    monkeypatch.setattr(caches, "get_collection", found.__getitem__)
    monkeypatch.setattr(caches, "load_classifier", tiny_classifier)
    monkeypatch.setattr(classifiers.registry, "list_models", tiny_models)
    # The squares of the tiny films are no chest films: what is odd about a film, its own tests say.
    monkeypatch.setattr(film_and_model, "checked", lambda film, *cards, entry=None: film)
    clear_caches()
    yield lambda: monkeypatch.setattr(classifiers.registry, "list_models", list)
    caches.manager().close()
    clear_caches()


@pytest.fixture
def page(registries) -> AppTest:
    return AppTest.from_file(APP, default_timeout=60)


@pytest.fixture
def through_app(monkeypatch):
    """AppTest runs the files under pages/ by themselves; a server always runs app.py before."""
    make = PagesManager.__init__

    def made(self, *given, **named):
        make(self, *given, **named)
        only_named_pages()

    monkeypatch.setattr(PagesManager, "__init__", made)
