"""The subcommands of `sqlflow`."""
