"""The audit trail: who opened, uploaded, exported with identifiers, or removed what. Digests only, a JSON line each."""

from __future__ import annotations

import hashlib
import json
import logging
import os
import threading
from datetime import UTC, datetime
from logging.handlers import RotatingFileHandler
from pathlib import Path

from dashboard.people import identity
from radiographs.places import home_folder

LARGEST_BYTES, FILES = 5_000_000, 10
"""Size after which a new file is begun; and files that stay, the oldest go."""
_log = logging.getLogger(__name__)
_lock = threading.Lock()
_trail: RotatingFileHandler | None = None


class _Trail(RotatingFileHandler):
    """A file that only the server's own user reads; what cannot be written is said in the log."""

    def _open(self):  # type: ignore[no-untyped-def]
        return open(self.baseFilename, self.mode, encoding=self.encoding, opener=lambda p, f: os.open(p, f, 0o600))

    def handleError(self, record: logging.LogRecord) -> None:
        """Say that a line is lost."""
        _log.error("a line of the audit trail cannot be written to %s", self.baseFilename)


def path() -> Path:
    """Where the newest lines lie."""
    return home_folder() / "audit" / "audit.jsonl"


def note(action: str, what: str = "", person: str | None = None) -> None:
    """Write that a person did something.

    Args:
        action: a word, such as "upload". what: a name or a digest; only its digest is written.
        person: their name; left out, the one whose page is drawn.
    """
    line = {
        "time": datetime.now(UTC).isoformat(timespec="seconds"),
        "person": (identity.name() if person is None else person) or "unknown",
        "action": action,
        "what": hashlib.sha256(what.encode()).hexdigest()[:16] if what else "",
    }
    trail = _opened()
    if trail is not None:
        trail.handle(logging.LogRecord("audit", logging.INFO, "", 0, json.dumps(line), None, None))


def _opened() -> RotatingFileHandler | None:
    global _trail
    with _lock:
        if _trail is None or _trail.baseFilename != os.path.abspath(path()):
            try:
                path().parent.mkdir(parents=True, exist_ok=True, mode=0o700)
                _trail = _Trail(path(), maxBytes=LARGEST_BYTES, backupCount=FILES - 1, encoding="utf-8")
            except OSError as error:
                _log.error("the audit trail cannot be written: %s", error.strerror)
                return None
        return _trail
