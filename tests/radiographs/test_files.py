from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from dashboard.cli.main import main
from radiographs.files import UnwritableError, replacing, write_bytes, write_text


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


@pytest.mark.parametrize(("code", "why"), [(errno.ENOSPC, "disk is full"), (errno.EROFS, "read-only")])
def test_a_disk_that_takes_nothing_is_said_in_a_sentence(tmp_path, monkeypatch, code, why):
    def half(self: Path, content: bytes) -> int:
        with self.open("wb") as file:
            file.write(content[: len(content) // 2])
        raise OSError(code, os.strerror(code), str(self))

    monkeypatch.setattr(Path, "write_bytes", half)
    with pytest.raises(UnwritableError, match=rf"^report\.html cannot be written: the .*{why}") as caught:
        write_text(tmp_path / "report.html", "text")
    assert caught.value.errno == code
    assert list(tmp_path.iterdir()) == []


def test_a_full_device_is_said_by_the_command_line(tmp_path, capsys):
    if not Path("/dev/full").exists():
        pytest.skip("no full device here")
    Image.fromarray(np.tile(np.arange(64, dtype=np.uint8), (64, 1))).save(tmp_path / "film.png")
    assert main(["show", "--film", str(tmp_path / "film.png"), "--png", "/dev/full"]) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert "full" in said
