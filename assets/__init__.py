"""Weights, cards, lesson texts and split tables that the project ships."""
