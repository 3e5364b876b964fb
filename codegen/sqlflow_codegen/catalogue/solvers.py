"""The solver of TO MAXIMIZE and TO MINIMIZE, HiGHS: its options that a statement may set, and other solvers' names."""

from __future__ import annotations

from types import MappingProxyType

SOLVER = "highs"

OTHER_SOLVERS = ("baron", "glpk")
"""Solvers that SQLFlow knew: HiGHS solves their problems, and options of theirs have no effect."""

_POSITIVE = "float (0,inf)"
_TOLERANCE = "float [1e-10,1)"

SOLVER_OPTIONS = MappingProxyType(
    {
        "time_limit": _POSITIVE,
        "mip_rel_gap": "float [0,1]",
        "mip_abs_gap": "float [0,inf)",
        "mip_max_nodes": "int [1,2147483647]",
        "mip_max_improving_sols": "int [1,2147483647]",
        "mip_feasibility_tolerance": _TOLERANCE,
        "mip_heuristic_effort": "float [0,1]",
        "mip_detect_symmetry": "bool",
        "primal_feasibility_tolerance": _TOLERANCE,
        "dual_feasibility_tolerance": _TOLERANCE,
        "objective_target": "float",
        "simplex_iteration_limit": "int [1,2147483647]",
        "ipm_iteration_limit": "int [1,2147483647]",
        "presolve": "{off,choose,on}",
        "solver": "{choose,simplex,ipm}",
        "parallel": "{off,choose,on}",
        "threads": "int [1,512]",
        "random_seed": "int [0,2147483647]",
        "output_flag": "bool",
    }
)
"""Name of an option of HiGHS -> the rule for its value. The attribute's name is `solver.` and the option's."""
