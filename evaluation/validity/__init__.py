"""Whether scores of a classifier and finding mean anything."""
