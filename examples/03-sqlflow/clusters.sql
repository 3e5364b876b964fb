-- Clusters in the middle of an autoencoder.
SELECT sepal_length, sepal_width, petal_length, petal_width FROM iris_train
TO TRAIN sqlflow_models.DeepEmbeddingClusterModel
WITH model.pretrain_dims=[10, 10, 3], model.n_clusters=3, model.pretrain_epochs=5, model.pretrain_lr=0.1,
     model.train_max_iters=50
INTO iris_embedded;

SELECT sepal_length, sepal_width, petal_length, petal_width FROM iris_test
TO PREDICT iris_embedded_predicted.cluster
USING iris_embedded;
