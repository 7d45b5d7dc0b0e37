"""Model-independent baselines."""
