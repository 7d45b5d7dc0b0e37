"""The command `lightbox`, and the start of the dashboard."""

import os

# Torch's threads that wait would turn round and take a busy machine's cores from those that work; read as torch loads.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
