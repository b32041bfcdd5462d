"""Write t2s/sql/functions.toml: the functions of each engine that the guard lets pass, by the engines' own lists.

PostgreSQL: what its catalog calls immutable or stable (it never writes), less what runs SQL given as text or tells of the
server. DuckDB and SQLite: their scalar, aggregate and window functions, less what reaches outside. MySQL and MariaDB keep
no such list; theirs stands below.
Usage: .venv/bin/python scripts/functions.py POSTGRES_URL
"""

from __future__ import annotations

import re
import sqlite3
import sys
from collections.abc import Iterable
from pathlib import Path

import duckdb
import psycopg

TARGET = Path(__file__).resolve().parent.parent / "t2s" / "sql" / "functions.toml"

POSTGRES = """
select distinct p.proname from pg_proc p
left join pg_description d on d.objoid = p.oid and d.classoid = 'pg_proc'::regclass
where p.pronamespace = 'pg_catalog'::regnamespace and p.provolatile in ('i', 's') and p.prokind in ('f', 'a', 'w')
  and p.prorettype not in ('internal'::regtype, 'trigger'::regtype, 'cstring'::regtype)
  and coalesce(d.description, 'none') !~ '^(implementation of|I/O|internal|less-equal-greater|hash|sort support|join sel|restriction)'
"""
POSTGRES_NOT = re.compile(
    "^(pg_|binary_|has_|row_security|inet_(client|server)|txid|ts_(stat|rewrite|debug|parse|token_type|lexize)|current_setting"
    "|.*_to_xml|get_current|getdatabase|getpgusername|querytree|event_trigger"
    "|.*(_handler|_support|_send|_recv|_validator|consistent|_union|_picksplit|_choose|_compress|_penalty|_config)$"
    "|(gin|gist|gtsquery|gtsvector|spg|brin|hash)_|set_config)"
)
POSTGRES_ALSO = "random clock_timestamp gen_random_uuid timeofday pg_typeof pg_size_pretty ctid similarity unaccent"

DUCKDB_NOT = re.compile(
    "^(__|collate_|icu_collate_|combine|finalize|pragma|pg_|duckdb_|read_|write_|.*_scan|glob|sniff|getenv|nextval|currval|setval|setseed|in_search_path|current_(setting|role|user)"
    "|query|query_table|which_secret|add_parquet_key|create_sort_key|error|sleep|shobj|col_description|obj_description|has_"
    "|txid|inet_|getvariable|set_|write_log|parse_duckdb_log|.*secret|session_user|user$|.*[^a-z0-9_].*)"
)

SQLITE_NOT = re.compile(
    "^(load_extension|readfile|writefile|edit|fts|match|sqlite_|rtree|bm25|highlight|snippet|offsets|optimize|zeroblob|randomblob|.*[^a-z0-9_].*|changes|total_changes|last_insert_rowid|subtype)"
)

MYSQL = """
abs acos adddate addtime any_value ascii asin atan atan2 avg bin bin_to_uuid bit_and bit_count bit_length bit_or bit_xor
ceil ceiling char char_length character_length chr coalesce coercibility collation concat concat_ws conv convert
convert_tz cos cot count crc32 cume_dist curdate current_date current_time current_timestamp curtime date date_add
date_format date_sub datediff day dayname dayofmonth dayofweek dayofyear degrees dense_rank div elt exp export_set extract
extractvalue field find_in_set first_value floor format format_bytes format_pico_time from_base64 from_days from_unixtime
geometrytype greatest group_concat grouping hex hour if ifnull inet6_aton inet6_ntoa inet_aton inet_ntoa insert instr interval
is_ipv4 is_ipv6 is_uuid isnull json_array json_array_append json_array_insert json_arrayagg json_compact json_contains
json_contains_path json_depth json_detailed json_equals json_exists json_extract json_insert json_keys json_length json_loose
json_merge json_merge_patch json_merge_preserve json_normalize json_object json_objectagg json_overlaps json_pretty json_query
json_quote json_remove json_replace json_schema_valid json_search json_set json_storage_size json_table json_type json_unquote
json_valid json_value lag last_day last_value lcase lead least left length lengthb ln locate localtime localtimestamp
log log10 log2 lower lpad ltrim makedate maketime max md5 median microsecond mid min minute mod month monthname
natural_sort_key now nth_value ntile nullif nvl nvl2 oct octet_length ord percent_rank percentile_cont percentile_disc
period_add period_diff pi position pow power quarter quote radians rand rank regexp_instr regexp_like regexp_replace
regexp_substr repeat replace reverse right round row_number rpad rtrim sec_to_time second sha sha1 sha2 sign sin soundex space
sqrt st_area st_asgeojson st_astext st_buffer st_centroid st_contains st_crosses st_difference st_dimension st_disjoint
st_distance st_distance_sphere st_equals st_geomfromtext st_intersection st_intersects st_length st_overlaps st_pointfromtext
st_srid st_touches st_union st_within st_x st_y std stddev stddev_pop stddev_samp str_to_date strcmp subdate substr
substring substring_index subtime sum sys_guid sysdate tan time time_format time_to_sec timediff timestamp timestampadd
timestampdiff to_base64 to_char to_days to_seconds trim truncate ucase unhex unix_timestamp updatexml upper utc_date utc_time
utc_timestamp uuid uuid_short values var_pop var_samp variance week weekday weekofyear weight_string year yearweek
"""


def main() -> None:
    with psycopg.connect(sys.argv[1]) as connection:
        postgres = [name for (name,) in connection.execute(POSTGRES) if not POSTGRES_NOT.match(name)]
    listed = duckdb.sql(
        "select distinct function_name from duckdb_functions() where function_type in ('scalar', 'aggregate', 'macro')"
    ).fetchall()
    found = sqlite3.connect(":memory:").execute("select distinct name from pragma_function_list").fetchall()
    lists = {
        "postgres": [*postgres, *POSTGRES_ALSO.split()],
        "duckdb": [name for (name,) in listed if not DUCKDB_NOT.match(name)],
        "sqlite": [name for (name,) in found if not SQLITE_NOT.match(name)],
        "mysql": MYSQL.split(),
    }
    head = "# Functions that neither write, wait, nor reach outside the query. Made by scripts/functions.py.\n"
    TARGET.write_text(head + "".join(section(name, names) for name, names in lists.items()), encoding="utf-8")


def section(name: str, names: Iterable[str]) -> str:
    """`name = \"\"\"…\"\"\"`, wrapped at about 110 columns."""
    lines, line = [], ""
    for one in sorted({n.lower() for n in names}):
        if len(line) + len(one) > 108:
            lines.append(line)
            line = ""
        line += f"{one} "
    return f'\n{name} = """\n' + "\n".join([*lines, line]) + '\n"""\n'


if __name__ == "__main__":
    main()
