"""What a PostgreSQL database is apart from its content: owner, locale, settings, rights, comment.

A dump does not restore these to a database of another name, so they are carried over from the live one.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import psycopg
from psycopg import sql

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

# Settings that are lists of names: one literal would be taken for a single name.
LISTS = {
    "search_path",
    "temp_tablespaces",
    "local_preload_libraries",
    "session_preload_libraries",
    "shared_preload_libraries",
    "unix_socket_directories",
}
LIST_ENTRY = re.compile(r'"(?:[^"]|"")*"|[^,\s"]+')
PROVIDERS = {"i": "icu", "b": "builtin"}


@dataclass(frozen=True, slots=True)
class Grant:
    """A right on the database; `grantee` is None for everybody."""

    grantee: str | None
    privilege: str
    grantable: bool


@dataclass(frozen=True, slots=True)
class Setting:
    """A setting that sessions in the database begin with; `role` is None for everybody's."""

    role: str | None
    name: str
    value: str


@dataclass(frozen=True, slots=True)
class Properties:
    """What a database is apart from its content.

    `creation` holds the options for CREATE DATABASE. `grants` is None where nobody ever granted or revoked a right.
    `table_owner` owns most of the tables.
    """

    owner: str
    table_owner: str | None
    creation: tuple[tuple[str, str | int], ...]
    connection_limit: int
    comment: str | None
    grants: tuple[Grant, ...] | None
    settings: tuple[Setting, ...]


def read_properties(session: psycopg.Connection[Any]) -> Properties:
    """Return the properties of the database that the session is connected to."""
    row = session.execute(
        "SELECT to_json(d)::text, pg_get_userbyid(datdba), pg_encoding_to_char(encoding),"
        # Named, it would need a right that nobody needs for the usual one.
        " nullif(spcname, (SELECT s.spcname FROM pg_database p JOIN pg_tablespace s ON s.oid = p.dattablespace"
        " WHERE p.datname = 'template0')),"
        " shobj_description(d.oid, 'pg_database')"
        " FROM pg_database d JOIN pg_tablespace t ON t.oid = dattablespace WHERE datname = current_database()"
    ).fetchone()
    if row is None:
        raise LookupError("the database that we are connected to has no name any more")
    text, owner, encoding, tablespace, comment = row
    about = json.loads(text)
    return Properties(
        owner=owner,
        table_owner=_table_owner(session),
        creation=tuple(_creation(about, encoding, tablespace)),
        connection_limit=about["datconnlimit"],
        comment=comment,
        grants=_grants(session) if about["datacl"] is not None else None,
        settings=_settings(session),
    )


def _creation(about: dict[str, Any], encoding: str, tablespace: str | None) -> Iterator[tuple[str, str | int]]:
    yield "ENCODING", encoding
    yield "LC_COLLATE", about["datcollate"]
    yield "LC_CTYPE", about["datctype"]
    # Before version 15 there was the C library alone; the locale's column was renamed in 17.
    provider = PROVIDERS.get(about.get("datlocprovider", ""))
    locale = about.get("datlocale") or about.get("daticulocale")
    if provider and locale:
        yield "LOCALE_PROVIDER", provider
        yield f"{provider.upper()}_LOCALE", locale
    if provider and about.get("daticurules"):
        yield "ICU_RULES", about["daticurules"]
    if tablespace:
        yield "TABLESPACE", tablespace


def _table_owner(session: psycopg.Connection[Any]) -> str | None:
    row = session.execute(
        "SELECT pg_get_userbyid(relowner) FROM pg_class WHERE relkind IN ('r', 'p') AND relpersistence <> 't'"
        " AND relnamespace NOT IN ('pg_catalog'::regnamespace, 'information_schema'::regnamespace,"
        " 'pg_toast'::regnamespace) GROUP BY relowner ORDER BY count(*) DESC, relowner LIMIT 1"
    ).fetchone()
    return row[0] if row else None


def _grants(session: psycopg.Connection[Any]) -> tuple[Grant, ...]:
    found = session.execute(
        "SELECT CASE WHEN grantee <> 0 THEN pg_get_userbyid(grantee) END, privilege_type, is_grantable"
        " FROM pg_database, aclexplode(datacl) WHERE datname = current_database() ORDER BY 1, 2"
    )
    return tuple(Grant(*row) for row in found.fetchall())


def _settings(session: psycopg.Connection[Any]) -> tuple[Setting, ...]:
    found = session.execute(
        "SELECT CASE WHEN setrole <> 0 THEN pg_get_userbyid(setrole) END, unnest(setconfig)"
        " FROM pg_db_role_setting JOIN pg_database d ON d.oid = setdatabase WHERE datname = current_database()"
    )
    parts = [(role, *text.partition("=")) for role, text in found.fetchall()]
    return tuple(Setting(role, name, value) for role, name, _, value in parts)


def creation_statement(name: str, properties: Properties | None) -> sql.Composed:
    """Return the statement that makes an empty database of that name, like the one described."""
    options = properties.creation if properties else (("ENCODING", "UTF8"),)
    texts = (
        sql.SQL(f" {option} ") + (sql.Identifier(str(value)) if option == "TABLESPACE" else sql.Literal(value))
        for option, value in options
    )
    return sql.SQL("CREATE DATABASE {} TEMPLATE template0").format(sql.Identifier(name)) + sql.SQL("").join(texts)


def carry_over(server: psycopg.Connection[Any], statements: Iterable[tuple[str, sql.Composed]]) -> list[str]:
    """Run statements, each with what it is about, and return sentences about those that failed."""
    findings = []
    for what, statement in statements:
        try:
            server.execute(statement)
        except psycopg.OperationalError:
            raise
        except psycopg.Error as error:
            findings.append(f"{what} could not be carried over: {error.diag.message_primary or error}.")
    return findings


def access_statements(name: str, properties: Properties) -> Iterator[tuple[str, sql.Composed]]:
    """Yield what makes a new database accessible to those alone who had access to the one described."""
    database = sql.Identifier(name)
    if properties.grants is not None:
        yield "The database's rights", sql.SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC").format(database)
        for grant in properties.grants:
            if grant.grantee != properties.owner:
                yield f"The right {grant.privilege} of {grant.grantee or 'everybody'}", _grant(database, grant)
    yield (
        "The database's owner",
        sql.SQL("ALTER DATABASE {} OWNER TO {}").format(database, sql.Identifier(properties.owner)),
    )


def session_statements(name: str, properties: Properties) -> Iterator[tuple[str, sql.Composed]]:
    """Yield what gives a database the comment, and its sessions the settings, of the one described."""
    database = sql.Identifier(name)
    if properties.connection_limit != -1:
        limit = sql.SQL("ALTER DATABASE {} CONNECTION LIMIT {}").format(database, properties.connection_limit)
        yield "The limit of connections", limit
    if properties.comment is not None:
        yield "The database's comment", sql.SQL("COMMENT ON DATABASE {} IS {}").format(database, properties.comment)
    for setting in properties.settings:
        yield f"The setting {setting.name} of {setting.role or 'the database'}", _alter(database, setting)


def _grant(database: sql.Identifier, grant: Grant) -> sql.Composed:
    grantee = sql.Identifier(grant.grantee) if grant.grantee else sql.SQL("PUBLIC")
    option = sql.SQL(" WITH GRANT OPTION") if grant.grantable else sql.SQL("")
    return sql.SQL(f"GRANT {grant.privilege} ON DATABASE {{}} TO {{}}{{}}").format(database, grantee, option)


def _alter(database: sql.Identifier, setting: Setting) -> sql.Composed:
    subject = (
        sql.SQL("ROLE {} IN DATABASE {}").format(sql.Identifier(setting.role), database)
        if setting.role
        else sql.SQL("DATABASE {}").format(database)
    )
    values = [setting.value]
    if setting.name in LISTS:
        entries = LIST_ENTRY.findall(setting.value)
        values = [entry[1:-1].replace('""', '"') if entry.startswith('"') else entry for entry in entries]
    return sql.SQL("ALTER {} SET {} TO {}").format(
        # A setting of an extension has two names with a dot between.
        subject,
        sql.Identifier(*setting.name.split(".")),
        sql.SQL(", ").join(map(sql.Literal, values)),
    )
