"""Moving a SQLite file into PostgreSQL: streamed, all or nothing, and proved."""
