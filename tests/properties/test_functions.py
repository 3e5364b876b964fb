"""The functions that the graph takes for harmless, against the catalogues of real servers."""

from __future__ import annotations

import pytest
from sqlflow_codegen.graph.functions import Verdict, built_in, judge

from tests.properties.servers import MariaDB, Postgres

VOLATILE_BUT_HARMLESS = {"clock_timestamp", "gen_random_uuid", "pg_sleep", "pg_sleep_for", "pg_sleep_until", "random",
                         "random_normal", "timeofday"}  # fmt: skip
CHANGE_THE_SESSION = {"get_lock", "last_insert_id", "load_file", "release_all_locks", "release_lock", "row_count"}


@pytest.mark.database
def test_no_function_of_postgres_that_is_taken_for_harmless_is_volatile(postgres: Postgres) -> None:
    session = postgres.session()
    rows = session.run(
        "SELECT proname FROM pg_proc WHERE pronamespace = 'pg_catalog'::regnamespace "
        "GROUP BY proname HAVING bool_or(provolatile = 'v')"
    )
    session.close()
    assert rows
    volatile = {name for (name,) in rows}
    assert volatile & built_in("postgres") <= VOLATILE_BUT_HARMLESS
    assert {name for name in volatile if judge(name, "postgres") is Verdict.HARMLESS} <= VOLATILE_BUT_HARMLESS


@pytest.mark.database
def test_functions_of_mariadbare_known(mariadb: MariaDB) -> None:
    mariadb.reset()
    session = mariadb.session()
    rows = session.run("SELECT lower(function) FROM information_schema.sql_functions")
    session.close()
    assert rows
    native = {name for (name,) in rows}
    assert len(native & built_in("mysql")) > 80
    assert not native & built_in("mysql") & CHANGE_THE_SESSION
