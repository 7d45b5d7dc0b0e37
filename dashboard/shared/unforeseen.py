"""Errors that nobody foresaw: one sentence on the page, with a number that stands in the log; all else stays."""

from __future__ import annotations

import functools
import logging
import secrets
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import ParamSpec

import streamlit as st

_log = logging.getLogger(__name__)
P = ParamSpec("P")


def logged(error: BaseException, where: str) -> str:
    """Write an error into the log under a number of its own, and return the number.

    Its message is left out, for it may hold a name, and so are the lines of code: type and places tell enough.

    Args:
        where: what was being done.
    """
    number = secrets.token_hex(3).upper()
    frames = traceback.extract_tb(error.__traceback__)
    places = "\n".join(f"  {frame.filename}, line {frame.lineno}, in {frame.name}" for frame in frames)
    _log.error("unforeseen error %s (%s): %s\n%s", number, where, type(error).__name__, places)
    return number


@contextmanager
def guarded(fails: str) -> Iterator[None]:
    """Draw one part of a page; where it breaks, a sentence stands in its place and the page goes on.

    Args:
        fails: what a person is told has failed, such as "The scores cannot be shown".
    """
    try:
        yield
    except Exception as error:
        number = logged(error, fails)
        st.error(
            f"{fails} because of an unforeseen error; what you chose is kept, and the program's log has the details "
            f"under number {number}.",
            icon=":material/error:",
        )


def safely(callback: Callable[P, object]) -> Callable[P, None]:
    """``callback`` of a widget, guarded: Streamlit calls it before any page is drawn."""

    @functools.wraps(callback)
    def called(*args: P.args, **kwargs: P.kwargs) -> None:
        with guarded("What you pressed could not be done"):
            callback(*args, **kwargs)

    return called
