-- Two classes, with NULL in two columns.
SELECT * FROM iris_gaps
TO TRAIN xgboost.gbtree
WITH objective="binary:logistic", train.num_boost_round=10
LABEL class
INTO iris_binary;

SELECT * FROM iris_gaps
TO PREDICT iris_binary_predicted.class
USING iris_binary;
