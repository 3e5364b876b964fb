"""What the grammar allows and a run would refuse: unknown attributes, values out of range, clauses that contradict.

Estimators and attributes that nobody here knows only warn: an image of its own may know them.
"""

from sqlflow_codegen.language.checks.program import check_program, check_statements

__all__ = ["check_program", "check_statements"]
