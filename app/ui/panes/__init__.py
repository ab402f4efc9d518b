"""The pictures side by side, and what is compared in them."""
