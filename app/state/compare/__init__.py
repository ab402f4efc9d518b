"""What the panes show, and what is measured of it."""
