"""Casebook: a small case-management application on PostgreSQL, the system that the lab makes slow."""
