"""Scores, baselines, statistics, scorecard, benchmark runs, their store, the command line."""
