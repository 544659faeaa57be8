"""One file, one way to walk a journey's steps."""
