"""Figures of counterfactual films as a table: what is undefined is a dash, and every mean has its interval and n."""

from evaluation.counterfactuals.table import as_markdown, interval


def value(number: float | None, films: int = 7) -> dict:
    return {"value": number, "low": number, "high": number, "films": films}


def test_an_interval_names_its_films_and_an_undefined_one_is_a_dash():
    assert interval(value(0.5)) == "0.50 (0.50 to 0.50), 7"
    assert interval(value(0.0123)) == "0.0123 (0.0123 to 0.0123), 7"
    assert interval(value(None)) == interval(None) == "–"


def test_a_column_stands_for_each_finding_and_a_row_for_each_measure():
    found = {
        "films": 9,
        "measured": {"flipped": value(0.9)},
        "devices": {},
        "spearman_over_all": 0.97,
        "realism": {"identity": value(1.0), "frechet": 3.2, "frechet_of_half": 5.0, "frechet_of_real_halves": 4.9},
    }
    text = as_markdown({"model": "tiny", "method": "latent-shift", "findings": {"Effusion": found, "Mass": found}})
    rows = {line.split(" | ")[0].strip("| "): line for line in text.splitlines()}
    assert "| Pleural effusion | Mass |" in text
    assert rows["Decision flips"].count("0.90 (0.90 to 0.90), 7") == 2
    assert rows["Devices still visible (edge energy within 20 %)"].count("–") == 2
    assert "0.970" in rows["Target and achieved, rank correlation over all films"]
