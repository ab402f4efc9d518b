"""What all widgets share: colours, icons, small widgets, words for numbers."""
