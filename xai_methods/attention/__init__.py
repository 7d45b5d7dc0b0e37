"""Methods that read how much the tokens of a transformer take from each other."""
