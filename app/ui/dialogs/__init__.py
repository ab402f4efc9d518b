"""Questions: how to read a recording, what to export, which file."""
