"""What a person takes home: one menu with report, pictures, tables, raw maps and DICOM files, each made on demand."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable, Mapping
from functools import partial
from urllib.parse import urlencode

import numpy as np
import streamlit as st

from dashboard.compare.panels import comparison_of
from dashboard.compare.regions import file_stem
from dashboard.compare.request import CompareRequest
from dashboard.compare.scorecard import done_scorecards
from dashboard.exports.content import ReportContent
from dashboard.exports.tables import table_csv, table_latex
from dashboard.jobs import sentence
from dashboard.people import audit, identity
from dashboard.shared.caches import manager
from dashboard.shared.file_button import file_button
from dashboard.shared.film_notes import is_overruled
from dashboard.shared.state import UPLOAD, Choice, to_query
from evaluation.one_film.compare import Comparison, FindingResult
from radiographs import Annotation, FilmError, Radiograph
from radiographs.arrays import write_arrays

META = ("method", "finding", "parameters", "seed", "logit", "film", "classifier", "seconds", "diagnostics")


def maps_npz(comparison: Comparison) -> bytes:
    """All maps, raw: ``<finding>.<method>.values`` (input grid) and ``.on_film``, and one JSON text ``meta``."""
    arrays: dict[str, np.ndarray] = {}
    meta = []
    for finding, result in comparison.findings.items():
        if result.mask is not None:
            arrays[f"{finding}.outline"] = result.mask
        for method, done in result.methods.items():
            made = done.explanation
            if made is None or done.on_film is None:
                continue
            arrays[f"{finding}.{method}.values"] = made.values
            arrays[f"{finding}.{method}.on_film"] = done.on_film
            meta.append({name: getattr(made, name) for name in META} | {"doubts": comparison.radiograph.doubt_codes})
    buffer = io.BytesIO()
    write_arrays(buffer, arrays, meta)
    return buffer.getvalue()


def draw_downloads(
    requests: list[CompareRequest], results: Mapping[str, dict[str, FindingResult]], choice: Choice
) -> None:
    """Draw the export menu, once there is a map to take; each file is made when its button is pressed.

    Args:
        requests: one for each model that is shown. results: by model, then finding. choice: what is shown.
    """
    ready = {
        request.classifier.name: request
        for request in requests
        if any(d.explanation for r in results[request.classifier.name].values() for d in r.methods.values())
    }
    if not ready:
        return
    with st.popover("Export", icon=":material/download:"):
        name = next(iter(ready))
        if len(requests) > 1:
            titles = {model: request.classifier.card.title for model, request in ready.items()}
            name = st.segmented_control(
                "Model", list(ready), default=name, format_func=titles.__getitem__, required=True, key="export_model",
                help="Each file holds one model's maps and scores.",
            )  # fmt: skip
        _items(ready[name], results[name], choice)


def _items(request: CompareRequest, results: dict[str, FindingResult], choice: Choice) -> None:
    # What draws files is slow to import, and no page needs it before there is a map.
    from dashboard.exports.dicom import dicom_zip
    from dashboard.exports.figures import slide_png
    from dashboard.exports.pdf import pdf_report
    from dashboard.exports.report import html_report

    comparison = comparison_of(request, results)
    view, link = choice.view, address_of(st.context.url or "", choice)
    film, card = request.film, request.classifier.card
    content = ReportContent(
        comparison, card, film.reference, film.card, view, link, is_overruled(film.radiograph), film.annotations
    )
    readers = sorted({reader for result in results.values() for reader in result.readers})
    stem = file_stem("lightbox", film, list(results), *readers, request.classifier.name)
    report = partial(html_report, content, done_scorecards(request, results, manager()))
    _item("Report (HTML)", report, f"{stem}.html", "description")
    _item("Report (PDF)", partial(pdf_report, content), f"{stem}.pdf", "picture_as_pdf")
    slide = partial(slide_png, comparison, card.title, view)
    _item("Picture for slides (PNG)", slide, f"{stem}.png", "image")
    _item("Scores (CSV)", partial(table_csv, comparison, film.reference), f"{stem}.csv", "table")
    _item("Scores (LaTeX)", partial(table_latex, comparison), f"{stem}.tex", "function")
    _item("Raw maps (npz)", partial(maps_npz, comparison), f"{stem}.npz", "data_array")
    original = _original(request)
    dicom = stem if original is None else f"{stem}-original-study"
    _item("DICOM (zip)", _joining(original, partial(dicom_zip, comparison, original)), f"{dicom}.zip", "radiology")
    if film.drawn:
        outlines = partial(_regions, film.radiograph, list(film.drawn), original)
        _item("Your regions (DICOM)", _joining(original, outlines), f"{dicom}-regions.dcm", "draw")


def _joining(original: bytes | None, make: Callable[[], bytes]) -> Callable[[], bytes]:
    """The making of a DICOM export, which says what to do where the header of the original is what it fails on."""
    person = identity.name()

    def made() -> bytes:
        if original is not None:
            # Streamlit makes files in a thread that knows of no session.
            audit.note("export with identifiers", hashlib.sha256(original).hexdigest(), person)
        try:
            return make()
        except (ValueError, LookupError, TypeError, AttributeError) as error:
            if original is None:
                raise
            reason = sentence(error) if isinstance(error, FilmError) else "The original's header does not allow it."
            raise FilmError(f"{reason} Export without identifiers.") from error

    return made


def address_of(page: str, choice: Choice) -> str:
    """The full address of a choice on the page at ``page``; "" where that is not known."""
    return f"{page}?{urlencode(to_query(choice), doseq=True)}" if page else ""


def _item(label: str, make: Callable[[], bytes | str], name: str, icon: str) -> None:
    file_button(label, make, name, icon=icon, key=f"get {label}", width="stretch")


def _regions(radiograph: Radiograph, drawn: list[Annotation], original: bytes | None) -> bytes:
    from dashboard.exports.dicom_maps import region_seg
    from dashboard.exports.dicom_source import original_header

    return region_seg(radiograph, drawn, original_header(original, radiograph) if original else None)


def _original(request: CompareRequest) -> bytes | None:
    """The film's original DICOM file, where the person wants its identifiers in the export; else None."""
    from dashboard.exports.dicom_source import repairs

    wanted = st.toggle(
        "DICOM: keep the original study's identifiers",
        key="keep_identifiers",
        help="Off: the patient is nameless and all identifiers are new. On: patient, study and image identifiers of "
        "the original file go into the export, so that a viewer opens it over the original study.",
    )
    if not wanted:
        return None
    given = st.session_state.get("upload") if request.film.reference.startswith(UPLOAD) else None
    data = given.getvalue() if given is not None else None
    if data is None or _refused(data, request):
        file = st.file_uploader("The film's original DICOM file", key="original")
        data = file.getvalue() if file is not None else None
        refusal = _refused(data, request) if data else ""
        if refusal:
            st.error(refusal, icon=":material/error:")
    if data is None or _refused(data, request):
        st.caption("Until the original is given, the export names nobody.")
        return None
    st.caption("The export will hold this patient's identifiers. Treat it as patient data.")
    broken = repairs(data)
    if broken:
        st.caption(f"Mended or left out, for they break the DICOM standard in the original: {', '.join(broken)}.")
    return data


def _refused(data: bytes, request: CompareRequest) -> str:
    from dashboard.exports.dicom_source import original_header

    try:
        original_header(data, request.film.radiograph)
    except FilmError as error:
        return sentence(error)
    return ""
