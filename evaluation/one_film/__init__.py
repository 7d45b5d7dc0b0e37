"""One film: its explanations side by side, scored."""
