"""The alignment windows and their edits."""
