"""Side effects of function calls: a SELECT that calls one may write, read anything, or look at its own session.

Functions that sqlglot knows by a class of their own are built in and write nothing, but for those named here. Of
the others, the ones listed are built in and neither write nor read tables: for PostgreSQL the immutable ones of its
catalog `pg_proc` and the harmless among the others, for MySQL those of MariaDB's `information_schema.SQL_FUNCTIONS`
without those that lock, wait or look at the session. What is left may be anybody's function.
"""

from __future__ import annotations

from enum import Enum, auto

from sqlglot import exp

from sqlflow_codegen.graph.sql_parser import word_set


class Verdict(Enum):
    """The side effects of a function call."""

    HARMLESS = auto()
    READS = auto()
    """It may read any relation, but write none: in its dialect no function of a query can."""
    WRITES = auto()
    """It may do anything."""
    SEQUENCE = auto()
    """It changes the sequence that its first argument names."""
    LAST_CHANGE = auto()
    """Its value comes from an earlier change or `nextval` of its session."""
    LAST_STATEMENT = auto()
    """Its value comes from the statement before it in its session."""
    SESSION = auto()
    """It changes its session."""
    FILES = auto()
    """It reads files, named by its first argument."""
    FILES_WRITTEN = auto()
    """It writes files."""
    CATALOG = auto()
    """It reads the database's catalog."""


_SPECIAL = {
    name: verdict
    for verdict, names in {
        Verdict.SEQUENCE: "nextval setval",
        Verdict.LAST_CHANGE: "currval lastval last_insert_id last_insert_rowid changes total_changes result_scan",
        Verdict.LAST_STATEMENT: "row_count found_rows last_query_id",
        Verdict.SESSION: """
            set_config setseed get_lock release_lock release_all_locks pg_advisory_lock pg_advisory_lock_shared
            pg_advisory_unlock pg_advisory_unlock_all pg_advisory_unlock_shared pg_try_advisory_lock
            pg_try_advisory_lock_shared load_extension
        """,
        Verdict.FILES: "load_file pg_read_file pg_read_binary_file glob readfile lo_import sqlite_scan",
        Verdict.FILES_WRITTEN: "writefile lo_export",
    }.items()
    for name in names.split()
}

_CATALOG_PREFIXES = {"postgres": ("pg_", "has_", "to_reg"), "duckdb": ("duckdb_", "pragma_"), "sqlite": ("pragma_",)}
_FILE_PREFIXES = {"duckdb": ("read_", "parquet_", "sniff_", "iceberg_", "delta_", "st_read", "sqlite_scan")}

_OTHER_SERVERS = ("postgres_query", "postgres_execute", "mysql_query", "mysql_execute", "postgres_scan", "mysql_scan")
"""Functions of DuckDB that use tables of another server, which may be one that is attached here."""

NAMING = {
    "postgres": (
        *("query_to_xml", "table_to_xml", "cursor_to_xml", "schema_to_xml", "database_to_xml"),
        *("ts_stat", "crosstab", "connectby", "dblink"),
    ),
    "duckdb": ("query", "json_execute_serialized_sql", *_OTHER_SERVERS),
    "trino": ("query",),
    "bigquery": ("external_query",),
    "spark": ("identifier",),
    "snowflake": ("identifier",),
}
"""Beginnings of the names of functions whose arguments name relations, or hold a whole query."""

_MAY_WRITE = frozenset({"postgres", "mysql"})
"""Dialects in which a function that a query calls may write to tables."""

_NO_USER_FUNCTIONS = frozenset({"sqlite"})
"""Dialects whose databases store no functions of users."""

SESSION_PARAMETERS = frozenset({"identity", "last_insert_id", "insert_id", "warning_count", "error_count"})
"""MySQL's `@@` variables whose value comes from earlier statements of the session."""


def judge(name: str, dialect: str) -> Verdict:
    """The side effects of a call of the function `name` (lower case, `schema.name` if qualified)."""
    schema, _, bare = name.rpartition(".")
    if schema in ("", "pg_catalog"):
        if schema and bare.upper() in exp.FUNCTION_BY_NAME and bare not in _SPECIAL:
            return Verdict.HARMLESS
        if bare in built_in(dialect):
            return Verdict.HARMLESS
        if bare in _SPECIAL:
            return _SPECIAL[bare]
        if bare.startswith(_CATALOG_PREFIXES.get(dialect, ("\0",))):
            return Verdict.CATALOG
        if bare.startswith(_FILE_PREFIXES.get(dialect, ("\0",))):
            return Verdict.FILES
        if dialect in _NO_USER_FUNCTIONS:
            return Verdict.HARMLESS
    return Verdict.WRITES if dialect in _MAY_WRITE else Verdict.READS


def built_in(dialect: str) -> frozenset[str]:
    """Functions of the dialect that sqlglot has no class for, and that neither write nor read tables."""
    return _BUILT_IN.get(dialect, frozenset())


_POSTGRES = """
    abbrev acosd age area array_dims array_fill array_lower array_ndims array_positions array_replace
    array_to_json array_to_tsvector array_upper asind atan2d atand bit_count box cardinality center circle
    clock_timestamp convert_from convert_to cosd cotd current_setting datemultirange daterange
    daterange_canonical daterange_subdiff diagonal diameter enum_first enum_last enum_range every
    format_type gcd generate_subscripts get_byte get_current_ts_config height hostmask inet_client_addr
    inet_client_port inet_server_addr inet_server_port int4multirange int4range int4range_canonical
    int4range_subdiff int8multirange int8range int8range_canonical int8range_subdiff is_normalized
    isclosed isempty isfinite ishorizontal isopen isparallel isperp isvertical json_array_elements
    json_array_elements_text json_array_length json_build_array json_build_object json_each json_each_text
    json_object_keys json_populate_record json_populate_recordset json_to_record json_to_recordset
    json_to_tsvector json_typeof jsonb_agg jsonb_array_elements jsonb_array_elements_text
    jsonb_array_length jsonb_build_array jsonb_build_object jsonb_each jsonb_each_text jsonb_insert
    jsonb_object jsonb_object_keys jsonb_path_exists jsonb_path_exists_tz jsonb_path_match
    jsonb_path_match_tz jsonb_path_query jsonb_path_query_array jsonb_path_query_array_tz
    jsonb_path_query_first jsonb_path_query_first_tz jsonb_path_query_tz jsonb_populate_record
    jsonb_populate_recordset jsonb_pretty jsonb_set jsonb_set_lax jsonb_strip_nulls jsonb_to_record
    jsonb_to_recordset jsonb_to_tsvector jsonb_typeof lcm line lower_inc lower_inf lseg macaddr8_set7bit
    make_date make_timestamptz masklen min_scale multirange netmask network npoints num_nonnulls num_nulls
    numeric nummultirange numnode numrange numrange_subdiff octet_length overlaps parse_ident pclose
    pg_backend_pid pg_client_encoding pg_column_size pg_lsn pg_postmaster_start_time pg_size_bytes
    pg_size_pretty pg_sleep pg_sleep_for pg_sleep_until pg_snapshot_xip pg_snapshot_xmax pg_snapshot_xmin
    pg_typeof pg_visible_in_snapshot pg_wal_lsn_diff pg_walfile_name pg_walfile_name_offset
    phraseto_tsquery plainto_tsquery point polygon popen querytree quote_ident quote_literal
    quote_nullable radius random_normal range_agg range_intersect_agg range_merge regexp_match
    regexp_matches regexp_split_to_array regexp_split_to_table row_to_json scale set_bit set_byte
    set_masklen setweight sha224 similar_escape similar_to_escape sind slope statement_timestamp
    string_to_table strip tand text timeofday timezone to_ascii to_json to_jsonb to_tsquery to_tsvector
    transaction_timestamp trim_array trim_scale ts_debug ts_delete ts_filter ts_headline ts_lexize
    ts_parse ts_rank ts_rank_cd ts_token_type tsmultirange tsquery_phrase tsrange tsrange_subdiff
    tstzmultirange tstzrange tstzrange_subdiff tsvector_to_array txid_snapshot_xip txid_snapshot_xmax
    txid_snapshot_xmin txid_visible_in_snapshot unistr upper_inc upper_inf websearch_to_tsquery width
    xml_is_well_formed xml_is_well_formed_content xml_is_well_formed_document xmlagg xmlcomment xmlexists
    xmlvalidate xpath xpath_exists
"""

_MYSQL = """
    adddate addtime aes_decrypt aes_encrypt bin bin_to_uuid coercibility column_check column_exists
    column_json column_list connection_id conv crc32 crc32c des_decrypt des_encrypt export_set
    extractvalue field find_in_set format_bytes format_pico_time from_days inet6_aton inet6_ntoa inet_aton
    inet_ntoa is_ipv4 is_ipv4_compat is_ipv4_mapped is_ipv6 is_uuid json_array json_arrayagg json_compact
    json_contains json_contains_path json_depth json_detailed json_equals json_exists json_insert
    json_length json_loose json_merge json_merge_patch json_merge_preserve json_normalize json_overlaps
    json_pretty json_query json_quote json_replace json_search json_storage_free json_storage_size
    json_unquote json_valid lengthb make_set makedate member microsecond mid natural_sort_key now oct
    octet_length old_password ord password period_add period_diff quote random_bytes schemas sec_to_time
    sformat sleep st_area st_asbinary st_asgeojson st_astext st_contains st_geomfromtext st_intersects
    st_length st_within st_x st_y strcmp subdate subtime sys_guid sysdate system_user time_format
    time_to_sec timediff to_seconds uncompress uncompressed_length unix_timestamp updatexml user
    uuid_short uuid_to_bin values weekday yearweek
"""

_BUILT_IN = {
    "postgres": word_set(_POSTGRES),
    "mysql": word_set(_MYSQL),
    "hive": frozenset({"partition"}),  # of ALTER TABLE ... ADD PARTITION (...), which sqlglot reads as a call
    "spark": frozenset({"partition"}),
}
