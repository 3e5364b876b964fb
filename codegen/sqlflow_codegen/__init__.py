"""Program text to statements, graph, steps, Python program and YAML.

Pure: nothing in this package talks to a cluster or a database. Everything above it (the step runtime,
the operator, the command line) builds on the types that it defines.
"""
