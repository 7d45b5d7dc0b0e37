"""Assessments by the element of interpretability they speak for; each module registers what it holds."""
