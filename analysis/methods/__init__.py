"""One file, one attribution method."""
