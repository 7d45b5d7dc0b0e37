"""With what number each command of ``lightbox`` ends: the exit status, the same in every command."""

from __future__ import annotations

DONE = 0
"""Done; nothing is odd, missing or different."""
WITH_REMARKS = 1
"""Done, and the command found something: a doubtful film, a map or score that failed, two runs that differ."""
REFUSED = 2
"""Not done: a wrong word, a file that cannot be read, an unknown name; stderr says which in one line."""
STOPPED = 130
"""Stopped by Ctrl-C or SIGTERM; what was finished is written."""
EXIT_STATUS = {DONE: "done", WITH_REMARKS: "done, with remarks", REFUSED: "not done", STOPPED: "stopped"}
"""Each status in words, for ``lightbox --help``."""
