"""Sign-in by OpenID Connect against a provider on this computer: who is let in, who is not, and as what."""

from __future__ import annotations

import json
import time

import pytest

from tests.browser.conftest import PATIENCE, opened_study, served

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(300)]
STUDY = """
name = "Masses"
model = "known-truth"
finding = "Mass"
arms = [{kind = "none"}, {kind = "random"}]
cases = [{film = "known-truth/mass-01"}, {film = "known-truth/normal-01"}]
"""
SECRET = "0123456789abcdef" * 4
COOKIE = "_streamlit_user"


@pytest.fixture
def signing(tmp_path):
    """A dashboard where people sign in; yields its address."""
    mock = pytest.importorskip("oidc_provider_mock", reason="needs the oidc-provider-mock package")
    pytest.importorskip("authlib", reason="needs the Authlib package")
    from benchmarks.viewer import free_port

    known = [mock.User(sub="ada", claims={"email": "ada@example.org"}), mock.User(sub="bob")]
    port = free_port()
    with mock.run_server_in_thread(user_claims=known) as provider:
        (tmp_path / "settings.json").write_text('{"keepers": ["ada@example.org"]}')
        (tmp_path / ".streamlit").mkdir()
        (tmp_path / ".streamlit" / "secrets.toml").write_text(
            f"""
            [auth]
            redirect_uri = "http://127.0.0.1:{port}/oauth2callback"
            cookie_secret = "{SECRET}"
            client_id = "lightbox"
            client_secret = "secret"
            server_metadata_url = "http://localhost:{provider.server_port}/.well-known/openid-configuration"
            """
        )
        with served(tmp_path, port=port, HOME=str(tmp_path), AUTHLIB_INSECURE_TRANSPORT="1") as address:
            yield address


def sign_in(page, address: str, name: str) -> None:
    page.goto(f"{address}/library", wait_until="commit")
    page.get_by_role("button", name="Sign in").click()
    page.locator("input[name=sub]").fill(name)
    page.locator("button[type=submit], input[type=submit]").first.click()


def signed(address: str, secret: str = SECRET, **claims) -> str:
    from streamlit.web.server.starlette.starlette_app_utils import create_signed_value

    content = {"origin": address, "is_logged_in": True} | claims
    return create_signed_value(secret, COOKIE, json.dumps(content)).decode()


def test_who_signs_in_comes_in_and_no_other_token_does(page, signing, tmp_path):
    study, _ = opened_study(tmp_path, STUDY)
    browser, now = page.context.browser, int(time.time())
    ada, bob = browser.new_context().new_page(), browser.new_context().new_page()
    for one in (ada, bob):
        one.set_default_timeout(PATIENCE * 1000)
    for one, name in ((ada, "ada"), (bob, "bob")):
        sign_in(one, signing, name)
        one.get_by_text("Compare explanations").first.wait_for()
        one.goto(f"{signing}/library?part=folder", wait_until="commit")
    ada.get_by_role("button", name="Scan folder").wait_for()
    bob.get_by_text("added by a keeper").wait_for()
    assert bob.get_by_role("button", name="Scan folder").count() == 0

    for number, (one, name) in enumerate(((bob, "bob"), (ada, "ada")), start=1):
        one.goto(f"{signing}/study", wait_until="commit")
        one.get_by_role("button", name="Take part").click()
        one.get_by_role("button", name="Begin", exact=True).click()
        one.get_by_text("0 of 2 answered").wait_for()
        assert len(study.readers) == 1 + number, f"{name} is no reader of their own"

    whole = {"iss": "http://localhost", "sub": "eve", "roles": "keeper", "iat": now}
    forged = (
        (signed(signing, secret="another secret" * 4, **whole), "Sign in to use"),
        (signed(signing, **whole)[:-4] + "AAAA", "Sign in to use"),
        (signed("http://elsewhere.example", **whole), "Sign in to use"),
        (signed(signing, **whole | {"iat": now - 13 * 3600}), "has run out"),
        (signed(signing), "has run out"),
    )
    for cookie, words in forged:
        context = browser.new_context()
        context.add_cookies([{"name": COOKIE, "value": cookie, "url": signing}])
        eve = context.new_page()
        eve.set_default_timeout(PATIENCE * 1000)
        eve.goto(signing, wait_until="commit")
        eve.get_by_text(words).wait_for()
        assert eve.get_by_text("Compare explanations").count() == 0
        context.close()
    for one in (ada, bob):
        one.context.close()
    opened = [json.loads(line) for line in (tmp_path / "audit" / "audit.jsonl").read_text().splitlines()]
    assert len({line["person"] for line in opened}) == 2
    assert "ada" not in json.dumps([line | {"person": ""} for line in opened])
