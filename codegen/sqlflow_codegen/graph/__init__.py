"""What a statement reads and writes, what waits for what, and which statements share a step.

Nothing here runs a program. `sqlglot` understands the SQL and never rewrites it; it is imported only when a graph is
made.
"""

from sqlflow_codegen.graph.ordering import Ordering
from sqlflow_codegen.graph.planning import check_results, plan, plan_steps
from sqlflow_codegen.graph.steps import Step

__all__ = ["Ordering", "Step", "check_results", "plan", "plan_steps"]
