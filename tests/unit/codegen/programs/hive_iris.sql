-- hive: the same in Hive's dialect
CREATE TABLE IF NOT EXISTS iris.copy AS SELECT * FROM iris.train;
SELECT sepal_length, sepal_width, petal_length, petal_width, class FROM iris.copy
TO TRAIN XGBClassifier
WITH objective="multi:softmax", num_class=3, train.num_boost_round=10
COLUMN sepal_length, sepal_width, petal_length, petal_width
LABEL class
INTO sqlflow_models.hive_model;
SELECT * FROM iris.test TO PREDICT iris.predict.class USING sqlflow_models.hive_model;
