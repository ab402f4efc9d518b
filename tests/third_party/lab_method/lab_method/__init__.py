"""Methods of a laboratory."""
