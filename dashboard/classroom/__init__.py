"""The Class page: rooms that students join by a code, lessons step by step, what everybody answered."""
