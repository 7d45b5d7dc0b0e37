"""Films and outlines that the program can download."""
