"""Text that came from outside, as text: wherever it is shown it makes no link, picture or formula."""

from __future__ import annotations

import re

_JOINER = "\u2060"
# Where Markdown begins a link, a picture, a coloured text, an address or a formula.
_MARKUP = re.compile(r"(\](?=[(\[:])|!(?=\[)|:\w+(?=\[)|\bwww(?=\.)|:(?=//)|\w(?=@)|mailto(?=:)|xmpp(?=:))")
_UNSAYABLE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2066-\u2069\ufeff\ud800-\udfff]")
_NOT_WORDS = re.compile(r"[^\w\s\-+/(),.'&%:;°²³≥≤]|_(?=\W|$)|(?<!\w)_|[.:](?=\w*[/\w])(?<!\d[.:])")
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
LONGEST_NAME = 80


def neutral(text: str) -> str:
    r"""The same text for the eye, of which Markdown makes no link, picture, colour or formula.

    An invisible joiner stands where one would begin; a dollar sign becomes the wide one; characters that cannot be
    shown, or that turn the direction of writing, are left out.

    >>> neutral("![x](http://a.example) $y$").replace("\u2060", "|")
    '!|[x]|(http:|//a.example) ＄y＄'
    """
    return _MARKUP.sub(rf"\1{_JOINER}", _UNSAYABLE.sub("", text)).replace("$", "＄").replace("`", "'")


def name_in_words(name: str) -> str:
    """A name that a file gives, of a finding or a reader, reduced to words: at most 80 letters, digits and marks.

    >>> name_in_words("=HYPERLINK('x')"), name_in_words("<b>Mass</b>"), name_in_words("Nodule, left (2.5 cm)")
    ("HYPERLINK('x')", 'b Mass /b', 'Nodule, left (2.5 cm)')
    """
    words = " ".join(_NOT_WORDS.sub(" ", _UNSAYABLE.sub("", name)).split())
    return words.lstrip("+-=@ ")[:LONGEST_NAME].strip()


def csv_cell(value: object) -> object:
    """A cell of a CSV table; a text that a spreadsheet would compute stands behind an apostrophe, as OWASP advises.

    >>> csv_cell("=1+1"), csv_cell("-0.5"), csv_cell(2)
    ("'=1+1", '-0.5', 2)
    """
    if not isinstance(value, str) or not value.startswith(_FORMULA):
        return value
    try:
        float(value)
    except ValueError:
        return f"'{value}"
    return value
