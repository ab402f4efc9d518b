"""Which sequence is open, where in it we are, and how that is kept."""
