"""Training and using models. Imported only by steps that do: it brings numpy and the learning libraries along."""

from sqlflow_runtime.ml.threads import limit_threads

# Before numpy or any other library counts the machine's processors.
limit_threads()
