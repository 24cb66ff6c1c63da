"""The database engine of SQLite, as ``DATABASES`` names it."""
