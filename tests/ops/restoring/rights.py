"""Everything that says who owns a PostgreSQL database and what is in it, and who may do what with it."""

from __future__ import annotations

import psycopg

# Rights that are only implied are written out, as the server itself does once others were given.
QUERIES = {
    "database": "SELECT pg_get_userbyid(datdba), datconnlimit, shobj_description(oid, 'pg_database'),"
    " (SELECT array_agg(a::text ORDER BY a::text) FROM unnest(datacl) a)::text"
    " FROM pg_database WHERE datname = current_database()",
    "settings": "SELECT coalesce(r.rolname, ''), setconfig::text FROM pg_db_role_setting"
    " LEFT JOIN pg_roles r ON r.oid = setrole JOIN pg_database d ON d.oid = setdatabase"
    " WHERE datname = current_database()",
    "schemas": "SELECT nspname, pg_get_userbyid(nspowner), (SELECT array_agg(a::text ORDER BY a::text)"
    " FROM unnest(coalesce(nspacl, acldefault('n', nspowner))) a)::text FROM pg_namespace"
    " WHERE nspname !~ '^pg_' AND nspname <> 'information_schema'",
    "relations": "SELECT oid::regclass::text, relkind::text, pg_get_userbyid(relowner), relrowsecurity,"
    " (SELECT array_agg(a::text ORDER BY a::text) FROM unnest(coalesce(relacl,"
    " acldefault(CASE relkind WHEN 'S' THEN 's' ELSE 'r' END::\"char\", relowner))) a)::text"
    " FROM pg_class WHERE relkind IN ('r', 'p', 'v', 'm', 'S') AND relnamespace::regnamespace::text !~ '^pg_'"
    " AND relnamespace <> 'information_schema'::regnamespace",
    "columns": "SELECT attrelid::regclass::text, attname,"
    " (SELECT array_agg(a::text ORDER BY a::text) FROM unnest(attacl) a)::text FROM pg_attribute"
    " WHERE attacl IS NOT NULL AND attrelid >= 16384",
    "routines": "SELECT oid::regprocedure::text, pg_get_userbyid(proowner), proacl::text FROM pg_proc"
    " WHERE oid >= 16384",
    "types": "SELECT oid::regtype::text, pg_get_userbyid(typowner), typacl::text FROM pg_type"
    " WHERE oid >= 16384 AND typrelid = 0 AND typelem = 0",
    "defaults": "SELECT pg_get_userbyid(defaclrole), defaclnamespace::regnamespace::text, defaclobjtype::text,"
    " (SELECT array_agg(a::text ORDER BY a::text) FROM unnest(defaclacl) a)::text FROM pg_default_acl",
    "policies": "SELECT tablename, policyname, roles::text, cmd, qual, with_check FROM pg_policies",
}


def rights_of(url: str) -> dict[str, list[tuple[object, ...]]]:
    """Return all of it, in an order that two databases with the same rights share."""
    with psycopg.connect(url) as session:
        return {name: sorted(session.execute(query).fetchall(), key=str) for name, query in QUERIES.items()}
