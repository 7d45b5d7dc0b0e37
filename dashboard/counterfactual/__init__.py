"""The counterfactual page, its files and its command."""
