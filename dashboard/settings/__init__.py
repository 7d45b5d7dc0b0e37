"""What a person sets once."""
