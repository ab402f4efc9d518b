"""From paths to sequences, and what is remembered of them."""
