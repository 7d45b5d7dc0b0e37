"""Every page passes axe-core without a serious or critical finding, light and dark; npm has axe-core, where it is."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.browser.conftest import known_truth_model

HERE = Path(__file__).parent
AXE = HERE / "node_modules" / "axe-core" / "axe.min.js"
FILM = "film=known-truth/mass-01&model=known-truth"
PAGES = {
    "compare": (f"/?{FILM}&method=grad-cam&method=jacobian&run=1", "canvas[aria-label^='Jacobian sensitivity map']"),
    "stability": (f"/stability?{FILM}", "[data-testid=stVegaLiteChart]"),
    "study": ("/study", "text=No study is open on this computer"),
    "methods": ("/methods", "text=Perturb the film"),
    "method": ("/methods?method=lime", "text=When it misleads"),
    "films": ("/library", "text=Synthetic findings"),
    "models": ("/library?part=models", "text=NIH 14, localised"),
    "folder": ("/library?part=folder", "text=Folder on this computer"),
    "settings": ("/settings", "text=Your name as a reader"),
    "about": ("/about", "text=What the maps can say"),
    "tour": ("/", "text=Step 1 of 5"),
}
"""Address of each view, and what is there once it is drawn."""
STREAMLITS_OWN: dict[str, str] = {}
"""Rules that Streamlit's own elements break: id, and why the program cannot mend it. Empty: there are none."""
pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.timeout(400),
    pytest.mark.skipif(not known_truth_model(), reason="needs the known-truth model's weights in assets/models"),
]


@pytest.fixture(scope="module")
def axe() -> str:
    """axe-core's source, fetched by npm under the version and checksum of package-lock.json where it is not there."""
    if not AXE.is_file():
        npm = shutil.which("npm")
        if npm is None:
            pytest.skip("no npm: install it to check accessibility with axe-core")
        try:
            command = [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
            subprocess.run(command, cwd=HERE, check=True, capture_output=True, timeout=180)
        except (OSError, subprocess.SubprocessError):
            pytest.skip("npm could not fetch axe-core: check the network to check accessibility")
    return AXE.read_text(encoding="utf-8")


@pytest.fixture(scope="module", params=["light", "dark"])
def themed(request, page, address):
    """The browser's page, tall enough to see all of a view, in one theme, after the dashboard has started."""
    page.emulate_media(color_scheme=request.param)
    page.set_viewport_size({"width": 1280, "height": 5000})
    page.goto(address, wait_until="commit")
    page.get_by_role("link", name="About").first.wait_for()
    return page


def serious(page, axe: str) -> list[str]:
    """Serious and critical findings of a drawn page, each with its rule, the element and what is wrong."""
    page.evaluate(axe)
    found = page.evaluate("() => axe.run(document, {resultTypes: ['violations']})")
    return [
        f"{rule['id']}: {node['html'][:160]} {node['failureSummary'][:200]}"
        for rule in found["violations"]
        if rule["impact"] in ("serious", "critical") and rule["id"] not in STREAMLITS_OWN
        for node in rule["nodes"]
    ]


@pytest.mark.parametrize("name", PAGES)
def test_no_serious_finding(themed, address, axe, name):
    path, sign = PAGES[name]
    themed.goto(address + path, wait_until="commit")
    if name == "stability":
        compute = themed.get_by_role("button", name="Compute", exact=True)
        # What an earlier visit computed is there at once.
        compute.or_(themed.locator(sign)).first.wait_for()
        if compute.is_visible():
            compute.click()
    themed.locator(sign).first.wait_for(timeout=300_000)
    themed.locator("[data-testid=stApp][data-test-script-state=notRunning]").wait_for()
    themed.wait_for_timeout(2000)
    assert serious(themed, axe) == []


def test_axe_finds_what_is_wrong(themed, address, axe):
    themed.goto(f"{address}/about", wait_until="commit")
    themed.get_by_text("What the maps can say").wait_for()
    themed.evaluate("() => document.body.insertAdjacentHTML('beforeend', '<button id=bad></button>')")
    assert any(finding.startswith("button-name") for finding in serious(themed, axe))
    themed.evaluate("() => document.getElementById('bad').remove()")
