"""One module for each backend, and what all of them have in common."""
