"""Plans: what is written is read back, and what is wrong is named with the nearest right word."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from evaluation.runs.plan import Plan, PlanError, parse_plan, read_plan
from evaluation.runs.selection import films_of, open_plan, work_items
from evaluation.runs.template import plan_text
from evaluation.scores import headline_metrics, localisation_metrics
from radiographs.registry import get_collection
from tests.evaluation.runs.conftest import FILMS, OUTLINED

ROOT = Path(__file__).resolve().parents[3]
LEAST = 'collections = ["folder-1"]\nclassifiers = ["tiny-net"]\n'


def test_defaults_are_the_headline_scores_and_the_main_methods() -> None:
    plan = parse_plan(LEAST)
    assert plan.metrics == tuple(headline_metrics())
    assert [variant.method for variant in plan.methods] == ["lime", "kernel-shap", "grad-cam", "lrp", "jacobian"]
    assert plan.methods[0].parameters["samples"] == 500


def test_a_sweep_gives_every_combination() -> None:
    plan = parse_plan(LEAST + '[[methods]]\nname = "rise"\nsweep = { masks = [100, 200], cells = [5, 7, 9] }\n')
    assert len({variant.digest for variant in plan.methods}) == 6
    assert {variant.parameters["cells"] for variant in plan.methods} == {5, 7, 9}


def test_what_is_written_is_read_back() -> None:
    text = 'name = "a \\"b\\" \\\\ é"\nmaps = true\nseeds = [3, 1]\nmetrics = ["localisation", "gini_sparseness"]\n'
    plan = parse_plan(text + LEAST + '[[methods]]\nname = "lime"\nparameters = { samples = 100, hide = "black" }\n')
    assert len(plan.localisation) == len(localisation_metrics())
    assert set(plan.metrics) - set(plan.localisation) == {"gini_sparseness"}
    assert parse_plan(plan_text(plan)) == plan


def test_a_key_by_its_former_name_is_read() -> None:
    assert parse_plan(LEAST + "reading = 'abs'").polarity == "abs"


@pytest.mark.parametrize("path", sorted((ROOT / "plans").glob("*.toml")), ids=lambda path: path.stem)
def test_the_shipped_plans_can_be_read(path: Path) -> None:
    assert read_plan(path).metrics


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("colections = ['a']", "unknown key 'colections'; did you mean 'collections'"),
        ("collections = ['a']", "classifiers: name at least one"),
        (LEAST + "metrics = ['pointing_gam']", "did you mean 'pointing_game'"),
        (LEAST + "baselines = ['uniforn']", "did you mean 'uniform'"),
        (LEAST + "[[methods]]\nname = 'grad-cm'", "did you mean 'grad-cam'"),
        (LEAST + "[[methods]]\nname = 'lime'\nparameters = { sampels = 1 }", "did you mean 'samples'"),
        (LEAST + "[[methods]]\nname = 'lime'\nparameters = { samples = 1 }", "samples: expected"),
        (LEAST + "[[methods]]\nname = 'lime'\nsweep = { samples = 100 }", "expected a list of values"),
        (LEAST + "[[methods]]\nname = 'lime'\n[[methods]]\nname = 'lime'", "twice"),
        (LEAST + "per_finding = -1", "per_finding: expected a whole number"),
        (LEAST + "held_out = 1", "held_out: expected true or false"),
        (LEAST + "seeds = []", "seeds: name at least one"),
        (LEAST + "films = 'outline'", "films: expected one of outlined, labelled, all"),
        (LEAST + "metrics = ['agreement_ssim']", "name at least two classifiers"),
        ("collections = [", "not TOML"),
    ],
)
def test_what_is_wrong_is_named(text: str, words: str) -> None:
    with pytest.raises(PlanError) as caught:
        parse_plan(text)
    assert words in str(caught.value)


def test_a_plan_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(PlanError, match="there is no plan"):
        read_plan(tmp_path / "none.toml")
    with pytest.raises(PlanError, match="is a folder; name the plan"):
        read_plan(tmp_path)


def test_the_published_plan_stands() -> None:
    plan = read_plan(ROOT / "plans" / "published.toml")
    assert len(plan.methods) == 5
    assert set(plan.localisation) <= set(localisation_metrics())


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"collections": ("folder-2",)}, "did you mean 'folder-1'"),
        ({"classifiers": ("tiny-nett",)}, "did you mean 'tiny-net'"),
        ({"findings": ("Nodul",)}, "did you mean 'Nodule'"),
        ({"findings": ("Effusion",)}, "no film fits"),
        ({"collections": ("adult-dicom",), "films": "all"}, "pointing_game needs outlines"),
    ],
)
def test_what_the_shelves_do_not_have_is_named_before_any_work(plan: Plan, change: dict, words: str) -> None:
    from dataclasses import replace

    with pytest.raises(PlanError) as caught:
        open_plan(replace(plan, **change))
    assert words in str(caught.value)


def test_films_and_questions(plan: Plan) -> None:
    from dataclasses import replace

    (model,) = open_plan(plan)
    collection = get_collection("folder-1")
    assert len(films_of(plan, model, collection)) == OUTLINED
    assert len(films_of(replace(plan, films="labelled"), model, collection)) == FILMS
    drawn = [entry.film_id for entry, _ in films_of(replace(plan, per_finding=4), model, collection)]
    assert len(drawn) == 4
    assert drawn == [entry.film_id for entry, _ in films_of(replace(plan, per_finding=4), model, collection)]
    more = [entry.film_id for entry, _ in films_of(replace(plan, per_finding=7), model, collection)]
    assert len(more) == 7
    assert set(drawn) < set(more)
    other = [entry.film_id for entry, _ in films_of(replace(plan, per_finding=4, draw_seed=1), model, collection)]
    assert other != drawn
    found = list(work_items(replace(plan, films="labelled"), [model]))
    keys = [question.key for item in found for question in item.requests]
    assert len(set(keys)) == len(keys)
    (bare,) = [item for item in found if not any(q.kind == "baseline" for q in item.requests)]
    assert {metric for question in bare.requests for metric in question.metrics} == {"gini_sparseness"}


def test_what_is_answered_or_failed_is_left_out(plan: Plan) -> None:
    (model,) = open_plan(plan)
    first, *rest = list(work_items(plan, [model]))
    answered = {question.key: frozenset(question.metrics) for question in first.requests}
    assert list(work_items(plan, [model], answered)) == rest
    one = first.requests[0]
    (again, *_) = work_items(plan, [model], {**answered, one.key: frozenset(one.metrics[1:])})
    assert [question.metrics for question in again.requests] == [one.metrics[:1]]
    assert list(work_items(plan, [model], {}, dict.fromkeys(answered, frozenset({""})))) == rest


@pytest.mark.parametrize("name", ["jobqueue.yaml", "kubernetes.yaml"])
def test_the_cluster_examples_are_yaml(name: str) -> None:
    found = yaml.safe_load((ROOT / "docs" / "cluster" / name).read_text(encoding="utf-8"))
    if name == "jobqueue.yaml":
        assert {"cores", "processes", "memory", "walltime"} <= set(found["jobqueue"]["slurm"])
    else:
        assert found["kind"] == "DaskCluster"
        for part in ("worker", "scheduler"):
            (container,) = found["spec"][part]["spec"]["containers"]
            assert container["args"][0] == f"dask-{part}"
    compile((ROOT / "docs" / "cluster" / "slurm.py").read_text(encoding="utf-8"), "slurm.py", "exec")
