"""Counterfactual films: what would have to look different for the classifier to answer otherwise."""
