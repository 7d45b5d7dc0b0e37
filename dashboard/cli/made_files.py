"""Files that a button made, kept until the browser has had time to fetch them."""

from __future__ import annotations

import contextlib
import threading
import time

from streamlit.runtime import memory_media_file_storage
from streamlit.runtime.media_file_storage import MediaFileKind, MediaFileStorageError

KEPT_SECONDS = 20.0
"""From the moment that Streamlit deletes a download until it is gone."""


class MadeFiles(memory_media_file_storage.MemoryMediaFileStorage):
    """Streamlit's media files in memory, of which downloads are deleted ``KEPT_SECONDS`` late.

    No element refers to a file that is made when its button is pressed, and whenever anybody's page is done Streamlit
    deletes what no element refers to. Where more than one person is there, that is often before the browser asks.
    """

    def __init__(self, media_endpoint: str) -> None:
        super().__init__(media_endpoint)
        self._deleted: dict[str, float] = {}
        self._changing = threading.Lock()

    def load_and_get_id(
        self, path_or_data: str | bytes, mimetype: str, kind: MediaFileKind, filename: str | None = None
    ) -> str:
        """Add a file, or take it back where it was deleted a moment ago; see Streamlit's."""
        with self._changing:
            file_id = super().load_and_get_id(path_or_data, mimetype, kind, filename)
            self._deleted.pop(file_id, None)
            return file_id

    def delete_file(self, file_id: str) -> None:
        """Delete a picture at once, a download ``KEPT_SECONDS`` later."""
        with self._changing, contextlib.suppress(MediaFileStorageError):
            if self.get_file(file_id).kind != MediaFileKind.DOWNLOADABLE:
                super().delete_file(file_id)
                return
            if not self._deleted:
                self._look_again()
            self._deleted[file_id] = time.monotonic() + KEPT_SECONDS

    def _look_again(self) -> None:
        later = threading.Timer(KEPT_SECONDS, self._delete)
        later.daemon = True
        later.start()

    def _delete(self) -> None:
        with self._changing:
            now = time.monotonic()
            for file_id in [file_id for file_id, until in self._deleted.items() if until <= now]:
                del self._deleted[file_id]
                super().delete_file(file_id)
            if self._deleted:
                self._look_again()


def keep_made_files() -> None:
    """Let the server that is started next store its media files in :class:`MadeFiles`."""
    memory_media_file_storage.MemoryMediaFileStorage = MadeFiles  # type: ignore[misc]
