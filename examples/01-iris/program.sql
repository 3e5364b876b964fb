-- Look at the data that the model will learn from.
SELECT class, count(*) AS flowers, round(avg(petal_length)::numeric, 2) AS petal_length
FROM iris.train
GROUP BY class
ORDER BY class;

-- Learn: boosted trees that tell the three species apart.
SELECT * FROM iris.train
TO TRAIN xgboost.gbtree
WITH objective="multi:softmax", num_class=3, eta=0.3, max_depth=3, train.num_boost_round=20
LABEL class
INTO my_model;

-- Measure it on the 30 flowers it has never seen.
SELECT * FROM iris.test
TO EVALUATE my_model
WITH validation.metrics="accuracy_score,f1_score"
LABEL class
INTO iris.evaluation;

-- Use it: a table with the same measures and the predicted class.
SELECT * FROM iris.test
TO PREDICT iris.predictions.class
USING my_model;

SELECT * FROM iris.predictions
ORDER BY sepal_width, petal_length, sepal_length
LIMIT 10;
