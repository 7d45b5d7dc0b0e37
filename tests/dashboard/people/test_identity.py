"""Who is who: accounts from claims, local people from what their request bears."""

from __future__ import annotations

import types

import pytest

from dashboard.people import identity
from dashboard.shared import admission

NOW = 1_800_000_000.0
GOOD = {"is_logged_in": True, "iss": "https://login", "sub": "42", "iat": NOW - 60}


@pytest.mark.parametrize(
    "change",
    [
        {"iss": None}, {"iss": ""}, {"sub": None}, {"sub": ""}, {"sub": 42}, {"sub": ["42"]}, {"iat": None},
        {"iat": "1800000000"}, {"iat": True}, {"iat": float("nan")}, {"iat": NOW - identity.SIGNED_IN_SECONDS},
        {"iat": NOW + 3600},
    ],
)  # fmt: skip
def test_an_account_needs_issuer_subject_and_a_sign_in_that_still_holds(change):
    assert identity.account_of(GOOD, NOW) == "https://login\n42"
    assert identity.account_of(GOOD | change, NOW) == ""


class _Context:
    def __init__(self, headers=(), ip=None, cookies=()):
        self.headers, self.ip_address, self.cookies = dict(headers), ip, dict(cookies)


def came_with(monkeypatch, *, address="127.0.0.1", user=(), auth=False, **given) -> None:
    made = types.SimpleNamespace(
        context=_Context(**given),
        user=types.SimpleNamespace(to_dict=lambda: dict(user)),
        get_option={"server.address": address}.get,
    )
    monkeypatch.setattr(identity, "st", made)
    monkeypatch.setattr(identity, "get_secrets_auth_section", lambda: {"client_id": "x"} if auth else {})
    monkeypatch.setattr(identity, "get_script_run_ctx", lambda **_: types.SimpleNamespace(session_id="s"))


@pytest.mark.parametrize(
    ("given", "local"),
    [
        ({}, True),
        ({"headers": {"Host": "127.0.0.1:8501", "Origin": "http://127.0.0.1:8501"}}, True),
        ({"headers": {"Host": "localhost:8501"}}, True),
        ({"headers": {"Host": "[::1]:8501"}}, True),
        ({"address": "0.0.0.0"}, False),
        ({"address": None}, False),
        ({"ip": "10.0.0.7"}, False),
        ({"headers": {"Host": "lightbox.example.org"}}, False),
        ({"headers": {"Host": "127.0.0.1:8501", "Origin": "https://lightbox.example.org"}}, False),
        ({"headers": {"Host": "127.0.0.1.example.org"}}, False),
        *[({"headers": {"Host": "127.0.0.1", name.title(): "127.0.0.1"}}, False) for name in identity.FORWARDED],
    ],
)  # fmt: skip
def test_a_proxy_makes_nobody_local(monkeypatch, given, local):
    came_with(monkeypatch, **given)
    monkeypatch.delenv(identity.OPEN_VARIABLE, raising=False)
    assert identity.is_local() == local
    assert (admission.refusal() == "") == local
    monkeypatch.setenv(identity.OPEN_VARIABLE, "1")
    assert admission.refusal() == ""


def test_where_people_sign_in_nobody_comes_in_without(monkeypatch):
    monkeypatch.setenv(identity.OPEN_VARIABLE, "1")
    monkeypatch.setattr(admission.time, "time", lambda: NOW)
    for user, words in (((), "Sign in"), (GOOD | {"iat": 0}, "run out"), (GOOD | {"sub": ""}, "names no account")):
        came_with(monkeypatch, auth=True, user=user)
        assert words in admission.refusal()
    came_with(monkeypatch, auth=True, user=GOOD)
    assert admission.refusal() == ""
    came_with(monkeypatch, auth=True, user=GOOD | {"is_logged_in": "yes"})
    assert "Sign in" in admission.refusal()


def test_a_name_is_the_accounts_else_the_browsers_and_never_either_itself(monkeypatch):
    monkeypatch.setattr(identity.time, "time", lambda: NOW)
    cookie = "0123456789abcdef" * 2
    came_with(monkeypatch, cookies={identity.COOKIE: cookie})
    browser = identity.name()
    came_with(monkeypatch, cookies={identity.COOKIE: cookie}, user=GOOD)
    account = identity.name()
    assert (browser[0], account[0], len(browser), len(account)) == ("b", "a", 32, 32)
    assert cookie not in browser
    came_with(monkeypatch, user=GOOD)
    assert identity.name() == account
    for odd in ("../../etc", cookie.upper(), cookie + "0", ""):
        came_with(monkeypatch, cookies={identity.COOKIE: odd})
        assert identity.name() == ""
