"""The profile of hypothesis for all layers.

The same examples every time, so that a change of the code is all that can turn a test red. `make properties` tries new
ones, as many as SQLFLOW_EXAMPLES says.
"""

from __future__ import annotations

from hypothesis import HealthCheck, settings

from tests.support.examples import EXAMPLES, LONG

settings.register_profile(
    "sqlflow",
    max_examples=EXAMPLES,
    derandomize=not LONG,
    deadline=None,  # a busy machine is no fault
    print_blob=LONG,
    database=None,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("sqlflow")
