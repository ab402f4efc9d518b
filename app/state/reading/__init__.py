"""Reading in threads."""
