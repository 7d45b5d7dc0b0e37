"""Roles come from claims and lists, and decide over actions where these are carried out."""

from __future__ import annotations

import json

import pytest

from dashboard.people import audit, identity, roles
from dashboard.people.roles import NotAllowedError, Role, role_of
from dashboard.settings import house
from dashboard.settings.house import HouseSettings

HOUSE = HouseSettings(keepers=frozenset({"ada@x.org"}), researchers=frozenset({"sub-7"}))


@pytest.mark.parametrize(
    ("said", "role"),
    [
        ({}, Role.READER),
        ({"email": "ada@x.org"}, Role.KEEPER),
        ({"email": "ada@x.org", "email_verified": False}, Role.READER),
        ({"email": ["ada@x.org"]}, Role.READER),
        ({"sub": "sub-7"}, Role.RESEARCHER),
        ({"roles": "keeper"}, Role.KEEPER),
        ({"roles": ["other", "researcher"]}, Role.RESEARCHER),
        ({"roles": {"keeper": True}}, Role.READER),
        ({"roles": "keepers"}, Role.READER),
        ({"roles": [["keeper"]]}, Role.READER),
    ],
)
def test_a_role_comes_from_a_claim_or_a_list(said, role):
    assert role_of(said, HOUSE) == role


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("XAI_LIGHTBOX_HOME", str(tmp_path))
    return tmp_path


def test_senseless_house_settings_give_nobody_more_rights(home):
    for content in ("{", "[]", json.dumps({"keepers": "ada", "newcomers": "king", "guests": 3, "role_claim": ""})):
        (home / "settings.json").write_text(content)
        assert house.load() == HouseSettings()
    (home / "settings.json").write_text(json.dumps({"keepers": ["a", 3], "newcomers": "researcher"}))
    assert house.load() == HouseSettings(keepers=frozenset({"a"}), newcomers="researcher")


def test_what_nobody_is_known_to_own_is_a_keepers(home, monkeypatch):
    monkeypatch.setattr(identity, "name", lambda: "")
    monkeypatch.setattr(roles, "role", lambda: Role.RESEARCHER)
    with pytest.raises(NotAllowedError, match="keeper"):
        roles.permit("run", "of a browser without a cookie", owner="")


def test_an_action_is_refused_where_it_is_carried_out_and_noted(home, monkeypatch):
    monkeypatch.setattr(identity, "name", lambda: "b1")
    monkeypatch.setattr(roles, "role", lambda: Role.RESEARCHER)
    roles.permit("run", "mine", owner="b1")
    with pytest.raises(NotAllowedError, match="keeper"):
        roles.permit("run", "another's", owner="b2")
    with pytest.raises(NotAllowedError, match="keeper"):
        roles.permit("remove", "secret-folder")
    monkeypatch.setattr(roles, "role", lambda: None)
    with pytest.raises(NotAllowedError):
        roles.permit("upload")
    lines = [json.loads(line) for line in audit.path().read_text().splitlines()]
    actions = [line["action"] for line in lines]
    assert actions == ["run", "refused: run", "refused: remove", "refused: upload"]
    assert {line["person"] for line in lines} == {"b1"}
    assert "secret" not in audit.path().read_text()
    assert audit.path().stat().st_mode & 0o077 == 0


def test_the_trail_is_rotated_and_a_full_disk_stops_nobody(home, monkeypatch):
    monkeypatch.setattr(audit, "LARGEST_BYTES", 400)
    monkeypatch.setattr(audit, "FILES", 3)
    for _ in range(20):
        audit.note("open")
    files = sorted(path.name for path in audit.path().parent.iterdir())
    assert files == ["audit.jsonl", "audit.jsonl.1", "audit.jsonl.2"]
    (home / "file").write_text("")
    monkeypatch.setenv("XAI_LIGHTBOX_HOME", str(home / "file" / "below"))
    audit.note("open")
