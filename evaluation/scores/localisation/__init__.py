"""Localisation metrics, one idea a file; each registers itself in ``evaluation.scores.registry``."""
