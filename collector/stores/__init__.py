"""One file, one store for facts."""
