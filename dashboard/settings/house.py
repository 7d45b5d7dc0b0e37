"""What holds for the house: who may do what. Its keepers write it into ``settings.json`` by hand, never a page."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

from dashboard.settings.settings import contents, house_path

RoleName = Literal["reader", "researcher", "keeper"]


@dataclass(frozen=True)
class HouseSettings:
    """Who may do what.

    Attributes:
        keepers, researchers: accounts by e-mail address or by the provider's name (``sub``).
        role_claim: the claim of the identity token that names a role, as text or among a list.
        newcomers: the role of whoever is in no list and brings no claim.
        guests: the role of whoever comes from another computer where nobody signs in.
    """

    keepers: frozenset[str] = frozenset()
    researchers: frozenset[str] = frozenset()
    role_claim: str = "roles"
    newcomers: RoleName = "reader"
    guests: RoleName = "reader"


def load() -> HouseSettings:
    """The house's settings; values that make no sense are left out, which never gives anybody more rights."""
    try:
        given = contents(house_path())
    except (OSError, ValueError):
        return HouseSettings()
    claim = given.get("role_claim")
    return HouseSettings(
        _accounts(given, "keepers"),
        _accounts(given, "researchers"),
        claim if isinstance(claim, str) and claim else "roles",
        _role(given, "newcomers"),
        _role(given, "guests"),
    )


def _accounts(given: Mapping[str, Any], key: str) -> frozenset[str]:
    listed = given.get(key)
    return frozenset(one for one in listed if isinstance(one, str) and one) if isinstance(listed, list) else frozenset()


def _role(given: Mapping[str, Any], key: str) -> RoleName:
    return given[key] if given.get(key) in get_args(RoleName) else "reader"
