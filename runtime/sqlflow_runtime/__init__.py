"""Inside a step: execute statements, train and use models, write records. Knows nothing of Kubernetes."""
