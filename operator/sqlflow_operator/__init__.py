"""The Kubernetes side: the SQLFlowJob API, the backends' workflows, the reconcile logic and the kopf handlers."""
