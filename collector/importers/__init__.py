"""One file, one kind of file that people send."""
