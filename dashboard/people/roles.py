"""Who may do what: the one place where an action is allowed or refused, and where the audit trail hears of it."""

from __future__ import annotations

import time
from collections.abc import Mapping
from enum import IntEnum
from typing import Any

from dashboard.people import audit, identity
from dashboard.settings import house
from dashboard.settings.house import HouseSettings


class Role(IntEnum):
    """What a person may do; each role may also do what those before it may."""

    READER = 1
    """Looks, explains, draws, uploads, exports."""
    RESEARCHER = 2
    """Starts benchmark runs and measurements, and stops their own."""
    KEEPER = 3
    """Folders, models, downloads, removal, other people's runs."""


ACTIONS = {
    "open": Role.READER,
    "upload": Role.READER,
    "teach": Role.READER,
    "measure": Role.RESEARCHER,
    "run": Role.RESEARCHER,
    "look into folder": Role.KEEPER,
    "add folder": Role.KEEPER,
    "add model": Role.KEEPER,
    "fetch": Role.KEEPER,
    "remove": Role.KEEPER,
}
"""The role that each action needs."""


class NotAllowedError(PermissionError):
    """A person may not do what they want to. The message says so, and who may."""


def role_of(said: Mapping[str, Any], settings: HouseSettings) -> Role:
    """The role of an account.

    Args:
        said: what the provider says of it. settings: the house's.
    """
    verified = said.get("email_verified") is not False
    names = {name for name in (said.get("sub"), said.get("email") if verified else None) if isinstance(name, str)}
    given = said.get(settings.role_claim)
    roles = given if isinstance(given, list) else [given]
    if names & settings.keepers or "keeper" in roles:
        return Role.KEEPER
    if names & settings.researchers or "researcher" in roles:
        return Role.RESEARCHER
    return Role[settings.newcomers.upper()]


def role() -> Role | None:
    """The role of the person whose page is drawn; None where they have to sign in first."""
    if identity.sign_in_required():
        said = identity.signed_in_as()
        return role_of(said, house.load()) if identity.account_of(said, time.time()) else None
    return Role.KEEPER if identity.is_local() else Role[house.load().guests.upper()]


def may(action: str) -> bool:
    """Whether the person whose page is drawn may do ``action``."""
    held = role()
    return held is not None and held >= ACTIONS[action]


def permit(action: str, what: str = "", *, owner: str | None = None) -> None:
    """Let an action pass and write it into the audit trail, or refuse it.

    Args:
        action: one of :data:`ACTIONS`. what: what it is done to; its digest is written.
        owner: whose it is, where only they and keepers may.

    Raises:
        NotAllowedError: this person may not.
    """
    needed = ACTIONS[action]
    # Browsers without a cookie all go by no name: what has no owner is nobody's own.
    if owner is not None and (not owner or owner != identity.name()):
        needed = Role.KEEPER
    held = role()
    if held is None or held < needed:
        audit.note(f"refused: {action}", what)
        raise NotAllowedError(f"Only a {needed.name.lower()} of this dashboard may do that; ask one of them.")
    audit.note(action, what)
