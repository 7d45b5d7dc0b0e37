"""A button that hands a person a file."""

from __future__ import annotations

import mimetypes
from collections.abc import Callable
from typing import Literal

import streamlit as st


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

    Args:
        label: on the button. make: makes the content. name: of the file; its ending says what it is.
        icon: name of a Material icon. key, help, width: as ``st.download_button`` takes them.
    """
    mime = "application/dicom" if name.endswith(".dcm") else mimetypes.guess_type(name)[0]
    shown = f":material/{icon}:" if icon else None
    st.download_button(label, make, name, mime, icon=shown, key=key, help=help, width=width, on_click="ignore")
