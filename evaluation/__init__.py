"""Scores, baselines, statistics, scorecard, benchmark runs, their store, the command line."""

from evaluation.scores import Score

__all__ = ["Score"]
