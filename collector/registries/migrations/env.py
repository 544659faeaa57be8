"""How alembic reaches the registry: through the connection that ``_database.py`` hands over."""

from alembic import context

from collector.registries._tables import METADATA

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=METADATA,
    render_as_batch=True,  # SQLite changes a table only by making it anew
)
with context.begin_transaction():
    context.run_migrations()
