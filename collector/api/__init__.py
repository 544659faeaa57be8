"""One file, one resource of the HTTP interface."""
