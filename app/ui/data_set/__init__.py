"""The sequences of a folder."""
