"""A run's output since the last request: messages, columns, rows, from the logs of its steps."""
