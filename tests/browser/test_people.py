"""Two people in browsers of their own: nothing of one shows to the other; what is theirs outlives a reload."""

from __future__ import annotations

import io
import re
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.browser.conftest import PATIENCE, idle, known_truth_model, served

pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.timeout(400),
    pytest.mark.skipif(not known_truth_model(), reason="needs the known-truth model's weights in assets/models"),
]
SIZE = 320


def noise() -> tuple[bytes, np.ndarray]:
    """A film that no other file resembles, as a PNG, and its pixels."""
    pixels = np.random.default_rng(time.time_ns()).integers(0, 256, (SIZE, SIZE), dtype=np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return buffer.getvalue(), pixels


def pid_of(address: str) -> int:
    """The process that serves an address (Linux)."""
    port = address.rpartition(":")[2].encode()
    for place in Path("/proc").glob("[0-9]*/cmdline"):
        words = place.read_bytes().split(b"\0")
        if b"run-dashboard" in words and port in words:
            return int(place.parent.name)
    raise AssertionError("the server's process is not found")


def found_in_memory(process: int, wanted: dict[str, bytes]) -> set[str]:
    """Which of the wanted bytes lie in a process's own memory."""
    found = set()
    with open(f"/proc/{process}/mem", "rb", 0) as memory:
        for line in Path(f"/proc/{process}/maps").read_text().splitlines():
            ends = re.match(r"([0-9a-f]+)-([0-9a-f]+) rw", line)
            if ends is None:
                continue
            start, end = (int(number, 16) for number in ends.groups())
            try:
                memory.seek(start)
                content = memory.read(end - start)
            except (OSError, ValueError, OverflowError):
                continue
            found |= {name for name, piece in wanted.items() if piece in content}
    return found


def test_two_people_share_nothing_and_an_upload_goes_with_its_session(page, tmp_path):
    film, pixels = noise()
    middle, rows = len(film) // 2, pixels[SIZE // 2 : SIZE // 2 + 8]
    wanted = {
        "file": film[middle : middle + 256],
        "pixels": rows.tobytes(),
        "grey levels": (rows.astype(np.float32) / 255).tobytes(),
        "name": b"a-telling-name",
    }
    browser = page.context.browser
    with served(tmp_path, XAI_LIGHTBOX_GRACE_SECONDS="12") as address:
        ours = browser.new_context()
        mine, other = ours.new_page(), browser.new_context().new_page()
        for one in (mine, other):
            one.set_default_timeout(PATIENCE * 1000)
        mine.goto(f"{address}/settings", wait_until="commit")
        mine.get_by_role("textbox", name="Your name as a reader").fill("Reader A")
        mine.get_by_role("button", name="Save").click()
        mine.get_by_text("Saved.").first.wait_for()
        mine.goto(f"{address}/?model=known-truth&method=grad-cam", wait_until="commit")
        mine.locator(".viewer[data-ready=true]").first.wait_for()
        idle(mine)
        box = mine.locator("[data-testid=stSelectbox]").first.locator("input")
        box.click()
        mine.get_by_role("option").filter(has_text="Upload a film").click()
        given = {"name": "a-telling-name.png", "mimeType": "image/png", "buffer": film}
        mine.locator("input[type=file]").set_input_files(given)
        mine.get_by_text("Uploaded film").first.wait_for()
        idle(mine)
        mine.get_by_role("button", name="Box", exact=True).click()
        shown = mine.locator("figure.panel .stage canvas").first.bounding_box()
        mine.mouse.move(shown["x"] + 60, shown["y"] + 60)
        mine.mouse.down()
        mine.mouse.move(shown["x"] + 120, shown["y"] + 130, steps=5)
        mine.mouse.up()
        mine.get_by_text("Your regions (1)").wait_for()
        idle(mine)
        assert found_in_memory(pid_of(address), wanted) >= {"file", "grey levels", "name"}
        link = mine.url
        assert "film=upload" in link

        mine.reload(wait_until="commit")
        mine.get_by_text("Uploaded film").first.wait_for()
        mine.get_by_text("Your regions (1)").wait_for()
        mine.get_by_text("Your regions (1)").click()
        mine.locator("input[aria-label=\"Reader's name in files\"][value='Reader A']").wait_for()

        other.goto(link, wait_until="commit")
        other.get_by_text("which is not held here").wait_for()
        assert other.get_by_text("Your regions (1)").count() == 0
        other.goto(f"{address}/settings", wait_until="commit")
        assert other.get_by_role("textbox", name="Your name as a reader").input_value() == ""

        ours.close()
        # Freed memory that held the name, some twenty letters, is not told from what is in use.
        del wanted["name"]
        until = time.monotonic() + 60
        while left := found_in_memory(pid_of(address), wanted):
            assert time.monotonic() < until, f"still in memory: {left}"
            time.sleep(1)
        assert (tmp_path / "audit" / "audit.jsonl").read_text().count('"upload"') == 1
        assert b"telling" not in b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
        other.context.close()
