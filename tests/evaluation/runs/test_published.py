"""A run's result as one file: what it holds, what it does not, and that it is reported as the run is."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
import pytest

from evaluation.cli.parser import main
from evaluation.runs.published import PublishedError, open_results
from evaluation.runs.report import provenance_of
from evaluation.runs.store import Store
from evaluation.runs.tables import leaderboard, pairs_of, verdicts
from radiographs.places import HOME_VARIABLE
from tests.evaluation.runs.made import made_store

SECRET = "mueller-anna"


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    monkeypatch.setenv(HOME_VARIABLE, str(tmp_path / "home"))
    made = made_store(tmp_path / SECRET)
    plan = made.folder / "plan.toml"
    plan.write_text(plan.read_text() + f'[[methods]]\nname = "mine"\nmaps = "{SECRET}"\n')
    failed = {"question": "q", "collection": "tiny-films", "film_id": SECRET, "finding": "Nodule", "classifier": "tiny"}
    made.write([], [failed | {"method": "mine", "metric": "", "reason": f"{SECRET}.npy has 3 x 3 pixels"}], {})
    return made


@pytest.mark.parametrize("suffix", ["json", "parquet"])
def test_a_published_run_is_reported_as_the_run_is_and_names_nobody(store: Store, tmp_path: Path, suffix: str) -> None:
    out = tmp_path / f"result.{suffix}"
    assert main(["publish", str(store.folder), str(out)]) == 0
    scores = store.query("SELECT * FROM scores")
    content = out.read_bytes()
    if suffix == "parquet":
        content = (
            json.dumps(pq.read_table(out).to_pydict()).encode()
            + json.dumps({k.decode(): v.decode() for k, v in pq.read_schema(out).metadata.items()}).encode()
        )
    for secret in (SECRET, str(tmp_path), "film-0-0", '"p0"'):
        assert secret.encode() not in content
    (pair,) = pairs_of(store)
    here = leaderboard(store, pair, ["pixel_auprc"], draws=200)
    with open_results(out) as read:
        assert pairs_of(read) == [pair]
        pd.testing.assert_frame_equal(here, leaderboard(read, pair, ["pixel_auprc"], draws=200))
        assert len(read.query("SELECT * FROM scores")) == len(scores)
        assert read.failures().reason.tolist() == ["the reason is not published"]
        assert provenance_of(read, pair) == provenance_of(store, pair)
        assert {f: v.status for f, v in verdicts(read, pair).items()} == dict.fromkeys(
            ["Effusion", "Nodule"], "not measured"
        )


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("format", "another", "of another format"),
        ("verdicts", {"tiny-films/tiny": {"Nodule": {"status": "passed", "reason": "", "power": 1}}}, "no known kind"),
        ("provenance", {"a/b": [3]}, "no list of sentences"),
        ("failures", [{}], "holds no results"),
        ("collection", "../../x", "is no name"),
        ("value", "much", "is damaged"),
    ],
)
def test_a_file_that_was_meddled_with_is_refused(
    store: Store, tmp_path: Path, key: str, value: object, words: str
) -> None:
    out = tmp_path / "result.json"
    main(["publish", str(store.folder), str(out)])
    content = json.loads(out.read_text())
    if key in content:
        content[key] = value
    else:
        content["scores"][key][0] = value
    out.write_text(json.dumps(content))
    with pytest.raises(PublishedError, match=words), open_results(out):
        pass


def test_a_run_without_scores_and_other_files_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    assert main(["publish", str(tmp_path), str(tmp_path / "x.json")]) == 2
    assert "has no scores yet" in capsys.readouterr().err
    (tmp_path / "x.txt").write_text("x")
    assert main(["report", str(tmp_path / "x.txt")]) == 2
    assert "neither the folder of a run" in capsys.readouterr().err
