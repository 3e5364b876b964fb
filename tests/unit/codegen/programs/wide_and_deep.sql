-- mysql: several sets of columns
SELECT * FROM iris.train
TO TRAIN DNNLinearCombinedClassifier
WITH model.n_classes = 3, model.dnn_hidden_units = [10, 20], train.batch_size = 10, train.epoch = 2
COLUMN sepal_length, sepal_width FOR linear_feature_columns
COLUMN petal_length, petal_width FOR dnn_feature_columns
LABEL class INTO sqlflow_models.wide_deep;
SELECT * FROM iris.train
TO TRAIN DNNClassifier
WITH model.n_classes = 3, model.hidden_units = [10, 20]
COLUMN sepal_length, EMBEDDING(CROSS([petal_width, petal_length], 10), 128, 'sum')
LABEL class INTO sqlflow_models.crossed;
SELECT * FROM weighted_key_value_train
TO TRAIN DNNClassifier
WITH model.n_classes = 2, model.hidden_units = [10]
COLUMN EMBEDDING(WEIGHTED_CATEGORY(CATEGORY_HASH(SPARSE(feature, 10, ",", "int", ":", "float"), 10)), 128, "sum")
LABEL label_col INTO sqlflow_models.weighted;
SELECT news_title, class_id FROM text_cn.train_processed
TO TRAIN DNNClassifier
WITH model.n_classes = 17, model.hidden_units = [10, 20]
COLUMN EMBEDDING(CATEGORY_ID(SPARSE(news_title, 16000, COMMA), 16000), 128, mean)
LABEL class_id INTO sqlflow_models.text_cn;
SELECT news_title, class_id FROM text_cn.train_processed
TO TRAIN sqlflow_models.StackedBiLSTMClassifier
WITH model.n_classes = 17, model.stack_units = [16], train.epoch = 1
COLUMN EMBEDDING(SEQ_CATEGORY_ID(news_title, 1600, COMMA), 128, mean)
LABEL class_id INTO sqlflow_models.lstm;
