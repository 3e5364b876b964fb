"""Fluid: a Python DSL for tekton.dev/v1. Comes with the Argo and Tekton backends."""
