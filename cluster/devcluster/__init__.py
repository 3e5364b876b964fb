"""A kind cluster for development and tests, with or without a container registry."""
