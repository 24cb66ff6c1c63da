"""Physical backups: the files of a whole PostgreSQL server, its log of changes, and any moment in between."""
