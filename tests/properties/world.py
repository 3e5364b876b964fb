"""What every database of the property tests holds before a program runs: tables, views over them, triggers, keys."""

from __future__ import annotations

ROWS = "(1, 10), (2, 21), (3, 32), (4, 43)"

POSTGRES = f"""
CREATE SCHEMA public; CREATE SCHEMA s2;
CREATE TABLE e1 (id int, v int); INSERT INTO e1 VALUES {ROWS};
CREATE TABLE e2 (id int, v int); INSERT INTO e2 VALUES {ROWS};
CREATE TABLE e3 (id int, v int);
CREATE TABLE ep (id int PRIMARY KEY, v int); INSERT INTO ep VALUES {ROWS};
CREATE TABLE ec (id int REFERENCES ep ON DELETE CASCADE, v int); INSERT INTO ec VALUES {ROWS};
CREATE TABLE es (id serial PRIMARY KEY, v int); INSERT INTO es (v) VALUES (5), (6);
CREATE TABLE s2.e1 (id int, v int); INSERT INTO s2.e1 VALUES {ROWS};
CREATE TABLE s2.x1 (id int, v int); INSERT INTO s2.x1 VALUES {ROWS};
CREATE TABLE ei () INHERITS (s2.x1); INSERT INTO ei VALUES (5, 54);
CREATE VIEW v1 AS SELECT id, v FROM e1;
CREATE VIEW v2 AS SELECT e1.id, e1.v + e2.v AS v FROM e1 JOIN e2 ON e1.id = e2.id;
CREATE VIEW v3 AS SELECT id, v FROM v1 WHERE v % 2 = 0;
CREATE VIEW s2.v1 AS SELECT id, v FROM public.e2;
CREATE SEQUENCE sq;
CREATE FUNCTION on_ep() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN INSERT INTO s2.x1 VALUES (new.id, new.v * 3); RETURN new; END $$;
CREATE TRIGGER tp AFTER INSERT ON ep FOR EACH ROW EXECUTE FUNCTION on_ep();
CREATE FUNCTION on_e2() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN INSERT INTO public.e3 VALUES (new.id, new.v * 2); RETURN new; END $$;
CREATE TRIGGER t2 AFTER INSERT ON e2 FOR EACH ROW EXECUTE FUNCTION on_e2();
CREATE FUNCTION fw(x int) RETURNS int LANGUAGE sql VOLATILE AS
$$ INSERT INTO public.e3 VALUES (x, x * 7); SELECT count(*)::int FROM public.e3 $$;
CREATE FUNCTION fr() RETURNS int LANGUAGE sql STABLE AS $$ SELECT coalesce(sum(v), 0)::int FROM public.e1 $$;
CREATE PROCEDURE pw() LANGUAGE sql AS $$ UPDATE public.e1 SET v = (v * 3 + 1) % 1009 $$;
"""

MARIADB = [
    "CREATE DATABASE d1",
    "CREATE DATABASE s2",
    "USE d1",
    "CREATE TABLE e1 (id int, v int)",
    f"INSERT INTO e1 VALUES {ROWS}",
    "CREATE TABLE e2 (id int, v int)",
    f"INSERT INTO e2 VALUES {ROWS}",
    "CREATE TABLE e3 (id int, v int)",
    "CREATE TABLE ep (id int PRIMARY KEY, v int)",
    f"INSERT INTO ep VALUES {ROWS}",
    "CREATE TABLE ec (id int, v int, FOREIGN KEY (id) REFERENCES ep (id) ON DELETE CASCADE)",
    f"INSERT INTO ec VALUES {ROWS}",
    "CREATE TABLE es (id int AUTO_INCREMENT PRIMARY KEY, v int)",
    "INSERT INTO es (v) VALUES (5), (6)",
    "CREATE TABLE s2.e1 (id int, v int)",
    f"INSERT INTO s2.e1 VALUES {ROWS}",
    "CREATE TABLE s2.x1 (id int, v int)",
    f"INSERT INTO s2.x1 VALUES {ROWS}",
    "CREATE VIEW v1 AS SELECT id, v FROM e1",
    "CREATE VIEW v2 AS SELECT e1.id, e1.v + e2.v AS v FROM e1 JOIN e2 ON e1.id = e2.id",
    "CREATE VIEW v3 AS SELECT id, v FROM v1 WHERE v % 2 = 0",
    "CREATE VIEW s2.v1 AS SELECT id, v FROM d1.e2",
    "CREATE SEQUENCE sq",
    "CREATE TRIGGER t2 AFTER INSERT ON e2 FOR EACH ROW INSERT INTO e3 VALUES (new.id, new.v * 2)",
    "CREATE TRIGGER tp AFTER INSERT ON ep FOR EACH ROW INSERT INTO s2.x1 VALUES (new.id, new.v * 3)",
    "CREATE FUNCTION fw(x int) RETURNS int MODIFIES SQL DATA "
    "BEGIN INSERT INTO e3 VALUES (x, x * 7); RETURN (SELECT count(*) FROM e3); END",
    "CREATE FUNCTION fr() RETURNS int READS SQL DATA RETURN (SELECT coalesce(sum(v), 0) FROM e1)",
    "CREATE PROCEDURE pw() UPDATE e1 SET v = (v * 3 + 1) % 1009",
]

SQLITE = f"""
CREATE TABLE e1 (id int, v int); INSERT INTO e1 VALUES {ROWS};
CREATE TABLE e2 (id int, v int); INSERT INTO e2 VALUES {ROWS};
CREATE TABLE e3 (id int, v int);
CREATE TABLE ep (id int PRIMARY KEY, v int); INSERT INTO ep VALUES {ROWS};
CREATE TABLE ec (id int REFERENCES ep ON DELETE CASCADE, v int); INSERT INTO ec VALUES {ROWS};
CREATE TABLE es (id integer PRIMARY KEY AUTOINCREMENT, v int); INSERT INTO es (v) VALUES (5), (6);
CREATE VIEW v1 AS SELECT id, v FROM e1;
CREATE VIEW v2 AS SELECT e1.id, e1.v + e2.v AS v FROM e1 JOIN e2 ON e1.id = e2.id;
CREATE VIEW v3 AS SELECT id, v FROM v1 WHERE v % 2 = 0;
CREATE TRIGGER t2 AFTER INSERT ON e2 BEGIN INSERT INTO e3 VALUES (new.id, new.v * 2); END;
"""

SQLITE_SECOND = f"""
CREATE TABLE e1 (id int, v int); INSERT INTO e1 VALUES {ROWS};
CREATE TABLE x1 (id int, v int); INSERT INTO x1 VALUES {ROWS};
CREATE VIEW v1 AS SELECT id, v FROM e1;
"""

DUCKDB = f"""
CREATE SCHEMA s2;
CREATE TABLE e1 (id int, v int); INSERT INTO e1 VALUES {ROWS};
CREATE TABLE e2 (id int, v int); INSERT INTO e2 VALUES {ROWS};
CREATE TABLE e3 (id int, v int);
CREATE TABLE ep (id int PRIMARY KEY, v int); INSERT INTO ep VALUES {ROWS};
CREATE TABLE ec (id int REFERENCES ep (id), v int); INSERT INTO ec VALUES (1, 10), (2, 21);
CREATE SEQUENCE sq;
CREATE TABLE es (id int DEFAULT nextval('sq'), v int); INSERT INTO es (v) VALUES (5), (6);
CREATE TABLE s2.e1 (id int, v int); INSERT INTO s2.e1 VALUES {ROWS};
CREATE TABLE s2.x1 (id int, v int); INSERT INTO s2.x1 VALUES {ROWS};
CREATE VIEW v1 AS SELECT id, v FROM e1;
CREATE VIEW v2 AS SELECT e1.id, e1.v + e2.v AS v FROM e1 JOIN e2 ON e1.id = e2.id;
CREATE VIEW v3 AS SELECT id, v FROM v1 WHERE v % 2 = 0;
CREATE VIEW s2.v1 AS SELECT id, v FROM main.e2;
CREATE MACRO fr() AS (SELECT coalesce(sum(v), 0) FROM e1);
"""
