"""Start a Dask scheduler here and workers as Slurm jobs, and stay until Ctrl-C: ``python slurm.py 16``.

Needs ``pip install dask-jobqueue`` and ``jobqueue.yaml`` in ``~/.config/dask/``.
"""

import signal
import sys

from dask_jobqueue import SLURMCluster

if __name__ == "__main__":
    with SLURMCluster(scheduler_options={"port": 8786}) as cluster:
        cluster.scale(jobs=int(sys.argv[1]))
        sys.stdout.write(f"lightbox run plan.toml --out results --scheduler {cluster.scheduler_address}\n")
        sys.stdout.flush()
        signal.sigwait({signal.SIGINT, signal.SIGTERM})
