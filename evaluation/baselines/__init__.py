"""Maps that know nothing of the model."""
