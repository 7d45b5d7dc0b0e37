import csv
import hashlib
import http.server
import re
import threading
from itertools import pairwise

import numpy as np
import pytest

from radiographs.fetching import downloads as machinery
from radiographs.fetching import fetch as films
from radiographs.fetching.fetch import Download, FetchCancelled, FetchError, download_all, fetch

QUICK = {"retries": 2, "timeout_s": 5.0, "back_off_s": 0.01}


class Server:
    """A local file server that can be told to misbehave."""

    def __init__(self):
        self.files: dict[str, bytes] = {}
        self.requests: list[tuple[str, str | None]] = []
        self.ranges = True
        self.truncate: dict[str, int] = {}
        self.tamper: set[str] = set()
        self.status: dict[str, list[int]] = {}
        server = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                server.answer(self)

            def log_message(self, *_):
                pass

        self._http = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._http.server_address[1]}/images"
        self._thread = threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        self._thread.start()

    def close(self):
        self._http.shutdown()
        self._http.server_close()

    def answer(self, handler):
        name = handler.path.rsplit("/", 1)[-1]
        asked = handler.headers.get("Range")
        self.requests.append((name, asked))
        failures = self.status.get(name)
        if failures:
            handler.send_error(failures.pop(0))
            return
        if name not in self.files:
            handler.send_error(404)
            return
        data = self.files[name]
        if name in self.tamper:
            data = bytes([data[0] ^ 1]) + data[1:]
        start = 0
        if asked and self.ranges:
            start = int(re.fullmatch(r"bytes=(\d+)-", asked).group(1))
            handler.send_response(206)
            handler.send_header("Content-Range", f"bytes {start}-{len(data) - 1}/{len(data)}")
        else:
            handler.send_response(200)
        handler.send_header("Content-Length", str(len(data) - start))
        handler.end_headers()
        body = data[start:]
        if name in self.truncate:
            body = body[: self.truncate.pop(name)]
        handler.wfile.write(body)


@pytest.fixture
def server():
    running = Server()
    yield running
    running.close()


@pytest.fixture
def files(server, tmp_path):
    """Twelve served files of odd sizes and the downloads that ask for them."""
    rng = np.random.default_rng(0)
    for k in range(12):
        server.files[f"film{k:02d}.jpg"] = rng.bytes(100_000 + 7 * k)
    return [
        Download(f"{server.url}/{name}", tmp_path / "films" / name, hashlib.sha256(data).hexdigest(), len(data))
        for name, data in server.files.items()
    ]


def assert_all_there(server, downloads):
    for download in downloads:
        assert download.path.read_bytes() == server.files[download.path.name]
    assert not list(downloads[0].path.parent.glob("*.part"))


def test_all_files_come_whole_and_progress_ends_at_the_total(server, files):
    seen = []
    download_all(files, progress=lambda *numbers: seen.append(numbers), **QUICK)
    assert_all_there(server, files)
    total = sum(d.size for d in files)
    assert seen[-1] == (12, 12, total, total)
    assert all(a[0] <= b[0] and a[2] <= b[2] for a, b in pairwise(seen))


def test_finished_files_are_skipped_and_damaged_ones_fetched_again(server, files):
    download_all(files, **QUICK)
    files[3].path.write_bytes(b"x" * files[3].size)
    server.requests.clear()
    download_all(files, **QUICK)
    assert [name for name, _ in server.requests] == [files[3].path.name]
    assert_all_there(server, files)


def test_a_cut_connection_is_continued_where_it_ended(server, files):
    server.truncate = {files[0].path.name: 30_000}
    download_all(files[:1], **QUICK)
    assert server.requests == [(files[0].path.name, None), (files[0].path.name, "bytes=30000-")]
    assert_all_there(server, files[:1])


def test_a_part_of_an_earlier_call_is_continued(server, files):
    target = files[1]
    target.path.parent.mkdir()
    target.path.with_name(target.path.name + ".part").write_bytes(server.files[target.path.name][:40_000])
    download_all([target], **QUICK)
    assert server.requests == [(target.path.name, "bytes=40000-")]
    assert_all_there(server, [target])


def test_a_server_without_ranges_sends_the_whole_file_again(server, files):
    server.ranges = False
    server.truncate = {files[0].path.name: 30_000}
    download_all(files[:1], **QUICK)
    assert_all_there(server, files[:1])


def test_a_spoilt_part_is_thrown_away_and_fetched_from_the_start(server, files):
    target = files[2]
    target.path.parent.mkdir()
    target.path.with_name(target.path.name + ".part").write_bytes(b"y" * 5_000)
    download_all([target], **QUICK)
    assert [asked for _, asked in server.requests] == ["bytes=5000-", None]
    assert_all_there(server, [target])


def test_a_tampered_file_is_refused_and_removed(server, files):
    server.tamper = {files[4].path.name}
    with pytest.raises(FetchError, match=r"film04\.jpg arrived with a wrong checksum and was removed"):
        download_all(files[4:5], **QUICK)
    assert list(files[4].path.parent.iterdir()) == []


def test_a_longer_file_is_refused(server, files):
    server.files[files[0].path.name] += b"more"
    with pytest.raises(FetchError, match="longer than the 100000 bytes"):
        download_all(files[:1], **QUICK)
    assert not files[0].path.exists()


def test_a_missing_file_is_said_at_once_and_others_are_kept(server, files):
    download_all(files[:2], **QUICK)
    del server.files[files[5].path.name]
    server.requests.clear()
    with pytest.raises(FetchError, match=r"has no file film05\.jpg \(404\)"):
        download_all([files[0], files[1], files[5]], **QUICK)
    assert len(server.requests) == 1
    assert files[0].path.exists()
    assert files[1].path.exists()


def test_a_passing_failure_is_tried_again(server, files):
    server.status = {files[0].path.name: [503, 429]}
    download_all(files[:1], **QUICK)
    assert len(server.requests) == 3
    assert_all_there(server, files[:1])


def test_a_lasting_failure_ends_after_the_retries(server, files):
    server.status = {files[0].path.name: [503] * 9}
    with pytest.raises(FetchError, match="Check the network and call again"):
        download_all(files[:1], **QUICK)
    assert len(server.requests) == 3


def test_a_refusal_is_not_tried_again(server, files):
    server.status = {files[0].path.name: [403] * 9}
    with pytest.raises(FetchError, match=r"refused film00\.jpg \(HTTP 403"):
        download_all(files[:1], **QUICK)
    assert len(server.requests) == 1


def test_no_network(server, files):
    server.close()
    with pytest.raises(FetchError, match="could not be downloaded from 127"):
        download_all(files[:1], **QUICK)


def test_cancelling_keeps_what_was_got(server, files):
    got = [0]

    def progress(done, total, done_bytes, total_bytes):
        got[0] = done_bytes

    with pytest.raises(FetchCancelled):
        download_all(files, progress=progress, cancelled=lambda: got[0] > 250_000, **QUICK)
    kept = list(files[0].path.parent.iterdir())
    assert kept
    assert sum(path.stat().st_size for path in kept) >= 250_000
    server.requests.clear()
    download_all(files, **QUICK)
    assert_all_there(server, files)
    assert len(server.requests) <= 12


def test_a_full_disk_is_said_before_anything_is_fetched(server, files, monkeypatch):
    monkeypatch.setattr(machinery.shutil, "disk_usage", lambda _: machinery.shutil._ntuple_diskusage(10, 9, 1))
    with pytest.raises(FetchError, match=r"MB free and 51 MB are needed; make room"):
        download_all(files, **QUICK)
    assert server.requests == []


def test_a_folder_that_cannot_be_made_is_said(server, files, tmp_path):
    (tmp_path / "films").write_text("in the way")
    with pytest.raises(FetchError, match="cannot be put there"):
        download_all(files, **QUICK)


def write_manifest(path, server):
    with path.open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["image", "bytes", "sha256"])
        table.writerows([n, len(d), hashlib.sha256(d).hexdigest()] for n, d in server.files.items())
    return path


def test_fetch_puts_the_films_where_the_collection_looks(server, files, tmp_path, monkeypatch):
    monkeypatch.setenv("XAI_LIGHTBOX_HOME", str(tmp_path / "home"))
    folder = fetch("nih-boxes", base_url=server.url, manifest=write_manifest(tmp_path / "m.csv", server))
    assert folder == tmp_path / "home" / "nih-boxes" / "images"
    assert {p.name: p.read_bytes() for p in folder.iterdir()} == server.files


def test_fetching_the_demo_leaves_the_other_films(server, tmp_path, monkeypatch):
    monkeypatch.setenv("XAI_LIGHTBOX_HOME", str(tmp_path / "home"))
    server.files = {"00022192_003.jpg": b"a mass", "00000032_037.jpg": b"another film"}
    folder = fetch("nih-demo", base_url=server.url + "/", manifest=write_manifest(tmp_path / "m.csv", server))
    assert [p.name for p in folder.iterdir()] == ["00022192_003.jpg"]


def test_fetch_refuses_an_unknown_name():
    with pytest.raises(FetchError, match="'nih-box'; did you mean 'nih-boxes'"):
        fetch("nih-box")


def test_the_manifest_lists_880_films_of_118_megabytes(tmp_path):
    listed = films.nih_downloads(tmp_path)
    assert len({d.path for d in listed}) == 880
    assert sum(d.size for d in listed) == 118_629_159
    assert all(re.fullmatch(r"[0-9a-f]{64}", d.sha256) for d in listed)
    assert listed[0].url.endswith("/56de7f5f706e73159507a01d869f7e6f81b49afc/images/00000032_037.jpg")


def test_the_demo_films_are_sixteen_of_the_manifest(tmp_path):
    listed = {d.path.stem for d in films.nih_downloads(tmp_path)}
    assert len(set(films.NIH_DEMO_FILMS)) == 16
    assert set(films.NIH_DEMO_FILMS) <= listed
