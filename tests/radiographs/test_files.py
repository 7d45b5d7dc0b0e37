from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

import pytest

from radiographs.files import replacing, write_bytes, write_text


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


def test_a_link_stays_a_link_and_its_file_is_replaced(tmp_path):
    (tmp_path / "far").mkdir()
    link = tmp_path / "link"
    link.symlink_to(tmp_path / "far" / "file.txt")
    write_text(link, "one")
    write_bytes(link, b"two")
    assert link.is_symlink()
    assert (tmp_path / "far" / "file.txt").read_bytes() == b"two"
    assert [found.name for found in (tmp_path / "far").iterdir()] == ["file.txt"]


def test_a_device_is_written_to_and_a_folder_is_refused(tmp_path):
    device = Path(os.devnull)
    write_text(device, "gone")
    assert stat.S_ISCHR(device.stat().st_mode)
    with pytest.raises(IsADirectoryError):
        write_text(tmp_path, "text")
    assert list(tmp_path.iterdir()) == []
