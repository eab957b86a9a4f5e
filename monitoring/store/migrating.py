"""Brings a database to this version's tables with Alembic: the first start makes them, later ones change what changed."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, inspect, text

SCRIPTS = Path(__file__).parent / "migrations"
_LOCK = 0x62756C756F  # "buluo": two processes that start at once migrate one after the other


def configuration() -> Config:
    config = Config()
    config.set_main_option("script_location", str(SCRIPTS))
    return config


def upgrade(engine: Engine) -> None:
    """Does nothing where the database is of this version already; all or nothing otherwise."""
    with engine.connect() as con:
        if inspect(con).has_table("alembic_version") and revision(con) == newest():
            return
    with engine.connect().execution_options(buluo_write=True) as con, con.begin():
        if con.dialect.name == "postgresql":
            con.execute(text("select pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
        config = configuration()
        config.attributes["connection"] = con
        command.upgrade(config, "head")


@cache
def newest() -> str | None:
    """The revision that this version of the program works with; its scripts are looked through once."""
    return ScriptDirectory.from_config(configuration()).get_current_head()


def revision(con: Connection) -> str | None:
    """The revision that a database has."""
    return MigrationContext.configure(con).get_current_revision()
