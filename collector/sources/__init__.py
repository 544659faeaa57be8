"""One file, one kind of infrastructure source the collector reads."""
