"""Who is at the other end: an account where somebody signed in, else a random name that their browser holds.

A person is known by the digest of either, so that no file and no log holds an account or a cookie.
"""

from __future__ import annotations

import hashlib
import re
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import streamlit as st
from streamlit.auth_util import get_secrets_auth_section
from streamlit.runtime.scriptrunner import get_script_run_ctx

from radiographs.places import home_folder

COOKIE = "lightbox_person"
"""Cookie that holds a browser's random name: 32 hexadecimal digits."""
OPEN_VARIABLE = "XAI_LIGHTBOX_OPEN"
"""Environment variable: 1 lets people of other computers in where nobody signs in; ``--open-to-network`` sets it."""
LOCAL = ("127.0.0.1", "localhost", "::1")
FORWARDED = ("forwarded", "via", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-real-ip")
"""Headers that a proxy adds: who comes with one of them is not at this computer."""
SIGNED_IN_SECONDS = 12 * 3600
"""How long a sign-in holds, whatever the provider says."""
CLOCKS_DIFFER_SECONDS = 60


def name() -> str:
    """The name of the person whose page is drawn: letters and digits, the same after a reload; "" where unknown."""
    if get_script_run_ctx(suppress_warning=True) is None:
        return ""
    account = account_of(signed_in_as(), time.time())
    if account:
        return "a" + _digest(account)
    cookie = dict(st.context.cookies).get(COOKIE, "")
    return "b" + _digest(cookie) if re.fullmatch(r"[0-9a-f]{32}", cookie) else ""


def session() -> str:
    """The server's name of the session whose page is drawn; "nobody" where there is none."""
    context = get_script_run_ctx(suppress_warning=True)
    return context.session_id if context is not None else "nobody"


def sign_in_required() -> bool:
    """Whether the secrets file has a section ``[auth]``, so that people sign in."""
    return bool(get_secrets_auth_section())


def signed_in_as() -> dict[str, Any]:
    """What the provider says of the person whose page is drawn; empty where nobody signed in."""
    said = st.user.to_dict()
    return dict(said) if said.get("is_logged_in") is True else {}


def account_of(said: Mapping[str, Any], now: float) -> str:
    """The account that a provider's words name, "" where they name none or hold no longer.

    Args:
        said: claims of the identity token. now: seconds since 1970.
    """
    issuer, subject, issued = (said.get(claim) for claim in ("iss", "sub", "iat"))
    if not (isinstance(issuer, str) and issuer and isinstance(subject, str) and subject):
        return ""
    if isinstance(issued, bool) or not isinstance(issued, (int, float)):
        return ""
    if not -CLOCKS_DIFFER_SECONDS <= now - issued < SIGNED_IN_SECONDS:
        return ""
    return f"{issuer}\n{subject}"


def is_local() -> bool:
    """Whether the person whose page is drawn sits at this computer: no proxy and no other address on the way."""
    if st.get_option("server.address") not in LOCAL or isinstance(st.context.ip_address, str):
        return False
    headers = {key.lower(): value for key, value in dict(st.context.headers).items()}
    if any(header in headers for header in FORWARDED):
        return False
    return all(_host(headers[key]) in LOCAL for key in ("host", "origin") if headers.get(key))


def _host(value: str) -> str:
    """The host of a ``Host`` or ``Origin`` header, without scheme and port."""
    return re.sub(r":\d+$", "", value.partition("://")[2] or value).strip("[]").lower()


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:31]


def folder(person: str) -> Path:
    """Where a person's own files lie."""
    return home_folder() / "people" / person
