"""Runs generated workflow programs apart from this process: warm, limited, in milliseconds.

A server process has the DSL imported already; for each program it forks a child with its own CPU, memory and time
limits (`server`). DSLs keep process-global state: a child for each program gives each a clean one. This keeps
mistakes in; it is no wall against hostile code.
"""

from sqlflow_codegen.sandbox.sandbox import Limits, Sandbox, run_program

__all__ = ["Limits", "Sandbox", "run_program"]
