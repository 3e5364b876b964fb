"""One module for each backend, and which of them a cluster serves."""
