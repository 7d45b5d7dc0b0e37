"""An error that nobody foresaw, in any part of any page: one sentence with a number, and the rest of the page stays."""

from __future__ import annotations

import ast
import re
from importlib import import_module
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from tests.evaluation.runs.made import made_store
from tests.pages.conftest import APP
from tests.pages.test_counterfactual import explained  # noqa: F401
from tests.pages.test_stability import finish

pytestmark = pytest.mark.usefixtures("through_app")
ROOT = Path(__file__).resolve().parents[2]
NAME = "DOE^JANE 1956"
SAID = re.compile(
    r"^[A-Z][^.]* because of an unforeseen error; what you chose is kept, and the program's log has the details under "
    r"number ([0-9A-F]{6})\.$"
)
WHOLE, PART = "This page cannot be shown", "This part of the page cannot be shown"
PARTS = {
    "compare": {
        "compare.page.choose": WHOLE,
        "compare.facts.draw_facts": "What is known of the film",
        "compare.regions.draw_own": "What is known of the film",
        "compare.page.draw_results": PART,
        "compare.page.draw_finding": "Nodule",
        "compare.page.draw_downloads": "The exports",
        "compare.finding_view.draw_scores": "The scores",
        "compare.gate.draw_gate": "The validity gate",
        "compare.finding_view._draw_agreement": "How far the maps agree",
        "compare.scorecard.draw_scorecard": "The scorecard",
        "shared.tour._show": None,
        "shared.choosing._filtered": WHOLE,
    },
    "stability": {
        "stability.page.choose": WHOLE,
        "stability.page.draw_verdict": "The verdict",
        "stability.page.draw_slider": PART,
        "stability.page.draw_findings": PART,
        "stability.page.draw_perturbed": PART,
        "stability.page.draw_spectrum": "What moves together",
        "stability.page.draw_availability": "Whether it can be computed",
        "stability.page.draw_download": "The report",
    },
    "counterfactual": {
        "counterfactual.page.choose": WHOLE,
        "counterfactual.page.draw_player": "The film",
        "counterfactual.page.draw_course": "The course",
        "counterfactual.page.draw_downloads": "The files",
        "counterfactual.page.draw_trust": "The reconstruction",
    },
    "benchmark": {
        "benchmark.page.choose": WHOLE,
        "benchmark.page.draw_status": PART,
        "benchmark.results.draw": "The results",
    },
    "methods": {"methods.cards.draw_index": WHOLE},
    "library": {
        "library.page.draw_extension_problems": "Extensions",
        "library.page._draw_collection": None,
        "library.page.draw_disk_use": "The room on disk",
    },
    "settings": {"settings.form.draw": WHOLE},
    "about": {"shared.tour.begin": None},
}


def opened(name: str) -> AppTest:
    page = AppTest.from_file(APP, default_timeout=60)
    if name == "compare":
        page.query_params["method"] = ["grad-cam", "input-x-gradient"]
        page.query_params["run"] = "1"
    page.run()
    if name != "compare":
        page.switch_page(f"pages/{name}.py").run()
    return finish(page)


def errors(page: AppTest) -> list[str]:
    return [error.value for error in page.error if "unforeseen" in error.value]


@pytest.mark.parametrize("name", PARTS)
def test_an_error_in_any_part_is_one_sentence(name, explained, tmp_path, monkeypatch, caplog):  # noqa: F811
    monkeypatch.setenv("XAI_LIGHTBOX_HOME", str(tmp_path))
    made_store(tmp_path / "benchmarks" / "made")
    page = opened(name)
    assert not page.exception
    assert not errors(page)
    before = {key: page.session_state[key] for key in ("film_id", "model", "own_regions") if key in page.session_state}
    raised = []

    def breaks(*args, **kwargs):
        raised.append(args)
        raise TypeError(NAME)

    for part, words in PARTS[name].items():
        module, _, function = part.rpartition(".")
        raised.clear()
        caplog.clear()
        with monkeypatch.context() as patched:
            patched.setattr(import_module(f"dashboard.{module}"), function, breaks)
            page.run()
            if part == "shared.tour.begin":
                page.button(key="begin_tour").click().run()
        assert not page.exception, part
        said = errors(page)
        assert len(said) == len(raised), part
        assert words is None or said[0].startswith(words), part
        for sentence in said:
            number = SAID.match(sentence)[1]
            assert caplog.text.count(number) == 1, part
            assert not {"DOE", "http"} & set(re.findall("DOE|http", caplog.text + sentence)), part
    finish(page)
    assert not errors(page)
    assert {key: page.session_state[key] for key in before} == before


def test_an_error_in_a_dialog_or_a_callback_is_one_sentence(registries, monkeypatch, caplog):
    from dashboard.shared import gallery

    page = opened("compare")

    def breaks(*args, **kwargs):
        raise TypeError(NAME)

    with monkeypatch.context() as patched:
        patched.setattr(gallery, "PAGE", None)
        page.sidebar.button[0].click().run()
        assert not page.exception
        assert errors(page)[0].startswith("This dialog cannot be shown")
    monkeypatch.setattr(gallery, "_take", breaks)
    page.sidebar.button[0].click().run()
    assert not errors(page)
    page.button(key="take film-1").click().run()
    assert not page.exception
    assert errors(page)[0].startswith("What you pressed could not be done")
    assert page.session_state["film_id"] == "film-0"
    assert NAME not in caplog.text


def test_every_callback_and_every_dialog_is_guarded():
    bare = []
    for path in [*ROOT.glob("pages/*.py"), *ROOT.glob("dashboard/**/*.py"), ROOT / "app.py"]:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.keyword) and node.arg in ("on_click", "on_dismiss"):
                guarded = isinstance(node.value, ast.Call) and ast.unparse(node.value.func) == "safely"
                if not guarded and not isinstance(node.value, ast.Constant):
                    bare.append(f"{path.name}:{node.value.lineno}")
            if isinstance(node, ast.Attribute) and ast.unparse(node) == "st.dialog" and path.name != "fragments.py":
                bare.append(f"{path.name}:{node.lineno}")
    assert bare == []
