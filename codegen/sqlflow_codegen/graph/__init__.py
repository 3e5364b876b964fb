"""The dependency graph of a program: reads and writes of its statements, their order, and the steps that they share.

Nothing here runs a program. `sqlglot` understands the SQL and never rewrites it; it is imported only when a graph is
made.
"""

from sqlflow_codegen.graph.ordering import Ordering
from sqlflow_codegen.graph.planning import check_results, plan, plan_steps
from sqlflow_codegen.graph.steps import Step

__all__ = ["Ordering", "Step", "check_results", "plan", "plan_steps"]
