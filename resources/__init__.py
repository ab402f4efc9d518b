"""Files that ship with the studio."""
