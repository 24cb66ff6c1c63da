"""Backups of the database: written, read back, described by a manifest, kept for as long as they are wanted."""
