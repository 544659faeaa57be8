"""One file, one registry."""
