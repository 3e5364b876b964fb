-- mysql: models of the user's own images and of sqlflow_models
SELECT sepal_length, sepal_width, petal_length, concat(petal_width, ',', class) AS class FROM iris.train
TO TRAIN sqlflow_models.RNNBasedTimeSeriesModel WITH model.n_in = 3, model.stack_units = [10, 10], model.n_out = 2
LABEL class INTO sqlflow_models.series;
SELECT sepal_length, sepal_width, petal_length, petal_width FROM iris.train
TO TRAIN sqlflow_models.OneClassSVM WITH model.kernel = 'rbf', model.gamma = 0.1, model.nu = 0.01
INTO sqlflow_models.outliers;
SELECT * FROM iris.test
TO PREDICT iris.outliers.label WITH predict.extra_outputs = "score" USING sqlflow_models.outliers;
SELECT (sepal_length - 4.4) / 3.5 AS sepal_length, (sepal_width - 2.0) / 2.2 AS sepal_width FROM iris.train
TO TRAIN sqlflow_models.DeepEmbeddingClusterModel
WITH model.pretrain_dims = [10, 10, 3], model.n_clusters = 3, model.pretrain_epochs = 5, train.batch_size = 10, train.verbose = 1
INTO sqlflow_models.clusters;
SELECT sepal_length, sepal_width FROM iris.train TO TRAIN kmeans
WITH center_count = 3, idx_table_name = "iris.kmeans_result"
INTO sqlflow_models.my_kmeans;
SELECT * FROM scorecard.train TO TRAIN sqlflow_models.ScoreCard WITH model.pf_bin_size = 5
LABEL serious_dlqin2yrs INTO sqlflow_models.scorecard;
SELECT * FROM iris.train TO TRAIN hub.docker.com:5000/sqlflow/models:v1.0/CustomClassifier
WITH model.hidden_units = [16, 32], model.lr = -1.5e-3
LABEL class USING sqlflow_models.before INTO hub.docker.com:8000/models.custom:v2;
SELECT * FROM iris.train TO TRAIN sqlflow_models.AutoClassifier WITH model.n_classes = 3, train.epoch = 10
LABEL class INTO sqlflow_models.auto;
SELECT * FROM iris.test TO EXPLAIN sqlflow_models.auto WITH summary.plot_type = "bar";
SELECT id, features, label AS class FROM cora.train
TO TRAIN sqlflow_models.GCN WITH model.nhid = 16, model.nclass = 7, model.epochs = 200
LABEL class INTO sqlflow_models.gcn;
