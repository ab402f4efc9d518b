"""What is restored, with what, and in which order."""
