import pytest

from radiographs.findings import FURTHER_FINDINGS, NIH_FINDINGS, canonical, display_name, is_named


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("Pleural Effusion", "Effusion"),
        ("Pleural effusion", "Effusion"),
        ("pleural_effusion", "Effusion"),
        ("Infiltrate", "Infiltration"),
        ("Airspace Opacity", "Lung Opacity"),
        ("Pleural thickening", "Pleural_Thickening"),
        ("Pulmonary fibrosis", "Fibrosis"),
        ("Nodule/Mass", "Nodule/Mass"),
        ("No finding", "No Finding"),
        ("ggo", "Ground-glass opacity"),
        (" left_lung ", "left_lung"),
    ],
)
def test_aliases_become_the_one_name(given, expected):
    assert canonical(given) == expected


@pytest.mark.parametrize("name", NIH_FINDINGS + FURTHER_FINDINGS)
def test_a_canonical_name_stays_itself(name):
    assert canonical(name) == name
    assert canonical(name.upper()) == name


def test_a_finding_is_named_by_any_of_its_spellings():
    assert is_named("Effusion", ["Mass", "pleural_effusion"])
    assert is_named("Pleural Effusion", ["effusion"])
    assert is_named("My sign", [" My sign"])
    assert not is_named("Nodule", ["Nodule/Mass", "Mass"])
    assert not is_named("Effusion", [])


def test_distinct_findings_are_kept_apart():
    assert len({canonical(name) for name in NIH_FINDINGS + FURTHER_FINDINGS}) == len(NIH_FINDINGS + FURTHER_FINDINGS)
    assert canonical("Nodule") != canonical("Nodule/Mass") != canonical("Mass")


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("Pleural_Thickening", "Pleural thickening"),
        ("Effusion", "Pleural effusion"),
        ("Lung Opacity", "Lung opacity"),
        ("Nodule/Mass", "Nodule/mass"),
        ("left_lung", "Left lung"),
        ("ett", "Endotracheal tube"),
        ("Infiltrate", "Infiltration"),
        ("", ""),
    ],
)
def test_names_for_people(name, shown):
    assert display_name(name) == shown
