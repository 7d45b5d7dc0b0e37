"""Files from the network: one by one, resumable, each checked against its size and SHA-256."""

from __future__ import annotations

import errno
import hashlib
import shutil
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path
from typing import BinaryIO

DownloadProgress = Callable[[int, int, int, int], None]
Cancelled = Callable[[], bool]

_PARALLEL = 4
_CHUNK = 1 << 16
_SPARE_BYTES = 50 * 2**20
_TRANSIENT = frozenset({408, 416, 425, 429, 500, 502, 503, 504})
_DISK = frozenset({errno.ENOSPC, errno.EACCES, errno.EPERM, errno.EROFS, errno.EDQUOT, errno.EFBIG, errno.EIO})
_STOPPED = "the download was stopped; what was got is kept, and the next call goes on from there"


class FetchError(RuntimeError):
    """A download did not succeed. The message says which file, what was wrong and what to do; what was got is kept."""


class FetchCancelled(FetchError):
    """The caller stopped the download; what was got is kept."""


@dataclass(frozen=True)
class Download:
    """One file to have.

    Attributes:
        url: where it is served. path: where it goes.
        sha256: hexadecimal SHA-256 that the finished file must have. size: its length in bytes.
    """

    url: str
    path: Path
    sha256: str
    size: int


def download_all(
    downloads: Sequence[Download],
    *,
    progress: DownloadProgress | None = None,
    cancelled: Cancelled | None = None,
    retries: int = 4,
    timeout_s: float = 30.0,
    back_off_s: float = 1.0,
) -> None:
    """Have all files, up to four at a time.

    A file that is there with the right checksum is skipped. A file grows as ``<name>.part`` beside its place; a second
    call goes on where the first was cut off, where the server allows it. A finished file with another checksum is
    removed.

    Args:
        downloads: what to have.
        progress: called with (files done, files in all, bytes done, bytes in all), from one thread at a time.
        cancelled: called often; once it says True, the download stops.
        retries: how often a file is tried again after a failure that may pass.
        timeout_s: seconds without an answer after which a connection is given up.
        back_off_s: pause before the first retry, doubled before each further one.

    Raises:
        FetchCancelled: ``cancelled`` said True.
        FetchError: the disk is too full, or a file could not be had; files that were finished stay.
    """
    tally = _Tally(downloads, progress)
    try:
        wanted = [d for d in downloads if not _is_whole(d, tally, cancelled)]
        _check_space(wanted)
    except OSError as error:
        raise FetchError(f"the files cannot be put there: {error.strerror or error}") from error
    stop = threading.Event()

    def stopped() -> bool:
        return stop.is_set() or (cancelled is not None and cancelled())

    def one(download: Download) -> None:
        _download(download, tally, stopped, retries, timeout_s, back_off_s)
        tally.file_done(download)

    pool = ThreadPoolExecutor(_PARALLEL, thread_name_prefix="fetch")
    try:
        _run_all(pool, one, wanted)
    finally:
        stop.set()
        pool.shutdown(wait=True, cancel_futures=True)


def _run_all(pool: ThreadPoolExecutor, one: Callable[[Download], None], wanted: Sequence[Download]) -> None:
    """Run ``one`` over all; the first failure is raised at once."""
    pending: set[Future[None]] = {pool.submit(one, download) for download in wanted}
    while pending:
        done, pending = wait(pending, return_when=FIRST_COMPLETED)
        for future in done:
            future.result()


class _Tally:
    """Counts files and bytes over all threads and reports them."""

    def __init__(self, downloads: Sequence[Download], progress: DownloadProgress | None) -> None:
        self._progress = progress
        self._total = (len(downloads), sum(d.size for d in downloads))
        self._files = 0
        self._bytes: dict[Path, int] = {}
        self._done_bytes = 0
        self._lock = threading.Lock()

    def at(self, download: Download, size: int) -> None:
        with self._lock:
            self._done_bytes += size - self._bytes.get(download.path, 0)
            self._bytes[download.path] = size
            self._report()

    def file_done(self, download: Download) -> None:
        self.at(download, download.size)
        with self._lock:
            self._files += 1
            self._report()

    def _report(self) -> None:
        if self._progress is not None:
            self._progress(self._files, self._total[0], self._done_bytes, self._total[1])


def _is_whole(download: Download, tally: _Tally, cancelled: Cancelled | None) -> bool:
    if cancelled is not None and cancelled():
        raise FetchCancelled(_STOPPED)
    path = download.path
    if not path.is_file() or path.stat().st_size != download.size or _sha256(path) != download.sha256:
        return False
    tally.file_done(download)
    return True


def _check_space(wanted: Sequence[Download]) -> None:
    for folder in {d.path.parent for d in wanted}:
        folder.mkdir(parents=True, exist_ok=True)
        needed = sum(d.size for d in wanted if d.path.parent == folder) + _SPARE_BYTES
        free = shutil.disk_usage(folder).free
        if free < needed:
            raise FetchError(
                f"the disk of {folder} has {free / 2**20:.0f} MB free and {needed / 2**20:.0f} MB are needed; "
                "make room, or set XAI_LIGHTBOX_HOME to a folder on another disk"
            )


def _download(
    download: Download, tally: _Tally, stopped: Cancelled, retries: int, timeout_s: float, back_off_s: float
) -> None:
    """Have one file; a part that was continued and does not check out is got once more from its start."""
    part = download.path.with_name(download.path.name + ".part")
    for continued in (part.is_file(), False):
        _fill_part(download, part, tally, stopped, retries, timeout_s, back_off_s)
        if _sha256(part) == download.sha256:
            part.replace(download.path)
            return
        part.unlink()
        if not continued:
            break
    raise FetchError(
        f"{download.path.name} arrived with a wrong checksum and was removed; call again, and where it happens again, "
        f"{_host(download.url)} serves another file"
    )


def _fill_part(
    download: Download,
    part: Path,
    tally: _Tally,
    stopped: Cancelled,
    retries: int,
    timeout_s: float,
    back_off_s: float,
) -> None:
    for attempt in range(retries + 1):
        try:
            return _continue_part(download, part, tally, stopped, timeout_s)
        except (OSError, HTTPException) as error:
            final = _final_error(download, error)
            if final is not None:
                raise final from error
            if attempt == retries:
                raise FetchError(
                    f"{download.path.name} could not be downloaded from {_host(download.url)}: {_reason(error)}. "
                    "Check the network and call again; what was got is kept"
                ) from error
            if isinstance(error, urllib.error.HTTPError) and error.code == 416:
                part.unlink(missing_ok=True)
            _pause(back_off_s * 2**attempt, stopped)


def _continue_part(download: Download, part: Path, tally: _Tally, stopped: Cancelled, timeout_s: float) -> None:
    """Get what is missing of one file into ``part``; raises OSError where it does not come whole."""
    have = part.stat().st_size if part.is_file() else 0
    if have > download.size:
        part.unlink()
        have = 0
    if part.is_file() and have == download.size:
        return
    request = urllib.request.Request(download.url, headers={"User-Agent": "xai-lightbox"})
    if have:
        request.add_header("Range", f"bytes={have}-")
    with urllib.request.urlopen(request, timeout=timeout_s) as answer:
        continues = have > 0 and answer.status == 206 and _starts_at(answer.headers.get("Content-Range"), have)
        if have and answer.status == 206 and not continues:
            part.unlink()
            raise ConnectionError("the server continued the file at another place")
        start = have if continues else 0
        with part.open("ab" if continues else "wb") as file:
            got = _copy(answer, file, start, download, tally, stopped)
    if got < download.size:
        raise ConnectionError(f"the connection ended after {got} of {download.size} bytes")


def _copy(answer: BinaryIO, file: BinaryIO, start: int, download: Download, tally: _Tally, stopped: Cancelled) -> int:
    got = start
    while chunk := answer.read(_CHUNK):
        got += len(chunk)
        if got > download.size:
            file.truncate(0)
            raise FetchError(
                f"{download.path.name} is longer than the {download.size} bytes it should have; "
                f"{_host(download.url)} serves another file"
            )
        file.write(chunk)
        tally.at(download, got)
        if stopped():
            raise FetchCancelled(_STOPPED)
    return got


def _starts_at(content_range: str | None, start: int) -> bool:
    return content_range is not None and content_range.strip().startswith(f"bytes {start}-")


def _final_error(download: Download, error: BaseException) -> FetchError | None:
    """The error to raise at once, or None where another try may help."""
    name, host = download.path.name, _host(download.url)
    if isinstance(error, urllib.error.HTTPError):
        if error.code in (404, 410):
            return FetchError(f"{host} has no file {name} ({error.code}); the address may have changed: {download.url}")
        if error.code not in _TRANSIENT:
            return FetchError(f"{host} refused {name} (HTTP {error.code} {error.reason})")
    elif isinstance(error, OSError) and error.errno in _DISK:
        return FetchError(
            f"{name} could not be written to {download.path.parent}: {error.strerror}; what was got is kept"
        )
    return None


def _reason(error: BaseException) -> str:
    reason = getattr(error, "reason", None) or error
    return str(reason) or type(error).__name__


def _host(url: str) -> str:
    return url.split("//", 1)[-1].split("/", 1)[0]


def _pause(seconds: float, stopped: Cancelled) -> None:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if stopped():
            raise FetchCancelled(_STOPPED)
        time.sleep(min(0.1, seconds))


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(1 << 20):
            digest.update(chunk)
    return digest.hexdigest()
