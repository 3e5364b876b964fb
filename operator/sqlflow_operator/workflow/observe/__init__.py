"""From a run's objects to its state, in the same words for every backend. Pure."""
