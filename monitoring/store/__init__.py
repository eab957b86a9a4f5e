"""The case store: people, alerts, decisions and the journal, in SQLite (by default) or PostgreSQL (BULUO_DATABASE_URL).

`Store` opens it; `schema` says what stands in it; `journal` appends to the chain. Warehouses can be made again from the
departments' files; what stands here cannot.
"""

from monitoring.store.engine import Store, StoreError, open_store

__all__ = ["Store", "StoreError", "open_store"]
