"""What a network did to a film, step by step: the tape, the steps it is made of, and the way back down them."""
