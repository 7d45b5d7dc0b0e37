"""HTML reports from Jinja2 templates: what comes from files and people is escaped, unless it is ``Markup``."""

from __future__ import annotations

import base64
import math
from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

BASE = Path(__file__).resolve().parent / "templates"
"""The folder of ``base.html.j2``, which every report extends, and of ``parts.html.j2``, which reports share."""


def number(value: float, pattern: str = ".3f") -> str:
    """``value`` as :func:`format` writes it by ``pattern``; a dash where it is NaN."""
    return "–" if math.isnan(value) else format(value, pattern)


def data_url(picture: bytes, kind: str = "png") -> str:
    """The bytes of a picture (``kind``: png or gif) as an address that holds them."""
    return f"data:image/{kind};base64,{base64.b64encode(picture).decode()}"


@cache
def environment(folder: Path) -> Environment:
    """The templates of ``folder`` and the shared ones; filters may be added to ``environment(folder).filters``."""
    made = Environment(
        loader=FileSystemLoader([folder, BASE]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= {"number": number, "data_url": data_url}
    return made


def render(folder: Path, name: str, **values: object) -> str:
    """Fill the template ``name`` of ``folder`` with ``values``: one HTML document.

    Raises:
        jinja2.TemplateError: there is no such template, or it names a value that is not given.
    """
    return environment(folder).get_template(name).render(values)
