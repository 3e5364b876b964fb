"""What a statement reads and writes, what waits for what, and which statements share a step."""
