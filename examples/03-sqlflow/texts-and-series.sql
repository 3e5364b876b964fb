-- Texts as lists of words' numbers, and what comes next in a series.
SELECT * FROM news
TO TRAIN DNNClassifier
WITH model.n_classes=17, model.hidden_units=[10, 20], train.batch_size=10, train.epoch=2
COLUMN EMBEDDING(CATEGORY_ID(SPARSE(news_title, 16000, COMMA), 16000), 16, mean)
LABEL class_id
INTO news_model;

SELECT * FROM news
TO PREDICT news_predicted.class_id
USING news_model;

SELECT * FROM reviews
TO TRAIN sqlflow_models.StackedBiLSTMClassifier
WITH model.n_classes=2, model.stack_units=[8], model.hidden_size=8, train.batch_size=16, train.epoch=2
COLUMN EMBEDDING(SEQ_CATEGORY_ID(SPARSE(words, 30, COMMA), 30), 8, mean)
LABEL label_col
INTO reviews_model;

SELECT * FROM series
TO TRAIN sqlflow_models.RNNBasedTimeSeriesModel
WITH model.n_in=3, model.stack_units=[10, 10], model.n_out=2, train.epoch=2
LABEL next_two
INTO series_model;

SELECT a, b, c FROM series
TO PREDICT series_predicted.next_two
USING series_model;
