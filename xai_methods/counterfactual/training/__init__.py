"""Training of the counterfactual explainers; nothing here is needed to use them."""
