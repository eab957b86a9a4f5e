"""Brings a database to this version's tables with Alembic: the first start makes them, later ones change what changed."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, inspect, text

SCRIPTS = Path(__file__).parent / "migrations"
_LOCK = 0x62756C756F  # "buluo": two processes that start at once migrate one after the other


def configuration() -> Config:
    config = Config()
    config.set_main_option("script_location", str(SCRIPTS))
    return config


def upgrade(engine: Engine) -> None:
    """Does nothing where the database is of this version already; all or nothing otherwise."""
    newest = ScriptDirectory.from_config(configuration()).get_current_head()
    with engine.connect() as con:
        if inspect(con).has_table("alembic_version") and _version(con) == newest:
            return
    with engine.connect().execution_options(buluo_write=True) as con, con.begin():
        if con.dialect.name == "postgresql":
            con.execute(text("select pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
        config = configuration()
        config.attributes["connection"] = con
        command.upgrade(config, "head")


def _version(con: object) -> str | None:
    return MigrationContext.configure(con).get_current_revision()  # type: ignore[arg-type]
