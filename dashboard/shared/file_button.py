"""A button that hands a person a file, and a sentence below it where the file could not be made."""

from __future__ import annotations

import mimetypes
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import streamlit as st

from dashboard.jobs import sentence
from dashboard.shared.drawing_again import drawing_again
from dashboard.shared.unforeseen import logged

_FORESEEN = (ValueError, LookupError, OSError)
_BARE = (KeyError, IndexError)
"""Errors that come without a sentence, mostly."""
_ANSWERED_SECONDS = 0.3
"""From the failure until the page is drawn again."""


def file_button(
    label: str,
    make: Callable[[], bytes | str],
    name: str,
    *,
    icon: str = "",
    key: str | None = None,
    help: str | None = None,
    width: Literal["content", "stretch"] = "content",
) -> None:
    """Draw a button for a file that is made when it is pressed; nothing else on the page is drawn again.

    Where the file cannot be made, the page is drawn again and says why.

    Args:
        label: on the button. make: makes the content; errors that it foresees have a sentence for people.
        name: of the file, another one for another content; its ending says what it is.
        icon: name of a Material icon. key, help, width: as ``st.download_button`` takes them.
    """
    mime = "application/dicom" if name.endswith(".dcm") else mimetypes.guess_type(name)[0]
    shown = f":material/{icon}:" if icon else None
    failed: dict[str, str] = st.session_state.setdefault("failed_files", {})
    making = _Making(make, name, failed, drawing_again())
    st.download_button(label, making, name, mime, icon=shown, key=key, help=help, width=width, on_click="ignore")
    if name in failed:
        st.error(f"{label}: the file could not be made. {failed[name]}", icon=":material/error:")


@dataclass(frozen=True)
class _Making:
    """The making of a file, in a thread of the server's that cannot draw: what goes wrong is left for the next drawing.

    Attributes:
        make: makes the content. name: of the file. failed: the session's sentences by name. draw_again: see
            :func:`drawing_again`.
    """

    make: Callable[[], bytes | str]
    name: str
    failed: dict[str, str]
    draw_again: Callable[[], object]

    def __call__(self) -> bytes | str:
        # A sentence that no longer holds goes with the next drawing: one begun now drops the answer to the button.
        self.failed.pop(self.name, None)
        try:
            return self.make()
        except Exception as error:
            number = logged(error, f"a file could not be made, {self.name}")
            foreseen = isinstance(error, _FORESEEN) and type(error) not in _BARE
            unforeseen = f"It stopped with an unforeseen error, number {number} in the program's log."
            self.failed[self.name] = sentence(error) if foreseen else unforeseen
            # After Streamlit has answered the browser: a rerun that starts earlier drops the answer, and the button
            # would stay disabled.
            later = threading.Timer(_ANSWERED_SECONDS, self.draw_again)
            later.daemon = True
            later.start()
            raise RuntimeError("a file could not be made") from None
