"""The alignment windows in numbers."""
