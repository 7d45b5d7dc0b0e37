"""The compare page in its normal, empty and hostile states."""

from __future__ import annotations

import json
import time

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from evaluation.one_film.scorecard import ELEMENTS
from evaluation.validity import outline_fit
from radiographs.radiograph import Note
from tests.dashboard.made import tiny_film
from tests.pages.conftest import APP

FAST = {"method": ["grad-cam", "jacobian"]}


def said(page: AppTest) -> str:
    elements = (*page.warning, *page.info, *page.error, *page.caption, *page.markdown, *page.success)
    return "\n".join(str(e.value) for e in elements)


def viewer_data(page: AppTest) -> dict:
    """What the first viewer of the page was given."""
    return json.loads(page.get("bidi_component")[0].proto.json)


def table_with(page: AppTest, *columns: str):
    """The first table of the page that has these columns."""
    return next(d.value for d in page.dataframe if set(columns) <= set(d.value.columns))


def panel_words(page: AppTest) -> list[str]:
    return [panel["words"] for panel in viewer_data(page)["panels"]]


def finish(page: AppTest, seconds: float = 30) -> AppTest:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        page.run()
        if not any(panel["state"] in ("queued", "running") for panel in viewer_data(page)["panels"]):
            return page.run()
        time.sleep(0.1)
    raise AssertionError("the run did not finish")


def open_with(query: dict[str, list[str]]) -> AppTest:
    page = AppTest.from_file(APP, default_timeout=60)
    for key, values in query.items():
        page.query_params[key] = values
    return page.run()


def test_first_visit_shows_a_film_and_one_click_shows_maps_and_scores(page):
    page.query_params["method"] = FAST["method"]
    page.run()
    assert not page.exception
    assert page.selectbox(key="film_id").value == "film-0"
    assert said(page).count("For research and teaching, not for diagnosis.") == 1
    assert panel_words(page) == ["", "Press Run to see this map.", "Press Run to see this map."]
    page.button(key="run").click().run()
    finish(page)
    assert not page.exception
    table = table_with(page, "title", "pixel_auprc")
    assert {"Grad-CAM", "Chance", "Uniform map"} <= set(table["title"])
    assert table["pixel_auprc"].notna().all()
    assert page.query_params["film"] == "tiny-films/film-0"
    assert page.query_params["run"] == "1"


def test_a_link_with_run_starts_at_once_and_shows_the_same_view(registries):
    query = {**FAST, "film": ["tiny-films/film-1"], "model": ["tiny"], "finding": ["Effusion"], "seed": ["5"]}
    page = finish(open_with(query | {"run": ["1"], "show": ["contour"], "opacity": ["0.30"]}))
    assert not page.exception
    assert page.selectbox(key="film_id").value == "film-1"
    assert page.multiselect(key="findings tiny tiny-films/film-1").value == ["Effusion"]
    assert page.number_input(key="seed").value == 5
    assert viewer_data(page)["look"] == {"mode": "contour", "part": "positive", "opacity": 0.3, "outline": True}
    film, *maps = viewer_data(page)["panels"]
    assert film["note"] == "No reference annotation for pleural effusion."
    assert [panel["state"] for panel in maps] == ["done", "done"]
    assert page.query_params["show"] == "contour"


def test_a_film_that_nobody_outlined_still_shows_maps(registries):
    page = finish(open_with(FAST | {"film": ["tiny-films/film-2"], "run": ["1"]}))
    assert not page.exception
    assert "Scores need an annotation" in said(page)
    assert viewer_data(page)["outlines"] == []


def test_a_failing_method_says_so_in_its_panel_and_the_others_go_on(registries, monkeypatch):
    from xai_methods import get_method

    def fail(request):
        raise RuntimeError("no gradient here")

    monkeypatch.setattr(get_method("jacobian"), "_explain", fail)
    page = finish(open_with(FAST | {"run": ["1"]}))
    assert not page.exception
    assert [p["words"] for p in viewer_data(page)["panels"] if p["state"] == "failed"] == ["No gradient here."]
    assert "Grad-CAM" in set(table_with(page, "title", "pixel_auprc")["title"])


def test_the_scorecard_is_worked_out_when_asked(registries):
    page = finish(open_with(FAST | {"run": ["1"]}))
    page.button(key="scorecard tiny Nodule").click().run()
    until = time.monotonic() + 60
    while page.get("progress") or "Compute the scorecard" in [b.label for b in page.button]:
        assert time.monotonic() < until, "the scorecard was not computed"
        time.sleep(0.2)
        page.run()
    assert not page.exception
    folded = table_with(page, "Map", "Localizability", "Actionability")
    assert list(folded["Map"]) == ["Grad-CAM", "Jacobian sensitivity"]
    assert folded["Localizability"].str.contains("[▲△▽]").all()
    assert set(table_with(page, "Element", "In words")["Element"]) == {e.capitalize() for e in ELEMENTS}


def test_agreement_and_words_stand_beside_the_maps(registries):
    page = finish(open_with(FAST | {"run": ["1"]}))
    matrix = table_with(page, "Grad-CAM", "Jacobian sensitivity")
    assert matrix.loc["Grad-CAM", "Grad-CAM"] == 1
    np.testing.assert_array_equal(matrix.to_numpy(), matrix.to_numpy().T)
    assert "peak" in said(page)
    assert page.button(key="cancel").disabled, "nothing is left to cancel"


def test_a_second_model_hangs_beside_the_first(registries):
    page = finish(open_with(FAST | {"run": ["1"], "beside": ["other"]}))
    assert not page.exception
    viewers = [json.loads(v.proto.json) for v in page.get("bidi_component")]
    assert len(viewers) == 2
    assert viewers[0]["film"]["id"] == viewers[1]["film"]["id"]
    assert [v["controls"] for v in viewers] == [True, False]
    assert any("have in common" in expander.label for expander in page.expander)
    shared = table_with(page, "Between the models", "With other methods")
    assert list(shared.index) == ["Grad-CAM", "Jacobian sensitivity"]
    assert page.query_params["beside"] == "other"
    panels = [[panel["id"] for panel in v["panels"]] for v in viewers]
    assert panels[0] == ["film", *panels[1]], "the film is drawn once"
    scores = [table.value for table in page.dataframe if "pixel_auprc" in table.value.columns]
    assert len(scores) == 1, "both models stand in one table"
    maps = list(zip(scores[0]["title"], scores[0]["model"]))
    assert maps[:2] == [("Grad-CAM", "Tiny <model>"), ("Grad-CAM", "Other")]
    assert len({title for title, model in maps if not model}) == len([1 for _, model in maps if not model])
    output = table_with(page, "finding", "Tiny <model>")
    assert {"Tiny <model>", "Other"} <= set(output.columns)


def test_what_experts_say_stays_hidden_until_revealed_where_a_person_wants_it_so(registries, monkeypatch):
    from dashboard.settings.settings import UserSettings
    from dashboard.shared import reference

    misplaced = Note(outline_fit.CODE, "The nodule is outlined outside the chest.", True)
    monkeypatch.setattr(outline_fit, "outline_doubts", lambda film, drawn: (misplaced,) if drawn else ())
    monkeypatch.setattr(reference.settings, "load", lambda: UserSettings(hide_outline=True))
    page = finish(open_with(FAST | {"run": ["1"], "model": ["tiny"], "finding": ["Nodule"]}))
    shown = viewer_data(page)
    assert shown["outlines"] == []
    assert shown["panels"][0]["note"] == "Reference annotations are hidden."
    words = said(page) + str(page.selectbox(key="film_id").options) + str(page.multiselect[0].options)
    assert "outlined" not in words
    assert "film-0" not in words
    assert "peaks" not in words
    assert "Reference annotations are hidden. Scores need an annotation" in words
    assert not any("pixel_auprc" in table.value.columns for table in page.dataframe)
    assert page.query_params["outline"] == "0"
    next(b for b in page.button if b.label == "Reveal the reference").click().run()
    assert not page.exception
    assert [outline["own"] for outline in viewer_data(page)["outlines"]] == [False]
    assert "Green: nodule" in viewer_data(page)["panels"][0]["note"]
    assert misplaced.words in page.warning[0].value
    assert "Nodule (outlined)" in page.multiselect[0].options
    assert table_with(page, "title", "pixel_auprc") is not None


def test_a_link_without_outline_hides_what_experts_say(registries):
    assert viewer_data(open_with(FAST | {"outline": ["0"]}))["outlines"] == []


@pytest.mark.parametrize(
    "query",
    [
        {"film": ["../../etc/passwd"]},
        {"film": ["upload"], "model": ["<script>"], "finding": ["x"]},
        {"method": ["magic"], "set": ["lime.samples:nan"], "seed": ["1e99"], "opacity": ["-1"]},
    ],
)
def test_a_hostile_link_falls_back_with_words(registries, query):
    page = open_with(query)
    assert not page.exception
    assert page.warning
    assert "script>" not in said(page)
    assert page.selectbox(key="film_id").value == "film-0"


def test_a_link_to_an_upload_that_is_gone_shows_no_other_film(registries):
    page = open_with(FAST | {"film": ["upload/0123456789ab"], "run": ["1"]})
    assert not page.exception
    assert "Choose its file again" in said(page)
    assert page.selectbox(key="collection").value == "upload"
    assert not page.get("bidi_component")


def test_without_models_the_page_says_how_to_get_one(registries):
    registries()
    page = open_with({})
    assert not page.exception
    assert "no model" in said(page)


def test_a_model_that_is_not_at_hand_says_how_to_have_it(registries):
    page = open_with({"model": ["away"]})
    assert not page.exception
    assert "lightbox fetch away" in said(page)


@pytest.mark.parametrize("content", [b"", b"not a film", b"\x89PNG\r\n\x1a\nbroken"])
def test_a_bad_upload_says_why_and_keeps_everything_else(registries, content):
    page = open_with(FAST)
    page.selectbox(key="collection").select("upload").run()
    page.file_uploader(key="upload").set_value([("secret-name.png", content, "image/png")]).run()
    assert not page.exception
    assert len(page.error) == 1
    assert "secret-name" not in said(page)
    assert page.selectbox(key="model").value == "tiny"


def test_each_model_has_its_own_exports(registries):
    page = finish(open_with(FAST | {"run": ["1"], "beside": ["other"]}))
    assert not page.exception
    assert [tab.label for tab in page.tabs] == ["Tiny <model>", "Other"]
    which = page.segmented_control(key="export_model")
    assert which.value == "tiny"
    which.set_value("other").run()
    assert not page.exception
    assert page.segmented_control(key="export_model").value == "other"


def test_one_model_asks_for_no_choice_of_export(registries):
    page = finish(open_with(FAST | {"run": ["1"]}))
    assert "export_model" not in {control.key for control in page.segmented_control}


def test_a_drawn_region_stands_beside_the_reference_and_can_be_scored_by_and_saved(registries, monkeypatch, tmp_path):
    from dashboard.compare import regions
    from dashboard.settings.settings import UserSettings
    from dashboard.shared import belongings
    from radiographs import Annotation

    monkeypatch.setattr(regions.settings, "load", lambda: UserSettings(reader="Reader <A>"))
    monkeypatch.setattr(belongings, "person", lambda: "0" * 32)
    monkeypatch.setenv("XAI_LIGHTBOX_HOME", str(tmp_path))
    film, mask = tiny_film()
    belongings.set_regions(film, [Annotation("Nodule", np.roll(mask, 4, axis=1), "box", "you")])
    page = finish(open_with(FAST | {"run": ["1"], "model": ["tiny"], "finding": ["Nodule"]}))
    assert not page.exception
    assert page.text_input(key="own_name").value == "Reader <A>"
    assert {"Mask (PNG)", "COCO (JSON)", "DICOM SEG"} <= {button.label for button in page.get("download_button")}
    assert [outline["own"] for outline in viewer_data(page)["outlines"]] == [False, True]
    note = viewer_data(page)["panels"][0]["note"]
    assert "Green: nodule" in note
    assert "Dashed yellow: nodule, Reader <A>" in note
    assert "Yours against the reference" in said(page)
    assert "Dice 0\\." in said(page) or "Dice 0." in said(page)
    assert "Reader" not in next(str(m.value) for m in page.markdown if "Agreement with the annotation" in str(m.value))
    before = table_with(page, "title", "pixel_auprc")
    page.toggle(key="score_against_mine").set_value(True).run()
    assert not page.exception
    assert "Reader" in next(str(m.value) for m in page.markdown if "Agreement with the annotation" in str(m.value))
    assert not table_with(page, "title", "pixel_auprc").equals(before)
    next(b for b in page.button if b.label == "Undo the last").click().run()
    assert len(viewer_data(page)["outlines"]) == 1
    next(b for b in page.button if b.label == "Redo").click().run()
    assert len(viewer_data(page)["outlines"]) == 2


def test_a_tables_drawing_is_done_once_and_replayed(registries, monkeypatch):
    from dashboard.compare import scores

    page = finish(open_with(FAST | {"run": ["1"]}))
    shown = table_with(page, "title", "pixel_auprc")
    monkeypatch.setattr(scores, "score_table", None)
    page.run()
    assert not page.exception
    assert table_with(page, "title", "pixel_auprc").equals(shown)


def test_what_a_link_starts_can_be_cancelled(registries, monkeypatch):
    import threading

    from xai_methods import Cancelled, get_method

    def wait(request):
        while not request.cancelled():
            threading.Event().wait(0.01)
        raise Cancelled

    monkeypatch.setattr(get_method("jacobian"), "_explain", wait)
    page = open_with({"method": ["jacobian"], "run": ["1"]})
    assert not page.button(key="cancel").disabled
    page.button(key="cancel").click().run()
    finish(page)
    assert panel_words(page)[1] == "Cancelled. Press Run to start it again."
    assert page.button(key="cancel").disabled
