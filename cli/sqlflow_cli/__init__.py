"""The `sqlflow` command, also installed as `kubectl-sqlflow`."""
