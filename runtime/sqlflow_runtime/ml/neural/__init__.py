"""Neural networks: SQLFlow's estimators on Keras 3 with JAX. Imported only by steps that train or use one."""
