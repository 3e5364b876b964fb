-- Neural networks.
SELECT * FROM iris_train
TO TRAIN DNNClassifier
WITH model.n_classes=3, model.hidden_units=[10, 20], train.batch_size=4, train.epoch=10
LABEL class
INTO iris_network;

SELECT * FROM iris_test
TO PREDICT iris_network_predicted.class
USING iris_network;

-- One of five switches is on: the network has to know which.
SELECT * FROM sanity_check
TO TRAIN DNNClassifier
WITH model.n_classes=5, model.hidden_units=[42, 13], model.optimizer="Adam", train.epoch=100, train.seed=1
LABEL class
INTO sanity_model;

SELECT * FROM sanity_check
TO PREDICT sanity_predicted.class
USING sanity_model;

SELECT * FROM housing_train
TO TRAIN LinearRegressor
WITH train.batch_size=16, train.epoch=10, train.seed=1
LABEL target
INTO housing_linear;

SELECT * FROM housing_test
TO PREDICT housing_linear_predicted.result
USING housing_linear;

SELECT * FROM iris_train
TO TRAIN DNNLinearCombinedClassifier
WITH model.n_classes=3, model.dnn_hidden_units=[10, 20], train.batch_size=10, train.epoch=2
COLUMN sepal_length, sepal_width FOR linear_feature_columns
COLUMN petal_length, petal_width, EMBEDDING(CROSS([petal_width, petal_length], 10), 8, 'sum') FOR dnn_feature_columns
LABEL class
INTO iris_combined;

SELECT * FROM iris_test
TO PREDICT iris_combined_predicted.class
USING iris_combined;

SELECT * FROM weighted_pairs
TO TRAIN DNNClassifier
WITH model.n_classes=2, model.hidden_units=[8], train.epoch=2
COLUMN EMBEDDING(WEIGHTED_CATEGORY(CATEGORY_HASH(SPARSE(feature, 10, ",", "int", ":", "float"), 10)), 8, "sum")
LABEL label_col
INTO weighted_model;
