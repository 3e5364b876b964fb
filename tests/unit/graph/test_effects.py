"""What single statements read and write."""

from __future__ import annotations

from itertools import pairwise

import pytest

from tests.unit.graph.helpers import effects_of, last

CASES = [
    # queries
    ("postgres", "SELECT * FROM a JOIN b USING (x), c", "a b c", ""),
    ("postgres", "SELECT * FROM s.a WHERE x IN (SELECT y FROM b) AND EXISTS (SELECT 1 FROM c)", "b c s.a", ""),
    ("postgres", "SELECT (SELECT max(x) FROM a) FROM b LEFT JOIN LATERAL (SELECT * FROM c) l ON true", "a b c", ""),
    ("postgres", "SELECT 1 FROM a UNION SELECT 2 FROM b EXCEPT (SELECT 3 FROM c INTERSECT TABLE d)", "a b c d", ""),
    ("postgres", "TABLE a", "a", ""),
    ("postgres", "VALUES (1), ((SELECT max(x) FROM a))", "a", ""),
    ("postgres", "SELECT * FROM generate_series(1, 3) g, unnest(ARRAY[1]) u", "", ""),
    ("postgres", "SELECT * FROM ONLY a TABLESAMPLE SYSTEM (10) FOR UPDATE", "a", ""),
    ("duckdb", "FROM a", "a", ""),
    ("duckdb", "PIVOT a ON x USING sum(y)", "a", ""),
    ("duckdb", "SUMMARIZE a", "a", ""),
    ("mysql", "DESCRIBE a", "a", ""),
    ("bigquery", "SELECT * FROM `p.d.a`, d.b", "d.a d.b", ""),
    ("snowflake", "SELECT * FROM db.s.a", "S.A", ""),
    ("hive", "SELECT * FROM a LATERAL VIEW explode(x) l AS y", "a", ""),
    ("spark", "SELECT * FROM a TABLESAMPLE (5 PERCENT)", "a", ""),
    ("trino", "SELECT * FROM c.s.a CROSS JOIN UNNEST(x) AS t(y)", "s.a", ""),
    # common table expressions and their scopes
    ("postgres", "WITH w AS (SELECT * FROM a) SELECT * FROM w", "a", ""),
    ("postgres", "WITH w AS (SELECT * FROM w) SELECT * FROM w", "w", ""),
    ("postgres", "WITH RECURSIVE w AS (SELECT 1 UNION SELECT * FROM w) SELECT * FROM w", "", ""),
    ("postgres", "WITH w AS (SELECT 1), x AS (SELECT * FROM w) SELECT * FROM x, s.w", "s.w", ""),
    ("postgres", "WITH x AS (SELECT * FROM w), w AS (SELECT 1) SELECT * FROM x, w", "w", ""),
    ("postgres", "SELECT * FROM (WITH w AS (SELECT 1) SELECT * FROM w) q, w", "w", ""),
    ("postgres", 'WITH W AS (SELECT 1) SELECT * FROM w, "W"', "W", ""),
    ("postgres", "WITH w AS (SELECT * FROM a) INSERT INTO w SELECT * FROM w", "a", "w"),
    ("postgres", "WITH d AS (DELETE FROM a RETURNING *) INSERT INTO b SELECT * FROM d", "a", "a b"),
    ("postgres", "WITH i AS (INSERT INTO a VALUES (1) RETURNING *), u AS (UPDATE b SET x = 1) TABLE i", "b", "a b"),
    # changes
    ("postgres", "INSERT INTO a VALUES (1)", "", "a"),
    ("postgres", "INSERT INTO a (x) SELECT x FROM b ON CONFLICT (x) DO UPDATE SET x = 1 RETURNING x", "b", "a"),
    ("postgres", "UPDATE a SET x = b.x FROM b WHERE a.y = b.y", "a b", "a"),
    ("postgres", "UPDATE a SET x = (SELECT max(x) FROM b)", "a b", "a"),
    ("postgres", "DELETE FROM a USING b WHERE a.x = b.x", "a b", "a"),
    ("postgres", "MERGE INTO a USING (SELECT * FROM b) s ON a.x = s.x WHEN MATCHED THEN UPDATE SET y = 1 "
                 "WHEN NOT MATCHED THEN INSERT VALUES (1)", "a b", "a"),
    ("postgres", "TRUNCATE a, b", "", "a b"),
    ("mysql", "UPDATE a JOIN b ON a.x = b.x SET a.y = b.y", "a b", "a b"),
    ("mysql", "UPDATE a, b SET a.y = b.y", "a b", "a b"),
    ("mysql", "DELETE x FROM a AS x JOIN b ON x.i = b.i", "a b", "a b"),
    ("mysql", "REPLACE INTO a SELECT * FROM b", "b", "a"),
    ("mysql", "REPLACE a VALUES (1)", "", "a"),
    ("sqlite", "REPLACE INTO a VALUES (1)", "", "a"),
    ("sqlite", "INSERT OR IGNORE INTO a DEFAULT VALUES", "", "a"),
    ("mysql", "INSERT IGNORE INTO a SET x = 1", "", "a"),
    ("mysql", "LOAD DATA INFILE 'f' INTO TABLE s.a FIELDS TERMINATED BY ','", "", "s.a"),
    ("hive", "LOAD DATA INPATH 'f' INTO TABLE a", "", "a"),
    ("hive", "INSERT OVERWRITE TABLE a PARTITION (d = '1') SELECT * FROM b", "b", "a"),
    ("hive", "FROM c INSERT OVERWRITE TABLE a SELECT 1 INSERT INTO TABLE b SELECT 2", "c", "a b"),
    ("snowflake", "INSERT ALL INTO a VALUES (1) INTO b VALUES (2) SELECT * FROM c", "C", "A B"),
    ("snowflake", "COPY INTO a FROM @stage", "", "A"),
    ("postgres", "COPY (SELECT * FROM a) TO '/f'", "a", ""),
    ("duckdb", "COPY a TO 'f.csv'", "a", ""),
    # definitions
    ("postgres", "CREATE TABLE a (x int)", "", "a"),
    ("postgres", "CREATE TABLE a AS SELECT * FROM b", "b", "a"),
    ("postgres", "CREATE TABLE a AS TABLE b", "b", "a"),
    ("postgres", "SELECT x INTO a FROM b", "b", "a"),
    ("mysql", "CREATE TABLE a SELECT * FROM b", "b", "a"),
    ("duckdb", "CREATE OR REPLACE TABLE a AS FROM b", "b", "a"),
    ("postgres", "CREATE VIEW a AS SELECT * FROM b", "b", "a"),
    ("postgres", "CREATE MATERIALIZED VIEW a AS SELECT * FROM b", "b", "a"),
    ("postgres", "REFRESH MATERIALIZED VIEW CONCURRENTLY s.a", "s.a", "s.a"),
    ("trino", "REFRESH MATERIALIZED VIEW a", "a", "a"),
    ("postgres", "CREATE SEQUENCE a", "", "a"),
    ("postgres", "CREATE UNIQUE INDEX i ON s.a (x)", "", "s.a"),
    ("mysql", "DROP INDEX i ON a", "", "a"),
    ("postgres", "DROP TABLE IF EXISTS a, s.b", "", "a s.b"),
    ("postgres", "DROP VIEW a", "", "a"),
    ("postgres", "ALTER TABLE a ADD COLUMN x int", "", "a"),
    ("postgres", "ALTER TABLE a DROP CONSTRAINT c", "", "a"),
    ("postgres", "ALTER TABLE s.a RENAME TO b", "", "b s.a s.b"),
    ("mysql", "RENAME TABLE a TO b, s.c TO s.d", "", "a b s.c s.d"),
    ("snowflake", "ALTER TABLE a SWAP WITH b", "", "A B"),
    ("postgres", "COMMENT ON COLUMN s.a.x IS 'c'", "", "s.a"),
    ("postgres", "ANALYZE a", "a", ""),
    # sequences
    ("postgres", "SELECT nextval('s'), setval('x.\"T\"', 1), nextval('u'::regclass)", "", "s u x.T"),
    ("mysql", "SELECT NEXTVAL(s)", "", "s"),
    ("snowflake", "SELECT s.nextval", "", "S"),
]  # fmt: skip


@pytest.mark.parametrize(("dialect", "statement", "reads", "writes"), CASES)
def test_reads_and_writes(dialect: str, statement: str, reads: str, writes: str) -> None:
    found = last(statement, dialect)
    assert not found.barrier
    assert (" ".join(found.shown_reads), " ".join(found.shown_writes)) == (reads, writes)


TIED = [
    "CREATE TABLE child (x int REFERENCES parent (x))",
    "CREATE TABLE child (x int, FOREIGN KEY (x) REFERENCES parent)",
    "CREATE TABLE child PARTITION OF parent FOR VALUES IN (1)",
    "CREATE TABLE child () INHERITS (parent)",
    "CREATE TABLE child (LIKE parent INCLUDING ALL)",
    "CREATE TABLE child (x int DEFAULT nextval('parent'))",
]


@pytest.mark.parametrize("definition", TIED)
def test_what_ties_tables_together_is_written_by_whoever_writes_one(definition: str) -> None:
    create = "CREATE SEQUENCE parent" if "nextval" in definition else "CREATE TABLE parent (x int)"
    alone, defined, first, second = effects_of(
        f"{create}; {definition}; INSERT INTO child VALUES (1); SELECT 1 FROM parent"
    )
    assert not first.writes & alone.writes
    assert {each.kind for each in first.writes & second.reads} == {"group"}
    assert {each.name for each in defined.writes if each.kind == "table"} == {"child", "parent"}


def test_the_sequence_of_a_serial_column_belongs_to_its_table() -> None:
    _, insert, draw = effects_of("CREATE TABLE a (id serial); INSERT INTO a DEFAULT VALUES; SELECT nextval('a_id_seq')")
    assert insert.writes & draw.writes


def test_model_statements() -> None:
    text = """
    SELECT * FROM a TO TRAIN xgboost.gbtree WITH objective="multi:softmax", num_class=3,
      validation.select="SELECT * FROM v" LABEL y INTO m;
    SELECT * FROM a TO TRAIN xgboost.gbtree WITH objective="multi:softmax", num_class=3 LABEL y USING M INTO n;
    SELECT * FROM b TO PREDICT s.r.y USING m;
    SELECT * FROM b TO EVALUATE m WITH validation.metrics="accuracy_score" LABEL y INTO e;
    SELECT * FROM b TO EXPLAIN m USING TreeExplainer INTO x;
    SHOW TRAIN m;
    SELECT * FROM a TO MAXIMIZE SUM(price * n) CONSTRAINT SUM(n) <= 10
      WITH variables="n(price)", var_type="Integers" INTO o;
    SELECT * FROM a TO RUN org/image:1 CMD "main.py", "--table=e" INTO p, q;
    """
    shown = [(" ".join(each.shown_reads), " ".join(each.shown_writes)) for each in effects_of(text)]
    assert shown == [
        ("a v", "m"),
        ("M a", "n"),
        ("b m", "s.r"),
        ("b m", "e"),
        ("b m", "x"),
        ("m", ""),
        ("a", "o"),
        ("a e", "p q"),
    ]


def test_a_view_of_the_program_is_read_and_written_through() -> None:
    text = "CREATE VIEW v AS SELECT * FROM a; CREATE VIEW w AS TABLE v UNION TABLE b; TABLE w; INSERT INTO w VALUES (1)"
    *_, look, change = effects_of(text)
    assert look.shown_reads == ("a", "b", "v", "w")
    assert change.shown_writes == ("a", "b", "v", "w")


def test_definitions_of_a_view_add_up() -> None:
    """A transaction that replaces a view may be rolled back."""
    text = "CREATE VIEW v AS SELECT * FROM a; CREATE OR REPLACE VIEW v AS SELECT * FROM b; SELECT * FROM v"
    assert last(text).shown_reads == ("a", "b", "v")


def test_dropping_a_view_comes_before_dropping_what_it_reads() -> None:
    assert last("CREATE VIEW v AS SELECT * FROM a; DROP VIEW v").shown_reads == ("a",)


def test_a_view_over_very_many_relations_is_a_barrier() -> None:
    tables = ", ".join(f"t{n}" for n in range(300))
    found = last(f"CREATE VIEW v AS SELECT 1 FROM {tables}; SELECT * FROM v")
    assert not found.understood


def test_no_two_tables_of_mysql_share_the_name_of_a_key() -> None:
    key = "CREATE TABLE {0} (x int, CONSTRAINT k FOREIGN KEY (x) REFERENCES p{0} (x))"
    text = f"{key.format('a')}; ALTER TABLE a DROP FOREIGN KEY k; {key.format('b')}; DROP TABLE b; {key.format('c')}"
    found = effects_of(text, "mysql")
    for before, after in pairwise(found):
        assert before.writes & after.writes


def test_dropping_a_table_gives_up_the_names_of_its_indexes() -> None:
    text = (
        "CREATE TABLE a (x int); CREATE INDEX i ON a (x); DROP TABLE a; CREATE TABLE b (x int); CREATE INDEX i ON b (x)"
    )
    *_, drop, _, again = effects_of(text)
    assert drop.writes & again.writes


def test_values_of_mysql_names_the_row_that_could_not_be_inserted() -> None:
    found = last("INSERT INTO t (a, b) SELECT a, b FROM u ON DUPLICATE KEY UPDATE b = VALUES(b)", "mysql")
    assert (found.barrier, found.shown_reads, found.shown_writes) == ("", ("u",), ("t",))


@pytest.mark.parametrize("what", ["TRIGGER x AFTER INSERT ON t BEGIN", "PROCEDURE p() BEGIN", "FUNCTION f() BEGIN"])
def test_a_body_of_several_statements_is_told_by_what_it_belongs_to(what: str) -> None:
    dialect = "sqlite" if what.startswith("TRIGGER") else "mysql"
    found = last(f"CREATE {what} DELETE FROM u; DELETE FROM v; END", dialect)
    assert found.barrier == f"what CREATE {what.split()[0]} brings about is not followed"


@pytest.mark.parametrize("dialect", ["hive", "spark"])
def test_a_partition_is_no_function(dialect: str) -> None:
    text = "ALTER TABLE a ADD PARTITION (ds='2'); INSERT INTO a PARTITION (ds='2') SELECT x FROM b"
    first, second = effects_of(text, dialect)
    assert (first.barrier, first.shown_writes) == ("", ("a",))
    assert (second.barrier, second.shown_reads, second.shown_writes) == ("", ("b",), ("a",))
