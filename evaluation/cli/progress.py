"""How far work is, on stderr: a line that is drawn anew on a terminal, a line a minute anywhere else."""

from __future__ import annotations

import sys
import time

EVERY_SECONDS = 60.0
"""Between two lines in a file or a pipe; work that ends sooner says nothing there."""


class ProgressLine:
    """The line of one piece of work."""

    def __init__(self) -> None:
        self._said = time.monotonic()
        self._width = 0

    def show(self, words: str, ended: bool = False) -> None:
        """Say how far the work is.

        Args:
            words: one short line. ended: whether the work has ended, so that the terminal's next line is free.
        """
        if sys.stderr.isatty():
            sys.stderr.write(f"\r{words:<{self._width}}" + ("\n" if ended else ""))
            self._width = 0 if ended else len(words)
        elif time.monotonic() - self._said >= EVERY_SECONDS:
            self._said = time.monotonic()
            sys.stderr.write(f"{words}\n")
        sys.stderr.flush()

    def share(self, doing: str, share: float) -> None:
        """Say which share of the work, 0 to 1, is done, after the words ``doing``."""
        self.show(f"{doing} {share:4.0%}", ended=share >= 1)

    def bytes(self, files: int, all_files: int, size: int, all_size: int) -> None:
        """Say how many files and bytes of a download are there."""
        words = f"{files} of {all_files} files, {size / 1e6:.1f} of {all_size / 1e6:.1f} MB"
        self.show(words, ended=files == all_files)
