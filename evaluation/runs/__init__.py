"""Benchmark runs: collections x classifiers x findings x methods x scores, from one plan, on one machine or a cluster.

A :class:`~evaluation.runs.plan.Plan` says what to run, :func:`~evaluation.runs.engine.run` runs it film by film and can
be stopped and started again, a :class:`~evaluation.runs.store.Store` keeps one row a score.
"""

from evaluation.runs.plan import Plan, PlanError, read_plan
from evaluation.runs.store import Store, StoreError

__all__ = ["Plan", "PlanError", "Store", "StoreError", "read_plan"]
