"""Alembic's entry: migrates on the connection that `monitoring.store.migrating` hands over, inside its transaction."""

from alembic import context

from monitoring.store.schema import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata, transactional_ddl=False)
context.run_migrations()
