"""Whether a map tells what the model really computes."""
