"""The studio window. Never imports torch."""
