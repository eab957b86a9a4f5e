"""Brings a database to this version's tables with Alembic: the first start makes them, later ones change what changed.

Most starts find a database of this version. They ask it and the scripts alone: Alembic takes half a second to load.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, Engine, inspect, text

if TYPE_CHECKING:
    from alembic.config import Config

SCRIPTS = Path(__file__).parent / "migrations"
_NAMED = re.compile(r"^(revision|down_revision)\b[^=\n]*=\s*(.+)$", re.MULTILINE)
_QUOTED = re.compile(r"[\"']([^\"']+)[\"']")
_LOCK = 0x62756C756F  # "buluo": two processes that start at once migrate one after the other


def configuration() -> Config:
    from alembic.config import Config

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
        from alembic import command

        config = configuration()
        config.attributes["connection"] = con
        command.upgrade(config, "head")


@cache
def newest() -> str | None:
    """The revision that this version of the program works with: the one that no other script builds on."""
    found: dict[str, set[str]] = {"revision": set(), "down_revision": set()}
    for script in (SCRIPTS / "versions").glob("[0-9]*.py"):
        for name, value in _NAMED.findall(script.read_text(encoding="utf-8")):
            found[name].update(_QUOTED.findall(value))
    heads = found["revision"] - found["down_revision"]
    if len(heads) > 1:
        raise ValueError(f"several migrations are the last one: {', '.join(sorted(heads))}")
    return next(iter(heads), None)


def revision(con: Connection) -> str | None:
    """The revision that a database with tables of ours has."""
    found: str | None = con.scalar(text("select version_num from alembic_version"))
    return found
