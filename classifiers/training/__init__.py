"""Training and measuring the classifiers that the project ships."""
