"""From statements to steps: which statement needs which, and which run together in one container."""

from sqlflow_codegen.graph.steps import Step, plan_steps

__all__ = ["Step", "plan_steps"]
