"""Models of the user's own: a class or function of a module that the user's image brings. See docs/custom-models.md."""
