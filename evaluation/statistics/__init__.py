"""Intervals and paired tests over patients."""
