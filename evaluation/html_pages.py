"""HTML reports from Jinja2 templates: what comes from files and people is escaped, unless it is ``Markup``."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

BASE = Path(__file__).resolve().parent / "templates"
"""The folder of ``base.html.j2``, which every report extends."""


@cache
def environment(folder: Path) -> Environment:
    """The templates of ``folder`` and the base template; filters may be added to ``environment(folder).filters``."""
    return Environment(
        loader=FileSystemLoader([folder, BASE]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def render(folder: Path, name: str, **values: object) -> str:
    """Fill the template ``name`` of ``folder`` with ``values``: one HTML document.

    Raises:
        jinja2.TemplateError: there is no such template, or it names a value that is not given.
    """
    return environment(folder).get_template(name).render(values)
