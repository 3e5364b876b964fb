"""The services that every part uses: other programs, progress, paths, the cache."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from devcluster.errors import DevClusterError, log_lines
from devcluster.layout import Layout
from devcluster.process import Runner
from devcluster.progress import Reporter
from devcluster.store import Store


@dataclass(frozen=True, slots=True)
class Context:
    """Passed to every part; tests put a scripted runner and temporary places in."""

    runner: Runner
    reporter: Reporter
    layout: Layout

    @property
    def store(self) -> Store:
        """The cache of this layout."""
        return Store(self.layout.cache, self.reporter)

    def long(
        self,
        title: str,
        argv: Sequence[str],
        *,
        log: str,
        todo: str = "",
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        stdin: str | None = None,
    ) -> Path:
        """Run a long program under a progress line, its output in the log file `log`; returns that file.

        Raises:
            DevClusterError: it failed; names the log.
        """
        path = self.layout.logs / f"{log}.log"
        with self.reporter.step(title) as step:
            code = self.runner.stream(argv, log=path, on_line=step.update, env=env, cwd=cwd, stdin=stdin)
            if code:
                lines = log_lines(path)
                raise DevClusterError(f"{title}: failed", lines[-1] if lines else f"exit code {code}", todo, path)
        return path

    def short(
        self,
        what: str,
        argv: Sequence[str],
        *,
        todo: str = "",
        env: Mapping[str, str] | None = None,
        stdin: str | None = None,
        timeout: float | None = 60,
    ) -> str:
        """Run a short program and return its stdout without surrounding white space.

        Raises:
            DevClusterError: it failed; `what` says what it was for.
        """
        result = self.runner.run(argv, env=env, stdin=stdin, timeout=timeout)
        if not result.ok:
            raise DevClusterError(f"{what}: failed", result.reason, todo)
        return result.out.strip()
