"""The rounds of a training: each in the curve and the progress, some of them as lines of the log."""

from __future__ import annotations

from collections.abc import Mapping

from sqlflow_runtime.ml.training import Training

LINES = 100
"""Lines of log that a training writes about its rounds, about."""


class Rounds:
    """Notes each round, and ends the training when the step is to stop."""

    def __init__(self, training: Training, rounds: int) -> None:
        self._training = training
        self._every = max(1, rounds // LINES)
        self._rounds = rounds

    def note(self, done: int, values: Mapping[str, float]) -> None:
        """Note a round.

        Args:
            done: rounds that are done, from 1.
            values: what was measured after it, such as `train-rmse`.

        Raises:
            RunError: kind `stopped`; the step is to stop.
        """
        if (done - 1) % self._every == 0 or done == self._rounds:
            self._training.log(f"[{done - 1}] {' '.join(f'{name}:{value:.5f}' for name, value in values.items())}")
        self._training.progress(done, self._rounds, values, "round")
