-- Without examples: what is unusual, and which rows are alike.
SELECT sepal_length, sepal_width, petal_length, petal_width FROM iris_train
TO TRAIN sqlflow_models.OneClassSVM
WITH model.kernel="rbf", model.gamma="scale", model.nu=0.1
INTO iris_usual;

SELECT sepal_length, sepal_width, petal_length, petal_width FROM iris_test
TO PREDICT iris_unusual.label
WITH predict.extra_outputs="score"
USING iris_usual;

SELECT sepal_length, sepal_width, petal_length, petal_width FROM iris_train
TO TRAIN kmeans
WITH n_clusters=3
INTO iris_clusters;

SELECT * FROM iris_test
TO PREDICT iris_clustered.cluster
USING iris_clusters;
