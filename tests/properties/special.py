"""Groups of statements that one kind of database knows, for random programs: `{name}`, `{source}` and `{k}` are random.

Names of the world are qualified, so that they mean the same after a USE.
"""

from __future__ import annotations

_INDEX = [
    [
        "CREATE TABLE {name} AS SELECT id, v FROM {source}",
        "CREATE INDEX ix ON {name} (v)",
        "DROP INDEX ix",
        "CREATE TABLE {name}_b (v int)",
        "CREATE INDEX ix ON {name}_b (v)",
        "DROP TABLE {name}_b",
        "CREATE INDEX ix ON {name} (v)",
        "DROP TABLE {name}",
    ],
]

POSTGRES = [
    ["SELECT public.fw(3)"],
    ["SELECT fw({k})"],
    ["SELECT public.fr()"],
    ["CALL public.pw()"],
    ["WITH d AS (DELETE FROM e1 WHERE v % 5 = 1 RETURNING id, v) INSERT INTO e3 (id, v) SELECT * FROM d"],
    ["SELECT id, v INTO {name} FROM {source}", "SELECT * FROM {name}"],
    [
        "CREATE MATERIALIZED VIEW {name} AS SELECT id, v FROM {source}",
        "UPDATE e1 SET v = (v * 3 + {k}) % 1009",
        "REFRESH MATERIALIZED VIEW {name}",
        "SELECT * FROM {name}",
    ],
    ["MERGE INTO e1 USING (SELECT 1 AS id) s ON e1.id = s.id WHEN MATCHED THEN UPDATE SET v = v * 7 % 1009"],
    ["INSERT INTO public.es (v) VALUES (8)", "SELECT currval('public.es_id_seq')"],
    ["INSERT INTO public.ep VALUES (1, 2) ON CONFLICT (id) DO UPDATE SET v = (ep.v * 3 + 2) % 1009"],
    ["DELETE FROM public.ep WHERE id = {k} % 4", "SELECT * FROM public.ec"],
    ["DO $$ BEGIN UPDATE public.e1 SET v = (v * 3 + 5) % 1009; END $$"],
    ["BEGIN", "SET LOCAL search_path = s2", "UPDATE e1 SET v = (v * 3 + 4) % 1009", "COMMIT"],
    [
        "CREATE SCHEMA IF NOT EXISTS s3",
        "CREATE TABLE s3.{name} AS SELECT id, v FROM {source}",
        "SELECT * FROM s3.{name}",
    ],
    ["BEGIN", "SET search_path = s2", "ROLLBACK", "UPDATE e1 SET v = (v * 3 + 2) % 1009"],
    ["INSERT INTO public.e2 VALUES (9, {k})", "SELECT * FROM public.e3"],
    ["CREATE TABLE {name} (LIKE e1)", "INSERT INTO {name} SELECT * FROM e1", "SELECT * FROM {name}"],
    ["UPDATE e1 SET v = v * 11 % 1009 RETURNING id, v"],
    ["CREATE TABLE {name} (id int, v int)", "CREATE TABLE {name}_k (id int, v int) INHERITS ({name})"],
    [
        "CREATE TABLE {name} (id int, v int)",
        "CREATE TABLE {name}_k () INHERITS ({name})",
        "INSERT INTO {name}_k VALUES (1, {k})",
        "SELECT * FROM {name}",
        "UPDATE {name} SET v = v + 1",
        "SELECT * FROM {name}_k",
    ],
    [
        "CREATE TABLE {name} (id int, v int)",
        "CREATE TRIGGER t AFTER INSERT ON {name} FOR EACH ROW EXECUTE FUNCTION public.on_e2()",
        "INSERT INTO {name} VALUES (3, {k})",
        "SELECT * FROM public.e3",
    ],
    [
        "CREATE OR REPLACE FUNCTION public.on_e2() RETURNS trigger LANGUAGE plpgsql AS "
        "'BEGIN INSERT INTO public.{name} VALUES (new.id, 5); RETURN new; END'",
        "CREATE TABLE public.{name} (id int, v int)",
        "INSERT INTO public.e2 VALUES (9, {k})",
        "SELECT * FROM public.{name}",
    ],
    [
        "DO 'BEGIN CREATE FUNCTION public.f{name}() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN INSERT INTO public.{name} VALUES (new.id, 5); RETURN new; END $$; "
        "CREATE TRIGGER t{name} AFTER UPDATE ON public.e3 FOR EACH ROW EXECUTE FUNCTION public.f{name}(); END'",
        "CREATE TABLE public.{name} (id int, v int)",
        "UPDATE public.e3 SET v = (v * 3 + {k}) % 1009",
        "SELECT * FROM public.{name}",
    ],
    [
        "CREATE VIEW {name} AS SELECT id, v FROM public.e1",
        "UPDATE {name} SET v = v * 3 % 1009",
        "SELECT * FROM {source}",
    ],
    ["CREATE RULE r AS ON INSERT TO public.e3 DO ALSO UPDATE public.e1 SET v = (v * 3 + 1) % 1009"],
    ["CREATE TABLE {name} (id serial, v int)", "INSERT INTO {name} (v) VALUES (1)", "SELECT nextval('{name}_id_seq')"],
    [
        "CREATE TABLE {name} (id int, v int) PARTITION BY LIST (id)",
        "CREATE TABLE {name}_1 PARTITION OF {name} FOR VALUES IN (1)",
        "INSERT INTO {name} VALUES (1, {k})",
        "UPDATE {name}_1 SET v = (v * 3 + 1) % 1009",
        "SELECT * FROM {name}",
    ],
    [
        "CREATE TABLE {name} (id int GENERATED ALWAYS AS IDENTITY, v int)",
        "INSERT INTO {name} (v) VALUES ({k})",
        "SELECT nextval('{name}_id_seq')",
        "SELECT * FROM {name}",
    ],
    ["ALTER TABLE public.e3 ADD COLUMN {name} int DEFAULT {k}"],
    [
        "CREATE TABLE {name} (id int, v int)",
        "INSERT INTO {name} VALUES (1, {k})",
        "ALTER TABLE {name} ADD FOREIGN KEY (id) REFERENCES public.ep ON DELETE CASCADE",
        "DELETE FROM public.ep WHERE id = 1",
        "SELECT * FROM {name}",
    ],
    ["PREPARE {name} AS SELECT id, v FROM {source}", "UPDATE e1 SET v = (v * 3 + {k}) % 1009", "EXECUTE {name}"],
    ["CREATE FUNCTION {name}() RETURNS bigint LANGUAGE sql AS 'SELECT sum(v) FROM public.e1'", "SELECT {name}()"],
    ["COMMENT ON TABLE public.e1 IS 'about {k}'", "ANALYZE public.e1"],
    [
        "BEGIN",
        "CREATE TEMP TABLE {name} (id int, v int) ON COMMIT DROP",
        "INSERT INTO {name} VALUES (1, {k})",
        "INSERT INTO public.e3 (id, v) SELECT id, v FROM {name}",
        "COMMIT",
        "SELECT * FROM public.e3",
    ],
    ["SELECT set_config('search_path', 's2', false)", "UPDATE e1 SET v = (v * 3 + {k}) % 1009", "SELECT * FROM x1"],
    ["CREATE TABLE {name} (id int, v int DEFAULT public.fw(1))", "INSERT INTO {name} (id) VALUES ({k})"],
    ["CREATE VIEW {name} AS SELECT public.fw(2) AS id, 3 AS v", "SELECT * FROM {name}"],
    *_INDEX,
]

MARIADB = [
    ["SELECT d1.fw(3)"],
    ["SELECT d1.fr()"],
    ["CALL d1.pw()"],
    ["SET @{name} = {k}", "SELECT @{name} + 1", "INSERT INTO d1.e1 VALUES (4, @{name})"],
    ["SET @q = {k}"],
    ["SELECT @q"],
    [
        "SET @{name} = (SELECT coalesce(sum(v), 0) FROM {source})",
        "UPDATE d1.e1 SET v = (v * 3 + {k}) % 1009",
        "INSERT INTO d1.e1 VALUES (3, @{name} % 1009)",
    ],
    ["SELECT count(*) INTO @{name} FROM {source}", "UPDATE d1.e2 SET v = (v * 3 + {k}) % 1009", "SELECT @{name}"],
    ["INSERT INTO d1.es (v) VALUES (8)", "SELECT last_insert_id()"],
    ["UPDATE d1.e1 SET v = (v * 3 + 2) % 1009 WHERE v % 2 = 1", "SELECT row_count()"],
    ["REPLACE INTO d1.ep VALUES (9, {k})"],
    ["INSERT INTO d1.ep VALUES (1, 2) ON DUPLICATE KEY UPDATE v = (v * 3 + 2) % 1009"],
    ["DELETE FROM d1.ep WHERE id = {k} % 4", "SELECT * FROM d1.ec"],
    ["DELETE a FROM d1.e1 a JOIN d1.e2 b ON a.id = b.id WHERE a.v % 3 = 0"],
    ["CREATE TABLE d1.{name} LIKE d1.e1", "INSERT INTO d1.{name} SELECT * FROM d1.e1"],
    ["RENAME TABLE d1.e1 TO d1.{name}, d1.e3 TO d1.e1, d1.{name} TO d1.e3"],
    ["SET SESSION sql_mode = concat(@@sql_mode, ',PIPES_AS_CONCAT')", "SELECT 1 || 2"],
    ["INSERT INTO d1.e2 VALUES (9, {k})", "SELECT * FROM d1.e3"],
    [
        "CREATE DATABASE IF NOT EXISTS s3",
        "CREATE TABLE s3.{name} AS SELECT id, v FROM {source}",
        "SELECT * FROM s3.{name}",
    ],
    ["SET @q = {k}", "SELECT @q := @q + 1", "SELECT @q"],
    ["LOCK TABLES d1.e1 WRITE", "UPDATE d1.e1 SET v = (v * 3 + {k}) % 1009", "UNLOCK TABLES"],
    [
        "CREATE TABLE d1.{name} (id int, v int)",
        "CREATE TRIGGER d1.t{name} AFTER INSERT ON d1.{name} FOR EACH ROW INSERT INTO d1.e3 VALUES (new.id, 5)",
        "INSERT INTO d1.{name} VALUES (3, {k})",
        "SELECT * FROM d1.e3",
    ],
    [
        "CREATE TRIGGER d1.t{name} AFTER INSERT ON d1.e3 FOR EACH ROW INSERT INTO d1.{name} VALUES (new.id, 5)",
        "CREATE TABLE d1.{name} (id int, v int)",
        "INSERT INTO d1.e3 VALUES (3, {k})",
        "SELECT * FROM d1.{name}",
    ],
    [
        "CREATE TABLE d1.{name}_p (id int PRIMARY KEY, v int)",
        "CREATE TABLE d1.{name} (id int, v int, CONSTRAINT fk FOREIGN KEY (id) REFERENCES d1.{name}_p (id))",
        "ALTER TABLE d1.{name} DROP FOREIGN KEY fk",
        "CREATE TABLE d1.{name}_q (id int PRIMARY KEY, v int)",
        "CREATE TABLE d1.{name}_c (id int, v int, CONSTRAINT fk FOREIGN KEY (id) REFERENCES d1.{name}_q (id))",
        "DROP TABLE d1.{name}_c",
        "CREATE TABLE d1.{name}_s (id int PRIMARY KEY, v int)",
        "CREATE TABLE d1.{name}_d (id int, v int, CONSTRAINT fk FOREIGN KEY (id) REFERENCES d1.{name}_s (id))",
    ],
    ["PREPARE {name} FROM 'SELECT sum(v) FROM d1.e1'", "UPDATE d1.e1 SET v = (v * 3 + {k}) % 1009", "EXECUTE {name}"],
    [
        "CREATE VIEW d1.{name} AS SELECT id, v FROM d1.e1",
        "UPDATE d1.{name} SET v = v * 3 % 1009",
        "SELECT * FROM {source}",
    ],
    ["CREATE TABLE d1.{name} (id int, v int DEFAULT (nextval(d1.sq)))", "INSERT INTO d1.{name} (id) VALUES ({k})"],
    ["ALTER TABLE d1.e3 ADD COLUMN {name} int DEFAULT {k}"],
    ["CREATE OR REPLACE TABLE d1.{name} AS SELECT id, v FROM {source}", "ALTER TABLE d1.{name} RENAME TO s2.{name}"],
    ["CREATE TEMPORARY TABLE s2.e1 (id int, v int)", "INSERT INTO s2.e1 VALUES (1, {k})", "SELECT * FROM s2.v1"],
    ["SET autocommit = 0", "UPDATE d1.e1 SET v = (v * 3 + {k}) % 1009", "COMMIT", "SET autocommit = 1"],
]

SQLITE = [
    ["REPLACE INTO ep VALUES (9, {k})"],
    ["INSERT INTO ep VALUES (1, 2) ON CONFLICT (id) DO UPDATE SET v = (v * 3 + 2) % 1009"],
    ["INSERT INTO es (v) VALUES (8)", "SELECT last_insert_rowid()"],
    ["UPDATE e1 SET v = (v * 3 + 2) % 1009 WHERE v % 2 = 1", "SELECT changes()"],
    ["INSERT INTO e2 VALUES (9, {k})", "SELECT * FROM e3"],
    ["PRAGMA user_version = {k}", "PRAGMA user_version"],
    ["PRAGMA foreign_keys = ON", "DELETE FROM ep WHERE id = {k} % 4", "SELECT * FROM ec"],
    [
        "CREATE TABLE {name} (id int, v int)",
        "CREATE TRIGGER t{name} AFTER INSERT ON {name} BEGIN INSERT INTO e3 VALUES (new.id, 5); END",
        "INSERT INTO {name} VALUES (3, {k})",
        "SELECT * FROM e3",
    ],
    [
        "CREATE TRIGGER t{name} AFTER INSERT ON e3 BEGIN INSERT INTO {name} VALUES (new.id, 5); END",
        "CREATE TABLE {name} (id int, v int)",
        "INSERT INTO e3 VALUES (3, {k})",
        "SELECT * FROM {name}",
    ],
    *_INDEX,
]

DUCKDB = [
    ["SELECT main.fr()"],
    ["FROM {source}"],
    ["INSERT INTO main.e1 BY NAME SELECT 5 AS v, 3 AS id"],
    ["SET VARIABLE {name} = {k}", "SELECT getvariable('{name}')"],
    ["SUMMARIZE {source}"],
    ["INSERT INTO main.es (v) VALUES (8)", "SELECT nextval('main.sq')"],
    ["INSERT INTO main.ep VALUES (1, 2) ON CONFLICT (id) DO UPDATE SET v = (v * 3 + 2) % 1009"],
    ["CREATE SCHEMA IF NOT EXISTS s3", "CREATE TABLE s3.{name} AS SELECT id, v FROM {source}", "FROM s3.{name}"],
    ["CREATE MACRO {name}(x) AS x + (SELECT count(*) FROM main.e1)", "SELECT {name}(1)"],
    ["CREATE TEMP MACRO {name}(x) AS x + 1", "SELECT {name}(1)"],
    ["CREATE OR REPLACE TABLE main.e3 AS SELECT id, v FROM {source}"],
    *_INDEX,
]

SPECIAL = {"postgres": POSTGRES, "mariadb": MARIADB, "sqlite": SQLITE, "duckdb": DUCKDB}
