"""Blinded reader studies of explanations: the study file, who reads what, the answers, and what they show."""
