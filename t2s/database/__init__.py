"""Databases that can only be read: connect, introspect, explain, run.

The engines keep to reading by themselves, whatever the SQL says; the guard in `t2s.sql` is another layer.
"""

from t2s.database.connection import Connection, open_database, resolve_connection

__all__ = ["Connection", "open_database", "resolve_connection"]
