"""What a button made outlasts the ends of other people's pages, and no longer."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest
from streamlit.runtime.media_file_manager import MediaFileManager
from streamlit.runtime.media_file_storage import MediaFileKind, MediaFileStorageError

from dashboard.cli import made_files
from dashboard.cli.made_files import MadeFiles

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def storage(monkeypatch: pytest.MonkeyPatch) -> MadeFiles:
    monkeypatch.setattr(made_files, "KEPT_SECONDS", 1.5)
    return MadeFiles("/media")


def there(storage: MadeFiles, url: str) -> bool:
    try:
        storage.get_file(url.removeprefix("/media/"))
    except MediaFileStorageError:
        return False
    return True


def gone(storage: MadeFiles, url: str) -> bool:
    until = time.monotonic() + 5
    while there(storage, url) and time.monotonic() < until:
        time.sleep(0.02)
    return not there(storage, url)


def test_a_made_file_outlasts_other_peoples_pages_and_then_goes(storage):
    manager = MediaFileManager(storage)
    url = manager.execute_deferred(manager.add_deferred(lambda: "a,b", "text/csv", "1.0", file_name="a.csv"))
    for _ in range(3):
        manager.remove_orphaned_files()
    assert there(storage, url)
    assert gone(storage, url)


def test_a_file_made_again_is_kept_from_then_on(storage):
    manager = MediaFileManager(storage)
    urls = []
    for _ in range(4):
        made = manager.add_deferred(lambda: "a,b", "text/csv", "1.0", file_name="a.csv")
        urls.append(manager.execute_deferred(made))
        manager.remove_orphaned_files()
        manager.remove_orphaned_files()
        time.sleep(0.5)
        assert there(storage, urls[-1])
    assert len(set(urls)) == 1
    assert gone(storage, urls[0])


def test_pictures_go_at_once(storage):
    file_id = storage.load_and_get_id(b"picture", "image/png", MediaFileKind.MEDIA)
    url = storage.get_url(file_id)
    storage.delete_file(file_id)
    assert not there(storage, url)


def test_the_server_keeps_its_files_there():
    code = (
        "from streamlit.starlette import App; from dashboard.cli.made_files import keep_made_files; keep_made_files(); "
        "print(type(App('app.py')._create_runtime().media_file_mgr._storage).__name__)"
    )
    said = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert said.stdout.split()[-1:] == ["MadeFiles"], said.stderr
