-- mysql: no model at all
SHOW DATABASES;
SELECT * FROM iris.train LIMIT 2;
DROP TABLE IF EXISTS case_db.bigints;
CREATE TABLE case_db.bigints (c BIGINT);
INSERT INTO case_db.bigints VALUES ('1');
SELECT * FROM case_db.bigints;
SELECT f1.user_id, f1.fea1, f2.fea2 FROM standard_join_test.user_fea1 AS f1
LEFT OUTER JOIN standard_join_test.user_fea2 AS f2 ON f1.user_id = f2.user_id WHERE f1.user_id < 3;
SELECT CONCAT("\"", `class`, '\'') FROM `iris`.`train` -- it's a comment; with a semicolon
WHERE class IN (0, 1) # and another one's
