-- Three classes of flowers, by trees.
SELECT * FROM iris_train
TO TRAIN xgboost.gbtree
WITH objective="multi:softmax", num_class=3, eval_metric="merror", train.num_boost_round=20,
     validation.select="SELECT * FROM iris_test"
LABEL class
INTO iris_trees;

SELECT * FROM iris_test
TO PREDICT iris_predicted.class
USING iris_trees;

SELECT * FROM iris_test
TO EVALUATE iris_trees
WITH validation.metrics="accuracy_score"
LABEL class
INTO iris_evaluated;

SELECT * FROM iris_test
TO EXPLAIN iris_trees
INTO iris_explained;

SELECT * FROM iris_test
TO EXPLAIN iris_trees
USING XGBoostExplainer
INTO iris_gains;

SHOW TRAIN iris_trees;
