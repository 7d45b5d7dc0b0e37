"""The library page: available films and models as cards, with what can be fetched, and removed again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pandas as pd
import streamlit as st

from classifiers import ModelCard
from classifiers import registry as model_registry
from classifiers.own_models import forget_model
from classifiers.registry import ModelEntry
from classifiers.xrv_weights import XRV_NAMES
from dashboard.jobs import sentence
from dashboard.library import store
from dashboard.library.downloads import downloads
from dashboard.library.renaming import rename
from dashboard.library.store import CHEST_DET, NIH, Fetchable, said_size
from dashboard.people.roles import may, permit
from dashboard.shared import caches
from dashboard.shared.background import draw_progress, warning_when_full, warning_when_not_allowed
from dashboard.shared.fragments import dialog, fragment
from dashboard.shared.session import forget_link
from dashboard.shared.unforeseen import guarded, safely
from evaluation.scores import metrics
from radiographs import extensions
from radiographs import registry as film_registry
from radiographs.collection import Collection
from radiographs.collections.folder import FolderCollection
from radiographs.collections.remembered import forget_folder
from radiographs.findings import display_name
from radiographs.places import home_folder
from radiographs.plain_text import neutral
from xai_methods import methods
from xai_methods.counterfactual import xrv_autoencoder

CARD_WIDTH = 400
NOT_HERE = {
    NIH: "Not on this computer yet. Fetch them here, or point XAI_LIGHTBOX_NIH at your copy of ChestX-ray14.",
    CHEST_DET: "Not on this computer yet. Fetch the outlines here, with those 62 of the films that are boxed NIH films "
    "too. The other films are those of your copy of ChestX-ray14, if XAI_LIGHTBOX_NIH points at it.",
}
FETCHED = {NIH: "the fetched NIH films", CHEST_DET: "the fetched outlines of ChestX-Det"}
ORIGINS = {
    "shipped": "Comes with the program",
    "torchxrayvision": "torchxrayvision",
    "yours": "Yours",
    "extension": "From an extension",
}


def draw_disk_use() -> None:
    """Say how much room the program takes for what it fetched and remembers."""
    size = said_size(store.disk_use())
    st.caption(
        f"What the program stores (fetched films and weights, results, settings) takes {size} in {home_folder()}."
    )


def draw_extension_problems() -> None:
    """Say which extensions were left out, and why."""
    methods(), metrics(), film_registry.collections(), model_registry.list_models()
    for problem in extensions.problems():
        st.warning(sentence(LookupError(problem)), icon=":material/extension_off:")


def draw_films() -> None:
    """Draw a card for each collection."""
    damaged = film_registry.damaged_folders()
    if damaged:
        st.error(sentence(LookupError(damaged)), icon=":material/folder_off:")
    with st.grid(min_column_width=CARD_WIDTH):
        for collection in film_registry.collections().values():
            with (
                st.container(border=True, height="stretch"),
                guarded(f"{collection.card.title} cannot be shown"),
            ):
                _draw_collection(collection)


def _draw_collection(collection: Collection) -> None:
    card, missing = collection.card, collection.missing()
    st.subheader(card.title, anchor=False)
    st.markdown(card.summary)
    if missing:
        nothing_here = not store.fetched(collection.name)
        st.info(NOT_HERE.get(collection.name, missing) if nothing_here else missing, icon=":material/download:")
    else:
        st.markdown(f"**Available:** {_counts(collection)}")
    with st.expander("Who outlined, licence, citation"):
        facts = {"Outlined by": card.annotators, "Licence": card.licence, "Citation": card.citation}
        _facts(facts | {"Address": card.url, "Name in links and commands": f"`{collection.name}`"})
    for wanted in store.film_sets(collection.name):
        draw_fetch(wanted)
    if collection.name in FETCHED:
        _offer_removal(collection.name, FETCHED[collection.name], _remove_films)
    if isinstance(collection, FolderCollection):
        _draw_own_folder(collection)
    if not missing:
        st.button("Open in Compare", icon=":material/compare:", key=f"open {collection.name}",
                  on_click=safely(_mark_to_open), args=(collection.name,))  # fmt: skip


def _counts(collection: Collection) -> str:
    table = caches.film_table(collection.name, len(collection.entries()))
    outlined = int(table["annotated"].map(bool).sum())
    named = sorted({display_name(f) for names in (*table["labels"], *table["annotated"]) for f in names})
    findings = store.findings_in_words(named) or "no finding named"
    return f"{len(table):,} film{'' if len(table) == 1 else 's'}, {outlined:,} outlined. {findings}."


def _mark_to_open(name: str) -> None:
    st.session_state["open_collection"] = name


def open_collection() -> None:
    """Open the compare page on the collection whose button was pressed, if one was."""
    name = st.session_state.pop("open_collection", None)
    if name is None:
        return
    entries = film_registry.collections()[name].entries()
    first = next((entry for entry in entries if entry.annotated), entries[0] if entries else None)
    forget_link("collection", "film_id", "only_finding", "only_outlined", "only_held_out")
    st.switch_page("pages/compare.py", query_params={"film": f"{name}/{first.film_id}"} if first else None)


def _draw_own_folder(collection: FolderCollection) -> None:
    st.caption(f"On this computer: {neutral(str(collection.path))}")
    if collection.missing() is None:
        refused = collection.scan().refused
        if refused:
            with st.expander(f"{len(refused)} refused, and why"):
                draw_refused(refused)
    if st.button("Take off the list", icon=":material/playlist_remove:", key=f"remove {collection.name}"):
        confirm(
            f"Take {collection.card.title} off the list? Nothing in the folder is touched.",
            lambda: forget_folder(collection.name),
        )


def draw_refused(refused: tuple[tuple[str, str], ...]) -> None:
    """List files that cannot be used, each with the reason."""
    table = pd.DataFrame(refused, columns=["File", "Why it is refused"])
    st.dataframe(table, hide_index=True, width="stretch", alt="Refused files and why")


def draw_models() -> None:
    """Draw a card for each model."""
    with st.grid(min_column_width=CARD_WIDTH):
        for entry in model_registry.list_models():
            with st.container(border=True, height="stretch"), guarded(f"{entry.title} cannot be shown"):
                _draw_model(entry)
        with st.container(border=True, height="stretch"):
            _draw_autoencoder()


def _draw_autoencoder() -> None:
    """The one thing to fetch that judges no film, but draws counterfactual ones."""
    name = xrv_autoencoder.WEIGHTS
    absent = xrv_autoencoder.missing() is not None
    st.subheader(f"{xrv_autoencoder.TITLE[0].upper()}{xrv_autoencoder.TITLE[1:]}", anchor=False)
    st.caption(f"For counterfactuals · {'not available' if absent else 'available'}")
    st.markdown(
        "A network that packs a film into a code and draws it again, taught by public chest films. The counterfactual "
        "method *Latent shift, torchxrayvision* draws with it, for every model here."
    )
    with st.expander("Citation"):
        _facts({"Citation": "Cohen et al. 2021, arXiv 2102.09475", "Name in commands": f"`{name}`"})
    if absent:
        draw_fetch(replace(store.weights_of(name), title="the weights"))
    _offer_removal(name, "the fetched weights of the autoencoder", _remove_weights)


def _draw_model(entry: ModelEntry) -> None:
    card = entry.card
    st.subheader(card.title, anchor=False)
    st.caption(f"{ORIGINS[entry.origin]} · {'available' if entry.available else 'not available'}")
    st.markdown(card.summary)
    with st.expander("Training, limits, licence, citation"):
        facts = {"Trained on": card.trained_on, "Limits": card.limits, "Licence": card.licence}
        _facts(facts | {"Citation": card.citation, "Name in links and commands": f"`{entry.name}`"})
    table = figures_table(card)
    if not table.empty:
        with st.expander("Measured figures"):
            st.table(table, hide_index=True)
    if entry.name in XRV_NAMES:
        if not entry.available:
            draw_fetch(replace(store.weights_of(entry.name), title="the weights"))
        _offer_removal(entry.name, f"the fetched weights of {card.title}", _remove_weights)
    elif entry.origin == "yours":
        with st.container(horizontal=True):
            if st.button("Rename", icon=":material/edit:", key=f"rename {entry.name}"):
                rename(entry.name, card.title)
            if st.button("Remove", icon=":material/playlist_remove:", key=f"remove {entry.name}"):
                confirm(
                    f"Remove {card.title}? The program's copy of the weights is removed; your own file stays.",
                    lambda: _remove_own(entry.name),
                )
    elif entry.missing:
        st.info(entry.missing, icon=":material/download:")


def figures_table(card: ModelCard) -> pd.DataFrame:
    """The measured classification figures of a card: a row a finding; empty where none were measured."""
    rows = []
    measured: dict[str, dict[str, float]] = card.figures.get("findings") or next(
        iter(card.figures.get("validity", {}).values()), {}
    )
    for finding, given in measured.items():
        if given.get("auroc") is None:
            continue
        known = given.get("auroc_low") is not None
        interval = f"{given['auroc_low']:.2f} to {given['auroc_high']:.2f}" if known else "–"
        rows.append((display_name(finding), f"{given['auroc']:.3f}", interval, given.get("films")))
    return pd.DataFrame(rows, columns=["Finding", "AUROC", "95 % interval", "Films"])


def _facts(facts: dict[str, str]) -> None:
    for name, words in facts.items():
        if words:
            st.markdown(f"**{name}.** {words}")


def draw_fetch(wanted: Fetchable) -> None:
    """Draw a download: its button, or how far it is with a way to stop it, or why it failed."""
    status = downloads().status(wanted.name)
    busy = status is not None and status.pending
    fragment(_draw_fetch, ticking=busy)(wanted, busy)


def _draw_fetch(wanted: Fetchable, was_busy: bool) -> None:
    status = downloads().status(wanted.name)
    busy = status is not None and status.pending
    if busy != was_busy:
        st.rerun()
    if status is not None and busy:
        draw_progress(f"{wanted.title[0].upper()}{wanted.title[1:]}", status, _how_far(wanted, status.share))
        if may("fetch"):
            st.button("Stop", icon=":material/stop:", key=f"stop {wanted.name}", on_click=safely(downloads().cancel),
                      args=(wanted.name,))  # fmt: skip
        return
    if status is not None and status.state == "failed":
        st.error(status.error, icon=":material/cloud_off:")
    if status is not None and status.state == "cancelled":
        st.info("Stopped. Fetching again goes on from there.", icon=":material/pause:")
    size = f" ({said_size(wanted.size)})" if wanted.size else ""
    again = "Go on fetching" if status is not None and status.state == "cancelled" else "Fetch"
    title = f"{wanted.title[0].lower()}{wanted.title[1:]}"
    if store.is_fetched(wanted):
        return
    if st.button(f"{again} {title}{size}", icon=":material/download:", key=f"fetch {wanted.name}"):
        with warning_when_full(), warning_when_not_allowed():
            permit("fetch", wanted.name)
            downloads().start(wanted.name, store.fetching(wanted.name))
            st.rerun()


def _how_far(wanted: Fetchable, share: float) -> str:
    if share <= 0:
        return "connecting …"
    return f"{said_size(int(share * wanted.size))} of {said_size(wanted.size)}" if wanted.size else f"{share:.0%}"


def _offer_removal(name: str, title: str, remove: Callable[[str], None]) -> None:
    size = store.fetched(name)
    if size and st.button(f"Remove {title} ({said_size(size)})", icon=":material/delete:", key=f"remove {name}"):
        confirm(f"Remove {title}? That frees {said_size(size)}; they can be fetched again.", lambda: remove(name))


def _remove_films(name: str) -> None:
    for wanted in store.film_sets(name):
        downloads().forget(wanted.name)
    store.remove_fetched(name)


def _remove_own(name: str) -> None:
    forget_model(name)
    caches.classifier.clear()


def _remove_weights(name: str) -> None:
    downloads().forget(name)
    store.remove_fetched(name)


def confirm(words: str, remove: Callable[[], object]) -> None:
    """Ask before something is removed; ``words`` say what goes and what stays."""
    st.session_state.pop("removal", None)
    _confirm(words, remove)


@dialog("Are you sure?")
def _confirm(words: str, remove: Callable[[], object]) -> None:
    failure = st.session_state.pop("removal", None)
    if failure == "":
        st.rerun()
    st.markdown(words)
    if failure:
        st.error(failure, icon=":material/error:")
    with st.container(horizontal=True):
        st.button("Remove", type="primary", key="confirm_remove", on_click=safely(_try_to), args=(remove, words))
        if st.button("Keep", key="confirm_keep"):
            st.rerun()


def _try_to(remove: Callable[[], object], what: str) -> None:
    try:
        permit("remove", what)
        remove()
    except (LookupError, OSError, ValueError) as error:
        st.session_state["removal"] = sentence(error)
    else:
        st.session_state["removal"] = ""
