"""Errors as sentences for people."""

from __future__ import annotations

from radiographs.plain_text import neutral


class SentenceError(RuntimeError):
    """Work failed, and was logged where it did; the message is the sentence for people."""


def failure(error: BaseException) -> str:
    """Why work failed, as a sentence for people."""
    if isinstance(error, SentenceError):
        return str(error)
    if isinstance(error, MemoryError):
        return "There was not enough memory. Try fewer samples or a smaller film."
    if isinstance(error, (ValueError, LookupError, RuntimeError, TypeError, ArithmeticError, OSError)):
        return sentence(error)
    return f"It stopped with an unexpected error ({type(error).__name__})."


def sentence(error: BaseException, longest: int = 300) -> str:
    """The first line of an error's message as a sentence for people, of which Markdown makes no link or picture."""
    text = str(error.args[0] if isinstance(error, KeyError) and error.args else error).strip()
    line = text.splitlines()[0][:longest].strip() if text else ""
    if not line:
        return f"It stopped with an unexpected error ({type(error).__name__})."
    line = neutral(line)
    return line[:1].upper() + line[1:] + ("" if line.endswith((".", "!", "?")) else ".")
