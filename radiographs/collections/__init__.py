"""The collections that come with the program, one a file."""
