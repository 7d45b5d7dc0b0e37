"""Scores, baselines, statistics, scorecard, benchmark runs, their store, the command line."""

from evaluation.scores.score import Score

__all__ = ["Score"]
