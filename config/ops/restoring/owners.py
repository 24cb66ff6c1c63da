"""Who owns what inside of a PostgreSQL database: one role most of it, and the rest whoever did before."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import psycopg
from psycopg import sql

if TYPE_CHECKING:
    from collections.abc import Iterable

# By what ALTER calls it and its quoted name; schemas first, because whoever gets a table must be let into its schema.
Owners = dict[tuple[str, str], str]

_NOT_OF_AN_EXTENSION = (
    "NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = {oid} AND d.classid = '{catalog}'::regclass"
    " AND d.deptype = 'e')"
)
_OWN_SCHEMA = "nspname <> 'information_schema' AND nspname NOT LIKE 'pg\\_%'"
_OWNED = f"""
    SELECT 'SCHEMA', quote_ident(nspname), pg_get_userbyid(nspowner)
      FROM pg_namespace n
     WHERE {_OWN_SCHEMA} AND {_NOT_OF_AN_EXTENSION.format(oid="n.oid", catalog="pg_namespace")}
    UNION ALL
    SELECT CASE relkind WHEN 'v' THEN 'VIEW' WHEN 'm' THEN 'MATERIALIZED VIEW' WHEN 'S' THEN 'SEQUENCE'
                        WHEN 'f' THEN 'FOREIGN TABLE' WHEN 'c' THEN 'TYPE' ELSE 'TABLE' END,
           format('%I.%I', nspname, relname), pg_get_userbyid(relowner)
      FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace
     WHERE relkind IN ('r', 'p', 'v', 'm', 'S', 'f', 'c') AND relpersistence <> 't' AND {_OWN_SCHEMA}
       AND {_NOT_OF_AN_EXTENSION.format(oid="c.oid", catalog="pg_class")}
       -- A sequence of a column goes with its table.
       AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = c.oid AND d.classid = 'pg_class'::regclass
                          AND relkind = 'S' AND d.deptype IN ('a', 'i'))
    UNION ALL
    SELECT 'ROUTINE', format('%I.%I(%s)', nspname, proname, pg_get_function_identity_arguments(p.oid)),
           pg_get_userbyid(proowner)
      FROM pg_proc p JOIN pg_namespace n ON n.oid = pronamespace
     WHERE {_OWN_SCHEMA} AND {_NOT_OF_AN_EXTENSION.format(oid="p.oid", catalog="pg_proc")}
    UNION ALL
    SELECT 'TYPE', format('%I.%I', nspname, typname), pg_get_userbyid(typowner)
      FROM pg_type t JOIN pg_namespace n ON n.oid = typnamespace
     WHERE typtype IN ('d', 'e', 'r') AND {_OWN_SCHEMA}
       AND {_NOT_OF_AN_EXTENSION.format(oid="t.oid", catalog="pg_type")}
"""  # noqa: S608 - no value comes from outside


def read_owners(session: psycopg.Connection[Any]) -> Owners:
    """Return who owns what in the database that the session is connected to."""
    return {(kind, name): owner for kind, name, owner in session.execute(_OWNED).fetchall()}


def give_back(session: psycopg.Connection[Any], wanted: Owners, *, left_out: Iterable[str] = ()) -> list[str]:
    """Give what belongs to somebody else than it should to whom it should, and return sentences about what stays.

    What is not there is passed over, and so is what belongs to the roles `left_out`.
    """
    found = read_owners(session)
    strays = {key: owner for key, owner in wanted.items() if key in found and found[key] != owner}
    return [
        finding
        for owner in sorted({*strays.values()} - {*left_out})
        for finding in _give(session, owner, [key for key, name in strays.items() if name == owner])
    ]


def _give(session: psycopg.Connection[Any], owner: str, things: list[tuple[str, str]]) -> list[str]:
    failed: dict[str, str] = {}
    for kind, name in things:
        try:
            session.execute(sql.SQL(f"ALTER {kind} {name} OWNER TO {{}}").format(sql.Identifier(owner)))
        except psycopg.OperationalError:
            raise
        except psycopg.Error as error:
            failed[name] = error.diag.message_primary or str(error)
    if not failed:
        return []
    name, reason = next(iter(failed.items()))
    more = f" and {len(failed) - 1} more" if len(failed) > 1 else ""
    return [f"{name}{more} could not be given back to {owner}: {reason}."]
