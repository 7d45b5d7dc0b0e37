"""The command line, end to end on files made here."""

from __future__ import annotations

import json

import numpy as np
import pytest
from PIL import Image

import classifiers.registry
from evaluation.cli.parser import build_parser, main, run
from evaluation.scores import score_map
from tests.evaluation.looking import Spots, looker

pytestmark = pytest.mark.usefixtures("unchecked_films")

FIRST = ["pixel_auprc", "pixel_auroc", "pointing_game", "pointing_game_15px", "pointing_game_scaled"]


@pytest.fixture
def files(tmp_path):
    rng = np.random.default_rng(0)
    values = rng.normal(size=(40, 50)).astype(np.float32)
    mask = np.zeros((40, 50), dtype=bool)
    mask[10:20, 10:34] = True
    values[12, 12] = 9
    np.save(tmp_path / "map.npy", values)
    Image.fromarray(mask.astype(np.uint8) * 255).save(tmp_path / "mask.png")
    return tmp_path, values, mask


def score(capsys, *words) -> dict:
    assert main(["score", *map(str, words), "--json"]) == 0
    return json.loads(capsys.readouterr().out, parse_constant=pytest.fail)


def refused(capsys, *words) -> str:
    assert main([str(word) for word in words]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.count("\n") == 1
    assert "Traceback" not in said.err
    return said.err


def test_score_of_an_array_is_the_librarys(capsys, files):
    folder, values, mask = files
    found = score(capsys, "--map", folder / "map.npy", "--mask", folder / "mask.png")
    assert list(found)[:5] == FIRST
    assert found["pointing_game"] == {"value": 1.0, "chance": pytest.approx(0.12)}
    for name, expected in score_map(values, mask).items():
        assert found[name] == {"value": number(expected.value), "chance": number(expected.chance)}


def number(value: float) -> object:
    """What JSON says of it: null where it is undefined."""
    return None if np.isnan(value) else pytest.approx(value)


def test_readings(capsys, files):
    folder, values, mask = files
    for polarity in ("abs", "raw"):
        found = score(capsys, "--map", folder / "map.npy", "--mask", folder / "mask.png", "--polarity", polarity)
        assert found["pixel_auprc"]["value"] == pytest.approx(
            score_map(values, mask, polarity=polarity)["pixel_auprc"].value
        )


@pytest.mark.parametrize("dtype", [np.uint16, np.uint8])
def test_grey_png_maps(capsys, files, dtype):
    folder, _, mask = files
    levels = np.random.default_rng(1).integers(0, np.iinfo(dtype).max, mask.shape).astype(dtype)
    Image.fromarray(levels).save(folder / "map.png")
    np.savez(folder / "mask.npz", mask=mask)
    found = score(capsys, "--map", folder / "map.png", "--mask", folder / "mask.npz")
    assert found["pixel_auprc"]["value"] == pytest.approx(score_map(levels, mask)["pixel_auprc"].value)


def test_on_film_is_preferred_then_values_that_fit(capsys, files):
    folder, values, mask = files
    np.save(folder / "mask.npy", mask)
    np.savez(folder / "both.npz", values=-values, on_film=values, meta=np.array("{}"))
    np.savez(folder / "small.npz", values=values, on_film=np.zeros((80, 100)), meta=np.array("{}"))
    for name in ("both.npz", "small.npz"):
        found = score(capsys, "--map", folder / name, "--mask", folder / "mask.npy")
        assert found["pointing_game"]["value"] == 1


def test_an_empty_mask_gives_null(capsys, files):
    folder, _, mask = files
    np.save(folder / "empty.npy", np.zeros_like(mask))
    found = score(capsys, "--map", folder / "map.npy", "--mask", folder / "empty.npy")
    assert all(entry == {"value": None, "chance": None} for entry in found.values())


def test_score_for_people(capsys, files):
    folder, *_ = files
    assert main(["score", "--map", str(folder / "map.npy"), "--mask", str(folder / "mask.png")]) == 0
    assert "pointing_game" in capsys.readouterr().out


def test_maps_that_cannot_be_scored_are_refused_in_one_line(capsys, files):
    folder, values, _ = files
    mask = ("--mask", folder / "mask.png")
    np.save(folder / "small.npy", values[:20])
    said = refused(capsys, "score", "--map", folder / "small.npy", *mask)
    assert "20 x 50" in said
    assert "40 x 50" in said
    np.save(folder / "nan.npy", np.where(values > 2, np.nan, values))
    assert "not finite" in refused(capsys, "score", "--map", folder / "nan.npy", *mask)
    np.save(folder / "objects.npy", np.array([{"a": 1}], dtype=object), allow_pickle=True)
    assert "Python objects" in refused(capsys, "score", "--map", folder / "objects.npy", *mask)
    (folder / "cut.npz").write_bytes(b"PK\x03\x04 cut short")
    assert "cannot be read" in refused(capsys, "score", "--map", folder / "cut.npz", *mask)
    Image.fromarray(np.random.default_rng(0).integers(0, 255, (40, 50, 3), dtype=np.uint8)).save(folder / "heat.png")
    assert "colour picture" in refused(capsys, "score", "--map", folder / "heat.png", *mask)
    (folder / "map.txt").write_text("1 2 3")
    assert ".npz" in refused(capsys, "score", "--map", folder / "map.txt", *mask)
    assert "no file" in refused(capsys, "score", "--map", folder / "gone.npy", *mask)
    np.save(folder / "words.npy", np.full((40, 50), "a"))
    assert "real numbers" in refused(capsys, "score", "--map", folder / "words.npy", *mask)


def test_wrong_words_are_refused_in_one_line(capsys):
    assert "score" in refused(capsys, "scor")
    assert "--mask" in refused(capsys, "score", "--map", "x.npy")
    assert "nih-boxes" in refused(capsys, "fetch", "everything")


@pytest.mark.parametrize(("command", "known"), [("methods", "grad-cam"), ("metrics", "pixel_auprc")])
def test_lists(capsys, command, known):
    assert main([command, "--json"]) == 0
    rows = json.loads(capsys.readouterr().out, parse_constant=pytest.fail)
    assert known in [row["name"] for row in rows]
    assert main([command]) == 0
    assert known in capsys.readouterr().out


def test_films_and_models_are_lists_of_names(capsys):
    assert main(["films", "--collection", "adult-dicom", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert all(row["name"].startswith("adult-dicom/") for row in rows)
    assert not any("patient" in row for row in rows)
    assert main(["models", "--json"]) == 0
    assert "xrv-densenet121-res224-all" in [row["name"] for row in json.loads(capsys.readouterr().out)]


@pytest.fixture
def film_file(tmp_path, monkeypatch):
    monkeypatch.setattr(classifiers.registry, "load_classifier", lambda name: looker())
    levels = np.round(Spots().read("00").pixels * 65535).astype(np.uint16)
    Image.fromarray(levels).save(tmp_path / "Doe^Jane.png")
    return tmp_path / "Doe^Jane.png"


def test_explain_then_score(capsys, tmp_path, film_file):
    out, mask = tmp_path / "map.npz", tmp_path / "mask.npy"
    np.save(mask, Spots().annotations("00")[0].mask)
    words = ["explain", "--film", str(film_file), "--model", "m", "--finding", "Spot", "--method", "lime"]
    words += ["--seed", "3", "--set", "samples=60", "--out", str(out)]
    assert main(words) == 0
    with np.load(out, allow_pickle=False) as saved:
        assert saved["values"].shape == saved["on_film"].shape == (48, 48)
        meta = json.loads(str(saved["meta"][()]))
    assert (meta["method"], meta["seed"], meta["finding"], meta["parameters"]["samples"]) == ("lime", 3, "Spot", 60)
    assert b"Doe" not in out.read_bytes()
    assert "Doe" not in json.dumps(meta)
    assert [p.name for p in tmp_path.glob("*.part")] == []
    capsys.readouterr()
    assert 0 <= score(capsys, "--map", out, "--mask", mask)["pixel_auprc"]["value"] <= 1


def test_explain_says_what_was_wrong(capsys, tmp_path, film_file):
    def ask(**changed) -> str:
        words = {
            "film": film_file,
            "model": "m",
            "finding": "Spot",
            "method": "lime",
            "out": tmp_path / "m.npz",
        } | changed
        return refused(capsys, "explain", *(text for name, value in words.items() for text in (f"--{name}", value)))

    assert "Spot" in ask(finding="Fracture")
    assert "lime" in ask(method="limes")
    assert "NAME=VALUE" in ask(set="samples")
    assert "samples" in ask(set="samples=-1")
    assert "unknown parameter" in ask(set="sample=10")
    assert ".npz" in ask(out=tmp_path / "map.png")
    assert "folder" in ask(out=tmp_path / "none" / "map.npz")
    assert "neither a file" in ask(film=tmp_path / "gone.png")


def test_commands_can_be_added(capsys):
    parser, commands = build_parser()
    commands.add_parser("hello").set_defaults(run=lambda asked: 7)
    assert run(parser, ["hello"]) == 7


def test_interrupting_is_no_traceback(capsys):
    def interrupt(asked):
        raise KeyboardInterrupt

    parser, commands = build_parser()
    commands.add_parser("wait").set_defaults(run=interrupt)
    assert run(parser, ["wait"]) == 130
    assert "Traceback" not in capsys.readouterr().err
