"""Counterfactual films: what one film's series shows and says, and how good such series are over many films."""
