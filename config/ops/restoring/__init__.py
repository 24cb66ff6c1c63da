"""Bringing backups back."""
