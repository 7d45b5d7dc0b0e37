"""The widgets by which a person chooses: film, findings and model."""

from __future__ import annotations

from typing import Any

import pandas as pd
import streamlit as st

from classifiers import ModelCard
from classifiers.registry import ModelEntry, list_models
from dashboard.jobs import sentence
from dashboard.people.roles import permit
from dashboard.settings import settings
from dashboard.shared import belongings, caches, gallery, reference, shares
from dashboard.shared.corrections import with_corrections
from dashboard.shared.film_context import FilmContext
from dashboard.shared.own_regions import with_own
from dashboard.shared.state import MOST_FINDINGS, SHARE, UPLOAD, Choice
from dashboard.shared.unforeseen import safely
from radiographs import FilmError, Radiograph
from radiographs.findings import display_name
from radiographs.registry import collections, damaged_folders

# Upright and whole, the finding where such are met: an adult's mass of the upper lung, else an older child's hilar one.
EXAMPLES = {"nih-boxes": ("00022192_003", "nih14-localised"), "known-truth": ("mass-04", "known-truth")}
"""Films with which a first visit opens, by collection, with the model that fits it; the first that is available."""
LOOKED_AT = "findings looked at"
"""Key of the session's state: a film's reference and the findings last chosen on the Compare page."""


def first_film() -> str:
    """The film shown where nothing is chosen: an example, else the first film that somebody outlined."""
    for name, (film_id, _) in EXAMPLES.items():
        if film_exists(f"{name}/{film_id}"):
            return f"{name}/{film_id}"
    for name, collection in collections().items():
        entries = collection.entries() if collection.missing() is None else []
        if entries:
            return f"{name}/{next((e for e in entries if e.annotated), entries[0]).film_id}"
    return ""


def film_exists(film_reference: str) -> bool:
    """Whether ``collection/film-id`` names an available film, or one that this person uploaded."""
    name, _, film_id = film_reference.partition("/")
    if name == UPLOAD:
        return upload_of(film_id) is not None
    collection = collections().get(name)
    if collection is None or collection.missing() is not None:
        return False
    return any(entry.film_id == film_id for entry in collection.entries())


def upload_of(short: str) -> Radiograph | None:
    """The uploaded film of which ``short`` is the start of the digest: this person's, else one shared with them."""
    shared = shares.shared_upload(st.session_state.get(SHARE, ""))
    found = belongings.uploaded(short)
    return shared if found is None and shared is not None and shared.digest.startswith(short) else found


def choose_film() -> str:
    """Draw the film's widgets; return its reference, "" where there is none yet."""
    state = st.session_state
    known = collections()
    damaged = damaged_folders()
    if damaged:
        st.warning(sentence(LookupError(damaged)), icon=":material/folder_off:")
    names = [*known, UPLOAD]
    if state.get("collection") not in names:
        state["collection"] = names[0]
    titles = {name: c.card.title for name, c in known.items()} | {UPLOAD: "Upload a film"}
    name = st.selectbox("Collection", names, format_func=titles.__getitem__, key="collection", persist_state="session")
    if name == UPLOAD:
        return _upload()
    missing = known[name].missing()
    if missing:
        st.info(missing, icon=":material/download:")
        return ""
    table = _filtered(caches.film_table(name, len(known[name].entries())))
    ids = list(table["film_id"])
    if not ids:
        st.info("No film fits these filters. Widen them to see more.")
        return ""
    if state.get("film_id") not in ids:
        state["film_id"] = ids[0]
    step = state.pop("film_step", 0)
    if step:
        state["film_id"] = ids[(ids.index(state["film_id"]) + step) % len(ids)]
    captions = {row.film_id: _caption(place, row) for place, row in enumerate(table.itertuples(), start=1)}
    film_id = st.selectbox("Film", ids, format_func=captions.__getitem__, key="film_id", persist_state="session")
    if st.button("Browse films", icon=":material/grid_view:", width="stretch"):
        gallery.show(name, table, captions)
    return f"{name}/{film_id}"


def step_film(step: int) -> None:
    """Go on to the next film of the list (1) or the one before (-1), and explain it as this one was."""
    st.session_state["film_step"] = step
    st.session_state["run_at_once"] = "run" in st.query_params
    st.rerun()


def _caption(place: int, row: Any) -> str:
    """A film in the list: its name and labels, its place alone where what experts say of it is hidden."""
    if reference.hiding():
        return f"Film {place}"
    return f"{row.film_id} · {', '.join(display_name(label) for label in row.labels) or 'no finding named'}"


def _filtered(table: pd.DataFrame) -> pd.DataFrame:
    with st.expander("Filter", icon=":material/filter_list:"):
        found = sorted({name for names in (*table["labels"], *table["annotated"]) for name in names})
        finding = st.selectbox(
            "With the finding",
            [None, *found],
            format_func=lambda f: display_name(f) if f else "Any",
            key="only_finding",
            persist_state="session",
        )
        outlined = st.toggle("Outlined by an expert", key="only_outlined", persist_state="session")
        held_out = st.toggle(
            "Not used in training",
            key="only_held_out",
            help="Films on the test side of the split.",
            persist_state="session",
        )
    keep = pd.Series(True, index=table.index)
    if finding:
        named = [finding in (*row.labels, *row.annotated) for row in table.itertuples()]
        keep &= pd.Series(named, index=table.index)
    if outlined:
        keep &= table["annotated"].map(bool)
    if held_out:
        keep &= table["part"].eq("test")
    return table[keep]


def _upload() -> str:
    file = st.file_uploader(
        "Chest film (PNG, JPEG or DICOM, up to 50 MB)",
        key="upload",
        help="It stays in the server's memory, for you alone, until a minute after you close the page.",
    )
    state = st.session_state
    if file is not None:
        # Before it is read: no earlier film may stand under the name of one that is refused.
        state.pop("own_film", None)
        try:
            film = caches.uploaded(file)
            if state.get("own_file") != file.file_id:
                state["own_file"] = file.file_id
                permit("upload", film.digest)
            state["own_film"] = belongings.hold_upload(film)
        except FilmError as error:
            st.error(sentence(error), icon=":material/error:")
    held: str = state.get("own_film", "")
    if not held or upload_of(held) is None:
        return ""
    if file is None:
        st.caption("The film that you uploaded before is shown. Choose a file to see another.")
        st.button("Remove it", icon=":material/delete:", on_click=safely(_remove_upload), args=(held,))
    return f"{UPLOAD}/{held}"


def _remove_upload(held: str) -> None:
    belongings.drop_upload(held)
    st.session_state.pop("own_film", None)


def open_film(film_reference: str) -> FilmContext:
    """The film, as the person may see it, of a reference that :func:`choose_film` returned.

    Raises:
        CollectionError, FilmError: it is not available or cannot be read.
    """
    name, _, held = film_reference.partition("/")
    if name != UPLOAD:
        return with_own(reference.as_shown(with_corrections(caches.film(film_reference))))
    film = upload_of(held)
    if film is None:
        raise FilmError("the uploaded film is no longer held; choose its file again")
    shown = with_corrections(FilmContext(film_reference, film))
    belongings.shown_as(held, shown.radiograph.digest)
    return with_own(shown)


def default_findings(film: FilmContext, probabilities: dict[str, float]) -> tuple[str, ...]:
    """What to explain where nothing was chosen: what was outlined and the model knows, else what it finds likeliest."""
    outlined = [finding for finding in probabilities if film.outlines(finding)]
    if outlined:
        return tuple(outlined[:2])
    return (max(probabilities, key=lambda finding: probabilities[finding]),)


def choose_findings(film: FilmContext, model: str, probabilities: dict[str, float], link: Choice) -> tuple[str, ...]:
    """Draw the findings' widget; those of ``link`` hold for its own film and model only.

    Args:
        probabilities: of the model on the film, by finding.
    """
    ranked = sorted(probabilities, key=lambda finding: -probabilities[finding])
    same = link.film in ("", film.reference) and link.model in ("", model)
    wanted = [finding for finding in link.findings if same and finding in probabilities]
    usual = default_findings(film, probabilities)
    # What is chosen goes by its words, and these change as the reference is revealed.
    keys = [f"findings {model} {film.reference}", f"findings {model} {film.reference} hidden"]

    def words(finding: str) -> str:
        return display_name(finding) + (" (outlined)" if film.outlines(finding) else "")

    chosen = st.multiselect(
        "Findings",
        ranked,
        default=st.session_state.get(keys[not film.reference_hidden]) or wanted or list(usual),
        max_selections=MOST_FINDINGS,
        format_func=words,
        key=keys[film.reference_hidden],
        help=f"What to explain, up to {MOST_FINDINGS}. Sorted by the model's probability.",
        persist_state="session",
    )
    st.session_state[LOOKED_AT] = (film.reference, tuple(chosen) or usual)
    return tuple(chosen) or usual


def first_model(names: list[str], film_reference: str) -> str:
    """The model shown where nothing is chosen: the one set as usual, else one that fits the film, else the first."""
    usual = settings.load().default_model
    if usual in names:
        return usual
    collection = film_reference.partition("/")[0]
    fitting = [entry.name for entry in list_models() if entry.name in names and made_for(entry.card, collection)]
    wanted = EXAMPLES.get(collection, ("", ""))[1]
    return wanted if wanted in names else next(iter(fitting), names[0])


def made_for(card: ModelCard, collection: str) -> bool:
    """Whether a model's card names the collection among those whose films it was made for."""
    return card.scope is not None and collection in card.scope.collections


def _propose_model(entries: list[ModelEntry], chosen: ModelEntry, film_reference: str) -> None:
    """Offer a model that was made for the film's collection where the chosen one was made for others."""
    collection = film_reference.partition("/")[0]
    fitting = [entry for entry in entries if entry.available and made_for(entry.card, collection)]
    if not fitting or chosen.card.scope is None or made_for(chosen.card, collection):
        return
    better = fitting[0]
    st.caption(f"{chosen.title} was made for films of another kind.")
    st.button(
        f"Use {better.title}", icon=":material/swap_horiz:", key="use_fitting_model", on_click=safely(_use_model),
        args=(better.name,), help="This model's card names the collection among those that it was made for.",
    )  # fmt: skip


def _use_model(name: str) -> None:
    st.session_state["model"] = name


def choose_second(entries: list[ModelEntry], first: str) -> str:
    """Draw the widget for a second model beside the first; return its name, "" for none."""
    titles = {e.name: e.title for e in entries if e.available and e.name != first}
    if not titles:
        return ""
    if st.session_state.get("second") not in titles:
        st.session_state["second"] = None
    chosen = st.selectbox(
        "Compare with model",
        list(titles),
        index=None,
        format_func=titles.__getitem__,
        placeholder="No second model",
        key="second",
        help="The same film and methods under a second model: two models that classify alike may look elsewhere.",
        persist_state="session",
    )
    return chosen or ""


def choose_model(entries: list[ModelEntry], film_reference: str = "") -> ModelEntry:
    """Draw the models' widget and the model's card in a line; offer one that fits the film where this does not."""
    titles = {e.name: e.title + ("" if e.available else " (not available)") for e in entries}
    names = [e.name for e in sorted(entries, key=lambda e: not e.available)]
    chosen = st.selectbox("Model", names, format_func=titles.__getitem__, key="model", persist_state="session")
    entry = next(e for e in entries if e.name == chosen)
    if entry.available:
        st.caption(entry.card.summary)
        _propose_model(entries, entry, film_reference)
    else:
        st.info(entry.missing, icon=":material/download:")
    return entry
