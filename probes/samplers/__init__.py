"""One file, one kind of thing an agent can read of its machine."""
