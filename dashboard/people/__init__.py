"""Who is there: names, roles, what is theirs alone, and what they did."""
