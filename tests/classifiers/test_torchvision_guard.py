"""torchvision can be imported after the guard, in a process of its own."""

import subprocess
import sys


def test_torchvision_imports_and_builds_networks():
    code = (
        "from classifiers.torchvision_guard import ensure_torchvision as e;"
        "assert e() == e();"
        "from torchvision.models import resnet18; resnet18(weights=None)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=280)
    assert done.returncode == 0, done.stderr[-500:]
