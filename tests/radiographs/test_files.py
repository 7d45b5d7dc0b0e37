from __future__ import annotations

import errno
import stat
from pathlib import Path

import pytest

from radiographs.files import replacing, write_text


def test_the_new_file_stands_in_place_and_nothing_beside_it(tmp_path):
    path = tmp_path / "new" / "file.txt"
    write_text(path, "one")
    write_text(path, "zwei ü", durable=True)
    assert path.read_text(encoding="utf-8") == "zwei ü"
    assert [found.name for found in path.parent.iterdir()] == ["file.txt"]
    plain = tmp_path / "plain"
    plain.write_text("")
    assert stat.S_IMODE(path.stat().st_mode) == stat.S_IMODE(plain.stat().st_mode)


def test_the_old_file_stands_until_the_new_one_is_whole(tmp_path):
    path = tmp_path / "file.txt"
    path.write_text("old")
    with replacing(path) as fresh:
        fresh.write_text("half")
        assert path.read_text() == "old"
    assert path.read_text() == "half"


@pytest.mark.parametrize("error", [OSError(errno.ENOSPC, "No space left on device"), KeyboardInterrupt()])
def test_after_an_error_the_old_file_is_as_it_was(tmp_path, error):
    path = tmp_path / "file.txt"
    path.write_text("old")

    def write() -> None:
        with replacing(path) as fresh:
            fresh.write_text("half")
            raise error

    with pytest.raises(type(error)):
        write()
    assert path.read_text() == "old"
    assert [found.name for found in tmp_path.iterdir()] == ["file.txt"]


def test_a_folder_that_cannot_be_written_is_an_os_error(tmp_path, monkeypatch):
    monkeypatch.setattr(Path, "touch", lambda *given: (_ for _ in ()).throw(PermissionError("no")))
    with pytest.raises(PermissionError):
        write_text(Path(tmp_path / "file.txt"), "text")
