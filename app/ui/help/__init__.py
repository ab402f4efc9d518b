"""Finding commands, keys and help."""
