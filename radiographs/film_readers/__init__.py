"""Readers of film files: one format a file, one rule of depth and of colour for all."""
