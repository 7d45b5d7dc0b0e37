"""Scores of a map: what each says, its chance level, and how it is computed."""
