"""The frame of every HTML report: one file that holds its pictures and loads nothing from outside."""

from __future__ import annotations

from html import escape

from dashboard import NOTICE

_STYLE = """
:root { color-scheme: light; --ink: #17212b; --paper: #fff; --soft: #5c6770; --line: #d5dbe0; }
body { font: 16px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper); margin: 2rem auto;
  max-width: 1400px; padding: 0 1.5rem; } h1, h2 { line-height: 1.2; } .soft { color: var(--soft); }
.row { display: grid; gap: 1.5rem; grid-template-columns: repeat(auto-fit, minmax(min(100%, 420px), 1fr)); }
figure { margin: 0; } img { max-width: 100%; } .scroll { overflow-x: auto; }
table { border-collapse: collapse; font-size: .9rem; margin: 1rem 0; } th, td { text-align: right;
  padding: .25rem .7rem; border-bottom: 1px solid var(--line); } th:first-child, td:first-child { text-align: left; }
dt { font-weight: 600; } dd { margin: 0 0 .4rem; overflow-wrap: anywhere; }
"""


def html_page(title: str, heading: str, about: str, body: str, style: str = "") -> str:
    """An HTML document.

    Args:
        title: of the window. heading: of the page. about: what was looked at, one line; these three are escaped here.
        body: HTML under it. style: CSS beyond the common one.
    """
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<style>{_STYLE}{style}</style></head><body><main><h1>{escape(heading)}</h1>"
        f'<p class="soft">{NOTICE}</p><p>{escape(about)}</p>{body}</main></body></html>'
    )
