"""Methods that hide parts of the film and ask the model again."""
