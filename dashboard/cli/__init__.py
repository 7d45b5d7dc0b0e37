"""The command `lightbox`, and the start of the dashboard."""

import os

# Threads of torch that wait spin by default, which slows down a busy machine; OpenMP reads this when torch loads.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
