"""The programs that `gen_code` returns, with sample data: one for each backend, each a file that runs as it stands.

Data stands on top, as literals; the code below is the same for every run.
"""
